// An entry: the object that a hash table refers to. Key and small value lie together.
//
//   word 0   | accessTime: 24 | modified: 1 | longKey: 1 | expires: 1 | encoding: 2 | type: 3 |
//   word 1   | valueLength: 20 | keyLength: 12 |
//   expires:   8 bytes   absolute expiry, milliseconds of Unix time as int64 (low word, high word)
//   body:      by type and encoding (BODY_BYTES)
//                string INT        8 bytes   the integer as int64 (low word, high word)
//                string EMBEDDED   none      the value follows the key: valueLength bytes
//                string LARGE     16 bytes   value Ref, length (u32), capacity (u32), 0
//                other types      16 bytes   the value's root: see values/
//   key:       keyLength bytes, or with longKey 8 bytes: key Ref, key length (u32)
//   value:     valueLength bytes (EMBEDDED only)
//
// The 16 bytes for a small string of the user's plus 8 of header: a 16-byte key with a 64-byte
// value takes 88 bytes, slot 96. Reading one touches two cache lines at most, next to each other.
//
// `modified` remembers that a string was changed in place (APPEND, SETRANGE, SETBIT): Redis reports
// such a value as "raw" whatever its size. On an INT it marks a copy: Redis shares one object among
// all small integers (OBJECT REFCOUNT), but not with the ones that COPY makes.
import { byteWindows, wordWindows } from '../memory/arena.js';
import { sourceView } from '../memory/bytes.js';
import { type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';

export const TYPE_STRING = 0;
export const TYPE_LIST = 1;
export const TYPE_SET = 2;
export const TYPE_SORTED_SET = 3;
export const TYPE_HASH = 4;
export const TYPE_STREAM = 6;
export const TYPE_MASK = 7;

export const STRING_EMBEDDED = 0 << 3;
export const STRING_INT = 1 << 3;
export const STRING_LARGE = 2 << 3;
/** Forms of collections: one object (packed.ts), or a root block (values/element_table.ts and others). Of a list: the
 *  descriptor of its only node, or a root block (list_directory.ts). */
export const COLLECTION_PACKED = 0 << 3;
export const COLLECTION_LARGE = 1 << 3;
export const ENCODING_MASK = 3 << 3;

export const FLAG_EXPIRES = 1 << 5;
export const FLAG_LONG_KEY = 1 << 6;
export const FLAG_MODIFIED = 1 << 7;
export const ACCESS_SHIFT = 8;

export const KEY_LENGTH_MASK = 0xfff;
export const VALUE_LENGTH_SHIFT = 12;
/** Keys longer than this lie in an object of their own. */
export const SHORT_KEY_BYTES_MAX = 0xfff;
/** Entries larger than this put the value into an object of its own. */
export const ENTRY_BYTES_MAX = 2048;
export const HEADER_BYTES = 8;
export const LONG_KEY_BYTES = 8;

/** Where a key or a value lies: filled by the locate functions, read at once by the caller. */
export const span = { view: byteWindows[0]!, offset: 0, length: 0 };

/** Word 0 of an entry. */
export function headerOf(ref: Ref): number {
  return wordWindows[ref >>> WINDOW_SHIFT]![(ref & WINDOW_MASK) << 2]!;
}
export function setHeader(ref: Ref, header: number): void {
  wordWindows[ref >>> WINDOW_SHIFT]![(ref & WINDOW_MASK) << 2] = header;
}

/** Bytes of the body between the expiry and the key. */
export function bodyBytes(header: number): number {
  if ((header & TYPE_MASK) !== TYPE_STRING) return 16;
  const encoding = header & ENCODING_MASK;
  return encoding === STRING_EMBEDDED ? 0 : encoding === STRING_INT ? 8 : 16;
}

/** Byte distance from the entry's start to its body. */
export function bodyOffset(header: number): number {
  return HEADER_BYTES + ((header & FLAG_EXPIRES) >>> 2);
}

/** Byte distance from the entry's start to its key (or to the long key's Ref). */
export function keyOffset(header: number): number {
  return bodyOffset(header) + bodyBytes(header);
}

/** Index in wordWindows[ref >>> WINDOW_SHIFT] of the first word of the body. */
export function bodyWord(ref: Ref, header: number): number {
  return ((ref & WINDOW_MASK) << 2) + (bodyOffset(header) >>> 2);
}

/** Size of the entry's own object: what free() needs. */
export function entryBytes(ref: Ref): number {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const index = (ref & WINDOW_MASK) << 2;
  const header = words[index]!;
  const lengths = words[index + 1]!;
  const keyBytes = (header & FLAG_LONG_KEY) !== 0 ? LONG_KEY_BYTES : lengths & KEY_LENGTH_MASK;
  return keyOffset(header) + keyBytes + (lengths >>> VALUE_LENGTH_SHIFT);
}

/** Byte index, in byteWindows[ref >>> WINDOW_SHIFT], of what follows the key: the embedded value. */
export function embeddedOffset(ref: Ref): number {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const index = (ref & WINDOW_MASK) << 2;
  const header = words[index]!;
  const keyBytes =
    (header & FLAG_LONG_KEY) !== 0 ? LONG_KEY_BYTES : words[index + 1]! & KEY_LENGTH_MASK;
  return (index << 2) + keyOffset(header) + keyBytes;
}

/** Fills `span` with the entry's key. */
export function locateKey(ref: Ref): void {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const index = (ref & WINDOW_MASK) << 2;
  const header = words[index]!;
  const at = keyOffset(header);
  if ((header & FLAG_LONG_KEY) !== 0) {
    const key = words[index + (at >>> 2)]!;
    span.view = byteWindows[key >>> WINDOW_SHIFT]!;
    span.offset = (key & WINDOW_MASK) << 4;
    span.length = words[index + (at >>> 2) + 1]! >>> 0;
    return;
  }
  // Nearly always the same window: a store of an object costs more than to look first.
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  if (span.view !== view) span.view = view;
  span.offset = (index << 2) + at;
  span.length = words[index + 1]! & KEY_LENGTH_MASK;
}

/** True when the entry's key equals bytes[offset, offset + length). */
export function keyEquals(ref: Ref, bytes: Uint8Array, offset: number, length: number): boolean {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const index = (ref & WINDOW_MASK) << 2;
  const header = words[index]!;
  if ((header & FLAG_LONG_KEY) !== 0) return longKeyEquals(ref, bytes, offset, length);
  if ((words[index + 1]! & KEY_LENGTH_MASK) !== length) return false;
  // Keys start at a word of the arena; the other side may lie anywhere.
  const first = index + (keyOffset(header) >>> 2);
  const whole = length >>> 2;
  const reader = sourceView(bytes);
  for (let i = 0; i < whole; i++) {
    if (words[first + i] !== reader.getInt32(offset + (i << 2), true)) return false;
  }
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  const start = first << 2;
  for (let i = whole << 2; i < length; i++) {
    if (view[start + i] !== bytes[offset + i]) return false;
  }
  return true;
}

function longKeyEquals(ref: Ref, bytes: Uint8Array, offset: number, length: number): boolean {
  locateKey(ref);
  if (span.length !== length) return false;
  const key = span.view.subarray(span.offset, span.offset + length);
  return Buffer.compare(key, bytes.subarray(offset, offset + length)) === 0;
}
