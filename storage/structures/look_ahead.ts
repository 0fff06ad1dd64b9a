// Looking ahead: brings the cache lines of several keys near before the first of them is used.
//
// A look-up in a table larger than the caches waits for memory twice, for the bucket and for the entry,
// and one request after the other makes these waits a chain. Over the keys of a pipeline the loads are
// independent, and a processor has as many under way as its window of instructions spans. So the loops
// that load are as tight as they can be, and what is computed is computed between them:
//
//   hash all keys -> load all buckets -> match fingerprints -> load all entries
//
// Measured with a million keys (16 bytes, values of 64): 430 ns for a look-up alone, 215 ns with looking
// ahead over 32 keys, 42 of them for the hash; with the loads among the rest of the work 290 ns.
//
// Nothing is decided here: the look-ups run as ever, on lines that are there. An entry of up to 128
// bytes spans two lines as often as not, so two are loaded.
//
// What one pop after the other takes from the end of an order lies anywhere, too, and is known before it is asked for
// (lookAheadEntries).
import { wordWindows } from '../memory/arena.js';
import { GRANULE_BYTES, NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { locateKey, span } from './entry.js';
import { hashBytes } from './hash.js';
import {
  BUCKET_WORDS,
  BUCKETS,
  directoryIndex,
  FINGERPRINT_WORD,
  fingerprintOf,
  TABLE_COUNT,
  TABLE_DEPTH,
} from './hash_table.js';
import { AHEAD_MAX, ahead, TABLE_SEED } from './key_hash.js';

/** Tables with fewer entries stay in the processor's caches by themselves. */
const TABLE_COUNT_MIN = 4096;
/** Longer keys are rare, and hashing one that turns out to be no key would cost too much. */
const KEY_BYTES_MAX = 128;
const BUCKET_GRANULES = (BUCKET_WORDS * 4) / GRANULE_BYTES;
/** A segment begins at a multiple of its size. */
const SEGMENT_GRANULES = BUCKETS * BUCKET_GRANULES;
/** Words from an entry's first to one on its second cache line. */
const NEXT_LINE_WORDS = 16;

/** Of each key, its bucket and then its entry. */
const refs = new Int32Array(AHEAD_MAX);
/** Hashes of entries, which are no keys of requests. */
const entryHashes = new Int32Array(AHEAD_MAX);

/** Where the loaded words go, so that no compiler finds the loads useless. */
const loaded = new Int32Array(1);

/** Begins a list of keys in `bytes`, to be filled with addAhead() in the order of their offsets. */
export function beginAhead(bytes: Uint8Array): void {
  ahead.bytes = bytes;
  ahead.count = 0;
  ahead.cursor = 0;
}

/** Adds a key. False: the list is full. */
export function addAhead(offset: number, length: number): boolean {
  const { count } = ahead;
  if (count === AHEAD_MAX) return false;
  if (length > KEY_BYTES_MAX) return true;
  ahead.offsets[count] = offset;
  ahead.lengths[count] = length;
  ahead.count = count + 1;
  return true;
}

/** Loads what look-ups of the listed keys in this table will read. */
export function lookAhead(table: Ref): void {
  const root = wordWindows[table >>> WINDOW_SHIFT]!;
  const at = (table & WINDOW_MASK) << 2;
  if (ahead.count < 2 || root[at + TABLE_COUNT]! >>> 0 < TABLE_COUNT_MIN) {
    ahead.count = 0;
    return;
  }
  ahead.seed0 = root[at + TABLE_SEED]!;
  ahead.seed1 = root[at + TABLE_SEED + 1]!;
  hashAll();
  locateBuckets(root[at]! as Ref, root[at + TABLE_DEPTH]!, ahead.hashes, ahead.count);
  loadAll(0, ahead.count);
  matchEntries();
  loadAll(NEXT_LINE_WORDS, ahead.count);
}

/**
 * Loads what taking entries out of their table will read, when it is large: entries, buckets, the first buckets of
 * the segments. At most AHEAD_MAX of them. What was found ahead for requests stays.
 */
export function lookAheadEntries(table: Ref, entries: Int32Array, count: number): void {
  const root = wordWindows[table >>> WINDOW_SHIFT]!;
  const at = (table & WINDOW_MASK) << 2;
  if (count < 2 || root[at + TABLE_COUNT]! >>> 0 < TABLE_COUNT_MIN) return;
  for (let i = 0; i < count; i++) refs[i] = entries[i]!;
  loadAll(NEXT_LINE_WORDS, count);
  const seed0 = root[at + TABLE_SEED]!;
  const seed1 = root[at + TABLE_SEED + 1]!;
  for (let i = 0; i < count; i++) {
    locateKey(entries[i]! as Ref);
    entryHashes[i] =
      span.length > KEY_BYTES_MAX
        ? 0
        : hashBytes(span.view, span.offset, span.length, seed0, seed1);
  }
  locateBuckets(root[at]! as Ref, root[at + TABLE_DEPTH]!, entryHashes, count);
  loadAll(0, count);
  for (let i = 0; i < count; i++) refs[i] = refs[i]! & -SEGMENT_GRANULES;
  loadAll(0, count);
}

function hashAll(): void {
  const { bytes, offsets, lengths, hashes, count, seed0, seed1 } = ahead;
  for (let i = 0; i < count; i++) {
    hashes[i] = hashBytes(bytes, offsets[i]!, lengths[i]!, seed0, seed1);
  }
}

function locateBuckets(directory: Ref, depth: number, hashes: Int32Array, count: number): void {
  const segments = wordWindows[directory >>> WINDOW_SHIFT]!;
  const base = (directory & WINDOW_MASK) << 2;
  for (let i = 0; i < count; i++) {
    const hash = hashes[i]!;
    const segment = segments[base + directoryIndex(hash, depth)]!;
    refs[i] = segment + (hash & (BUCKETS - 1)) * BUCKET_GRANULES;
  }
}

/** Replaces each bucket in `refs` by the entry that its key probably has: NULL_REF is no harm. */
function matchEntries(): void {
  const { hashes, count } = ahead;
  for (let i = 0; i < count; i++) {
    const bucket = refs[i]!;
    const words = wordWindows[bucket >>> WINDOW_SHIFT]!;
    refs[i] = candidate(words, (bucket & WINDOW_MASK) << 2, hashes[i]!);
  }
}

/** Loads a word of each object in `refs`, and another one so many words behind it. */
function loadAll(distance: number, count: number): void {
  const window = refs[0]! >>> WINDOW_SHIFT;
  let others = 0;
  for (let i = 1; i < count; i++) others |= (refs[i]! >>> WINDOW_SHIFT) ^ window;
  loaded[0] =
    others === 0 ? loadOfOne(wordWindows[window]!, distance, count) : loadOfMany(distance, count);
}

function loadOfOne(words: Int32Array, distance: number, count: number): number {
  const limit = words.length - 1 - distance;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const index = Math.min((refs[i]! & WINDOW_MASK) << 2, limit);
    sum ^= words[index]! ^ words[index + distance]!;
  }
  return sum;
}

function loadOfMany(distance: number, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const ref = refs[i]!;
    const words = wordWindows[ref >>> WINDOW_SHIFT]!;
    const index = Math.min((ref & WINDOW_MASK) << 2, words.length - 1 - distance);
    sum ^= words[index]! ^ words[index + distance]!;
  }
  return sum;
}

/** The first entry of a bucket with the fingerprint of this hash, or NULL_REF: see find(). */
function candidate(words: Int32Array, bucket: number, hash: number): Ref {
  const pattern = Math.imul(fingerprintOf(hash), 0x01010101);
  for (let k = 0; k < 3; k++) {
    const x = words[bucket + FINGERPRINT_WORD + k]! ^ pattern;
    const matches = (x - 0x01010101) & ~x & 0x80808080;
    if (matches === 0) continue;
    const lane = (31 - Math.clz32(matches & -matches)) >>> 3;
    return words[bucket + (k << 2) + lane]! as Ref;
  }
  return NULL_REF;
}
