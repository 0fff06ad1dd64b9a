// Making, moving and freeing entries: everything that knows all parts of an entry at once, but for
// what the body owns: that is the business of its type (values/). The layout is drawn in entry.ts.
import { allocate, free, sameSlot, usableBytes } from '../memory/allocator.js';
import { byteWindows, wordWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { DATA } from '../memory/extents.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { writesAccessTimes } from '../memory/placement.js';
import { clock } from './clock.js';
import {
  ACCESS_SHIFT,
  bodyBytes,
  bodyOffset,
  embeddedOffset,
  entryBytes,
  FLAG_EXPIRES,
  FLAG_LONG_KEY,
  FLAG_MODIFIED,
  headerOf,
  keyOffset,
  LONG_KEY_BYTES,
  locateKey,
  SHORT_KEY_BYTES_MAX,
  setHeader,
  span,
  VALUE_LENGTH_SHIFT,
} from './entry.js';

/** Gets every object of the heap from the walk that proves that each has one owner (verify). */
export interface Owners {
  ownsData(ref: Ref, bytes: number): void;
  ownsDense(ref: Ref, bytes: number): void;
}

/** An absolute time in milliseconds as int64: what the functions below read and write. */
export const expiry = { low: 0, high: 0 };

/** Sets the expiry register from a double (exact below 2^53). */
export function setExpiryMillis(millis: number): void {
  expiry.high = Math.floor(millis / 4294967296);
  expiry.low = (millis - expiry.high * 4294967296) | 0;
}

/** The expiry register as a double; rounded above 2^53, which no clock reaches. */
export function expiryMillis(): number {
  return expiry.high * 4294967296 + (expiry.low >>> 0);
}

/** Fills the expiry register from an entry that expires. */
export function loadExpiry(ref: Ref): void {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const index = (ref & WINDOW_MASK) << 2;
  expiry.low = words[index + 2]!;
  expiry.high = words[index + 3]!;
}

export function storeExpiry(ref: Ref): void {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const index = (ref & WINDOW_MASK) << 2;
  words[index + 2] = expiry.low;
  words[index + 3] = expiry.high;
}

/** True when the entry has an expiry that the clock has passed; its last millisecond is its own. */
export function isExpired(ref: Ref, header: number): boolean {
  if ((header & FLAG_EXPIRES) === 0) return false;
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const index = (ref & WINDOW_MASK) << 2;
  return words[index + 3]! * 4294967296 + (words[index + 2]! >>> 0) < clock.nowMillis;
}

/** Notes the time of an access; a write only when the clock (seconds) has moved. */
export function touch(ref: Ref, header: number): void {
  if (header >>> ACCESS_SHIFT !== clock.accessSeconds && writesAccessTimes()) {
    setHeader(ref, (header & 0xff) | (clock.accessSeconds << ACCESS_SHIFT));
  }
}

/** Bytes of an entry with this header's type and flags, key and embedded value. */
export function bytesFor(kind: number, keyLength: number, valueLength: number): number {
  const keyBytes = keyLength > SHORT_KEY_BYTES_MAX ? LONG_KEY_BYTES : keyLength;
  return keyOffset(kind) + keyBytes + valueLength;
}

/**
 * A new entry with its header, key and (when kind has FLAG_EXPIRES) the expiry register written; the
 * body and the embedded value are the caller's to fill. `kind` is type, encoding and FLAG_EXPIRES.
 * NULL_REF when the arena is full, with nothing changed.
 */
export function createEntry(
  kind: number,
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  valueLength: number,
): Ref {
  const bytes = bytesFor(kind, keyLength, valueLength);
  const ref = allocate(bytes, DATA);
  if (ref === NULL_REF) return NULL_REF;
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const index = (ref & WINDOW_MASK) << 2;
  const access = clock.accessSeconds << ACCESS_SHIFT;
  if ((kind & FLAG_EXPIRES) !== 0) storeExpiry(ref);
  if (keyLength > SHORT_KEY_BYTES_MAX) {
    const long = allocate(keyLength, DATA);
    if (long === NULL_REF) {
      free(ref, bytes, DATA);
      return NULL_REF;
    }
    words[index] = kind | FLAG_LONG_KEY | access;
    words[index + 1] = valueLength << VALUE_LENGTH_SHIFT;
    const at = index + (keyOffset(kind) >>> 2);
    words[at] = long;
    words[at + 1] = keyLength;
    const view = byteWindows[long >>> WINDOW_SHIFT]!;
    copyBytes(view, (long & WINDOW_MASK) << 4, key, keyStart, keyLength);
    return ref;
  }
  words[index] = kind | access;
  words[index + 1] = (valueLength << VALUE_LENGTH_SHIFT) | keyLength;
  const view = byteWindows[ref >>> WINDOW_SHIFT]!;
  copyBytes(view, (index << 2) + keyOffset(kind), key, keyStart, keyLength);
  return ref;
}

/** A table's share per entry: a bucket's slot at average fill, see structures/hash_table.ts. */
export const TABLE_BYTES_PER_ENTRY = 9;
/** An item of the expiry index, 12 bytes, in leaves that are two thirds full. */
export const INDEX_BYTES_PER_ENTRY = 18;

/** Bytes of the arena that an entry takes in its table, slots counted whole, but for what its body owns. */
export function shellMemory(ref: Ref): number {
  const header = headerOf(ref);
  let bytes = usableBytes(entryBytes(ref)) + TABLE_BYTES_PER_ENTRY;
  if ((header & FLAG_EXPIRES) !== 0) bytes += INDEX_BYTES_PER_ENTRY;
  if ((header & FLAG_LONG_KEY) !== 0) {
    locateKey(ref);
    bytes += usableBytes(span.length);
  }
  return bytes;
}

/** Shows an entry and its long key to the walk over the heap. */
export function verifyShell(ref: Ref, owners: Owners): void {
  owners.ownsData(ref, entryBytes(ref));
  if ((headerOf(ref) & FLAG_LONG_KEY) === 0) return;
  locateKey(ref);
  owners.ownsData(longKeyOf(ref), span.length);
}

/** The object of an entry's long key. */
function longKeyOf(ref: Ref): Ref {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  return words[((ref & WINDOW_MASK) << 2) + (keyOffset(headerOf(ref)) >>> 2)]! as Ref;
}

/** Frees an entry and its long key, not what its body owns. */
export function freeShell(ref: Ref): void {
  const bytes = entryBytes(ref);
  if ((headerOf(ref) & FLAG_LONG_KEY) !== 0) {
    locateKey(ref);
    free(longKeyOf(ref), span.length, DATA);
  }
  free(ref, bytes, DATA);
}

/**
 * The entry with room for an expiry added (register) or taken away: moved inside its slot when the
 * size allows, else as a new object that takes over what the body owns; the caller then relinks the
 * table and frees the old object. NULL_REF when the arena is full; the entry is unchanged then.
 */
export function changeExpiryRoom(ref: Ref, expires: boolean): Ref {
  const header = headerOf(ref);
  const bytes = entryBytes(ref);
  const shift = expires ? 8 : -8;
  const oldBody = bodyOffset(header);
  const tail = bytes - oldBody;
  let target = ref;
  if (!sameSlot(bytes, bytes + shift)) {
    target = allocate(bytes + shift, DATA);
    if (target === NULL_REF) return NULL_REF;
  }
  const source = byteWindows[ref >>> WINDOW_SHIFT]!;
  const from = ((ref & WINDOW_MASK) << 4) + oldBody;
  const view = byteWindows[target >>> WINDOW_SHIFT]!;
  const to = ((target & WINDOW_MASK) << 4) + oldBody + shift;
  if (target === ref) view.copyWithin(to, from, from + tail);
  else copyBytes(view, to, source, from, tail);
  const words = wordWindows[target >>> WINDOW_SHIFT]!;
  const lengths = wordWindows[ref >>> WINDOW_SHIFT]![((ref & WINDOW_MASK) << 2) + 1]!;
  words[(target & WINDOW_MASK) << 2] = header ^ FLAG_EXPIRES;
  words[((target & WINDOW_MASK) << 2) + 1] = lengths;
  if (expires) storeExpiry(target);
  return target;
}

/**
 * A copy of an entry under another key, body and embedded value taken over as they are: what the body
 * owns then belongs to the new entry, so the old one must go by freeShell (a rename) or the body must
 * be duplicated (a copy). Expiry is kept. NULL_REF when the arena is full.
 */
export function cloneShell(ref: Ref, key: Uint8Array, keyStart: number, keyLength: number): Ref {
  const header = headerOf(ref);
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const valueLength = words[((ref & WINDOW_MASK) << 2) + 1]! >>> VALUE_LENGTH_SHIFT;
  if ((header & FLAG_EXPIRES) !== 0) loadExpiry(ref);
  const kind = header & 0xff & ~(FLAG_LONG_KEY | FLAG_MODIFIED);
  const target = createEntry(kind, key, keyStart, keyLength, valueLength);
  if (target === NULL_REF) return NULL_REF;
  setHeader(target, headerOf(target) | (header & FLAG_MODIFIED));
  const body = bodyOffset(header);
  const to = byteWindows[target >>> WINDOW_SHIFT]!;
  const from = byteWindows[ref >>> WINDOW_SHIFT]!;
  const start = (target & WINDOW_MASK) << 4;
  copyBytes(to, start + body, from, ((ref & WINDOW_MASK) << 4) + body, bodyBytes(header));
  copyBytes(to, embeddedOffset(target), from, embeddedOffset(ref), valueLength);
  return target;
}
