// The hash table: extendible hashing with page-sized segments, after Fagin et al. (1979). One
// implementation serves the keyspace, hashes, sets and the member index of sorted sets.
//
//   root (8 words, anywhere)   directory Ref | global depth | count | segments | seed0 | seed1
//                              | segments at global depth | 0 (table_free.ts)
//   directory                  2^depth segment Refs, chosen by the top bits of the hash; a segment of
//                              local depth d stands in 2^(depth - d) neighbouring places
//   segment (4 KiB)            64 buckets
//   bucket (64 bytes, one cache line)
//                              12 entry Refs | 12 fingerprints (bytes) | meta
//   meta                       | segment field: 16 | passed: 16 |
//                              segment field of bucket 0: entries of the segment; of bucket 1: local depth
//
//   hash                       | segment: top bits ... | fingerprint: bits 6..13 | bucket: bits 0..5 |
//
// A full bucket hands an entry on to the next one; `passed` of each bucket counts the entries that
// went past it, so a look-up stops at the first bucket that nothing went past, and a removal leaves
// no tombstone. A segment splits at 86 % (then 43 %), and two light neighbours merge below 40 %
// together: on average 62 % full, which is 64 / (12 x 0.62) = 8.6 bytes an entry, and a look-up
// reads one bucket, seldom two. There is no global rehash: a split moves 660 entries.
//
// Invariants: a fingerprint is 0 exactly where the Ref is 0. Entries of a segment share its prefix.
// The place of the entry found last is kept in registers, until the next change of a table.

