// Walking a hash table: SCAN cursors, random picks and whole walks.
//
// A SCAN cursor is a 32-bit position in the order of hash prefixes, with the home bucket in its low
// six bits:  | prefix: 26 | bucket: 6 |, 0 = start and end. A step returns every entry whose home is
// that bucket in the segment that owns the prefix. When a segment splits, the walk goes on in its
// lower half at the same bucket and then through all of the upper half; when two merge, it goes on
// at the same bucket of the whole: an element that is there throughout is returned at least once.
import { wordWindows } from '../memory/arena.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import {
  BUCKET_SLOTS,
  BUCKET_WORDS,
  BUCKETS,
  hashOfEntry,
  localDepth,
  META_WORD,
  rootIndex,
  rootWords,
  SEGMENT_WORDS,
  segmentFor,
  TABLE_COUNT,
  TABLE_DEPTH,
  TABLE_DIRECTORY,
} from './hash_table.js';

/** Refs collected by scanStep: entries 0..count-1. Valid until the table changes. */
export const scanned = { refs: new Int32Array(4096), count: 0 };

/**
 * Appends to `scanned` the entries from `cursor` (unsigned 32 bits) on, bucket by bucket, until at
 * least `countMin` were looked at. Returns the next cursor, 0 at the end.
 */
export function scanStep(table: Ref, cursor: number, countMin: number): number {
  scanned.count = 0;
  const root = rootWords(table);
  const at = rootIndex(table);
  if (root[at + TABLE_DIRECTORY] === 0) return 0;
  let position = cursor >>> 0;
  let visited = 0;
  for (;;) {
    const segment = segmentFor(root, at, position);
    const words = wordWindows[segment >>> WINDOW_SHIFT]!;
    const base = (segment & WINDOW_MASK) << 2;
    const depth = localDepth(words, base);
    for (let bucket = position & (BUCKETS - 1); bucket < BUCKETS; bucket++) {
      collectHome(table, words, base, bucket);
      visited++;
      // An almost empty table must not make one step walk all of it.
      if (scanned.count < countMin && visited < countMin * 10) continue;
      if (bucket + 1 < BUCKETS) return ((position & ~(BUCKETS - 1)) | (bucket + 1)) >>> 0;
      return nextSegment(position, depth);
    }
    position = nextSegment(position, depth);
    if (position === 0) return 0;
  }
}

/** First position of the segment after the one that holds `position`; 0 at the end. */
function nextSegment(position: number, depth: number): number {
  if (depth === 0) return 0;
  const width = 2 ** (32 - depth);
  const next = (Math.floor(position / width) + 1) * width;
  return next >= 2 ** 32 ? 0 : next;
}

/** Collects the entries whose home is `bucket`: there or passed on to the buckets behind. */
function collectHome(table: Ref, words: Int32Array, base: number, bucket: number): void {
  let at = bucket;
  for (let probes = 0; probes < BUCKETS; probes++) {
    const first = base + at * BUCKET_WORDS;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const ref = words[first + slot]! as Ref;
      if (ref !== 0 && (hashOfEntry(table, ref) & (BUCKETS - 1)) === bucket) collect(ref);
    }
    if ((words[first + META_WORD]! & 0xffff) === 0) return;
    at = (at + 1) & (BUCKETS - 1);
  }
}

function collect(ref: Ref): void {
  if (scanned.count === scanned.refs.length) {
    const grown = new Int32Array(scanned.refs.length * 2);
    grown.set(scanned.refs);
    scanned.refs = grown;
  }
  scanned.refs[scanned.count++] = ref;
}

/** Calls visit for every entry. The table must not change meanwhile. */
export function forEachEntry(table: Ref, visit: (ref: Ref) => void): void {
  forEachSegment(table, (words, base) => {
    for (let first = base; first < base + SEGMENT_WORDS; first += BUCKET_WORDS) {
      for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
        const ref = words[first + slot]! as Ref;
        if (ref !== 0) visit(ref);
      }
    }
  });
}

/** Calls visit once for every segment, with its words, their base index and its Ref. */
export function forEachSegment(
  table: Ref,
  visit: (words: Int32Array, base: number, segment: Ref) => void,
): void {
  const root = rootWords(table);
  const at = rootIndex(table);
  const directory = root[at + TABLE_DIRECTORY]! as Ref;
  if (directory === NULL_REF) return;
  const places = 1 << root[at + TABLE_DEPTH]!;
  const directoryWords = wordWindows[directory >>> WINDOW_SHIFT]!;
  const first = (directory & WINDOW_MASK) << 2;
  let previous = NULL_REF;
  for (let i = 0; i < places; i++) {
    const segment = directoryWords[first + i]! as Ref;
    if (segment === previous) continue;
    previous = segment;
    visit(wordWindows[segment >>> WINDOW_SHIFT]!, (segment & WINDOW_MASK) << 2, segment);
  }
}

/**
 * A uniformly random entry; NULL_REF when the table is empty. `random()` returns a uniform 32-bit
 * unsigned number. A random prefix finds a segment with probability 2^-depth; accepting it with
 * 2^(depth - global depth) and then a random slot if it is taken makes all slots equally likely.
 */
export function randomEntry(table: Ref, random: () => number): Ref {
  const root = rootWords(table);
  const at = rootIndex(table);
  if (root[at + TABLE_COUNT] === 0) return NULL_REF;
  const globalDepth = root[at + TABLE_DEPTH]!;
  for (;;) {
    const segment = segmentFor(root, at, random() | 0);
    const words = wordWindows[segment >>> WINDOW_SHIFT]!;
    const base = (segment & WINDOW_MASK) << 2;
    const rarer = globalDepth - localDepth(words, base);
    if (rarer > 0 && random() >>> (32 - rarer) !== 0) continue;
    const pick = random();
    const slot = (pick >>> 6) % BUCKET_SLOTS;
    const ref = words[base + (pick & (BUCKETS - 1)) * BUCKET_WORDS + slot]! as Ref;
    if (ref !== 0) return ref;
  }
}
