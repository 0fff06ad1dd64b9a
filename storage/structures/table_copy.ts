// Copying a table of entries whole: segment by segment, each entry replaced by its copy. The copy has the
// seed of the original, so that nothing is hashed and the segments are as full as they were.
import { allocate } from '../memory/allocator.js';
import { wordWindows } from '../memory/arena.js';
import { DENSE } from '../memory/extents.js';
import {
  DATABASE_EXPIRY_WORD,
  NULL_REF,
  type Ref,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../memory/layout.js';
import * as btree from './btree.js';
import { advance, Cursor, seek } from './btree_cursor.js';
import {
  BUCKET_SLOTS,
  BUCKET_WORDS,
  createTable,
  localDepth,
  rootIndex,
  rootWords,
  SEGMENT_BYTES,
  SEGMENT_WORDS,
  TABLE_DEPTH,
  TABLE_DIRECTORY,
  TABLE_ROOT_WORDS,
} from './hash_table.js';
import { TABLE_SEED } from './key_hash.js';
import { freeTableSome } from './table_free.js';

const cursor = new Cursor();
const EARLIEST = -0x80000000;

/**
 * Makes the empty table `target` a copy of `source`, expiry index and all. `copyEntry` gives an entry's
 * copy, NULL_REF when the arena is full; `freeEntry` takes one back. False: the arena is full, and
 * `target` is as empty as it was.
 */
export function copyTable(
  source: Ref,
  target: Ref,
  copyEntry: (ref: Ref) => Ref,
  freeEntry: (ref: Ref) => void,
): boolean {
  const from = rootIndex(source);
  const to = rootIndex(target);
  const root = rootWords(target);
  const sourceDirectory = rootWords(source)[from + TABLE_DIRECTORY]! as Ref;
  for (let word = 0; word < TABLE_ROOT_WORDS; word++) {
    root[to + word] = rootWords(source)[from + word]!;
  }
  root[to + TABLE_DIRECTORY] = NULL_REF;
  if (sourceDirectory === NULL_REF) return true;
  const depth = root[to + TABLE_DEPTH]!;
  const directory = allocate(4 << depth, DENSE);
  if (directory === NULL_REF) return false;
  root[to + TABLE_DIRECTORY] = directory;
  const copied = copySegments(sourceDirectory, directory, depth, copyEntry);
  if (copied && copyIndex(source, target)) return true;
  freeTableSome(target, Number.POSITIVE_INFINITY, freeEntry);
  btree.freeAll(target, DATABASE_EXPIRY_WORD);
  createTable(target, root[to + TABLE_SEED]!, root[to + TABLE_SEED + 1]!);
  return false;
}

/** Copies all segments. False: no memory; the places behind those that were copied are NULL_REF. */
function copySegments(
  sourceDirectory: Ref,
  directory: Ref,
  depth: number,
  copyEntry: (ref: Ref) => Ref,
): boolean {
  const sources = wordWindows[sourceDirectory >>> WINDOW_SHIFT]!;
  const from = (sourceDirectory & WINDOW_MASK) << 2;
  const targets = wordWindows[directory >>> WINDOW_SHIFT]!;
  const to = (directory & WINDOW_MASK) << 2;
  const places = 1 << depth;
  targets.fill(NULL_REF, to, to + places);
  for (let place = 0; place < places; ) {
    const segment = sources[from + place]! as Ref;
    const words = wordWindows[segment >>> WINDOW_SHIFT]!;
    const base = (segment & WINDOW_MASK) << 2;
    const width = 1 << (depth - localDepth(words, base));
    const copy = allocate(SEGMENT_BYTES, DENSE);
    if (copy === NULL_REF) return false;
    targets.fill(copy, to + place, to + place + width);
    if (!copySegment(words, base, copy, copyEntry)) return false;
    place += width;
  }
  return true;
}

/** Copies a segment. False: no memory; the slots behind those that were copied are NULL_REF. */
function copySegment(
  words: Int32Array,
  base: number,
  copy: Ref,
  copyEntry: (ref: Ref) => Ref,
): boolean {
  const target = wordWindows[copy >>> WINDOW_SHIFT]!;
  const to = (copy & WINDOW_MASK) << 2;
  target.set(words.subarray(base, base + SEGMENT_WORDS), to);
  let isFull = false;
  for (let bucket = 0; bucket < SEGMENT_WORDS; bucket += BUCKET_WORDS) {
    for (let slot = bucket; slot < bucket + BUCKET_SLOTS; slot++) {
      const ref = target[to + slot]! as Ref;
      if (ref === NULL_REF) continue;
      const entry = isFull ? NULL_REF : copyEntry(ref);
      if (entry === NULL_REF) isFull = true;
      target[to + slot] = entry;
    }
  }
  return !isFull;
}

/** The index holds times and hashes, which are the same in the copy. */
function copyIndex(source: Ref, target: Ref): boolean {
  const { item } = btree;
  let found = seek(cursor, source, DATABASE_EXPIRY_WORD, EARLIEST, 0, 0);
  for (; found; found = advance(cursor)) {
    if (!btree.insert(target, DATABASE_EXPIRY_WORD, item.w0, item.w1, item.w2)) return false;
  }
  return true;
}