import { allocate, free } from '../memory/allocator.js';
import { wordWindows } from '../memory/arena.js';
import { DENSE } from '../memory/extents.js';
import { NULL_REF, PAGE_BYTES, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { mayWriteDense } from '../memory/placement.js';
import { keyEquals, locateKey, span } from './entry.js';
import { hashKey, TABLE_SEED } from './key_hash.js';

export const TABLE_DIRECTORY = 0;
export const TABLE_DEPTH = 1;
export const TABLE_COUNT = 2;
export const TABLE_SEGMENTS = 3;
export const TABLE_DEEPEST = 6;
export const TABLE_ROOT_WORDS = 8;

export const BUCKETS = 64;
export const BUCKET_WORDS = 16;
export const BUCKET_SLOTS = 12;
export const SEGMENT_BYTES = PAGE_BYTES;
export const SEGMENT_WORDS = SEGMENT_BYTES / 4;
export const FINGERPRINT_WORD = 12;
export const META_WORD = 15;

const SEGMENT_SLOTS = BUCKETS * BUCKET_SLOTS;
const SPLIT_COUNT = Math.floor(SEGMENT_SLOTS * 0.86);
const MERGE_COUNT = Math.floor(SEGMENT_SLOTS * 0.4);
/** Prefix bits at most; below it 64 buckets still differ. Reached only with ~10^10 entries. */
export const DEPTH_MAX = 26;

if (BUCKET_SLOTS * 5 + 4 !== 64 || BUCKETS * 64 !== SEGMENT_BYTES) {
  throw new Error('a bucket must be one cache line and a segment one page');
}

// The place of the entry that was found last; foundRef is NULL_REF when a change made it stale.
let foundTable = NULL_REF;
let foundRef = NULL_REF;
let foundHash = 0;
let foundWords = wordWindows[0]!;
let foundIndex = 0; // word index of the Ref
let foundSegment = NULL_REF;

export function fingerprintOf(hash: number): number {
  const bits = (hash >>> 6) & 0xff;
  return bits === 0 ? 1 : bits;
}

/** Directory index for a hash (depth 0..31). */
export function directoryIndex(hash: number, depth: number): number {
  return (hash >>> 1) >>> (31 - depth);
}

export function rootWords(table: Ref): Int32Array {
  return wordWindows[table >>> WINDOW_SHIFT]!;
}
export function rootIndex(table: Ref): number {
  return (table & WINDOW_MASK) << 2;
}

/** Number of entries. */
export function tableCount(table: Ref): number {
  return rootWords(table)[rootIndex(table) + TABLE_COUNT]! >>> 0;
}

/** Bytes of directory and segments. */
export function tableBytes(table: Ref): number {
  const root = rootWords(table);
  const at = rootIndex(table);
  if (root[at + TABLE_DIRECTORY] === 0) return 0;
  return root[at + TABLE_SEGMENTS]! * SEGMENT_BYTES + 4 * 2 ** root[at + TABLE_DEPTH]!;
}

/** Makes an empty table at `table`. Nothing is allocated until the first insert. */
export function createTable(table: Ref, seed0: number, seed1: number): void {
  const words = rootWords(table);
  const index = rootIndex(table);
  words.fill(0, index, index + TABLE_ROOT_WORDS);
  words[index + TABLE_SEED] = seed0;
  words[index + TABLE_SEED + 1] = seed1;
}

/** The entry with this key, or NULL_REF. Remembers its place for replaceEntry and removeEntry. */
export function find(
  table: Ref,
  hash: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): Ref {
  const root = wordWindows[table >>> WINDOW_SHIFT]!;
  const at = (table & WINDOW_MASK) << 2;
  const directory = root[at]!;
  if (directory === 0) return NULL_REF;
  const segment =
    wordWindows[directory >>> WINDOW_SHIFT]![
      ((directory & WINDOW_MASK) << 2) + directoryIndex(hash, root[at + TABLE_DEPTH]!)
    ]!;
  const words = wordWindows[segment >>> WINDOW_SHIFT]!;
  const base = (segment & WINDOW_MASK) << 2;
  const pattern = Math.imul(fingerprintOf(hash), 0x01010101);
  let bucket = hash & (BUCKETS - 1);
  for (let probes = 0; probes < BUCKETS; probes++) {
    const first = base + bucket * BUCKET_WORDS;
    for (let k = 0; k < 3; k++) {
      // Bytes equal to the fingerprint become zero; the classic test then sets their top bits. A
      // borrow can flag a byte above a true match too: the key comparison settles it.
      const x = words[first + FINGERPRINT_WORD + k]! ^ pattern;
      let matches = (x - 0x01010101) & ~x & 0x80808080;
      while (matches !== 0) {
        const lane = (31 - Math.clz32(matches & -matches)) >>> 3;
        const index = first + (k << 2) + lane;
        const ref = words[index]! as Ref;
        if (ref !== 0 && keyEquals(ref, bytes, offset, length)) {
          foundTable = table;
          foundRef = ref;
          foundHash = hash;
          foundWords = words;
          foundIndex = index;
          foundSegment = segment as Ref;
          return ref;
        }
        matches &= matches - 1;
      }
    }
    if ((words[first + META_WORD]! & 0xffff) === 0) return NULL_REF;
    bucket = (bucket + 1) & (BUCKETS - 1);
  }
  return NULL_REF;
}

/** Makes the found registers tell of `ref`, an entry of the table. It compares Refs, so that of the entry
 *  only the key is read, and only to be hashed. */
function locate(table: Ref, ref: Ref): void {
  if (foundRef === ref && foundTable === table) return;
  const hash = hashOfEntry(table, ref);
  const segment = segmentFor(rootWords(table), rootIndex(table), hash);
  const words = wordWindows[segment >>> WINDOW_SHIFT]!;
  const base = (segment & WINDOW_MASK) << 2;
  let bucket = hash & (BUCKETS - 1);
  for (let probes = 0; probes < BUCKETS; probes++) {
    const first = base + bucket * BUCKET_WORDS;
    for (let index = first; index < first + BUCKET_SLOTS; index++) {
      if (words[index] !== ref) continue;
      foundTable = table;
      foundRef = ref;
      foundHash = hash;
      foundWords = words;
      foundIndex = index;
      foundSegment = segment;
      return;
    }
    if ((words[first + META_WORD]! & 0xffff) === 0) break;
    bucket = (bucket + 1) & (BUCKETS - 1);
  }
  throw new Error(`heap corruption: entry ${ref >>> 0} is not in its table`);
}

/** Puts another entry with the same key in the place of `ref`. One word is written. */
export function replaceEntry(table: Ref, ref: Ref, by: Ref): void {
  locate(table, ref);
  makeFoundWritable(table);
  foundWords[foundIndex] = by;
  foundRef = by;
}

/** Takes an entry out of the table. The caller frees it. */
export function removeEntry(table: Ref, ref: Ref): void {
  locate(table, ref);
  makeFoundWritable(table);
  foundRef = NULL_REF;
  const hash = foundHash;
  const words = foundWords;
  const base = (foundSegment & WINDOW_MASK) << 2;
  const offset = foundIndex - base;
  const bucket = offset >>> 4;
  const slot = offset & 15;
  words[foundIndex] = 0;
  const fingerprints = base + bucket * BUCKET_WORDS + FINGERPRINT_WORD + (slot >>> 2);
  words[fingerprints] = words[fingerprints]! & ~(0xff << ((slot & 3) << 3));
  for (let b = hash & (BUCKETS - 1); b !== bucket; b = (b + 1) & (BUCKETS - 1)) {
    const meta = base + b * BUCKET_WORDS + META_WORD;
    words[meta] = words[meta]! - 1;
  }
  const left = words[base + META_WORD]! - 0x10000;
  words[base + META_WORD] = left;
  addCount(table, -1);
  const count = left >>> 16;
  if (count < MERGE_COUNT && (count & 31) === 0) mergeSegment(table, hash);
}

/**
 * Adds an entry whose key is not in the table. Returns false, with nothing changed, when the arena
 * has no room for a segment that must split.
 */
export function insert(table: Ref, hash: number, ref: Ref): boolean {
  const root = rootWords(table);
  const at = rootIndex(table);
  if (root[at] === 0 && !createDirectory(table)) return false;
  foundRef = NULL_REF;
  for (;;) {
    const segment = writableSegment(root, at, hash, segmentFor(root, at, hash));
    const words = wordWindows[segment >>> WINDOW_SHIFT]!;
    const base = (segment & WINDOW_MASK) << 2;
    const count = words[base + META_WORD]! >>> 16;
    if (count >= SPLIT_COUNT) {
      if (splitSegment(table, hash)) continue;
      if (count >= SEGMENT_SLOTS) return false;
    }
    place(words, base, hash, ref);
    addCount(table, 1);
    return true;
  }
}

export function segmentFor(root: Int32Array, at: number, hash: number): Ref {
  const directory = root[at]!;
  return wordWindows[directory >>> WINDOW_SHIFT]![
    ((directory & WINDOW_MASK) << 2) + directoryIndex(hash, root[at + TABLE_DEPTH]!)
  ]! as Ref;
}

/** Before the segment of the entry that was found is written to. */
function makeFoundWritable(table: Ref): void {
  const segment = foundSegment;
  const by = writableSegment(rootWords(table), rootIndex(table), foundHash, segment);
  if (by === segment) return;
  foundIndex += ((by & WINDOW_MASK) - (segment & WINDOW_MASK)) << 2;
  foundSegment = by;
  foundWords = wordWindows[by >>> WINDOW_SHIFT]!;
}

/**
 * The segment of a hash that may be written to: another one with the same entries in its place, where
 * writes to this one would be caught (memory/placement.ts). Where there is no memory, the same.
 */
function writableSegment(root: Int32Array, at: number, hash: number, segment: Ref): Ref {
  if (mayWriteDense(segment, SEGMENT_BYTES)) return segment;
  const by = allocate(SEGMENT_BYTES, DENSE);
  if (by === NULL_REF) return segment;
  const words = wordWindows[segment >>> WINDOW_SHIFT]!;
  const base = (segment & WINDOW_MASK) << 2;
  wordWindows[by >>> WINDOW_SHIFT]!.set(
    words.subarray(base, base + SEGMENT_WORDS),
    (by & WINDOW_MASK) << 2,
  );
  pointDirectory(root, at, hash, localDepth(words, base), by);
  free(segment, SEGMENT_BYTES, DENSE);
  return by;
}

export function localDepth(words: Int32Array, base: number): number {
  return words[base + BUCKET_WORDS + META_WORD]! >>> 16;
}

export function segmentCount(words: Int32Array, base: number): number {
  return words[base + META_WORD]! >>> 16;
}

/** Puts a Ref into the first bucket from its own with room. The segment is not full. */
function place(words: Int32Array, base: number, hash: number, ref: Ref): void {
  let bucket = hash & (BUCKETS - 1);
  for (;;) {
    const first = base + bucket * BUCKET_WORDS;
    for (let k = 0; k < 3; k++) {
      const x = words[first + FINGERPRINT_WORD + k]!;
      const empty = (x - 0x01010101) & ~x & 0x80808080;
      if (empty === 0) continue;
      const lane = (31 - Math.clz32(empty & -empty)) >>> 3;
      words[first + (k << 2) + lane] = ref;
      words[first + FINGERPRINT_WORD + k] = x | (fingerprintOf(hash) << (lane << 3));
      words[base + META_WORD] = words[base + META_WORD]! + 0x10000;
      return;
    }
    words[first + META_WORD] = words[first + META_WORD]! + 1;
    bucket = (bucket + 1) & (BUCKETS - 1);
  }
}

function addCount(table: Ref, delta: number): void {
  const words = rootWords(table);
  const index = rootIndex(table) + TABLE_COUNT;
  words[index] = words[index]! + delta;
}

function createDirectory(table: Ref): boolean {
  const directory = allocate(4, DENSE);
  if (directory === NULL_REF) return false;
  const segment = createSegment(0);
  if (segment === NULL_REF) {
    free(directory, 4, DENSE);
    return false;
  }
  wordWindows[directory >>> WINDOW_SHIFT]![(directory & WINDOW_MASK) << 2] = segment;
  const root = rootWords(table);
  const at = rootIndex(table);
  root[at + TABLE_DIRECTORY] = directory;
  root[at + TABLE_DEPTH] = 0;
  root[at + TABLE_SEGMENTS] = 1;
  root[at + TABLE_DEEPEST] = 1;
  return true;
}

function createSegment(depth: number): Ref {
  const segment = allocate(SEGMENT_BYTES, DENSE);
  if (segment === NULL_REF) return NULL_REF;
  const words = wordWindows[segment >>> WINDOW_SHIFT]!;
  const base = (segment & WINDOW_MASK) << 2;
  words.fill(0, base, base + SEGMENT_WORDS);
  words[base + BUCKET_WORDS + META_WORD] = depth << 16;
  return segment;
}

const scratch = new Int32Array(SEGMENT_WORDS);

/** Splits the segment that a hash falls into; false when it cannot (no memory, depth exhausted). */
function splitSegment(table: Ref, hash: number): boolean {
  const root = rootWords(table);
  const at = rootIndex(table);
  const segment = segmentFor(root, at, hash);
  const words = wordWindows[segment >>> WINDOW_SHIFT]!;
  const base = (segment & WINDOW_MASK) << 2;
  const depth = localDepth(words, base);
  if (depth >= DEPTH_MAX) return false;
  const upper = createSegment(depth + 1);
  if (upper === NULL_REF) return false;
  if (depth === root[at + TABLE_DEPTH]! && !growDirectory(root, at)) {
    free(upper, SEGMENT_BYTES, DENSE);
    return false;
  }
  scratch.set(words.subarray(base, base + SEGMENT_WORDS));
  words.fill(0, base, base + SEGMENT_WORDS);
  words[base + BUCKET_WORDS + META_WORD] = (depth + 1) << 16;
  distribute(table, scratch, segment, upper, 31 - depth);
  const splitBit = 1 << (31 - depth);
  pointDirectory(root, at, hash & ~splitBit, depth + 1, segment);
  pointDirectory(root, at, hash | splitBit, depth + 1, upper);
  root[at + TABLE_SEGMENTS] = root[at + TABLE_SEGMENTS]! + 1;
  if (depth + 1 === root[at + TABLE_DEPTH]!) {
    root[at + TABLE_DEEPEST] = root[at + TABLE_DEEPEST]! + 2;
  }
  return true;
}

/** Where touchEntries() leaves what it has loaded, so that the loads are made. */
const touched = new Int32Array(1);

/**
 * Loads the first line of each entry of a saved segment. They lie anywhere, and in a loop as tight as this the
 * processor has many of the loads under way at once (look_ahead.ts); to hash one after the other would wait for each.
 */
function touchEntries(saved: Int32Array): void {
  let sum = 0;
  for (let first = 0; first < SEGMENT_WORDS; first += BUCKET_WORDS) {
    for (let index = first; index < first + BUCKET_SLOTS; index++) {
      const ref = saved[index]!;
      sum ^= wordWindows[ref >>> WINDOW_SHIFT]![(ref & WINDOW_MASK) << 2]!;
    }
  }
  touched[0] = sum;
}

/** Places every entry of a saved segment into one of two by one bit of its hash. */
function distribute(table: Ref, saved: Int32Array, lower: Ref, upper: Ref, splitBit: number): void {
  const lowerWords = wordWindows[lower >>> WINDOW_SHIFT]!;
  const lowerBase = (lower & WINDOW_MASK) << 2;
  const upperWords = wordWindows[upper >>> WINDOW_SHIFT]!;
  const upperBase = (upper & WINDOW_MASK) << 2;
  touchEntries(saved);
  for (let first = 0; first < SEGMENT_WORDS; first += BUCKET_WORDS) {
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const ref = saved[first + slot]! as Ref;
      if (ref === 0) continue;
      const hash = hashOfEntry(table, ref);
      if (((hash >>> splitBit) & 1) === 0) place(lowerWords, lowerBase, hash, ref);
      else place(upperWords, upperBase, hash, ref);
    }
  }
}

