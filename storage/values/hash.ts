// Hash values: fields with values, packed while they are few and short, else an element table.
//
//   packed   body is the root of a packed list (structures/packed.ts): field, value, field, value ...
//   table    body: | root block Ref | earliest field expiry: low, high | 0 |
//            root block: an element table (element_table.ts) whose elements are fields with strings
//
// A hash becomes a table when it gets more fields or a longer field or value than `hashLimits` says, or the
// first field that expires, and stays one. Cost of 10 fields of 7 bytes with values of 16: 250 bytes, slot 256,
// and 48 for the entry of a key of 16, 8.6 in the keyspace's table.
//
// The two words of the earliest expiry are what the database's index of hashes says of this one
// (keyspace/field_expiry.ts): a lower bound of the times in its own index, or 0 when no field expires.
//
// A field whose time has passed is not there for any function here but removal. Functions take the entry
// of the hash, which the caller made writable (writableHash) before the first change; they change it in place.
// When the arena is full they return FAILED, false or NULL_REF, and nothing has changed.
import { free, sameSlot } from '../memory/allocator.js';
import { byteWindows, wordWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { DATA, DENSE } from '../memory/extents.js';
import {
  DATABASE_EXPIRY_WORD,
  NULL_REF,
  type Ref,
  ROOT_BLOCK_BYTES,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../memory/layout.js';
import { mayWrite } from '../memory/placement.js';
import * as btree from '../structures/btree.js';
import { clock } from '../structures/clock.js';
import {
  bytesFor,
  createEntry,
  isExpired,
  loadExpiry,
  type Owners,
} from '../structures/entries.js';
import {
  bodyOffset,
  bodyWord,
  COLLECTION_LARGE,
  COLLECTION_PACKED,
  ENCODING_MASK,
  ENTRY_BYTES_MAX,
  embeddedOffset,
  entryBytes,
  FLAG_EXPIRES,
  FLAG_LONG_KEY,
  headerOf,
  KEY_LENGTH_MASK,
  locateKey,
  STRING_EMBEDDED,
  STRING_LARGE,
  setHeader,
  span,
  TYPE_HASH,
  TYPE_MASK,
  TYPE_STRING,
  VALUE_LENGTH_SHIFT,
} from '../structures/entry.js';
import { tableCount } from '../structures/hash_table.js';
import {
  createPacked,
  duplicatePacked,
  elementBytes,
  findPacked,
  freePacked,
  packedCount,
  packedEnd,
  packedMemory,
  packedStart,
  packedView,
  readElement,
  relocatePacked,
  removePacked,
  replacePacked,
  skipElement,
  splicePacked,
  verifyPacked,
  writeElement,
} from '../structures/packed.js';
import { forEachEntry } from '../structures/table_walk.js';
import {
  createElements,
  duplicateElements,
  elementsMemory,
  findElement,
  freeElement,
  freeElements,
  freeElementsSome,
  linkElement,
  relocateElements,
  removeElement,
  verifyElements,
  verifyElementsFreeing,
} from './element_table.js';
import { registerRetired } from './retired.js';
import { allocateLarge, locateString, storeLarge } from './string.js';
import type { ValueType } from './value_type.js';

/** Up to these a hash is packed: fields, and bytes of a field or value. The server sets them. */
export const hashLimits = { entriesMax: 512, valueBytesMax: 64 };

/** What setField() did. */
export const FAILED = 0;
export const ADDED = 1;
export const REPLACED = 2;

/** Word of the body, in a table, that holds the low half of the earliest field expiry. */
export const EARLIEST_WORD = 1;

export function isHashTable(header: number): boolean {
  return (header & (TYPE_MASK | ENCODING_MASK)) === (TYPE_HASH | COLLECTION_LARGE);
}

function isPacked(header: number): boolean {
  return (header & ENCODING_MASK) === COLLECTION_PACKED;
}

/** Word of the entry at which the packed list's root begins. */
function rootWordOf(header: number): number {
  return bodyOffset(header) >>> 2;
}

/** The element table of a hash that has one. */
export function hashTable(ref: Ref, header: number): Ref {
  return wordWindows[ref >>> WINDOW_SHIFT]![bodyWord(ref, header)]! as Ref;
}

/** A new, empty hash, in no database yet; NULL_REF when the arena is full. */
export function createHash(key: Uint8Array, start: number, length: number): Ref {
  const kind = TYPE_HASH | COLLECTION_PACKED;
  const ref = createEntry(kind, key, start, length, 0);
  if (ref !== NULL_REF) createPacked(ref, rootWordOf(kind));
  return ref;
}

// --- reading -------------------------------------------------------------------------------------

/** Number of fields, without those whose time has passed. */
export function hashLength(ref: Ref): number {
  const header = headerOf(ref);
  if (isPacked(header)) return packedCount(ref, rootWordOf(header)) >>> 1;
  const table = hashTable(ref, header);
  return tableCount(table) - dueFields(table);
}

/** How many fields of a table have expired and are still there. */
export function dueFields(table: Ref): number {
  if (btree.count(table, DATABASE_EXPIRY_WORD) === 0) return 0;
  const high = Math.floor(clock.nowMillis / 4294967296);
  const low = (clock.nowMillis - high * 4294967296) | 0;
  return btree.rank(table, DATABASE_EXPIRY_WORD, high, low, 0);
}

/** The element of a field in a table, or NULL_REF: also when its time has passed. */
export function liveField(table: Ref, field: Uint8Array, start: number, length: number): Ref {
  const ref = findElement(table, field, start, length);
  return ref === NULL_REF || isExpired(ref, headerOf(ref)) ? NULL_REF : ref;
}

/** Fills `span` with the value of a field. False: there is no such field. */
export function findField(ref: Ref, field: Uint8Array, start: number, length: number): boolean {
  const header = headerOf(ref);
  if (!isPacked(header)) {
    const element = liveField(hashTable(ref, header), field, start, length);
    if (element === NULL_REF) return false;
    locateString(element, headerOf(element));
    return true;
  }
  const root = rootWordOf(header);
  const place = findPacked(ref, root, 0, 2, field, start, length);
  if (place < 0) return false;
  const view = packedView(ref, root);
  readElement(view, skipElement(view, packedStart(ref, root) + place));
  return true;
}

/** Where a field and its value lie, as forEachField() gives them: one object, reused. */
export interface FieldSpans {
  view: Uint8Array;
  offset: number;
  length: number;
  valueView: Uint8Array;
  valueOffset: number;
  valueLength: number;
}
export const fieldSpans: FieldSpans = {
  view: span.view,
  offset: 0,
  length: 0,
  valueView: span.view,
  valueOffset: 0,
  valueLength: 0,
};

/** Fills `fieldSpans` from an element of a table. */
export function locateField(element: Ref): void {
  locateKey(element);
  fieldSpans.view = span.view;
  fieldSpans.offset = span.offset;
  fieldSpans.length = span.length;
  locateString(element, headerOf(element));
  noteValue();
}

/** Fills `fieldSpans` from a packed hash whose field begins at view[at]. Returns where the next begins. */
export function readField(view: Uint8Array, at: number): number {
  const value = readElement(view, at);
  fieldSpans.view = view;
  fieldSpans.offset = span.offset;
  fieldSpans.length = span.length;
  const next = readElement(view, value);
  noteValue();
  return next;
}

function noteValue(): void {
  fieldSpans.valueView = span.view;
  fieldSpans.valueOffset = span.offset;
  fieldSpans.valueLength = span.length;
}

/** Fills `fieldSpans` with field number `index` of a packed hash, which has more. */
export function readFieldNumber(ref: Ref, index: number): void {
  const root = rootWordOf(headerOf(ref));
  const view = packedView(ref, root);
  let at = packedStart(ref, root);
  for (let i = 0; i < 2 * index; i++) at = skipElement(view, at);
  readField(view, at);
}

/** Calls visit with `fieldSpans` filled for each field. The hash must not change meanwhile. */
export function forEachField(ref: Ref, visit: (field: FieldSpans) => void): void {
  const header = headerOf(ref);
  if (!isPacked(header)) {
    forEachEntry(hashTable(ref, header), (element) => {
      if (isExpired(element, headerOf(element))) return;
      locateField(element);
      visit(fieldSpans);
    });
    return;
  }
  const root = rootWordOf(header);
  const view = packedView(ref, root);
  let at = packedStart(ref, root);
  const end = at + packedEnd(ref, root);
  while (at < end) {
    at = readField(view, at);
    visit(fieldSpans);
  }
}

// --- changing ------------------------------------------------------------------------------------

/**
 * Sets a field. Its expiry goes, unless `keepsExpiry`. The bytes may lie anywhere but in the hash itself.
 * FAILED, ADDED or REPLACED.
 */
export function setField(
  ref: Ref,
  field: Uint8Array,
  fieldStart: number,
  fieldLength: number,
  value: Uint8Array,
  valueStart: number,
  valueLength: number,
  keepsExpiry: boolean,
): number {
  const header = headerOf(ref);
  if (isPacked(header)) {
    const root = rootWordOf(header);
    const longest = fieldLength > valueLength ? fieldLength : valueLength;
    if (longest <= hashLimits.valueBytesMax) {
      const place = findPacked(ref, root, 0, 2, field, fieldStart, fieldLength);
      if (place >= 0) {
        const view = packedView(ref, root);
        const start = packedStart(ref, root);
        const at = skipElement(view, start + place) - start;
        return replacePacked(ref, root, at, value, valueStart, valueLength) ? REPLACED : FAILED;
      }
      if (packedCount(ref, root) >>> 1 < hashLimits.entriesMax) {
        const end = packedEnd(ref, root);
        const bytes = elementBytes(fieldLength) + elementBytes(valueLength);
        if (!splicePacked(ref, root, end, 0, bytes, 2)) return FAILED;
        const view = packedView(ref, root);
        const at = packedStart(ref, root) + end;
        const next = writeElement(view, at, field, fieldStart, fieldLength);
        writeElement(view, next, value, valueStart, valueLength);
        return ADDED;
      }
    }
    if (!convertHash(ref)) return FAILED;
  }
  const table = hashTable(ref, headerOf(ref));
  return setElement(
    table,
    field,
    fieldStart,
    fieldLength,
    value,
    valueStart,
    valueLength,
    keepsExpiry,
  );
}

const EMBEDDED_SHAPE = TYPE_MASK | ENCODING_MASK | FLAG_EXPIRES | FLAG_LONG_KEY;

/** setField() of a table. A value of the same slot is overwritten where it lies. */
function setElement(
  table: Ref,
  field: Uint8Array,
  fieldStart: number,
  fieldLength: number,
  value: Uint8Array,
  valueStart: number,
  valueLength: number,
  keepsExpiry: boolean,
): number {
  const old = findElement(table, field, fieldStart, fieldLength);
  let flags = 0;
  let isThere = false;
  if (old !== NULL_REF) {
    const header = headerOf(old);
    isThere = !isExpired(old, header);
    if (keepsExpiry && isThere) flags = header & FLAG_EXPIRES;
    const shape = TYPE_STRING | STRING_EMBEDDED | flags;
    const bytes = bytesFor(shape, fieldLength, valueLength);
    if (
      (header & EMBEDDED_SHAPE) === shape &&
      bytes <= ENTRY_BYTES_MAX &&
      sameSlot(entryBytes(old), bytes) &&
      mayWrite(old, bytes)
    ) {
      const words = wordWindows[old >>> WINDOW_SHIFT]!;
      const index = ((old & WINDOW_MASK) << 2) + 1;
      words[index] = (words[index]! & KEY_LENGTH_MASK) | (valueLength << VALUE_LENGTH_SHIFT);
      locateString(old, header);
      copyBytes(span.view, span.offset, value, valueStart, valueLength);
      return REPLACED;
    }
    if (flags !== 0) loadExpiry(old);
  }
  const ref = createField(flags, field, fieldStart, fieldLength, value, valueStart, valueLength);
  if (ref === NULL_REF) return FAILED;
  if (linkElement(table, ref, old)) return isThere ? REPLACED : ADDED;
  freeElement(ref);
  return FAILED;
}

/** A new element; with FLAG_EXPIRES in `flags` it gets the expiry register. NULL_REF: no memory. */
function createField(
  flags: number,
  field: Uint8Array,
  fieldStart: number,
  fieldLength: number,
  value: Uint8Array,
  valueStart: number,
  valueLength: number,
): Ref {
  const kind = TYPE_STRING | flags;
  if (bytesFor(kind | STRING_EMBEDDED, fieldLength, valueLength) <= ENTRY_BYTES_MAX) {
    const shape = kind | STRING_EMBEDDED;
    const ref = createEntry(shape, field, fieldStart, fieldLength, valueLength);
    if (ref === NULL_REF) return NULL_REF;
    const view = byteWindows[ref >>> WINDOW_SHIFT]!;
    copyBytes(view, embeddedOffset(ref), value, valueStart, valueLength);
    return ref;
  }
  const object = allocateLarge(valueLength, value, valueStart, valueLength);
  if (object === NULL_REF) return NULL_REF;
  const ref = createEntry(kind | STRING_LARGE, field, fieldStart, fieldLength, 0);
  if (ref === NULL_REF) free(object, valueLength, DATA);
  else storeLarge(ref, object, valueLength, valueLength);
  return ref;
}

/**
 * Makes a packed hash a table. False when the arena is full. Takes 0.2 us a field, and there are as many as
 * hashLimits permits.
 */
export function convertHash(ref: Ref): boolean {
  const table = createElements();
  if (table === NULL_REF) return false;
  const header = headerOf(ref);
  const root = rootWordOf(header);
  const view = packedView(ref, root);
  let at = packedStart(ref, root);
  const end = at + packedEnd(ref, root);
  while (at < end) {
    at = readField(view, at);
    const { offset, length, valueOffset, valueLength } = fieldSpans;
    if (setElement(table, view, offset, length, view, valueOffset, valueLength, false) !== FAILED) {
      continue;
    }
    freeElementsSome(table, Number.POSITIVE_INFINITY);
    free(table, ROOT_BLOCK_BYTES, DENSE);
    return false;
  }
  freePacked(ref, root);
  wordWindows[ref >>> WINDOW_SHIFT]![bodyWord(ref, header)] = table;
  setHeader(ref, header | COLLECTION_LARGE);
  return true;
}

/** Deletes a field. False: there was none, or its time had passed. The hash may be empty afterwards. */
export function deleteField(ref: Ref, field: Uint8Array, start: number, length: number): boolean {
  const header = headerOf(ref);
  if (!isPacked(header)) {
    const table = hashTable(ref, header);
    const element = findElement(table, field, start, length);
    if (element === NULL_REF) return false;
    const isThere = !isExpired(element, headerOf(element));
    removeElement(table, element);
    return isThere;
  }
  const root = rootWordOf(header);
  const place = findPacked(ref, root, 0, 2, field, start, length);
  if (place < 0) return false;
  removePacked(ref, root, place, 2);
  return true;
}

/** Whether nothing is left, not even a field whose time has passed: then the key must go. */
export function isEmptyHash(ref: Ref): boolean {
  const header = headerOf(ref);
  if (isPacked(header)) return packedCount(ref, rootWordOf(header)) === 0;
  return tableCount(hashTable(ref, header)) === 0;
}

// --- the type ------------------------------------------------------------------------------------

function freeHash(ref: Ref): void {
  const header = headerOf(ref);
  if (isPacked(header)) freePacked(ref, rootWordOf(header));
  else freeElements(hashTable(ref, header), TYPE_HASH);
}

function duplicateHash(target: Ref): boolean {
  const header = headerOf(target);
  if (isPacked(header)) return duplicatePacked(target, rootWordOf(header));
  const table = duplicateElements(hashTable(target, header));
  if (table === NULL_REF) return false;
  wordWindows[target >>> WINDOW_SHIFT]![bodyWord(target, header)] = table;
  return true;
}

function verifyHash(ref: Ref, owners: Owners): void {
  const header = headerOf(ref);
  if (!isPacked(header)) {
    verifyElements(hashTable(ref, header), owners, () => {});
    return;
  }
  const count = packedCount(ref, rootWordOf(header));
  if (count === 0 || count % 2 !== 0) {
    throw new Error(`hash ${ref >>> 0}: ${count} elements are no fields with values`);
  }
  verifyPacked(ref, rootWordOf(header), owners);
}

function hashMemory(ref: Ref): number {
  const header = headerOf(ref);
  if (isPacked(header)) return packedMemory(ref, rootWordOf(header));
  return elementsMemory(hashTable(ref, header));
}

function relocateHash(ref: Ref, cursor: number): number {
  const header = headerOf(ref);
  if (!isPacked(header)) return relocateElements(hashTable(ref, header), cursor, null);
  relocatePacked(ref, rootWordOf(header));
  return 0;
}

export const hashValue: ValueType = {
  free: freeHash,
  duplicate: duplicateHash,
  verify: verifyHash,
  memoryBytes: hashMemory,
  relocate: relocateHash,
};

registerRetired(TYPE_HASH, { freeSome: freeElementsSome, verify: verifyElementsFreeing });
