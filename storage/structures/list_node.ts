// Changes of a list's node: adding and removing elements at its ends and inside. The format is drawn in
// list_node_format.ts; a list as a whole is values/list.ts, which alone calls what stands here.
//
// Costs: a push or pop writes the element and the descriptor. A node that needs room slides what it holds
// when that frees an eighth, else it moves to a larger object, up to nodeLimit. A change inside moves
// the shorter side. While a checkpoint runs, a node in a pending page moves before it is written to.
//
// Functions that need memory return OUT_OF_MEMORY or false when the arena is full; no element has changed then.
import { allocate, free, usableBytes } from '../memory/allocator.js';
import { byteWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { DATA } from '../memory/extents.js';
import { NULL_REF, type Ref, WINDOW_SHIFT } from '../memory/layout.js';
import { mayWrite } from '../memory/placement.js';
import { span } from './entry.js';
import {
  bytesOf,
  encode,
  encodeLarge,
  INLINE_BYTES_MAX,
  locateAt,
  MIXED,
  NODE_COUNT_MAX,
  nodeCapacity,
  nodeCount,
  nodeHead,
  nodeLarge,
  nodeTail,
  nodeWidth,
  offsetOf,
  placeNode,
  readWord,
  setEnds,
  startOf,
  TAG_LARGE,
  usedInNode,
} from './list_node_format.js';
import { freeElements } from './list_node_objects.js';

/** Objects up to here have the size that is asked for; larger ones grow by a quarter. */
const EXACT_BYTES_MAX = 512;

/** What an attempt to add an element came to. NO_ROOM: the node is full, use another. */
export const DONE = 1;
export const NO_ROOM = 0;
export const OUT_OF_MEMORY = -1;

/** Bytes and elements from which a node takes no more: list-max-listpack-size. It holds for what is added; a
 *  larger node stays as it is. */
export const nodeLimit = { bytes: 8192, count: NODE_COUNT_MAX };

/** Bytes that are known to follow what is pushed now: room for them is allocated with it. */
export const room = { hintBytes: 0 };

// --- adding --------------------------------------------------------------------------------------

/** Adds bytes[start, start + length) at an end of a node. */
export function pushTo(
  words: Int32Array,
  d: number,
  atFront: boolean,
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  const counts = words[d + 2]!;
  const count = counts & 0xffff;
  // An emptied or new node takes the form of its first element.
  if (count === 0 || (words[d + 3]! & 0xffff) !== length || length > INLINE_BYTES_MAX) {
    return pushSlow(words, d, atFront, bytes, start, length);
  }
  const ref = words[d]! as Ref;
  const ends = words[d + 1]!;
  const capacity = counts >>> 16;
  const at = atFront ? (ends & 0xffff) - length : ends >>> 16;
  if (at < 0 || at + length > capacity || count >= nodeLimit.count || !mayWrite(ref, capacity)) {
    return pushSlow(words, d, atFront, bytes, start, length);
  }
  copyBytes(byteWindows[ref >>> WINDOW_SHIFT]!, startOf(ref) + at, bytes, start, length);
  words[d + 1] = atFront ? (ends & ~0xffff) | at : (ends & 0xffff) | ((at + length) << 16);
  words[d + 2] = counts + 1;
  return DONE;
}

function pushSlow(
  words: Int32Array,
  d: number,
  atFront: boolean,
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  const width = widthWith(words, d, length);
  if (width < 0) return NO_ROOM;
  const large = largeObject(bytes, start, length);
  if (large === NULL_REF && length > INLINE_BYTES_MAX) return OUT_OF_MEMORY;
  const need = bytesOf(width, length);
  if (!makeEndRoom(words, d, width, need, atFront)) {
    freeLarge(large, length);
    return OUT_OF_MEMORY;
  }
  const head = nodeHead(words, d);
  const tail = nodeTail(words, d);
  writeElement(words, d, atFront ? head - need : tail, large, bytes, start, length);
  if (atFront) setEnds(words, d, head - need, tail);
  else setEnds(words, d, head, tail + need);
  return DONE;
}

/** The width of a node once it has an element of this length too; -1 when that would not fit. */
function widthWith(words: Int32Array, d: number, length: number): number {
  const count = nodeCount(words, d);
  if (count === 0) return length <= INLINE_BYTES_MAX ? length : MIXED;
  if (count >= nodeLimit.count) return -1;
  const width = nodeWidth(words, d);
  const target = width === length ? width : MIXED;
  const used = target === width ? usedInNode(words, d) : count * bytesOf(MIXED, width);
  return used + bytesOf(target, length) > nodeLimit.bytes ? -1 : target;
}

/** A copy of an element in an object of its own, when it needs one; else NULL_REF. */
function largeObject(bytes: Uint8Array, start: number, length: number): Ref {
  if (length <= INLINE_BYTES_MAX) return NULL_REF;
  const ref = allocate(length, DATA);
  if (ref !== NULL_REF) {
    copyBytes(byteWindows[ref >>> WINDOW_SHIFT]!, startOf(ref), bytes, start, length);
  }
  return ref;
}

function freeLarge(ref: Ref, length: number): void {
  if (ref !== NULL_REF) free(ref, length, DATA);
}

/** Writes an element into room that was made for it, and counts it. The ends are the caller's. */
function writeElement(
  words: Int32Array,
  d: number,
  offset: number,
  large: Ref,
  bytes: Uint8Array,
  start: number,
  length: number,
): void {
  const ref = words[d]!;
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  const at = startOf(ref) + offset;
  if (nodeWidth(words, d) !== MIXED) copyBytes(view, at, bytes, start, length);
  else if (large === NULL_REF) encode(view, at, bytes, start, length);
  else {
    encodeLarge(view, at, large, length);
    words[d + 3] = words[d + 3]! + 0x10000;
  }
  words[d + 2] = words[d + 2]! + 1;
}

// --- room ----------------------------------------------------------------------------------------

/** Capacity of an object that is to hold so many bytes, with what is known or likely to come. */
function capacityFor(bytes: number): number {
  const likely = bytes > EXACT_BYTES_MAX ? bytes >>> 2 : 0;
  const wanted = bytes + Math.max(likely, room.hintBytes);
  return usableBytes(Math.max(bytes, Math.min(wanted, nodeLimit.bytes), 1));
}

/** Brings a node into the form of `width`, writable where it lies, with `need` bytes free at an end. */
function makeEndRoom(
  words: Int32Array,
  d: number,
  width: number,
  need: number,
  atFront: boolean,
): boolean {
  if (nodeCount(words, d) === 0) words[d + 3] = width;
  else if (width !== nodeWidth(words, d) && !makeMixed(words, d, need)) return false;
  const ref = words[d]! as Ref;
  const head = nodeHead(words, d);
  const tail = nodeTail(words, d);
  const capacity = nodeCapacity(words, d);
  const used = tail - head;
  const spare = capacity - used - need; // below zero: it does not fit
  const isWritable = ref !== NULL_REF && mayWrite(ref, capacity);
  if (isWritable && (atFront ? head : capacity - tail) >= need) return true;
  // Sliding must leave so much that it pays for itself, unless the node is small.
  const slides = spare >= (capacity <= EXACT_BYTES_MAX ? 0 : used >>> 3);
  if (!(isWritable && slides)) {
    const size = capacityFor(used + need);
    const target = allocate(size, DATA);
    if (target !== NULL_REF) {
      moveNode(words, d, target, size, atFront ? size - used : 0);
      return true;
    }
    if (ref === NULL_REF || spare < 0) return false;
  }
  const to = atFront ? capacity - used : 0;
  const start = startOf(ref);
  byteWindows[ref >>> WINDOW_SHIFT]!.copyWithin(start + to, start + head, start + tail);
  setEnds(words, d, to, to + used);
  return true;
}

/** Moves what a node holds to another object, to begin at `head` there, and frees the old one. */
function moveNode(words: Int32Array, d: number, target: Ref, size: number, head: number): void {
  const ref = words[d]! as Ref;
  const used = usedInNode(words, d);
  if (ref !== NULL_REF) {
    const source = byteWindows[ref >>> WINDOW_SHIFT]!;
    const from = startOf(ref) + nodeHead(words, d);
    copyBytes(byteWindows[target >>> WINDOW_SHIFT]!, startOf(target) + head, source, from, used);
    free(ref, nodeCapacity(words, d), DATA);
  }
  placeNode(words, d, target, size, head, head + used);
}

/** Rewrites a node of one width as MIXED, with room for `need` bytes behind it. */
function makeMixed(words: Int32Array, d: number, need: number): boolean {
  const width = nodeWidth(words, d);
  const count = nodeCount(words, d);
  const used = count * bytesOf(MIXED, width);
  const size = capacityFor(used + need);
  const target = allocate(size, DATA);
  if (target === NULL_REF) return false;
  const ref = words[d]! as Ref;
  const source = byteWindows[ref >>> WINDOW_SHIFT]!;
  const view = byteWindows[target >>> WINDOW_SHIFT]!;
  let from = startOf(ref) + nodeHead(words, d);
  let to = startOf(target);
  for (let i = 0; i < count; i++, from += width) to = encode(view, to, source, from, width);
  free(ref, nodeCapacity(words, d), DATA);
  placeNode(words, d, target, size, 0, used);
  words[d + 3] = MIXED;
  return true;
}

/** Makes the object writable where it lies, or moves it; in place, with faults, when there is no memory. */
export function writableNode(words: Int32Array, d: number): void {
  const ref = words[d]! as Ref;
  const capacity = nodeCapacity(words, d);
  if (mayWrite(ref, capacity)) return;
  const target = allocate(capacity, DATA);
  if (target !== NULL_REF) moveNode(words, d, target, capacity, nodeHead(words, d));
}

/** Gives memory back when a node has become much smaller than its object. */
export function shrinkNode(words: Int32Array, d: number): void {
  const capacity = nodeCapacity(words, d);
  const used = usedInNode(words, d);
  if (capacity <= EXACT_BYTES_MAX || used > capacity >>> 2) return;
  const size = usableBytes(Math.max(used * 2, 1));
  const target = allocate(size, DATA);
  if (target !== NULL_REF) moveNode(words, d, target, size, (size - used) >>> 1);
}

// --- changes in the middle -----------------------------------------------------------------------

/** Adds an element before the one at a position (0..count). */
export function insertInto(
  words: Int32Array,
  d: number,
  position: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  const width = widthWith(words, d, length);
  if (width < 0) return NO_ROOM;
  const large = largeObject(bytes, start, length);
  if (large === NULL_REF && length > INLINE_BYTES_MAX) return OUT_OF_MEMORY;
  const need = bytesOf(width, length);
  const isFit = width === nodeWidth(words, d) || makeMixed(words, d, need);
  const offset = isFit ? openGap(words, d, offsetOf(words, d, position), need) : -1;
  if (offset < 0) {
    freeLarge(large, length);
    return OUT_OF_MEMORY;
  }
  writeElement(words, d, offset, large, bytes, start, length);
  return DONE;
}

/** Opens `need` bytes before an offset; returns where they begin, or -1 when the arena is full. */
function openGap(words: Int32Array, d: number, offset: number, need: number): number {
  const ref = words[d]! as Ref;
  const head = nodeHead(words, d);
  const tail = nodeTail(words, d);
  const capacity = nodeCapacity(words, d);
  const roomBehind = capacity - tail >= need;
  const isWritable = mayWrite(ref, capacity);
  if (!isWritable || (head < need && !roomBehind)) {
    const size = capacityFor(tail - head + need);
    const target = allocate(size, DATA);
    if (target !== NULL_REF) {
      const source = byteWindows[ref >>> WINDOW_SHIFT]!;
      const view = byteWindows[target >>> WINDOW_SHIFT]!;
      const from = startOf(ref);
      const to = startOf(target);
      const left = offset - head;
      copyBytes(view, to, source, from + head, left);
      copyBytes(view, to + left + need, source, from + offset, tail - offset);
      free(ref, capacity, DATA);
      placeNode(words, d, target, size, 0, tail - head + need);
      return left;
    }
    if (head < need && !roomBehind) return -1;
  }
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  const start = startOf(ref);
  if (head >= need && (offset - head < tail - offset || !roomBehind)) {
    view.copyWithin(start + head - need, start + head, start + offset);
    setEnds(words, d, head - need, tail);
    return offset - need;
  }
  view.copyWithin(start + offset + need, start + offset, start + tail);
  setEnds(words, d, head, tail + need);
  return offset;
}

/** Removes the element at an offset. Returns the offset of the one that followed. */
export function removeAt(words: Int32Array, d: number, offset: number): number {
  const isEnd = offset === nodeHead(words, d);
  if (!isEnd) writableNode(words, d);
  const bytes = locateAt(words, d, offset);
  const ref = words[d]! as Ref;
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  const start = startOf(ref);
  if (nodeWidth(words, d) === MIXED && view[start + offset] === TAG_LARGE) {
    freeLarge(readWord(view, start + offset + 1) as Ref, span.length);
    words[d + 3] = words[d + 3]! - 0x10000;
  }
  words[d + 2] = words[d + 2]! - 1;
  const head = nodeHead(words, d);
  const tail = nodeTail(words, d);
  if (offset - head < tail - offset - bytes || isEnd) {
    if (!isEnd) view.copyWithin(start + head + bytes, start + head, start + offset);
    setEnds(words, d, head + bytes, tail);
    return offset + bytes;
  }
  view.copyWithin(start + offset, start + offset + bytes, start + tail);
  setEnds(words, d, head, tail - bytes);
  return offset;
}

/** Overwrites the element at an offset, when it takes the same bytes. False: it does not. */
export function overwriteAt(
  words: Int32Array,
  d: number,
  offset: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  locateAt(words, d, offset);
  if (span.length !== length || length > INLINE_BYTES_MAX) return false;
  writableNode(words, d);
  locateAt(words, d, offset);
  copyBytes(span.view, span.offset, bytes, start, length);
  return true;
}

/** Removes elements from an end, fewer than there are. Writes to the descriptor only. */
export function dropFrom(words: Int32Array, d: number, atFront: boolean, elements: number): void {
  const count = nodeCount(words, d);
  const head = nodeHead(words, d);
  const tail = nodeTail(words, d);
  const cut = offsetOf(words, d, atFront ? elements : count - elements);
  if (nodeLarge(words, d) > 0) {
    const freed = atFront ? freeElements(words, d, head, cut) : freeElements(words, d, cut, tail);
    words[d + 3] = words[d + 3]! - (freed << 16);
  }
  if (atFront) setEnds(words, d, cut, tail);
  else setEnds(words, d, head, cut);
  words[d + 2] = words[d + 2]! - elements;
}