/** Hash of an entry's key under the table's seed. */
export function hashOfEntry(table: Ref, ref: Ref): number {
  locateKey(ref);
  return hashKey(table, span.view, span.offset, span.length);
}

/** Lets the directory's places of the prefix at `depth` bits point to a segment. */
function pointDirectory(root: Int32Array, at: number, hash: number, depth: number, to: Ref): void {
  const globalDepth = root[at + TABLE_DEPTH]!;
  const directory = root[at]!;
  const width = 1 << (globalDepth - depth);
  const first =
    ((directory & WINDOW_MASK) << 2) + (directoryIndex(hash, globalDepth) & ~(width - 1));
  wordWindows[directory >>> WINDOW_SHIFT]!.fill(to, first, first + width);
}

function growDirectory(root: Int32Array, at: number): boolean {
  const depth = root[at + TABLE_DEPTH]!;
  const grown = allocate(8 << depth, DENSE);
  if (grown === NULL_REF) return false;
  const directory = root[at]! as Ref;
  const source = wordWindows[directory >>> WINDOW_SHIFT]!;
  const from = (directory & WINDOW_MASK) << 2;
  const target = wordWindows[grown >>> WINDOW_SHIFT]!;
  let to = (grown & WINDOW_MASK) << 2;
  for (let i = 0; i < 1 << depth; i++) {
    const segment = source[from + i]!;
    target[to++] = segment;
    target[to++] = segment;
  }
  root[at + TABLE_DIRECTORY] = grown;
  root[at + TABLE_DEPTH] = depth + 1;
  root[at + TABLE_DEEPEST] = 0;
  free(directory, 4 << depth, DENSE);
  return true;
}

