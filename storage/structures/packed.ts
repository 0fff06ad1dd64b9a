// The packed list: byte strings one behind the other in one object. The small form of hashes (field, value,
// field, value ...), sets and sorted sets.
//
//   root      4 words inside an object of the owner, `owner` being the object and `rootWord` the index of
//             the first word in it; four zero words are an empty list:
//             | object Ref | bytes in use | count of elements | capacity: what free() needs |
//   object    | element | element | ... | room |
//   element   | length: 1 byte, 0..253 | bytes |
//             | 254 | length: 2 bytes | bytes |           little-endian
//             | 255 | length: 4 bytes | bytes |
//
// An element costs one byte more than its own, and the list a slot of the allocator's: 10 fields of 7 bytes
// with values of 16 take 250 bytes, slot 256. A list grows into what its slot leaves over; it moves when the
// slot is full, or when it fills less than half of one.
//
// A place in a list is the distance in bytes of an element from the first one; `packedEnd` is the place
// behind the last. Places are valid until the list changes before them. All changes are one: splice(), which
// removes bytes at a place and opens a gap there for the caller to write elements into. While a
// checkpoint runs it makes a new object where the old one must not be written to (memory/placement.ts).
// The words of the root are the owner's: writableEntry() before a change is the owner's business.
//
// When the arena is full, functions return false and nothing has changed; removing always works.
import { allocate, free, usableBytes } from '../memory/allocator.js';
import { byteWindows, wordWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { DATA } from '../memory/extents.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { mayWrite } from '../memory/placement.js';
import type { Owners } from './entries.js';
import { span } from './entry.js';
import { relocateObject } from './relocation.js';

export const PACKED_ROOT_WORDS = 4;
const OBJECT_WORD = 0;
const BYTES_WORD = 1;
const COUNT_WORD = 2;
const CAPACITY_WORD = 3;

const SHORT_LENGTH_MAX = 253;
const LENGTH_16 = 254;
const LENGTH_32 = 255;

const windows = wordWindows; // a constant of this module, which compiled code need not load

function rootIndex(owner: Ref, rootWord: number): number {
  return ((owner & WINDOW_MASK) << 2) + rootWord;
}

/** Makes an empty list of four words. */
export function createPacked(owner: Ref, rootWord: number): void {
  const words = windows[owner >>> WINDOW_SHIFT]!;
  const at = rootIndex(owner, rootWord);
  words.fill(0, at, at + PACKED_ROOT_WORDS);
}

/** Number of elements. */
export function packedCount(owner: Ref, rootWord: number): number {
  return windows[owner >>> WINDOW_SHIFT]![rootIndex(owner, rootWord) + COUNT_WORD]!;
}

/** The place behind the last element: the bytes of all elements together. */
export function packedEnd(owner: Ref, rootWord: number): number {
  return windows[owner >>> WINDOW_SHIFT]![rootIndex(owner, rootWord) + BYTES_WORD]!;
}

/** The bytes that packedStart() is an index in. */
export function packedView(owner: Ref, rootWord: number): Uint8Array {
  const object = windows[owner >>> WINDOW_SHIFT]![rootIndex(owner, rootWord)]!;
  return byteWindows[object >>> WINDOW_SHIFT]!;
}

/** Index of the first element's first byte; an element at a place begins so many bytes behind it. */
export function packedStart(owner: Ref, rootWord: number): number {
  const object = windows[owner >>> WINDOW_SHIFT]![rootIndex(owner, rootWord)]!;
  return (object & WINDOW_MASK) << 4;
}

// --- elements ------------------------------------------------------------------------------------

/** Bytes that an element of this length takes. */
export function elementBytes(length: number): number {
  return length <= SHORT_LENGTH_MAX ? 1 + length : length <= 0xffff ? 3 + length : 5 + length;
}

/** Fills `span` with the element that begins at view[at]. Returns where the next one begins. */
export function readElement(view: Uint8Array, at: number): number {
  const first = view[at]!;
  let offset = at + 1;
  let length = first;
  if (first === LENGTH_16) {
    length = view[at + 1]! | (view[at + 2]! << 8);
    offset = at + 3;
  } else if (first === LENGTH_32) {
    length =
      view[at + 1]! | (view[at + 2]! << 8) | (view[at + 3]! << 16) | ((view[at + 4]! & 0x7f) << 24);
    offset = at + 5;
  }
  span.view = view;
  span.offset = offset;
  span.length = length;
  return offset + length;
}

/** Index behind the element that begins at view[at]. */
export function skipElement(view: Uint8Array, at: number): number {
  const first = view[at]!;
  if (first <= SHORT_LENGTH_MAX) return at + 1 + first;
  if (first === LENGTH_16) return at + 3 + (view[at + 1]! | (view[at + 2]! << 8));
  return (
    at +
    5 +
    (view[at + 1]! | (view[at + 2]! << 8) | (view[at + 3]! << 16) | ((view[at + 4]! & 0x7f) << 24))
  );
}

/** Writes an element at view[at], where splice() made room. Returns the index behind it. */
export function writeElement(
  view: Uint8Array,
  at: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  let to = at + 1;
  if (length <= SHORT_LENGTH_MAX) {
    view[at] = length;
  } else if (length <= 0xffff) {
    view[at] = LENGTH_16;
    view[at + 1] = length & 0xff;
    view[at + 2] = length >>> 8;
    to = at + 3;
  } else {
    view[at] = LENGTH_32;
    for (let i = 0; i < 4; i++) view[at + 1 + i] = (length >>> (8 * i)) & 0xff;
    to = at + 5;
  }
  copyBytes(view, to, bytes, offset, length);
  return to + length;
}

/**
 * The place of the first element that equals the bytes, among the first and every `stride`th behind it (2:
 * the fields of a hash); -1 when there is none. From `place` on, which must be one of them.
 */
export function findPacked(
  owner: Ref,
  rootWord: number,
  place: number,
  stride: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const words = windows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const object = words[root + OBJECT_WORD]!;
  const view = byteWindows[object >>> WINDOW_SHIFT]!;
  const start = (object & WINDOW_MASK) << 4;
  const end = start + words[root + BYTES_WORD]!;
  const lead = length <= SHORT_LENGTH_MAX ? length : length <= 0xffff ? LENGTH_16 : LENGTH_32;
  for (let at = start + place; at < end; ) {
    if (view[at] === lead && elementEquals(view, at, bytes, offset, length)) return at - start;
    for (let i = 0; i < stride; i++) at = skipElement(view, at);
  }
  return -1;
}

/** Whether the element at view[at] equals the bytes. */
export function elementEquals(
  view: Uint8Array,
  at: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  const next = skipElement(view, at);
  if (next - at !== elementBytes(length)) return false;
  for (let i = next - length, j = offset; i < next; i++, j++) {
    if (view[i] !== bytes[j]) return false;
  }
  return true;
}

// --- changes -------------------------------------------------------------------------------------

/**
 * Takes `removed` bytes away at a place and makes room for `inserted` bytes there, whole elements in both
 * cases; `countDelta` is what that does to their number. The caller then writes the new elements. False
 * when the arena is full, with nothing changed; never when no more is inserted than removed.
 */
export function splicePacked(
  owner: Ref,
  rootWord: number,
  place: number,
  removed: number,
  inserted: number,
  countDelta: number,
): boolean {
  const words = windows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const object = words[root + OBJECT_WORD]! as Ref;
  const bytes = words[root + BYTES_WORD]!;
  const capacity = words[root + CAPACITY_WORD]!;
  const length = bytes - removed + inserted;
  const behind = bytes - place - removed;
  if (length > capacity || length <= capacity >>> 1 || !mayWrite(object, capacity)) {
    if (length === 0) {
      freePacked(owner, rootWord);
      return true;
    }
    const grown = usableBytes(length);
    if (grown !== capacity || !mayWrite(object, capacity)) {
      const target = moveApart(object, grown, place, removed, inserted, behind);
      if (target === NULL_REF && length > capacity) return false;
      if (target !== NULL_REF) {
        if (capacity > 0) free(object, capacity, DATA);
        words[root + OBJECT_WORD] = target;
        words[root + BYTES_WORD] = length;
        words[root + COUNT_WORD] = words[root + COUNT_WORD]! + countDelta;
        words[root + CAPACITY_WORD] = grown;
        return true;
      }
    }
  }
  if (removed !== inserted) {
    const view = byteWindows[object >>> WINDOW_SHIFT]!;
    const from = ((object & WINDOW_MASK) << 4) + place + removed;
    if (behind > 0) view.copyWithin(from - removed + inserted, from, from + behind);
    words[root + BYTES_WORD] = length;
  }
  if (countDelta !== 0) words[root + COUNT_WORD] = words[root + COUNT_WORD]! + countDelta;
  return true;
}

/** The list in a new object with the gap in it; NULL_REF when the arena is full. */
function moveApart(
  object: Ref,
  capacity: number,
  place: number,
  removed: number,
  inserted: number,
  behind: number,
): Ref {
  const target = allocate(capacity, DATA);
  if (target === NULL_REF) return NULL_REF;
  const source = byteWindows[object >>> WINDOW_SHIFT]!;
  const from = (object & WINDOW_MASK) << 4;
  const view = byteWindows[target >>> WINDOW_SHIFT]!;
  const to = (target & WINDOW_MASK) << 4;
  copyBytes(view, to, source, from, place);
  copyBytes(view, to + place + inserted, source, from + place + removed, behind);
  return target;
}

/** Puts an element before a place (packedEnd: behind all). False when the arena is full. */
export function insertPacked(
  owner: Ref,
  rootWord: number,
  place: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  if (!splicePacked(owner, rootWord, place, 0, elementBytes(length), 1)) return false;
  const at = packedStart(owner, rootWord) + place;
  writeElement(packedView(owner, rootWord), at, bytes, offset, length);
  return true;
}

/** Puts an element in the place of another one. False when the arena is full. */
export function replacePacked(
  owner: Ref,
  rootWord: number,
  place: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  const old = packedStart(owner, rootWord) + place;
  const removed = skipElement(packedView(owner, rootWord), old) - old;
  if (!splicePacked(owner, rootWord, place, removed, elementBytes(length), 0)) return false;
  const at = packedStart(owner, rootWord) + place;
  writeElement(packedView(owner, rootWord), at, bytes, offset, length);
  return true;
}

/** Takes `count` elements away from a place on. */
export function removePacked(owner: Ref, rootWord: number, place: number, count: number): void {
  const view = packedView(owner, rootWord);
  const at = packedStart(owner, rootWord) + place;
  let next = at;
  for (let i = 0; i < count; i++) next = skipElement(view, next);
  splicePacked(owner, rootWord, place, next - at, 0, -count);
}

// --- whole lists ---------------------------------------------------------------------------------

/** Frees the object and leaves an empty list. */
export function freePacked(owner: Ref, rootWord: number): void {
  const words = windows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const capacity = words[root + CAPACITY_WORD]!;
  if (capacity > 0) free(words[root + OBJECT_WORD]! as Ref, capacity, DATA);
  words.fill(0, root, root + PACKED_ROOT_WORDS);
}

/** Gives a root that is a bytewise clone of another list's an object of its own. False: none changed. */
export function duplicatePacked(owner: Ref, rootWord: number): boolean {
  const words = windows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const bytes = words[root + BYTES_WORD]!;
  if (bytes === 0) return true;
  const capacity = usableBytes(bytes);
  const copy = moveApart(words[root + OBJECT_WORD]! as Ref, capacity, bytes, 0, 0, 0);
  if (copy === NULL_REF) return false;
  words[root + OBJECT_WORD] = copy;
  words[root + CAPACITY_WORD] = capacity;
  return true;
}

/** Moves the object out of an extent that is being emptied. */
export function relocatePacked(owner: Ref, rootWord: number): void {
  const words = windows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const capacity = words[root + CAPACITY_WORD]!;
  if (capacity === 0) return;
  const object = words[root + OBJECT_WORD]! as Ref;
  const target = relocateObject(object, capacity, words[root + BYTES_WORD]!);
  if (target !== object) words[root + OBJECT_WORD] = target;
}

/** Proves a list and shows its object to the walk over the heap. */
export function verifyPacked(owner: Ref, rootWord: number, owners: Owners): void {
  const words = windows[owner >>> WINDOW_SHIFT]!;
  const root = rootIndex(owner, rootWord);
  const bytes = words[root + BYTES_WORD]!;
  const capacity = words[root + CAPACITY_WORD]!;
  if (bytes > capacity) throw new Error(`packed list of ${owner}: ${bytes} bytes in ${capacity}`);
  if (capacity === 0) {
    if (words[root] !== 0) throw new Error(`packed list of ${owner}: an object without capacity`);
    return;
  }
  owners.ownsData(words[root + OBJECT_WORD]! as Ref, capacity);
  const view = packedView(owner, rootWord);
  const start = packedStart(owner, rootWord);
  let count = 0;
  let at = start;
  for (; at < start + bytes; count++) at = skipElement(view, at);
  if (at !== start + bytes || count !== words[root + COUNT_WORD]) {
    throw new Error(
      `packed list of ${owner}: ${count} elements end at ${at - start}, expected ` +
        `${words[root + COUNT_WORD]} and ${bytes}`,
    );
  }
}

/** Bytes that a list takes beside its root. */
export function packedMemory(owner: Ref, rootWord: number): number {
  return windows[owner >>> WINDOW_SHIFT]![rootIndex(owner, rootWord) + CAPACITY_WORD]!;
}
