// Strings of the keyspace: setting whole values, and making room for changes in place.
import { free, sameSlot } from '../memory/allocator.js';
import { byteWindows, wordWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { DATA } from '../memory/extents.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { mayWrite } from '../memory/placement.js';
import { clock } from '../structures/clock.js';
import { bytesFor, createEntry, isExpired, loadExpiry } from '../structures/entries.js';
import {
  ACCESS_SHIFT,
  ENCODING_MASK,
  ENTRY_BYTES_MAX,
  embeddedOffset,
  entryBytes,
  FLAG_EXPIRES,
  FLAG_LONG_KEY,
  FLAG_MODIFIED,
  headerOf,
  KEY_LENGTH_MASK,
  locateKey,
  STRING_EMBEDDED,
  STRING_INT,
  STRING_LARGE,
  setHeader,
  span,
  TYPE_MASK,
  TYPE_STRING,
  VALUE_LENGTH_SHIFT,
} from '../structures/entry.js';
import { find, replaceEntry } from '../structures/hash_table.js';
import { hashKey } from '../structures/key_hash.js';
import {
  allocateLarge,
  grownCapacity,
  locateString,
  resizeLarge,
  storeInteger,
  storeLarge,
} from '../values/string.js';
import { freeEntry } from './entries.js';
import { linkEntry } from './keyspace.js';

/** What put* does with an expiry: take it off, keep the key's own, or set the `expiry` register. */
export const EXPIRY_CLEAR = 0;
export const EXPIRY_KEEP = 1;
export const EXPIRY_SET = 2;

// --- whole strings -------------------------------------------------------------------------------

/**
 * Sets a key to a string of bytes, whatever it held. The common case, a string of the same slot and
 * no expiry, is overwritten where it lies.
 */
export function putString(
  database: Ref,
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  value: Uint8Array,
  valueStart: number,
  valueLength: number,
  expiryMode: number,
): boolean {
  const hash = hashKey(database, key, keyStart, keyLength);
  const old = find(database, hash, key, keyStart, keyLength);
  const kind = kindFor(old, STRING_EMBEDDED, expiryMode);
  const bytes = bytesFor(kind, keyLength, valueLength);
  if (
    old !== NULL_REF &&
    canOverwrite(old, kind) &&
    bytes <= ENTRY_BYTES_MAX &&
    sameSlot(entryBytes(old), bytes) &&
    mayWrite(old, bytes)
  ) {
    const words = wordWindows[old >>> WINDOW_SHIFT]!;
    const index = (old & WINDOW_MASK) << 2;
    words[index] = (words[index]! & 0xff & ~FLAG_MODIFIED) | (clock.accessSeconds << ACCESS_SHIFT);
    words[index + 1] = (words[index + 1]! & KEY_LENGTH_MASK) | (valueLength << VALUE_LENGTH_SHIFT);
    const view = byteWindows[old >>> WINDOW_SHIFT]!;
    copyBytes(view, embeddedOffset(old), value, valueStart, valueLength);
    return true;
  }
  const ref = createBytes(kind & FLAG_EXPIRES, key, keyStart, keyLength, valueLength);
  if (ref === NULL_REF) return false;
  copyBytes(span.view, span.offset, value, valueStart, valueLength);
  if (linkEntry(database, ref, old, hash)) return true;
  freeEntry(ref);
  return false;
}

/** Sets a key to the `integer` register. */
export function putInteger(
  database: Ref,
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  expiryMode: number,
): boolean {
  const hash = hashKey(database, key, keyStart, keyLength);
  const old = find(database, hash, key, keyStart, keyLength);
  const kind = kindFor(old, STRING_INT, expiryMode);
  if (old !== NULL_REF && canOverwrite(old, kind) && mayWrite(old, entryBytes(old))) {
    const header = headerOf(old);
    setHeader(old, (header & 0xff & ~FLAG_MODIFIED) | (clock.accessSeconds << ACCESS_SHIFT));
    storeInteger(old, header);
    return true;
  }
  const ref = createEntry(kind, key, keyStart, keyLength, 0);
  if (ref === NULL_REF) return false;
  storeInteger(ref, headerOf(ref));
  if (linkEntry(database, ref, old, hash)) return true;
  freeEntry(ref);
  return false;
}

/**
 * A new string entry with undefined bytes, EMBEDDED or LARGE as its size asks, `span` at them.
 * `expires`: FLAG_EXPIRES (the expiry register) or 0. NULL_REF when the arena is full.
 */
function createBytes(
  expires: number,
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  length: number,
): Ref {
  const kind = TYPE_STRING | expires;
  if (bytesFor(kind | STRING_EMBEDDED, keyLength, length) <= ENTRY_BYTES_MAX) {
    const ref = createEntry(kind | STRING_EMBEDDED, key, keyStart, keyLength, length);
    if (ref !== NULL_REF) locateString(ref, headerOf(ref));
    return ref;
  }
  const object = allocateLarge(length, key, 0, 0);
  if (object === NULL_REF) return NULL_REF;
  const ref = createEntry(kind | STRING_LARGE, key, keyStart, keyLength, 0);
  if (ref === NULL_REF) {
    free(object, length, DATA);
    return NULL_REF;
  }
  storeLarge(ref, object, length, length);
  locateString(ref, headerOf(ref));
  return ref;
}

// --- new strings that are not in a database yet: see addEntry() and setEntry() --------------------

/** A string without expiry; NULL_REF when the arena is full. */
export function createString(
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  value: Uint8Array,
  valueStart: number,
  valueLength: number,
): Ref {
  const ref = createBytes(0, key, keyStart, keyLength, valueLength);
  if (ref !== NULL_REF) copyBytes(span.view, span.offset, value, valueStart, valueLength);
  return ref;
}

/** The `integer` register as a string without expiry; NULL_REF when the arena is full. */
export function createInteger(key: Uint8Array, keyStart: number, keyLength: number): Ref {
  const ref = createEntry(TYPE_STRING | STRING_INT, key, keyStart, keyLength, 0);
  if (ref !== NULL_REF) storeInteger(ref, headerOf(ref));
  return ref;
}

/**
 * `length` zero bytes for the caller to write (`span` is at them), without expiry and marked as
 * modified; NULL_REF when the arena is full.
 */
export function createBlankString(
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  length: number,
): Ref {
  const ref = createBytes(0, key, keyStart, keyLength, length);
  if (ref === NULL_REF) return NULL_REF;
  span.view.fill(0, span.offset, span.offset + length);
  setHeader(ref, headerOf(ref) | FLAG_MODIFIED);
  return ref;
}

/** Type, encoding and expiry flag of the entry that replaces `old`; EXPIRY_KEEP loads its expiry. */
function kindFor(old: Ref, encoding: number, expiryMode: number): number {
  const kind = TYPE_STRING | encoding;
  if (expiryMode === EXPIRY_SET) return kind | FLAG_EXPIRES;
  if (expiryMode !== EXPIRY_KEEP || old === NULL_REF) return kind;
  const header = headerOf(old);
  if ((header & FLAG_EXPIRES) === 0 || isExpired(old, header)) return kind;
  loadExpiry(old);
  return kind | FLAG_EXPIRES;
}

const SHAPE_MASK = TYPE_MASK | ENCODING_MASK | FLAG_EXPIRES;

/** True when an entry of this kind can take the old one's place without a change of its layout. */
function canOverwrite(old: Ref, kind: number): boolean {
  const header = headerOf(old);
  return (
    (header & SHAPE_MASK) === kind && (kind & FLAG_EXPIRES) === 0 && (header & FLAG_LONG_KEY) === 0
  );
}

// --- strings changed in place --------------------------------------------------------------------

/**
 * Makes the string of `ref` (EMBEDDED or LARGE) `length` bytes long, new bytes zero, and marks it as
 * modified. Returns the entry, perhaps moved, with `span` at its value; NULL_REF when the arena is
 * full. The caller writes the bytes.
 */
export function resizeString(database: Ref, ref: Ref, length: number): Ref {
  const header = headerOf(ref);
  const target =
    (header & ENCODING_MASK) === STRING_LARGE
      ? resizeLarge(ref, length)
        ? ref
        : NULL_REF
      : resizeEmbedded(database, ref, header, length);
  if (target === NULL_REF) return NULL_REF;
  setHeader(target, headerOf(target) | FLAG_MODIFIED);
  locateString(target, headerOf(target));
  return target;
}

function resizeEmbedded(database: Ref, ref: Ref, header: number, length: number): Ref {
  locateString(ref, header);
  const oldLength = span.length;
  const valueView = span.view;
  const valueStart = span.offset;
  const oldBytes = entryBytes(ref);
  const bytes = oldBytes + length - oldLength;
  if (bytes <= ENTRY_BYTES_MAX && sameSlot(oldBytes, bytes) && mayWrite(ref, oldBytes)) {
    const words = wordWindows[ref >>> WINDOW_SHIFT]!;
    const index = ((ref & WINDOW_MASK) << 2) + 1;
    words[index] = (words[index]! & KEY_LENGTH_MASK) | (length << VALUE_LENGTH_SHIFT);
    if (length > oldLength) valueView.fill(0, valueStart + oldLength, valueStart + length);
    return ref;
  }
  if ((header & FLAG_EXPIRES) !== 0) loadExpiry(ref);
  const flags = TYPE_STRING | (header & FLAG_EXPIRES);
  locateKey(ref);
  const keyView = span.view;
  const keyStart = span.offset;
  const keyLength = span.length;
  if (bytes > ENTRY_BYTES_MAX) {
    const capacity = grownCapacity(length);
    const object = allocateLarge(capacity, valueView, valueStart, Math.min(oldLength, length));
    if (object === NULL_REF) return NULL_REF;
    const target = createEntry(flags | STRING_LARGE, keyView, keyStart, keyLength, 0);
    if (target === NULL_REF) {
      free(object, capacity, DATA);
      return NULL_REF;
    }
    storeLarge(target, object, Math.min(oldLength, length), capacity);
    if (!resizeLarge(target, length)) throw new Error('a resize within capacity cannot fail');
    replaceEntry(database, ref, target);
    freeEntry(ref);
    return target;
  }
  const target = createEntry(flags | STRING_EMBEDDED, keyView, keyStart, keyLength, length);
  if (target === NULL_REF) return NULL_REF;
  const view = byteWindows[target >>> WINDOW_SHIFT]!;
  const at = embeddedOffset(target);
  const kept = Math.min(oldLength, length);
  copyBytes(view, at, valueView, valueStart, kept);
  if (length > kept) view.fill(0, at + kept, at + length);
  replaceEntry(database, ref, target);
  freeEntry(ref);
  return target;
}