/** Merges the segment of a hash with its buddy when both together are light. */
function mergeSegment(table: Ref, hash: number): void {
  const root = rootWords(table);
  const at = rootIndex(table);
  const segment = segmentFor(root, at, hash);
  const words = wordWindows[segment >>> WINDOW_SHIFT]!;
  const base = (segment & WINDOW_MASK) << 2;
  const depth = localDepth(words, base);
  if (depth === 0) return;
  const buddy = segmentFor(root, at, hash ^ (1 << (32 - depth)));
  const buddyWords = wordWindows[buddy >>> WINDOW_SHIFT]!;
  const buddyBase = (buddy & WINDOW_MASK) << 2;
  if (localDepth(buddyWords, buddyBase) !== depth) return;
  if (segmentCount(words, base) + segmentCount(buddyWords, buddyBase) > MERGE_COUNT) return;
  scratch.set(buddyWords.subarray(buddyBase, buddyBase + SEGMENT_WORDS));
  words[base + BUCKET_WORDS + META_WORD] = words[base + BUCKET_WORDS + META_WORD]! - 0x10000;
  // Both targets are the same segment: every entry goes there, whatever the bit says.
  distribute(table, scratch, segment, segment, 0);
  pointDirectory(root, at, hash, depth - 1, segment);
  free(buddy, SEGMENT_BYTES, DENSE);
  root[at + TABLE_SEGMENTS] = root[at + TABLE_SEGMENTS]! - 1;
  if (depth === root[at + TABLE_DEPTH]!) {
    root[at + TABLE_DEEPEST] = root[at + TABLE_DEEPEST]! - 2;
    while (root[at + TABLE_DEEPEST] === 0 && shrinkDirectory(root, at)) {}
  }
}

