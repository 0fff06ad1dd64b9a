// The order in which a B+tree puts items that agree in their first two words (btree_node.ts): by the
// third word as a number, or by the members that it refers to, as sorted sets need it.
//
// A member is the key of an entry (entry.ts); members are compared as bytes, a prefix first. In the
// item that a tree is asked for, the third word may also be one of four Refs into the root page, where
// no entry lies:
//
//   BEFORE_MEMBERS   less than every member
//   AFTER_MEMBERS    greater than every member
//   PROBE            the bytes that setProbe() was given
//   AFTER_PROBE      the same, but behind a member that equals them
//
// Cost: members of up to 16 bytes are one cache line each with their entry's header; four bytes are
// compared at a time, in the order of bytes only where they differ.
import { wordWindows } from '../memory/arena.js';
import { sourceView } from '../memory/bytes.js';
import { type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { FLAG_LONG_KEY, KEY_LENGTH_MASK, keyOffset, locateKey, span } from './entry.js';

export const BEFORE_MEMBERS = 0;
export const AFTER_MEMBERS = 1;
export const PROBE = 2;
export const AFTER_PROBE = 3;

const windows = wordWindows; // a constant of this module, which compiled code need not load

let probeBytes: Uint8Array = new Uint8Array(0);
let probeOffset = 0;
let probeLength = 0;

/** The bytes that PROBE and AFTER_PROBE stand for; they must stay until they are used. */
export function setProbe(bytes: Uint8Array, offset: number, length: number): void {
  probeBytes = bytes;
  probeOffset = offset;
  probeLength = length;
}

/** Order of the member of entry `a` against that of entry `b`, or what `b` stands for. */
export function compareMembers(a: Ref, b: number): number {
  if (b >>> 2 === 0) return compareSpecial(a, b);
  const wordsA = windows[a >>> WINDOW_SHIFT]!;
  const wordsB = windows[b >>> WINDOW_SHIFT]!;
  const indexA = (a & WINDOW_MASK) << 2;
  const indexB = (b & WINDOW_MASK) << 2;
  const headerA = wordsA[indexA]!;
  const headerB = wordsB[indexB]!;
  if (((headerA | headerB) & FLAG_LONG_KEY) !== 0) return compareLong(a, b as Ref);
  const lengthA = wordsA[indexA + 1]! & KEY_LENGTH_MASK;
  const lengthB = wordsB[indexB + 1]! & KEY_LENGTH_MASK;
  const firstA = indexA + (keyOffset(headerA) >>> 2);
  const firstB = indexB + (keyOffset(headerB) >>> 2);
  const length = lengthA < lengthB ? lengthA : lengthB;
  const whole = length >>> 2;
  for (let i = 0; i < whole; i++) {
    const x = wordsA[firstA + i]!;
    const y = wordsB[firstB + i]!;
    if (x !== y) return compareWords(x, y);
  }
  // Keys begin at a word, so the word with the last bytes lies in the entry's slot.
  const mask = (1 << ((length & 3) << 3)) - 1;
  if (mask !== 0) {
    const x = wordsA[firstA + whole]! & mask;
    const y = wordsB[firstB + whole]! & mask;
    if (x !== y) return compareWords(x, y);
  }
  return lengthA - lengthB;
}

/** Order of two words that differ, as four bytes each from the lowest address on. */
function compareWords(x: number, y: number): number {
  const different = x ^ y;
  const shift = (31 - Math.clz32(different & -different)) & 24;
  return ((x >>> shift) & 0xff) - ((y >>> shift) & 0xff);
}

function compareSpecial(a: Ref, b: number): number {
  if (b === BEFORE_MEMBERS) return 1;
  if (b === AFTER_MEMBERS) return -1;
  locateKey(a);
  const { view, offset, length } = span;
  const order = compareBytes(view, offset, length, probeBytes, probeOffset, probeLength);
  return order === 0 && b === AFTER_PROBE ? -1 : order;
}

function compareLong(a: Ref, b: Ref): number {
  locateKey(b);
  const { view, offset, length } = span;
  locateKey(a);
  return compareBytes(span.view, span.offset, span.length, view, offset, length);
}

/** Order of two byte strings: negative, 0 or positive. */
export function compareBytes(
  bytesA: Uint8Array,
  offsetA: number,
  lengthA: number,
  bytesB: Uint8Array,
  offsetB: number,
  lengthB: number,
): number {
  const length = lengthA < lengthB ? lengthA : lengthB;
  let i = 0;
  if (length >= 4) {
    const a = sourceView(bytesA);
    const b = sourceView(bytesB);
    for (const last = length - 4; i <= last; i += 4) {
      const x = a.getInt32(offsetA + i, true);
      const y = b.getInt32(offsetB + i, true);
      if (x !== y) return compareWords(x, y);
    }
  }
  for (; i < length; i++) {
    const order = bytesA[offsetA + i]! - bytesB[offsetB + i]!;
    if (order !== 0) return order;
  }
  return lengthA - lengthB;
}
