// One node of a list: elements packed one behind the other in an object, and the descriptor that says
// where. The descriptor lies in the entry's body (a list of one node) or in a directory (list_directory.ts).
//
//   descriptor (4 words):  | object Ref | head:16 tail:16 | count:16 capacity:16 | width:16 large:16 |
//                                        \_ low half first                        \_ or MIXED
//   object:                | free | element | element | ... | free |
//                          0      head                      tail   capacity
//
// There is free room at both ends, so that both push and pop without moving what is there. Elements
// of one length (ids, records of one format, the nodes of most lists) lie bare, `width` bytes each: no
// byte goes to lengths, and the i-th is found without a search. Else the node is MIXED, and each
// element has its length at both ends, so that it is found from either side:
//
//   up to 253 bytes     | length | bytes | length |                        2 bytes more
//   up to 2048 bytes    | 254 | length:16 | bytes | length:16 | 254 |      6 bytes more
//   larger              | 255 | Ref:32 | length:32 | 255 |                 bytes in an object of their own
//
// 20 elements of 16 bytes: 320 bytes, a slot of 320. A node becomes MIXED by rewriting it once, and
// stays so. `large` counts elements of the third kind, so that a node without them is freed at once.
//
// Invariants: head <= tail <= capacity <= NODE_BYTES_MAX; a node in a list has count > 0. Offsets count from
// the start of the object. Here is what reads and writes single fields and elements; changes stand in
// list_node.ts, whole nodes in list_node_objects.ts.
import { byteWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { span } from './entry.js';

export const DESCRIPTOR_WORDS = 4;
/** The largest object of a node: ends are 16 bits, and slots go that far. */
export const NODE_BYTES_MAX = 32 * 1024;
export const NODE_COUNT_MAX = 0xffff;
/** Longer elements lie in objects of their own. */
export const INLINE_BYTES_MAX = 2048;
/** The width of a node whose elements differ in length. */
export const MIXED = 0xffff;
const BYTE_LENGTH_MAX = 253;
const TAG_SHORT = 254;
export const TAG_LARGE = 255;
const LARGE_ELEMENT_BYTES = 10;
export function nodeCount(words: Int32Array, d: number): number {
  return words[d + 2]! & 0xffff;
}
export function nodeHead(words: Int32Array, d: number): number {
  return words[d + 1]! & 0xffff;
}
export function nodeTail(words: Int32Array, d: number): number {
  return words[d + 1]! >>> 16;
}
export function nodeCapacity(words: Int32Array, d: number): number {
  return words[d + 2]! >>> 16;
}
export function nodeWidth(words: Int32Array, d: number): number {
  return words[d + 3]! & 0xffff;
}
export function nodeLarge(words: Int32Array, d: number): number {
  return words[d + 3]! >>> 16;
}
export function usedInNode(words: Int32Array, d: number): number {
  const ends = words[d + 1]!;
  return (ends >>> 16) - (ends & 0xffff);
}

export function setEnds(words: Int32Array, d: number, head: number, tail: number): void {
  words[d + 1] = head | (tail << 16);
}

/** Byte index of the object in byteWindows[ref >>> WINDOW_SHIFT]. */
export function startOf(ref: number): number {
  return (ref & WINDOW_MASK) << 4;
}

/** Bytes that an element takes in a node of this width. */
export function bytesOf(width: number, length: number): number {
  if (width !== MIXED) return length;
  if (length <= BYTE_LENGTH_MAX) return length + 2;
  return length <= INLINE_BYTES_MAX ? length + 6 : LARGE_ELEMENT_BYTES;
}

// --- reading -------------------------------------------------------------------------------------

/** Fills `span` with the element of a MIXED node at view[at]; returns the bytes it takes. */
export function locateMixed(view: Uint8Array, at: number): number {
  const tag = view[at]!;
  if (tag <= BYTE_LENGTH_MAX) {
    span.view = view;
    span.offset = at + 1;
    span.length = tag;
    return tag + 2;
  }
  if (tag === TAG_SHORT) {
    const length = view[at + 1]! | (view[at + 2]! << 8);
    span.view = view;
    span.offset = at + 3;
    span.length = length;
    return length + 6;
  }
  const ref = readWord(view, at + 1);
  span.view = byteWindows[ref >>> WINDOW_SHIFT]!;
  span.offset = startOf(ref);
  span.length = readWord(view, at + 5) >>> 0;
  return LARGE_ELEMENT_BYTES;
}

/** Bytes of the element of a MIXED node that ends before view[end]. */
export function bytesBefore(view: Uint8Array, end: number): number {
  const tag = view[end - 1]!;
  if (tag <= BYTE_LENGTH_MAX) return tag + 2;
  return tag === TAG_SHORT ? (view[end - 3]! | (view[end - 2]! << 8)) + 6 : LARGE_ELEMENT_BYTES;
}

export function bytesAt(view: Uint8Array, at: number): number {
  const tag = view[at]!;
  if (tag <= BYTE_LENGTH_MAX) return tag + 2;
  return tag === TAG_SHORT ? (view[at + 1]! | (view[at + 2]! << 8)) + 6 : LARGE_ELEMENT_BYTES;
}

export function readWord(view: Uint8Array, at: number): number {
  return view[at]! | (view[at + 1]! << 8) | (view[at + 2]! << 16) | (view[at + 3]! << 24);
}

export function writeWord(view: Uint8Array, at: number, word: number): void {
  view[at] = word;
  view[at + 1] = word >>> 8;
  view[at + 2] = word >>> 16;
  view[at + 3] = word >>> 24;
}

/** Fills `span` with the element at an offset; returns the bytes it takes in the node. */
export function locateAt(words: Int32Array, d: number, offset: number): number {
  const ref = words[d]!;
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  const width = words[d + 3]! & 0xffff;
  if (width === MIXED) return locateMixed(view, startOf(ref) + offset);
  span.view = view;
  span.offset = startOf(ref) + offset;
  span.length = width;
  return width;
}

/** Offset of the element at a position, 0..count (the last: the tail); from the nearer end. */
export function offsetOf(words: Int32Array, d: number, position: number): number {
  const width = nodeWidth(words, d);
  if (width !== MIXED) return nodeHead(words, d) + position * width;
  const ref = words[d]!;
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  const start = startOf(ref);
  const count = nodeCount(words, d);
  if (position <= count >>> 1) {
    let at = start + nodeHead(words, d);
    for (let i = 0; i < position; i++) at += bytesAt(view, at);
    return at - start;
  }
  let at = start + nodeTail(words, d);
  for (let i = count; i > position; i--) at -= bytesBefore(view, at);
  return at - start;
}

/** Offset of the element before the one at `offset`. */
export function offsetBefore(words: Int32Array, d: number, offset: number): number {
  const width = nodeWidth(words, d);
  if (width !== MIXED) return offset - width;
  const ref = words[d]!;
  return offset - bytesBefore(byteWindows[ref >>> WINDOW_SHIFT]!, startOf(ref) + offset);
}

// --- writing -------------------------------------------------------------------------------------

/** Writes a MIXED element that lies in the node; returns the byte behind it. */
export function encode(
  view: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  if (length <= BYTE_LENGTH_MAX) {
    view[at] = length;
    copyBytes(view, at + 1, bytes, start, length);
    view[at + length + 1] = length;
    return at + length + 2;
  }
  view[at] = TAG_SHORT;
  view[at + 1] = length;
  view[at + 2] = length >>> 8;
  copyBytes(view, at + 3, bytes, start, length);
  view[at + length + 3] = length;
  view[at + length + 4] = length >>> 8;
  view[at + length + 5] = TAG_SHORT;
  return at + length + 6;
}

/** Writes a MIXED element whose bytes have an object of their own. */
export function encodeLarge(view: Uint8Array, at: number, large: Ref, length: number): void {
  view[at] = TAG_LARGE;
  writeWord(view, at + 1, large);
  writeWord(view, at + 5, length);
  view[at + 9] = TAG_LARGE;
}

/** Points a descriptor to an object; count, width and large stay. */
export function placeNode(
  words: Int32Array,
  d: number,
  ref: Ref,
  capacity: number,
  head: number,
  tail: number,
): void {
  words[d] = ref;
  setEnds(words, d, head, tail);
  words[d + 2] = (words[d + 2]! & 0xffff) | (capacity << 16);
}
