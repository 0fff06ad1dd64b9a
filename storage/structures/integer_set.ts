// The integer set: distinct int64s in ascending order in one object, each in as few bytes as the widest
// needs. The small form of sets whose members all are integers (encoding "intset").
//
//   root      4 words inside an object of the owner, as of a packed list (packed.ts); four zero words are
//             an empty set:
//             | object Ref | count | width: bytes of an integer, 2..8 | capacity: what free() needs |
//   object    | integer | integer | ... | room |      two's complement, little-endian
//
// 20 integers below 8 million take 60 bytes, slot 64. Finding one takes log2(count) steps, inserting and
// removing move what lies behind: 512 integers of 4 bytes are 1 KiB at most. A wider integer than those
// that are there rewrites all of them; a set never becomes narrower.
//
// An integer is a pair of int32 (high, low). An index counts integers from the smallest; indexes are valid
// until the next change. While a checkpoint runs a change makes a new object where the old one must not be
// written to (memory/placement.ts). The words of the root are the owner's: see packed.ts.
//
// When the arena is full, inserting returns false and nothing has changed; removing always works.
import { allocate, free, usableBytes } from '../memory/allocator.js';
import { byteWindows, wordWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { DATA } from '../memory/extents.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { mayWrite } from '../memory/placement.js';
import type { Owners } from './entries.js';
import { relocateObject } from './relocation.js';

const ROOT_WORDS = 4;
const OBJECT_WORD = 0;
const COUNT_WORD = 1;
const WIDTH_WORD = 2;
const CAPACITY_WORD = 3;

const WIDTH_MIN = 2;
const WIDTH_MAX = 8;

/** The integer that loadIntegerAt() found. */
export const loaded = { high: 0, low: 0 };

/** Integers that a set is about to have, for one who inserts several: a new object has room for so many. */
export const reserve = { count: 0 };

function rootIndex(owner: Ref, rootWord: number): number {
  return ((owner & WINDOW_MASK) << 2) + rootWord;
}

/** Makes an empty set of four words. */
export function createIntegers(owner: Ref, rootWord: number): void {
  const at = rootIndex(owner, rootWord);
  wordWindows[owner >>> WINDOW_SHIFT]!.fill(0, at, at + ROOT_WORDS);
}

export function integerCount(owner: Ref, rootWord: number): number {
  return wordWindows[owner >>> WINDOW_SHIFT]![rootIndex(owner, rootWord) + COUNT_WORD]!;
}

// --- single integers -----------------------------------------------------------------------------

/** Bytes that an integer needs. */
function widthOf(high: number, low: number): number {
  if (high !== low >> 31) {
    const magnitude = high ^ (high >> 31);
    return magnitude < 0x80 ? 5 : magnitude < 0x8000 ? 6 : magnitude < 0x800000 ? 7 : WIDTH_MAX;
  }
  const magnitude = low ^ (low >> 31);
  return magnitude < 0x8000 ? WIDTH_MIN : magnitude < 0x800000 ? 3 : 4;
}

/** The low word of the integer at bytes[at]: all of it if it is of at most 4 bytes. */
function lowAt(bytes: Uint8Array, at: number, width: number): number {
  const lower = bytes[at]! | (bytes[at + 1]! << 8);
  if (width >= 4) return lower | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  return width === 3 ? lower | ((bytes[at + 2]! << 24) >> 8) : (lower << 16) >> 16;
}

/** The high word of the integer at bytes[at], which has more than 4 bytes. */
function highAt(bytes: Uint8Array, at: number, width: number): number {
  let high = bytes[at + 4]!;
  if (width > 5) high |= bytes[at + 5]! << 8;
  if (width > 6) high |= bytes[at + 6]! << 16;
  if (width > 7) high |= bytes[at + 7]! << 24;
  const unused = (WIDTH_MAX - width) << 3;
  return (high << unused) >> unused;
}

function writeAt(bytes: Uint8Array, at: number, width: number, high: number, low: number): void {
  for (let i = 0; i < width; i++) {
    bytes[at + i] = i < 4 ? low >>> (i << 3) : high >>> ((i - 4) << 3);
  }
}

/** Fills `loaded` with the integer at an index. */
export function loadIntegerAt(owner: Ref, rootWord: number, index: number): void {
  const words = wordWindows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const object = words[root + OBJECT_WORD]!;
  const width = words[root + WIDTH_WORD]!;
  const bytes = byteWindows[object >>> WINDOW_SHIFT]!;
  const at = ((object & WINDOW_MASK) << 4) + index * width;
  loaded.low = lowAt(bytes, at, width);
  loaded.high = width > 4 ? highAt(bytes, at, width) : loaded.low >> 31;
}

/** The index of an integer; if it is not there, -1 - the index that it would get. */
export function findInteger(owner: Ref, rootWord: number, high: number, low: number): number {
  const words = wordWindows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const object = words[root + OBJECT_WORD]!;
  const count = words[root + COUNT_WORD]!;
  const width = words[root + WIDTH_WORD]!;
  if (widthOf(high, low) > width) return high < 0 ? -1 : -1 - count;
  const bytes = byteWindows[object >>> WINDOW_SHIFT]!;
  const start = (object & WINDOW_MASK) << 4;
  return width <= 4
    ? findNarrow(bytes, start, count, width, low)
    : findWide(bytes, start, count, width, high, low);
}

function findNarrow(
  bytes: Uint8Array,
  start: number,
  count: number,
  width: number,
  value: number,
): number {
  let first = 0;
  let end = count;
  while (first < end) {
    const middle = (first + end) >>> 1;
    const there = lowAt(bytes, start + middle * width, width);
    if (there === value) return middle;
    if (there < value) first = middle + 1;
    else end = middle;
  }
  return -1 - first;
}

function findWide(
  bytes: Uint8Array,
  start: number,
  count: number,
  width: number,
  high: number,
  low: number,
): number {
  let first = 0;
  let end = count;
  while (first < end) {
    const middle = (first + end) >>> 1;
    const at = start + middle * width;
    const thereHigh = highAt(bytes, at, width);
    const thereLow = lowAt(bytes, at, width);
    if (thereHigh === high && thereLow === low) return middle;
    const isSmaller = thereHigh === high ? thereLow >>> 0 < low >>> 0 : thereHigh < high;
    if (isSmaller) first = middle + 1;
    else end = middle;
  }
  return -1 - first;
}

// --- changes -------------------------------------------------------------------------------------

/** Inserts an integer at the index where it belongs. False when the arena is full. */
export function insertInteger(
  owner: Ref,
  rootWord: number,
  index: number,
  high: number,
  low: number,
): boolean {
  const words = wordWindows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const count = words[root + COUNT_WORD]!;
  const width = Math.max(words[root + WIDTH_WORD]!, widthOf(high, low));
  const fits =
    width === words[root + WIDTH_WORD] && (count + 1) * width <= words[root + CAPACITY_WORD]!;
  if (!fits || !mayWriteObject(words, root)) {
    if (!moveIntegers(words, root, width, index, 1) && !fits) return false;
  }
  const object = words[root + OBJECT_WORD]!;
  const bytes = byteWindows[object >>> WINDOW_SHIFT]!;
  const at = ((object & WINDOW_MASK) << 4) + index * width;
  // A move has left the gap; elsewhere it is made now.
  if (words[root + COUNT_WORD] === count) {
    bytes.copyWithin(at + width, at, at + (count - index) * width);
    words[root + COUNT_WORD] = count + 1;
  }
  writeAt(bytes, at, width, high, low);
  return true;
}

/** Removes the integer at an index. */
export function removeIntegerAt(owner: Ref, rootWord: number, index: number): void {
  const words = wordWindows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const count = words[root + COUNT_WORD]! - 1;
  const width = words[root + WIDTH_WORD]!;
  if (count === 0) {
    freeIntegers(owner, rootWord);
    return;
  }
  const isLight = usableBytes(count * width) <= words[root + CAPACITY_WORD]! >>> 1;
  if (isLight || !mayWriteObject(words, root)) {
    if (moveIntegers(words, root, width, index, -1)) return;
  }
  const object = words[root + OBJECT_WORD]!;
  const bytes = byteWindows[object >>> WINDOW_SHIFT]!;
  const at = ((object & WINDOW_MASK) << 4) + index * width;
  bytes.copyWithin(at, at + width, at + (count - index + 1) * width);
  words[root + COUNT_WORD] = count;
}

function mayWriteObject(words: Int32Array, root: number): boolean {
  return mayWrite(words[root + OBJECT_WORD]! as Ref, words[root + CAPACITY_WORD]!);
}

/**
 * Moves the integers to a new object, perhaps wider ones, with a gap at an index (delta 1) or without the
 * one there (delta -1). False when the arena is full, with nothing changed.
 */
function moveIntegers(
  words: Int32Array,
  root: number,
  width: number,
  index: number,
  delta: number,
): boolean {
  const object = words[root + OBJECT_WORD]! as Ref;
  const count = words[root + COUNT_WORD]!;
  const oldWidth = words[root + WIDTH_WORD]!;
  const oldCapacity = words[root + CAPACITY_WORD]!;
  let capacity = usableBytes(Math.max(count + delta, reserve.count) * width);
  let target = allocate(capacity, DATA);
  if (target === NULL_REF && reserve.count > count + delta) {
    capacity = usableBytes((count + delta) * width);
    target = allocate(capacity, DATA);
  }
  if (target === NULL_REF) return false;
  const source = byteWindows[object >>> WINDOW_SHIFT]!;
  const from = (object & WINDOW_MASK) << 4;
  const bytes = byteWindows[target >>> WINDOW_SHIFT]!;
  const to = (target & WINDOW_MASK) << 4;
  const next = delta < 0 ? index + 1 : index;
  copyIntegers(bytes, to, width, source, from, oldWidth, index);
  const gapEnd = to + (next + delta) * width;
  copyIntegers(bytes, gapEnd, width, source, from + next * oldWidth, oldWidth, count - next);
  if (oldCapacity > 0) free(object, oldCapacity, DATA);
  words[root + OBJECT_WORD] = target;
  words[root + COUNT_WORD] = count + delta;
  words[root + WIDTH_WORD] = width;
  words[root + CAPACITY_WORD] = capacity;
  return true;
}

function copyIntegers(
  target: Uint8Array,
  to: number,
  width: number,
  source: Uint8Array,
  from: number,
  oldWidth: number,
  count: number,
): void {
  if (width === oldWidth) {
    copyBytes(target, to, source, from, count * width);
    return;
  }
  for (let i = 0; i < count; i++) {
    const at = from + i * oldWidth;
    const low = lowAt(source, at, oldWidth);
    const high = oldWidth > 4 ? highAt(source, at, oldWidth) : low >> 31;
    writeAt(target, to + i * width, width, high, low);
  }
}

// --- whole sets ----------------------------------------------------------------------------------

/** Frees the object and leaves an empty set. */
export function freeIntegers(owner: Ref, rootWord: number): void {
  const words = wordWindows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const capacity = words[root + CAPACITY_WORD]!;
  if (capacity > 0) free(words[root + OBJECT_WORD]! as Ref, capacity, DATA);
  words.fill(0, root, root + ROOT_WORDS);
}

/** Gives a root that is a bytewise clone of another set's an object of its own. False: none changed. */
export function duplicateIntegers(owner: Ref, rootWord: number): boolean {
  const words = wordWindows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const bytes = words[root + COUNT_WORD]! * words[root + WIDTH_WORD]!;
  if (bytes === 0) return true;
  const object = words[root + OBJECT_WORD]! as Ref;
  const capacity = usableBytes(bytes);
  const copy = allocate(capacity, DATA);
  if (copy === NULL_REF) return false;
  const source = byteWindows[object >>> WINDOW_SHIFT]!;
  const target = byteWindows[copy >>> WINDOW_SHIFT]!;
  copyBytes(target, (copy & WINDOW_MASK) << 4, source, (object & WINDOW_MASK) << 4, bytes);
  words[root + OBJECT_WORD] = copy;
  words[root + CAPACITY_WORD] = capacity;
  return true;
}

/** Moves the object out of an extent that is being emptied. */
export function relocateIntegers(owner: Ref, rootWord: number): void {
  const words = wordWindows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const capacity = words[root + CAPACITY_WORD]!;
  if (capacity === 0) return;
  const object = words[root + OBJECT_WORD]! as Ref;
  const bytes = words[root + COUNT_WORD]! * words[root + WIDTH_WORD]!;
  const target = relocateObject(object, capacity, bytes);
  if (target !== object) words[root + OBJECT_WORD] = target;
}

/** Proves a set and shows its object to the walk over the heap. */
export function verifyIntegers(owner: Ref, rootWord: number, owners: Owners): void {
  const words = wordWindows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const count = words[root + COUNT_WORD]!;
  const width = words[root + WIDTH_WORD]!;
  const capacity = words[root + CAPACITY_WORD]!;
  if (capacity === 0) {
    if (words[root] !== 0 || count !== 0 || width !== 0) {
      throw new Error(`integer set of ${owner}: not empty, but without an object`);
    }
    return;
  }
  owners.ownsData(words[root + OBJECT_WORD]! as Ref, capacity);
  if (width < WIDTH_MIN || width > WIDTH_MAX || count < 1 || count * width > capacity) {
    throw new Error(`integer set of ${owner}: ${count} of ${width} bytes in ${capacity}`);
  }
  loadIntegerAt(owner, rootWord, 0);
  for (let i = 1; i < count; i++) {
    const { high, low } = loaded;
    loadIntegerAt(owner, rootWord, i);
    const ascends = loaded.high === high ? loaded.low >>> 0 > low >>> 0 : loaded.high > high;
    if (!ascends) throw new Error(`integer set of ${owner}: integer ${i} is out of order`);
  }
}

/** Bytes that a set takes beside its root. */
export function integersMemory(owner: Ref, rootWord: number): number {
  return wordWindows[owner >>> WINDOW_SHIFT]![rootIndex(owner, rootWord) + CAPACITY_WORD]!;
}
