// The keyspace: databases of entries, with expiry. A database is the Ref of its root block
// (databaseRoot(i)): words 0..7 are its hash table, words 8..11 its expiry index.
//
// A Ref that a look-up returns is valid until the next change of that database: a change may move
// the entry, and then returns the new Ref. Functions that can need memory return NULL_REF or false
// when the arena is full, and nothing has changed then.
import { wordWindows } from '../memory/arena.js';
import {
  DATABASE_EXPIRY_WORD,
  DATABASE_FIELDS_WORD,
  DATABASE_ROOT_WORDS,
  NULL_REF,
  type Ref,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../memory/layout.js';
import * as btree from '../structures/btree.js';
import { verifyTreeFreeing } from '../structures/btree_verify.js';
import { cloneShell, freeShell, isExpired, touch, verifyShell } from '../structures/entries.js';
import { FLAG_EXPIRES, headerOf, locateKey, span } from '../structures/entry.js';
import { link, unlink } from '../structures/entry_table.js';
import { nextExpired } from '../structures/expiry_index.js';
import { find, forgetFound, hashOfEntry, tableCount } from '../structures/hash_table.js';
import { hashKey } from '../structures/key_hash.js';
import { freeTableSome, verifyFreeing } from '../structures/table_free.js';
import { isEmptyHash, isHashTable } from '../values/hash.js';
import { DATABASE_FORM, registerRetired, retireDatabase } from '../values/retired.js';
import { valueTypeOf } from '../values/value_types.js';
import { freeEntry } from './entries.js';
import {
  deleteDueFields,
  indexFields,
  mayHaveDue,
  nextDueHash,
  raiseEarliest,
  unindexFields,
} from './field_expiry.js';

/** What happened since the start; the server reports and resets them. */
export const keyspaceCounters = { expired: 0, expiredFields: 0 };

/** Hash of the key of the last look-up, for the insert that often follows it. */
let lastHash = 0;

/** The live entry of a key, or NULL_REF. An expired one is deleted first. */
export function lookup(database: Ref, key: Uint8Array, start: number, length: number): Ref {
  const hash = hashKey(database, key, start, length);
  lastHash = hash;
  const ref = find(database, hash, key, start, length);
  if (ref === NULL_REF) return NULL_REF;
  const header = headerOf(ref);
  if ((header & FLAG_EXPIRES) !== 0 && isExpired(ref, header)) {
    deleteExpiredEntry(database, ref);
    return NULL_REF;
  }
  return ref;
}

/** lookup() that also notes the access (OBJECT IDLETIME). */
export function lookupTouch(database: Ref, key: Uint8Array, start: number, length: number): Ref {
  const ref = lookup(database, key, start, length);
  if (ref !== NULL_REF) touch(ref, headerOf(ref));
  return ref;
}

export function keyCount(database: Ref): number {
  return tableCount(database);
}

/** The entry of a key even when it has expired: MEMORY USAGE, DEBUG OBJECT. */
export function findStored(database: Ref, key: Uint8Array, start: number, length: number): Ref {
  return find(database, hashKey(database, key, start, length), key, start, length);
}

/** Removes an entry and frees all it owns. */
export function deleteEntry(database: Ref, ref: Ref): void {
  dropFields(database, ref);
  unlink(database, ref);
  freeEntry(ref);
}

/** Deletes an entry that a walk has found expired. */
export function deleteExpiredEntry(database: Ref, ref: Ref): void {
  deleteEntry(database, ref);
  keyspaceCounters.expired++;
}

/** Deletes a key; false when it is not there (or has expired). */
export function deleteKey(database: Ref, key: Uint8Array, start: number, length: number): boolean {
  const ref = lookup(database, key, start, length);
  if (ref === NULL_REF) return false;
  deleteEntry(database, ref);
  return true;
}

/** Deletes up to `limit` entries that are due. Returns how many. */
export function deleteExpired(database: Ref, limit: number): number {
  let deleted = 0;
  while (deleted < limit) {
    const ref = nextExpired(database);
    if (ref === NULL_REF) break;
    deleteEntry(database, ref);
    deleted++;
  }
  keyspaceCounters.expired += deleted;
  return deleted;
}

/**
 * Puts a new, complete entry into the database in place of `old` (NULL_REF: the key is not there),
 * which is freed with all it owns. False when the arena is full: nothing has changed, and the new
 * entry is still the caller's.
 */
export function linkEntry(database: Ref, ref: Ref, old: Ref, hash: number): boolean {
  if (!link(database, ref, old, hash)) return false;
  if (old === NULL_REF) return true;
  if (isHashTable(headerOf(old))) unindexFields(database, old, hash);
  freeEntry(old);
  return true;
}

/** Takes an entry that is about to leave out of the index of hashes, if it is there. */
function dropFields(database: Ref, ref: Ref): void {
  if (isHashTable(headerOf(ref))) unindexFields(database, ref, hashOfEntry(database, ref));
}

/** linkEntry() of an entry that may be a hash whose fields expire. */
function linkWithFields(database: Ref, ref: Ref, old: Ref, hash: number): boolean {
  if (!indexFields(database, ref, hash)) return false;
  if (linkEntry(database, ref, old, hash)) return true;
  unindexFields(database, ref, hash);
  return false;
}

/** linkEntry() for a key that is not there; frees the new entry when the arena is full. */
export function addEntry(database: Ref, ref: Ref): boolean {
  if (linkEntry(database, ref, NULL_REF, hashOfEntry(database, ref))) return true;
  freeEntry(ref);
  return false;
}

/** Puts a new entry, perhaps a hash whose fields expire, in place of whatever its key holds; frees it when the
 *  arena is full. */
export function setEntry(database: Ref, ref: Ref): boolean {
  locateKey(ref);
  const old = lookup(database, span.view, span.offset, span.length);
  if (linkWithFields(database, ref, old, lastHash)) return true;
  freeEntry(ref);
  return false;
}

// --- whole keys ----------------------------------------------------------------------------------

/**
 * Moves an entry to another key, another database or both, over whatever is there. The value itself
 * is not copied. False when the arena is full; nothing has changed then.
 */
export function moveEntry(
  source: Ref,
  ref: Ref,
  target: Ref,
  key: Uint8Array,
  start: number,
  length: number,
): boolean {
  const moved = cloneShell(ref, key, start, length);
  if (moved === NULL_REF) return false;
  const old = lookup(target, key, start, length);
  if (!linkWithFields(target, moved, old, lastHash)) {
    freeShell(moved);
    return false;
  }
  dropFields(source, ref);
  unlink(source, ref);
  freeShell(ref);
  return true;
}

/** Copies an entry to another key or database, over whatever is there. False: the arena is full. */
export function copyEntry(
  ref: Ref,
  target: Ref,
  key: Uint8Array,
  start: number,
  length: number,
): boolean {
  const copy = cloneShell(ref, key, start, length);
  if (copy === NULL_REF) return false;
  if (!valueTypeOf(copy).duplicate(copy)) {
    freeShell(copy);
    return false;
  }
  const old = lookup(target, key, start, length);
  if (linkWithFields(target, copy, old, lastHash)) return true;
  freeEntry(copy);
  return false;
}

/** Exchanges the contents of two databases. */
export function swapDatabases(a: Ref, b: Ref): void {
  const words = wordWindows[a >>> WINDOW_SHIFT]!;
  const first = (a & WINDOW_MASK) << 2;
  const second = (b & WINDOW_MASK) << 2;
  for (let i = 0; i < DATABASE_ROOT_WORDS; i++) {
    const word = words[first + i]!;
    words[first + i] = words[second + i]!;
    words[second + i] = word;
  }
  forgetFound();
}

// --- fields that expire --------------------------------------------------------------------------

/** Due fields of a hash that an access deletes; what is left over is skipped, and goes with the cron. */
const DUE_AT_ACCESS_MAX = 64;

/** Deletes fields of a hash that are due. Returns the hash, or NULL_REF when it went with its last one. */
export function withoutDueFields(database: Ref, ref: Ref): Ref {
  if (!mayHaveDue(ref)) return ref;
  keyspaceCounters.expiredFields += deleteDueFields(ref, DUE_AT_ACCESS_MAX);
  if (!isEmptyHash(ref)) return ref;
  deleteEntry(database, ref);
  return NULL_REF;
}

/** Deletes up to `limit` fields that are due, and hashes with their last one. Returns how many. */
export function deleteExpiredFields(database: Ref, limit: number): number {
  let deleted = 0;
  let visits = 0;
  while (deleted < limit && visits++ < limit) {
    const ref = nextDueHash(database);
    if (ref === NULL_REF) break;
    const room = limit - deleted;
    const found = deleteDueFields(ref, room);
    deleted += found;
    if (isEmptyHash(ref)) deleteEntry(database, ref);
    else if (found < room && !raiseEarliest(database, ref)) break;
  }
  keyspaceCounters.expiredFields += deleted;
  return deleted;
}

/** Removes every key of a database, at once for any number of them: their memory follows in steps. */
export function flushDatabase(database: Ref): void {
  retireDatabase(database);
}

registerRetired(DATABASE_FORM, {
  freeSome(database, limit) {
    let done = btree.freeSome(database, DATABASE_EXPIRY_WORD, limit);
    if (done < limit) done += btree.freeSome(database, DATABASE_FIELDS_WORD, limit - done);
    return done === limit ? done : done + freeTableSome(database, limit - done, freeEntry);
  },
  verify(database, owners) {
    const ownsDense = (ref: Ref, bytes: number): void => owners.ownsDense(ref, bytes);
    verifyTreeFreeing(database, DATABASE_EXPIRY_WORD, ownsDense);
    verifyTreeFreeing(database, DATABASE_FIELDS_WORD, ownsDense);
    verifyFreeing(database, owners, (ref) => {
      verifyShell(ref, owners);
      valueTypeOf(ref).verify(ref, owners);
    });
  },
});
