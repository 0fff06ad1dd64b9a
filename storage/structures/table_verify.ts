// Proves the invariants of a hash table that hash_table.ts states. Reads only.
//
// The entries of a segment lie all over the heap: reading them is a row of cache misses, and the time
// of the walk. So each segment's entries are touched first, in a loop of loads that do not wait for
// one another, and then checked from the cache.

import { extentCount, wordWindows } from '../memory/arena.js';
import { EXTENT_SHIFT, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import {
  BUCKET_SLOTS,
  BUCKET_WORDS,
  BUCKETS,
  directoryIndex,
  FINGERPRINT_WORD,
  fingerprintOf,
  hashOfEntry,
  localDepth,
  META_WORD,
  rootIndex,
  rootWords,
  SEGMENT_BYTES,
  SEGMENT_WORDS,
  segmentCount,
  TABLE_COUNT,
  TABLE_DEEPEST,
  TABLE_DEPTH,
  TABLE_DIRECTORY,
  TABLE_SEGMENTS,
} from './hash_table.js';

/** Gets an entry with its hash. */
export type VisitEntry = (ref: Ref, hash: number) => void;

/** Checks a table; `owns` gets every object of the table itself, `visit` every entry. */
export function verifyTable(
  table: Ref,
  owns: (ref: Ref, bytes: number) => void,
  visit: VisitEntry,
): void {
  const root = rootWords(table);
  const at = rootIndex(table);
  const directory = root[at + TABLE_DIRECTORY]! as Ref;
  if (directory === 0) {
    expectEqual(table, 'count without a directory', root[at + TABLE_COUNT]!, 0);
    return;
  }
  const depth = root[at + TABLE_DEPTH]!;
  owns(directory, 4 << depth);
  const words = wordWindows[directory >>> WINDOW_SHIFT]!;
  const first = (directory & WINDOW_MASK) << 2;
  let entries = 0;
  let segments = 0;
  let deepest = 0;
  for (let place = 0; place < 1 << depth; ) {
    const segment = words[first + place]! as Ref;
    const segmentWords = wordWindows[segment >>> WINDOW_SHIFT]!;
    const base = (segment & WINDOW_MASK) << 2;
    const local = localDepth(segmentWords, base);
    if (local > depth) throw new Error(`table ${table}: segment depth ${local} above ${depth}`);
    const width = 1 << (depth - local);
    for (let i = place; i < place + width; i++) {
      if (words[first + i] !== segment) {
        throw new Error(`table ${table}: directory place ${i} is not of its segment`);
      }
    }
    owns(segment, SEGMENT_BYTES);
    entries += verifySegment(table, segmentWords, base, depth, place, width, visit);
    segments++;
    if (local === depth) deepest++;
    place += width;
  }
  expectEqual(table, 'count', root[at + TABLE_COUNT]!, entries);
  expectEqual(table, 'segments', root[at + TABLE_SEGMENTS]!, segments);
  expectEqual(table, 'segments at global depth', root[at + TABLE_DEEPEST]!, deepest);
}

/** Keeps the loads of touchEntries: without a use they could be left out. */
export let touched = 0;

/** Brings the entries of a segment into the cache; throws when a ref lies outside the arena. */
function touchEntries(table: Ref, words: Int32Array, base: number): void {
  let sum = 0;
  for (let first = base; first < base + SEGMENT_WORDS; first += BUCKET_WORDS) {
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const ref = words[first + slot]!;
      if (ref === 0) continue;
      if (ref >>> EXTENT_SHIFT >= extentCount) {
        throw new Error(`table ${table}: entry ${ref >>> 0} lies outside the arena`);
      }
      sum = (sum + wordWindows[ref >>> WINDOW_SHIFT]![(ref & WINDOW_MASK) << 2]!) | 0;
    }
  }
  touched = sum;
}

function verifySegment(
  table: Ref,
  words: Int32Array,
  base: number,
  depth: number,
  place: number,
  width: number,
  visit: VisitEntry,
): number {
  touchEntries(table, words, base);
  const passed = new Int32Array(BUCKETS); // entries that went past each bucket
  let entries = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const first = base + bucket * BUCKET_WORDS;
      const ref = words[first + slot]! as Ref;
      const fingerprint =
        (words[first + FINGERPRINT_WORD + (slot >>> 2)]! >>> ((slot & 3) << 3)) & 0xff;
      if (ref === 0) {
        expectEqual(table, 'fingerprint of an empty slot', fingerprint, 0);
        continue;
      }
      const hash = hashOfEntry(table, ref);
      if (fingerprint !== fingerprintOf(hash)) {
        throw new Error(`table ${table}: entry ${ref >>> 0} has the fingerprint ${fingerprint}`);
      }
      const home = directoryIndex(hash, depth);
      if (home < place || home >= place + width) {
        throw new Error(`table ${table}: entry ${ref >>> 0} is in the wrong segment`);
      }
      for (let b = hash & (BUCKETS - 1); b !== bucket; b = (b + 1) & (BUCKETS - 1)) {
        passed[b] = passed[b]! + 1;
      }
      entries++;
      visit(ref, hash);
    }
  }
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const meta = words[base + bucket * BUCKET_WORDS + META_WORD]!;
    if ((meta & 0xffff) !== passed[bucket]) {
      throw new Error(`table ${table}: bucket ${bucket} passed ${meta & 0xffff} entries`);
    }
  }
  expectEqual(table, 'entries of a segment', segmentCount(words, base), entries);
  return entries;
}

function expectEqual(table: Ref, what: string, found: number, expected: number): void {
  if (found !== expected) {
    throw new Error(`table ${table}: ${what} is ${found}, expected ${expected}`);
  }
}