/** Halves the directory when no segment uses its last bit. Keeps it when memory is short. */
function shrinkDirectory(root: Int32Array, at: number): boolean {
  const depth = root[at + TABLE_DEPTH]! - 1;
  const shrunk = allocate(4 << depth, DENSE);
  if (shrunk === NULL_REF) return false;
  const directory = root[at]! as Ref;
  const source = wordWindows[directory >>> WINDOW_SHIFT]!;
  const from = (directory & WINDOW_MASK) << 2;
  const target = wordWindows[shrunk >>> WINDOW_SHIFT]!;
  const to = (shrunk & WINDOW_MASK) << 2;
  let deepest = 0;
  for (let i = 0; i < 1 << depth; i++) {
    const segment = source[from + 2 * i]!;
    target[to + i] = segment;
    const segmentWords = wordWindows[segment >>> WINDOW_SHIFT]!;
    if (localDepth(segmentWords, (segment & WINDOW_MASK) << 2) === depth) deepest++;
  }
  root[at + TABLE_DIRECTORY] = shrunk;
  root[at + TABLE_DEPTH] = depth;
  root[at + TABLE_DEEPEST] = deepest;
  free(directory, 8 << depth, DENSE);
  return true;
}

/** Frees segments and directory, not the entries; the table is empty afterwards. */
export function freeTable(table: Ref): void {
  const root = rootWords(table);
  const at = rootIndex(table);
  const directory = root[at]! as Ref;
  if (directory === NULL_REF) return;
  const words = wordWindows[directory >>> WINDOW_SHIFT]!;
  const base = (directory & WINDOW_MASK) << 2;
  const depth = root[at + TABLE_DEPTH]!;
  let previous = NULL_REF;
  for (let i = 0; i < 1 << depth; i++) {
    const segment = words[base + i]! as Ref;
    if (segment !== previous) free(segment, SEGMENT_BYTES, DENSE);
    previous = segment;
  }
  free(directory, 4 << depth, DENSE);
  foundRef = NULL_REF;
  createTable(table, root[at + TABLE_SEED]!, root[at + TABLE_SEED + 1]!);
}

/**
 * An entry with exactly this hash for which accept() is true, or NULL_REF: for indexes that know
 * entries by their hash, as the expiry index does.
 */
export function findByHash(table: Ref, hash: number, accept: (ref: Ref) => boolean): Ref {
  const root = rootWords(table);
  const at = rootIndex(table);
  if (root[at] === 0) return NULL_REF;
  const segment = segmentFor(root, at, hash);
  const words = wordWindows[segment >>> WINDOW_SHIFT]!;
  const base = (segment & WINDOW_MASK) << 2;
  let bucket = hash & (BUCKETS - 1);
  for (let probes = 0; probes < BUCKETS; probes++) {
    const first = base + bucket * BUCKET_WORDS;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const ref = words[first + slot]! as Ref;
      if (ref !== 0 && hashOfEntry(table, ref) === hash && accept(ref)) return ref;
    }
    if ((words[first + META_WORD]! & 0xffff) === 0) return NULL_REF;
    bucket = (bucket + 1) & (BUCKETS - 1);
  }
  return NULL_REF;
}

/** After a restore: nothing remembered holds any more. */
export function forgetFound(): void {
  foundRef = NULL_REF;
}
