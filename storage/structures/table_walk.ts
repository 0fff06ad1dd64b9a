// Walking a hash table: SCAN cursors and whole walks.
//
// A walk goes through the hashes in the order of their prefix, and inside a segment in the order of
// their home buckets. A SCAN cursor says what was returned so far; 0 is start and end:
//
//   | depth: 5 | prefix: 26 | bucket: 6 |      37 bits, so a double holds it
//
//   bucket = 0   all hashes with a smaller prefix
//   bucket > 0   these, and of the 2^(32 - depth) hashes from the prefix on (a segment of that depth
//                at the time) those whose home is a smaller bucket
//
// So an element that is there throughout is returned at least once whatever happens to its segment
// between two steps. After a split the walk goes on at the bucket in the lower half and then through
// all of the upper half, some of it for the second time. After a merge it goes on at the bucket among
// the hashes of the old segment only, and then with those of the other half behind it, which no step
// has seen yet: without the depth in the cursor they would be passed over.
import { wordWindows } from '../memory/arena.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import {
  BUCKET_SLOTS,
  BUCKET_WORDS,
  BUCKETS,
  DEPTH_MAX,
  hashOfEntry,
  localDepth,
  META_WORD,
  rootIndex,
  rootWords,
  SEGMENT_WORDS,
  segmentFor,
  TABLE_DEPTH,
  TABLE_DIRECTORY,
} from './hash_table.js';

/** Cursors are below this. */
export const CURSORS = 2 ** 37;
const HASHES = 2 ** 32;
/** Buckets that one step visits per entry it is asked for. */
const VISITS_PER_ENTRY = 10;

/** Refs collected by scanStep: entries 0..count-1. Valid until the table changes. */
export const scanned = { refs: new Int32Array(4096), count: 0 };

/**
 * Fills `scanned` with the entries from `cursor` on, bucket by bucket, until at least `countMin` were
 * found. Returns the next cursor, 0 at the end. Any whole number below CURSORS is taken for a cursor.
 */
export function scanStep(table: Ref, cursor: number, countMin: number): number {
  scanned.count = 0;
  const root = rootWords(table);
  const at = rootIndex(table);
  if (root[at + TABLE_DIRECTORY] === 0) return 0;
  let bucket = cursor & (BUCKETS - 1);
  let start = (cursor - bucket) % HASHES;
  let end = bucket === 0 ? HASHES : blockEnd(start, Math.floor(cursor / HASHES));
  // An almost empty table must not make one step walk all of it.
  let visitsLeft = countMin * VISITS_PER_ENTRY;
  for (;;) {
    const segment = segmentFor(root, at, start);
    const words = wordWindows[segment >>> WINDOW_SHIFT]!;
    const base = (segment & WINDOW_MASK) << 2;
    end = Math.min(end, blockEnd(start, localDepth(words, base)));
    for (; bucket < BUCKETS; bucket++) {
      if (scanned.count >= countMin || visitsLeft-- <= 0) return cursorAt(start, end, bucket);
      collectHome(table, words, base, bucket, start, end);
    }
    if (end === HASHES) return 0;
    start = end;
    end = HASHES;
    bucket = 0;
  }
}

/** End of the block of 2^(32 - depth) hashes that begins at `start`, or of the largest one that can. */
function blockEnd(start: number, depth: number): number {
  const aligned = start === 0 ? HASHES : (start & -start) >>> 0;
  return start + Math.min(2 ** (32 - Math.min(depth, DEPTH_MAX)), aligned);
}

function cursorAt(start: number, end: number, bucket: number): number {
  if (bucket === 0) return start;
  return (32 - Math.log2(end - start)) * HASHES + start + bucket;
}

/**
 * Collects the entries with home `bucket` and a hash in [start, end): there, or passed on to the
 * buckets behind.
 */
function collectHome(
  table: Ref,
  words: Int32Array,
  base: number,
  bucket: number,
  start: number,
  end: number,
): void {
  let at = bucket;
  for (let probes = 0; probes < BUCKETS; probes++) {
    const first = base + at * BUCKET_WORDS;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const ref = words[first + slot]! as Ref;
      if (ref === NULL_REF) continue;
      const hash = hashOfEntry(table, ref) >>> 0;
      if ((hash & (BUCKETS - 1)) === bucket && hash >= start && hash < end) collect(ref);
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

/** A place in a walk over all entries that can stop anywhere. The table must not change meanwhile. */
export class EntryCursor {
  private directory: Int32Array = wordWindows[0]!;
  private place = 0;
  private placesEnd = 0;
  private words: Int32Array = wordWindows[0]!;
  /** Word indexes of the next slot and of the segment's end; a bucket's fingerprints are passed over. */
  private slot = 0;
  private slotsEnd = 0;
  private previous: Ref = NULL_REF;

  /** Begins before the first entry. */
  open(table: Ref): void {
    const root = rootWords(table);
    const at = rootIndex(table);
    const directory = root[at + TABLE_DIRECTORY]! as Ref;
    this.directory = wordWindows[directory >>> WINDOW_SHIFT]!;
    this.place = (directory & WINDOW_MASK) << 2;
    this.placesEnd =
      directory === NULL_REF ? this.place : this.place + 2 ** root[at + TABLE_DEPTH]!;
    this.slot = 0;
    this.slotsEnd = 0;
    this.previous = NULL_REF;
  }

  /** The next entry; NULL_REF behind the last. */
  next(): Ref {
    for (;;) {
      const words = this.words;
      const slotsEnd = this.slotsEnd;
      let slot = this.slot;
      for (; slot < slotsEnd; slot++) {
        if ((slot & (BUCKET_WORDS - 1)) >= BUCKET_SLOTS) {
          slot |= BUCKET_WORDS - 1;
        } else if (words[slot] !== 0) {
          this.slot = slot + 1;
          return words[slot]! as Ref;
        }
      }
      this.slot = slot;
      if (!this.nextSegment()) return NULL_REF;
    }
  }

  private nextSegment(): boolean {
    while (this.place < this.placesEnd) {
      const segment = this.directory[this.place++]! as Ref;
      if (segment === this.previous) continue;
      this.previous = segment;
      this.words = wordWindows[segment >>> WINDOW_SHIFT]!;
      this.slot = (segment & WINDOW_MASK) << 2;
      this.slotsEnd = this.slot + SEGMENT_WORDS;
      return true;
    }
    return false;
  }
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
