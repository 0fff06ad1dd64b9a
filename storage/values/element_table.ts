// Element tables: the large form of hashes and sets, and the members of a large sorted set. A table of
// entries (structures/entry_table.ts) in a root block that the key's body refers to:
//
//   body         | root block Ref | 0 | 0 | 0 |
//   root block   hash table | expiry index | the type's own words | retired.ts      (layout.ts)
//   element      an entry with a string for its value, whatever the type: of a hash the field with its
//                value (EMBEDDED or LARGE), of a set the member alone (EMBEDDED, no bytes), of a sorted
//                set the member with 8 bytes of score (INT)
//
// Cost of an element: header 8, key and value, in slots of 16 bytes, and 8.6 of the table: a field of 16
// with a value of 16 takes 48.6 bytes. A table of few elements pays for a whole segment, 4 KiB.
//
// Elements have no access times worth keeping; the header's are those of their making. Functions that
// need memory return NULL_REF or false when the arena is full, and nothing has changed then.
import { allocate, free } from '../memory/allocator.js';
import { wordWindows } from '../memory/arena.js';
import { DENSE } from '../memory/extents.js';
import {
  DATABASE_EXPIRY_WORD,
  databaseRoot,
  NULL_REF,
  type Ref,
  ROOT_BLOCK_BYTES,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../memory/layout.js';
import * as btree from '../structures/btree.js';
import { verifyTreeFreeing } from '../structures/btree_verify.js';
import {
  cloneShell,
  freeShell,
  type Owners,
  shellMemory,
  TABLE_BYTES_PER_ENTRY,
  verifyShell,
} from '../structures/entries.js';
import { locateKey, span } from '../structures/entry.js';
import { link, unlink, verifyEntryTable } from '../structures/entry_table.js';
import { createTable, find, tableBytes, tableCount } from '../structures/hash_table.js';
import { hashMember, TABLE_SEED } from '../structures/key_hash.js';
import { type Moved, relocateElement, relocateTable } from '../structures/relocation.js';
import { copyTable } from '../structures/table_copy.js';
import { freeTableSome, verifyFreeing } from '../structures/table_free.js';
import { scanned, scanStep } from '../structures/table_walk.js';
import { FREED_AT_ONCE_MAX, retire } from './retired.js';
import { relocateString, stringValue } from './string.js';

/** Elements that elementsMemory() looks at before it extrapolates. */
const MEMORY_SAMPLE = 512;

/** Hash of the element that was looked for last, for the insert that often follows. */
let lastHash = 0;

/**
 * A root block with an empty table; NULL_REF when the arena is full. Its seed is made of that of the first
 * database, which is secret and random, and of its place, so that tables differ in it.
 */
export function createElements(): Ref {
  const block = allocate(ROOT_BLOCK_BYTES, DENSE);
  if (block === NULL_REF) return NULL_REF;
  const words = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = (block & WINDOW_MASK) << 2;
  words.fill(0, at, at + ROOT_BLOCK_BYTES / 4);
  const seed = ((databaseRoot(0) & WINDOW_MASK) << 2) + TABLE_SEED;
  const seeds = wordWindows[0]!;
  createTable(block, seeds[seed]! ^ Math.imul(block, 0x9e3779b1), seeds[seed + 1]! ^ block);
  return block;
}

/** The element with this key, or NULL_REF: also one whose expiry has passed. */
export function findElement(table: Ref, bytes: Uint8Array, offset: number, length: number): Ref {
  lastHash = hashMember(table, bytes, offset, length);
  return find(table, lastHash, bytes, offset, length);
}

/**
 * Puts a new element into the table in place of `old` (NULL_REF: it is not there), which is freed. `old`
 * is what findElement() gave for its key just before. False: no memory, and the new one is the caller's.
 */
export function linkElement(table: Ref, ref: Ref, old: Ref): boolean {
  if (!link(table, ref, old, lastHash)) return false;
  if (old !== NULL_REF) freeElement(old);
  return true;
}

/** Takes an element out of the table and frees it. */
export function removeElement(table: Ref, ref: Ref): void {
  unlink(table, ref);
  freeElement(ref);
}

/** Frees an element that is in no table (any more). */
export function freeElement(ref: Ref): void {
  stringValue.free(ref);
  freeShell(ref);
}

// --- whole tables --------------------------------------------------------------------------------

/** Frees up to `limit` elements and nodes of the index: see RetiredForm in retired.ts. */
export function freeElementsSome(block: Ref, limit: number): number {
  const done = btree.freeSome(block, DATABASE_EXPIRY_WORD, limit);
  return done === limit ? done : done + freeTableSome(block, limit - done, freeElement);
}

/** Shows what freeElementsSome() has left, but for the block. */
export function verifyElementsFreeing(block: Ref, owners: Owners): void {
  verifyTreeFreeing(block, DATABASE_EXPIRY_WORD, (ref, bytes) => owners.ownsDense(ref, bytes));
  verifyFreeing(block, owners, (ref) => {
    verifyShell(ref, owners);
    stringValue.verify(ref, owners);
  });
}

/** Frees a table with its root block: at once when it is small, else in steps as `form` says. */
export function freeElements(block: Ref, form: number): void {
  if (tableCount(block) > FREED_AT_ONCE_MAX) {
    retire(block, form);
    return;
  }
  freeElementsSome(block, Number.POSITIVE_INFINITY);
  free(block, ROOT_BLOCK_BYTES, DENSE);
}

/** A copy of a table with all its elements; NULL_REF when the arena is full. Takes time for each. */
export function duplicateElements(source: Ref): Ref {
  const block = createElements();
  if (block === NULL_REF) return NULL_REF;
  if (copyTable(source, block, duplicateElement, freeElement)) return block;
  free(block, ROOT_BLOCK_BYTES, DENSE);
  return NULL_REF;
}

function duplicateElement(ref: Ref): Ref {
  locateKey(ref);
  const copy = cloneShell(ref, span.view, span.offset, span.length);
  if (copy === NULL_REF || stringValue.duplicate(copy)) return copy;
  freeShell(copy);
  return NULL_REF;
}

/**
 * Moves elements and what they own out of extents that are being emptied, from `cursor` on, until the step's
 * work is done (ValueType.relocate). `moved` tells who else refers to an element.
 */
export function relocateElements(block: Ref, cursor: number, moved: Moved | null): number {
  const visit = moved === null ? relocateUnindexed : (ref: Ref) => relocateWith(ref, moved);
  return relocateTable(block, cursor, visit);
}

function relocateUnindexed(ref: Ref): Ref {
  return relocateWith(ref, null);
}

function relocateWith(ref: Ref, moved: Moved | null): Ref {
  const target = relocateElement(ref, moved);
  relocateString(target);
  return target;
}

/** Proves a table and shows its objects, the block too; `visit` gets every element. */
export function verifyElements(block: Ref, owners: Owners, visit: (ref: Ref) => void): void {
  owners.ownsDense(block, ROOT_BLOCK_BYTES);
  if (tableCount(block) === 0) throw new Error(`table ${block}: a collection must not be empty`);
  verifyEntryTable(block, owners, (ref) => {
    stringValue.verify(ref, owners);
    visit(ref);
  });
}

/** Bytes of a table with all it owns: exact up to some hundred elements, then by the mean of these. */
export function elementsMemory(block: Ref): number {
  const count = tableCount(block);
  scanStep(block, 0, MEMORY_SAMPLE);
  let bytes = 0;
  for (let i = 0; i < scanned.count; i++) {
    const ref = scanned.refs[i]! as Ref;
    bytes += shellMemory(ref) - TABLE_BYTES_PER_ENTRY + stringValue.memoryBytes(ref);
  }
  if (scanned.count > 0 && scanned.count < count) bytes = (bytes / scanned.count) * count;
  return Math.round(bytes) + tableBytes(block) + ROOT_BLOCK_BYTES;
}
