// String values: an int64 in the body (INT), bytes behind the key (EMBEDDED) or bytes in an object
// of their own (LARGE). Texts of integers are made and read by the caller: storage knows numbers
// as pairs of int32.
//
//   LARGE body:   | value Ref | length (u32) | capacity (u32) | 0 |
//   capacity      what allocate() was asked for; length <= capacity. A value that grows keeps a
//                 quarter of room in advance, so that n appends cost O(n).
import { allocate, free, usableBytes } from '../memory/allocator.js';
import { byteWindows, wordWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { DATA } from '../memory/extents.js';
import {
  EXTENT_BYTES,
  EXTENTS_PER_WINDOW,
  METADATA_EXTENTS,
  NULL_REF,
  type Ref,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../memory/layout.js';
import type { Owners } from '../structures/entries.js';
import {
  bodyWord,
  ENCODING_MASK,
  embeddedOffset,
  FLAG_MODIFIED,
  headerOf,
  STRING_EMBEDDED,
  STRING_INT,
  STRING_LARGE,
  setHeader,
  span,
  VALUE_LENGTH_SHIFT,
} from '../structures/entry.js';
import { relocateObject } from '../structures/relocation.js';
import type { ValueType } from './value_type.js';

/** An object must fit one window less its metadata extents. */
export const STRING_BYTES_MAX = (EXTENTS_PER_WINDOW - METADATA_EXTENTS) * EXTENT_BYTES;

/** An int64 as a pair of int32: filled by loadInteger, read by storeInteger. */
export const integer = { low: 0, high: 0 };

export function isInteger(header: number): boolean {
  return (header & ENCODING_MASK) === STRING_INT;
}
export function isLarge(header: number): boolean {
  return (header & ENCODING_MASK) === STRING_LARGE;
}

/** Fills the `integer` register from an INT string. */
export function loadInteger(ref: Ref, header: number): void {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = bodyWord(ref, header);
  integer.low = words[at]!;
  integer.high = words[at + 1]!;
}

/** Writes the `integer` register into an INT string. */
export function storeInteger(ref: Ref, header: number): void {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = bodyWord(ref, header);
  words[at] = integer.low;
  words[at + 1] = integer.high;
}

/** Fills `span` with the bytes of an EMBEDDED or LARGE string. */
export function locateString(ref: Ref, header: number): void {
  if ((header & ENCODING_MASK) === STRING_EMBEDDED) {
    span.view = byteWindows[ref >>> WINDOW_SHIFT]!;
    span.offset = embeddedOffset(ref);
    span.length =
      wordWindows[ref >>> WINDOW_SHIFT]![((ref & WINDOW_MASK) << 2) + 1]! >>> VALUE_LENGTH_SHIFT;
    return;
  }
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = bodyWord(ref, header);
  const value = words[at]!;
  span.view = byteWindows[value >>> WINDOW_SHIFT]!;
  span.offset = (value & WINDOW_MASK) << 4;
  span.length = words[at + 1]! >>> 0;
}

/** Capacity of a LARGE string's object. */
export function largeCapacity(ref: Ref, header: number): number {
  return wordWindows[ref >>> WINDOW_SHIFT]![bodyWord(ref, header) + 2]! >>> 0;
}

/** Points a LARGE entry's body to a value object. */
export function storeLarge(ref: Ref, value: Ref, length: number, capacity: number): void {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = bodyWord(ref, headerOf(ref));
  words[at] = value;
  words[at + 1] = length;
  words[at + 2] = capacity;
  words[at + 3] = 0;
}

/** A value object holding a copy of the bytes, with capacity; NULL_REF when the arena is full. */
export function allocateLarge(
  capacity: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): Ref {
  if (capacity > STRING_BYTES_MAX) return NULL_REF;
  const value = allocate(capacity, DATA);
  if (value === NULL_REF) return NULL_REF;
  const view = byteWindows[value >>> WINDOW_SHIFT]!;
  copyBytes(view, (value & WINDOW_MASK) << 4, bytes, start, length);
  return value;
}

/** Capacity to ask for when a string grows to `length` bytes. */
export function grownCapacity(length: number): number {
  return Math.min(usableBytes(length + (length >>> 2)), Math.max(length, STRING_BYTES_MAX));
}

/**
 * Makes a LARGE string `length` bytes long; new bytes are zero. False when the arena is full, with
 * nothing changed.
 */
export function resizeLarge(ref: Ref, length: number): boolean {
  const header = headerOf(ref);
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = bodyWord(ref, header);
  const value = words[at]! as Ref;
  const oldLength = words[at + 1]! >>> 0;
  const capacity = words[at + 2]! >>> 0;
  let target = value;
  if (length > capacity) {
    const view = byteWindows[value >>> WINDOW_SHIFT]!;
    const start = (value & WINDOW_MASK) << 4;
    let grown = grownCapacity(length);
    target = allocateLarge(grown, view, start, oldLength);
    if (target === NULL_REF && grown > length) {
      grown = length;
      target = allocateLarge(grown, view, start, oldLength);
    }
    if (target === NULL_REF) return false;
    free(value, capacity, DATA);
    words[at] = target;
    words[at + 2] = grown;
  }
  if (length > oldLength) {
    const start = ((target & WINDOW_MASK) << 4) + oldLength;
    byteWindows[target >>> WINDOW_SHIFT]!.fill(0, start, start + length - oldLength);
  }
  words[at + 1] = length;
  return true;
}

function freeString(ref: Ref): void {
  const header = headerOf(ref);
  if (!isLarge(header)) return;
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = bodyWord(ref, header);
  free(words[at]! as Ref, words[at + 2]! >>> 0, DATA);
}

function duplicateString(target: Ref): boolean {
  const header = headerOf(target);
  if (isInteger(header)) setHeader(target, header | FLAG_MODIFIED);
  if (!isLarge(header)) return true;
  locateString(target, header);
  const length = span.length;
  const value = allocateLarge(length, span.view, span.offset, length);
  if (value === NULL_REF) return false;
  storeLarge(target, value, length, length);
  return true;
}

function verifyString(ref: Ref, owners: Owners): void {
  const header = headerOf(ref);
  if (!isLarge(header)) return;
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = bodyWord(ref, header);
  const length = words[at + 1]! >>> 0;
  const capacity = words[at + 2]! >>> 0;
  if (length > capacity) {
    throw new Error(`string ${ref >>> 0}: length ${length} is above its capacity ${capacity}`);
  }
  owners.ownsData(words[at]! as Ref, capacity);
}

function stringMemory(ref: Ref): number {
  const header = headerOf(ref);
  return isLarge(header) ? usableBytes(largeCapacity(ref, header)) : 0;
}

/** Moves the bytes of a LARGE string out of an extent that is being emptied; it has no second piece. */
export function relocateString(ref: Ref): number {
  const header = headerOf(ref);
  if (!isLarge(header)) return 0;
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = bodyWord(ref, header);
  const value = words[at]! as Ref;
  const target = relocateObject(value, words[at + 2]! >>> 0, words[at + 1]! >>> 0);
  if (target !== value) words[at] = target;
  return 0;
}

export const stringValue: ValueType = {
  free: freeString,
  duplicate: duplicateString,
  verify: verifyString,
  memoryBytes: stringMemory,
  relocate: relocateString,
};
