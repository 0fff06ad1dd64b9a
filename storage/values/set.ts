// Set values, in three forms; the encoding bits of the key's header say which:
//
//   INTEGERS   structures/integer_set.ts in the body       members that are integers, up to a limit
//   PACKED     structures/packed.ts in the body            few short members
//   TABLE      values/element_table.ts, a block Ref        all others; "hashtable", as PACKED is to clients
//
// A set grows from the first form to the last and never goes back. Members of the last two are texts, also
// those that are integers; storage does not know the texts of numbers, so a conversion gets a function
// that writes them, and the caller (server/commands/sets/set_value.ts) knows which members are integers.
//
// Cost of a member: as an integer its bytes, 2 to 8; packed one more than its own; in a table a header of 8
// and its bytes in a slot, and 8.6 of the table.
//
// An entry must be one that may be written to (writableEntry) when its body can change: in every form but
// TABLE. When the arena is full, adding says NO_MEMORY and nothing has changed; removing always works.
import { wordWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { createEntry, type Owners } from '../structures/entries.js';
import {
  bodyOffset,
  bodyWord,
  COLLECTION_LARGE,
  COLLECTION_PACKED,
  ENCODING_MASK,
  headerOf,
  locateKey,
  STRING_EMBEDDED,
  setHeader,
  span,
  TYPE_SET,
  TYPE_STRING,
} from '../structures/entry.js';
import { tableCount } from '../structures/hash_table.js';
import * as integers from '../structures/integer_set.js';
import * as packed from '../structures/packed.js';
import { randomEntry } from '../structures/random_entry.js';
import { EntryCursor } from '../structures/table_walk.js';
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
import type { ValueType } from './value_type.js';

const PACKED = COLLECTION_PACKED;
const TABLE = COLLECTION_LARGE;
const INTEGERS = 2 << 3;

/** What the packed form holds at most: members, and bytes of one. Integers have a limit of the caller's. */
export const setLimits = { packedMax: 128, packedBytesMax: 64 };

/** What adding a member came to. */
export const ADDED = 1;
export const PRESENT = 0;
export const NO_MEMORY = -1;

/** Writes an int64 as text to target[offset..]; returns its length. Texts take at most 20 bytes. */
export type FormatInteger = (
  high: number,
  low: number,
  target: Uint8Array,
  offset: number,
) => number;
const INTEGER_TEXT_BYTES_MAX = 20;
const integerText = new Uint8Array(INTEGER_TEXT_BYTES_MAX);

function formOf(ref: Ref): number {
  return headerOf(ref) & ENCODING_MASK;
}

/** Word of the entry where its body begins. */
function rootWordOf(ref: Ref): number {
  return bodyOffset(headerOf(ref)) >>> 2;
}

/** The root block of a set in a table. */
function blockOf(ref: Ref): Ref {
  return wordWindows[ref >>> WINDOW_SHIFT]![bodyWord(ref, headerOf(ref))]! as Ref;
}

/** Whether all members are integers in the form of integers. */
export function isIntegerSet(ref: Ref): boolean {
  return formOf(ref) === INTEGERS;
}

/** The root block of a set that is a table; NULL_REF of others. */
export function setTable(ref: Ref): Ref {
  return formOf(ref) === TABLE ? blockOf(ref) : NULL_REF;
}

/** Number of members. */
export function setCount(ref: Ref): number {
  const form = formOf(ref);
  if (form === TABLE) return tableCount(blockOf(ref));
  const rootWord = rootWordOf(ref);
  return form === INTEGERS
    ? integers.integerCount(ref, rootWord)
    : packed.packedCount(ref, rootWord);
}

/** A new empty set under a key, not in a database yet; NULL_REF when the arena is full. */
export function createSet(key: Uint8Array, keyStart: number, keyLength: number): Ref {
  const ref = createEntry(TYPE_SET | INTEGERS, key, keyStart, keyLength, 0);
  if (ref !== NULL_REF) integers.createIntegers(ref, rootWordOf(ref));
  return ref;
}

// --- members that are integers, of a set in that form ---------------------------------------------

export function hasInteger(ref: Ref, high: number, low: number): boolean {
  return integers.findInteger(ref, rootWordOf(ref), high, low) >= 0;
}

/** Adds an integer: ADDED, PRESENT or NO_MEMORY. */
export function addInteger(ref: Ref, high: number, low: number): number {
  const rootWord = rootWordOf(ref);
  const index = integers.findInteger(ref, rootWord, high, low);
  if (index >= 0) return PRESENT;
  return integers.insertInteger(ref, rootWord, -1 - index, high, low) ? ADDED : NO_MEMORY;
}

/** So many members are about to be in a set: integers get room for them at once. 0: no more. */
export function expectMembers(count: number): void {
  integers.reserve.count = count;
}

/** Removes an integer; false when it is not there. */
export function removeInteger(ref: Ref, high: number, low: number): boolean {
  const rootWord = rootWordOf(ref);
  const index = integers.findInteger(ref, rootWord, high, low);
  if (index < 0) return false;
  integers.removeIntegerAt(ref, rootWord, index);
  return true;
}

// --- members that are bytes, of a set in another form ---------------------------------------------

export function hasBytes(ref: Ref, bytes: Uint8Array, offset: number, length: number): boolean {
  if (formOf(ref) === TABLE) return findElement(blockOf(ref), bytes, offset, length) !== NULL_REF;
  return packed.findPacked(ref, rootWordOf(ref), 0, 1, bytes, offset, length) >= 0;
}

export function addBytes(ref: Ref, bytes: Uint8Array, offset: number, length: number): number {
  if (formOf(ref) === TABLE) return addToTable(blockOf(ref), bytes, offset, length);
  const rootWord = rootWordOf(ref);
  if (packed.findPacked(ref, rootWord, 0, 1, bytes, offset, length) >= 0) return PRESENT;
  const fits =
    packed.packedCount(ref, rootWord) < setLimits.packedMax && length <= setLimits.packedBytesMax;
  if (!fits) {
    return packedToTable(ref) ? addToTable(blockOf(ref), bytes, offset, length) : NO_MEMORY;
  }
  const end = packed.packedEnd(ref, rootWord);
  return packed.insertPacked(ref, rootWord, end, bytes, offset, length) ? ADDED : NO_MEMORY;
}

/** Removes a member; false when it is not there. */
export function removeBytes(ref: Ref, bytes: Uint8Array, offset: number, length: number): boolean {
  if (formOf(ref) === TABLE) {
    const block = blockOf(ref);
    const element = findElement(block, bytes, offset, length);
    if (element === NULL_REF) return false;
    removeElement(block, element);
    return true;
  }
  const rootWord = rootWordOf(ref);
  const place = packed.findPacked(ref, rootWord, 0, 1, bytes, offset, length);
  if (place < 0) return false;
  packed.removePacked(ref, rootWord, place, 1);
  return true;
}

function addToTable(block: Ref, bytes: Uint8Array, offset: number, length: number): number {
  if (findElement(block, bytes, offset, length) !== NULL_REF) return PRESENT;
  const element = createEntry(TYPE_STRING | STRING_EMBEDDED, bytes, offset, length, 0);
  if (element === NULL_REF) return NO_MEMORY;
  if (linkElement(block, element, NULL_REF)) return ADDED;
  freeElement(element);
  return NO_MEMORY;
}

// --- from one form to the next -------------------------------------------------------------------

/** Makes texts of the members of a set of integers. False when the arena is full, with nothing changed. */
export function convertIntegers(ref: Ref, format: FormatInteger): boolean {
  const count = integers.integerCount(ref, rootWordOf(ref));
  const isSmall = count < setLimits.packedMax && setLimits.packedBytesMax >= INTEGER_TEXT_BYTES_MAX;
  return isSmall ? integersToPacked(ref, count, format) : integersToTable(ref, count, format);
}

function integersToPacked(ref: Ref, count: number, format: FormatInteger): boolean {
  const rootWord = rootWordOf(ref);
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const root = ((ref & WINDOW_MASK) << 2) + rootWord;
  const list = new Uint8Array(count * (INTEGER_TEXT_BYTES_MAX + 1));
  let end = 0;
  for (let i = 0; i < count; i++) {
    integers.loadIntegerAt(ref, rootWord, i);
    const length = format(integers.loaded.high, integers.loaded.low, integerText, 0);
    end = packed.writeElement(list, end, integerText, 0, length);
  }
  // The new root is made where the old one is.
  const old = words.slice(root, root + packed.PACKED_ROOT_WORDS);
  packed.createPacked(ref, rootWord);
  if (end > 0 && !packed.splicePacked(ref, rootWord, 0, 0, end, count)) {
    words.set(old, root);
    return false;
  }
  if (end > 0) {
    const start = packed.packedStart(ref, rootWord);
    copyBytes(packed.packedView(ref, rootWord), start, list, 0, end);
  }
  const made = words.slice(root, root + packed.PACKED_ROOT_WORDS);
  words.set(old, root);
  integers.freeIntegers(ref, rootWord);
  words.set(made, root);
  setForm(ref, PACKED);
  return true;
}

function integersToTable(ref: Ref, count: number, format: FormatInteger): boolean {
  const rootWord = rootWordOf(ref);
  const block = createElements();
  if (block === NULL_REF) return false;
  for (let i = 0; i < count; i++) {
    integers.loadIntegerAt(ref, rootWord, i);
    const length = format(integers.loaded.high, integers.loaded.low, integerText, 0);
    if (addToTable(block, integerText, 0, length) === NO_MEMORY) {
      freeElements(block, TYPE_SET);
      return false;
    }
  }
  integers.freeIntegers(ref, rootWord);
  setTableBlock(ref, block);
  return true;
}

function packedToTable(ref: Ref): boolean {
  const rootWord = rootWordOf(ref);
  const block = createElements();
  if (block === NULL_REF) return false;
  if (packed.packedCount(ref, rootWord) > 0) {
    const view = packed.packedView(ref, rootWord);
    let at = packed.packedStart(ref, rootWord);
    for (const end = at + packed.packedEnd(ref, rootWord); at < end; ) {
      at = packed.readElement(view, at);
      if (addToTable(block, view, span.offset, span.length) === NO_MEMORY) {
        freeElements(block, TYPE_SET);
        return false;
      }
    }
  }
  packed.freePacked(ref, rootWord);
  setTableBlock(ref, block);
  return true;
}

function setTableBlock(ref: Ref, block: Ref): void {
  wordWindows[ref >>> WINDOW_SHIFT]![bodyWord(ref, headerOf(ref))] = block;
  setForm(ref, TABLE);
}

function setForm(ref: Ref, form: number): void {
  setHeader(ref, (headerOf(ref) & ~ENCODING_MASK) | form);
}

// --- walks and random picks ----------------------------------------------------------------------

/** A place in a walk over the members of a set, which must not change meanwhile. */
export class SetCursor {
  /** Whether the member is in `high` and `low`; else it is at `span`, until the next look-up. */
  isInteger = false;
  high = 0;
  low = 0;
  private ref: Ref = NULL_REF;
  private rootWord = 0;
  /** Of integers the next index and the count; of a packed list the next byte and the end. */
  private at = 0;
  private end = 0;
  private isTable = false;
  private readonly entries = new EntryCursor();

  /** Begins before the first member. */
  open(ref: Ref): void {
    const form = formOf(ref);
    this.ref = ref;
    this.rootWord = rootWordOf(ref);
    this.isInteger = form === INTEGERS;
    this.isTable = form === TABLE;
    this.at = 0;
    if (form === TABLE) {
      this.entries.open(blockOf(ref));
    } else if (form === INTEGERS) {
      this.end = integers.integerCount(ref, this.rootWord);
    } else {
      this.at = packed.packedStart(ref, this.rootWord);
      this.end = this.at + packed.packedEnd(ref, this.rootWord);
    }
  }

  /** Goes to the next member; false behind the last. */
  next(): boolean {
    if (this.isTable) {
      const element = this.entries.next();
      if (element === NULL_REF) return false;
      locateKey(element);
      return true;
    }
    if (this.at >= this.end) return false;
    if (this.isInteger) {
      integers.loadIntegerAt(this.ref, this.rootWord, this.at++);
      this.high = integers.loaded.high;
      this.low = integers.loaded.low;
    } else {
      this.at = packed.readElement(packed.packedView(this.ref, this.rootWord), this.at);
    }
    return true;
  }
}

/** A member that was picked: in `high` and `low`, or at `span`. */
export const picked = { isInteger: false, high: 0, low: 0 };
/** Where the picked member is: its index, its place or its element. */
let pickedAt = 0;

/**
 * Picks a member of a set that is not empty, each as likely as the others. `random()` returns a uniform
 * 32-bit unsigned number.
 */
export function pickMember(ref: Ref, random: () => number): void {
  const form = formOf(ref);
  picked.isInteger = form === INTEGERS;
  if (form === TABLE) {
    const element = randomEntry(blockOf(ref), random);
    pickedAt = element;
    locateKey(element);
    return;
  }
  const rootWord = rootWordOf(ref);
  // The scaled number favours none by more than count / 2^32.
  const index = Math.floor((random() / 4294967296) * setCount(ref));
  if (form === INTEGERS) {
    pickedAt = index;
    integers.loadIntegerAt(ref, rootWord, index);
    picked.high = integers.loaded.high;
    picked.low = integers.loaded.low;
    return;
  }
  const view = packed.packedView(ref, rootWord);
  const start = packed.packedStart(ref, rootWord);
  let at = start;
  for (let i = 0; i < index; i++) at = packed.skipElement(view, at);
  pickedAt = at - start;
  packed.readElement(view, at);
}

/** Removes the member that was picked last; the set has not changed since. */
export function removePicked(ref: Ref): void {
  const form = formOf(ref);
  if (form === TABLE) removeElement(blockOf(ref), pickedAt as Ref);
  else if (form === INTEGERS) integers.removeIntegerAt(ref, rootWordOf(ref), pickedAt);
  else packed.removePacked(ref, rootWordOf(ref), pickedAt, 1);
}

/** Of the picked member of a table: which element it is, to know it again. */
export function pickedElement(): Ref {
  return pickedAt as Ref;
}

// --- whole sets ----------------------------------------------------------------------------------

function freeSet(ref: Ref): void {
  const form = formOf(ref);
  if (form === TABLE) freeElements(blockOf(ref), TYPE_SET);
  else if (form === INTEGERS) integers.freeIntegers(ref, rootWordOf(ref));
  else packed.freePacked(ref, rootWordOf(ref));
}

function duplicateSet(target: Ref): boolean {
  const form = formOf(target);
  if (form === INTEGERS) return integers.duplicateIntegers(target, rootWordOf(target));
  if (form === PACKED) return packed.duplicatePacked(target, rootWordOf(target));
  const block = duplicateElements(blockOf(target));
  if (block === NULL_REF) return false;
  setTableBlock(target, block);
  return true;
}

function verifySet(ref: Ref, owners: Owners): void {
  const form = formOf(ref);
  if (form === TABLE) verifyElements(blockOf(ref), owners, () => {});
  else if (form === INTEGERS) integers.verifyIntegers(ref, rootWordOf(ref), owners);
  else packed.verifyPacked(ref, rootWordOf(ref), owners);
  if (setCount(ref) === 0) throw new Error(`set ${ref >>> 0}: a collection must not be empty`);
}

function setMemory(ref: Ref): number {
  const form = formOf(ref);
  if (form === TABLE) return elementsMemory(blockOf(ref));
  return form === INTEGERS
    ? integers.integersMemory(ref, rootWordOf(ref))
    : packed.packedMemory(ref, rootWordOf(ref));
}

function relocateSet(ref: Ref, cursor: number): number {
  const form = formOf(ref);
  if (form === TABLE) return relocateElements(blockOf(ref), cursor, null);
  if (form === INTEGERS) integers.relocateIntegers(ref, rootWordOf(ref));
  else packed.relocatePacked(ref, rootWordOf(ref));
  return 0;
}

export const setValue: ValueType = {
  free: freeSet,
  duplicate: duplicateSet,
  verify: verifySet,
  memoryBytes: setMemory,
  relocate: relocateSet,
};

registerRetired(TYPE_SET, { freeSome: freeElementsSome, verify: verifyElementsFreeing });
