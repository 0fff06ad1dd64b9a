// Expiry of hash fields. Each hash that is a table indexes its own fields by time; a database indexes its
// hashes by a lower bound of their earliest time, so that what is due is found without looking at what is
// not, as with keys (structures/expiry_index.ts).
//
//   database root   words 12..15: B+tree of (earliest, hash of the key)
//   hash's body     | root block | earliest: low, high | 0 |                    (values/hash.ts)
//
// The bound falls with every field that expires earlier, at once. It rises lazily, when the hash is found by
// it: a field that is deleted, overwritten or persisted costs nothing here, and no memory.
//
// Invariants: a database's index holds exactly one item per hash whose body has a time, and that one. A hash
// with fields that expire has a time, and it is not later than any of theirs.
import { wordWindows } from '../memory/arena.js';
import {
  DATABASE_EXPIRY_WORD,
  DATABASE_FIELDS_WORD,
  NULL_REF,
  type Ref,
  WINDOW_SHIFT,
} from '../memory/layout.js';
import * as btree from '../structures/btree.js';
import { clock } from '../structures/clock.js';
import { expiry } from '../structures/entries.js';
import { bodyWord, headerOf } from '../structures/entry.js';
import { clearExpiry, setExpiry } from '../structures/entry_table.js';
import { nextExpired } from '../structures/expiry_index.js';
import { findByHash, hashOfEntry } from '../structures/hash_table.js';
import { removeElement } from '../values/element_table.js';
import { EARLIEST_WORD, hashTable, isEmptyHash, isHashTable } from '../values/hash.js';

/** The earliest time of a hash: filled by loadEarliest(). */
const earliest = { low: 0, high: 0 };

/** Fills `earliest` from an entry. False: it is no hash, or none whose fields expire. */
function loadEarliest(ref: Ref, header: number): boolean {
  if (!isHashTable(header)) return false;
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = bodyWord(ref, header) + EARLIEST_WORD;
  earliest.low = words[at]!;
  earliest.high = words[at + 1]!;
  return (earliest.low | earliest.high) !== 0;
}

function storeEarliest(ref: Ref, low: number, high: number): void {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = bodyWord(ref, headerOf(ref)) + EARLIEST_WORD;
  words[at] = low;
  words[at + 1] = high;
}

/** Adds an entry that is about to be linked under a key of this hash. False: the arena is full. */
export function indexFields(database: Ref, ref: Ref, hash: number): boolean {
  if (!loadEarliest(ref, headerOf(ref))) return true;
  return btree.insert(database, DATABASE_FIELDS_WORD, earliest.high, earliest.low, hash);
}

/** Takes an entry that leaves the database out of its index. */
export function unindexFields(database: Ref, ref: Ref, hash: number): void {
  if (!loadEarliest(ref, headerOf(ref))) return;
  if (btree.remove(database, DATABASE_FIELDS_WORD, earliest.high, earliest.low, hash)) return;
  throw new Error(`heap corruption: the index of hashes lacks an item for hash ${hash >>> 0}`);
}

/** Hashes with fields that expire. */
export function hashesExpiring(database: Ref): number {
  return btree.count(database, DATABASE_FIELDS_WORD);
}

/**
 * Gives a field of the hash `ref`, which is a table, the expiry in the `expiry` register. False when the
 * arena is full.
 */
export function setFieldExpiry(database: Ref, ref: Ref, field: Ref): boolean {
  const { low, high } = expiry;
  const had = loadEarliest(ref, headerOf(ref));
  const lowers = !had || isEarlier(low, high, earliest.low, earliest.high);
  const hash = lowers ? hashOfEntry(database, ref) : 0;
  if (lowers && !btree.insert(database, DATABASE_FIELDS_WORD, high, low, hash)) return false;
  expiry.low = low;
  expiry.high = high;
  if (setExpiry(hashTable(ref, headerOf(ref)), field) === NULL_REF) {
    if (lowers) btree.remove(database, DATABASE_FIELDS_WORD, high, low, hash);
    return false;
  }
  if (!lowers) return true;
  unindexFields(database, ref, hash);
  storeEarliest(ref, low, high);
  return true;
}

/**
 * setFieldExpiry() for a hash that is in no database yet: it is indexed when it is linked. False: the arena is
 * full, and nothing has changed.
 */
export function setUnlinkedExpiry(ref: Ref, field: Ref): boolean {
  const { low, high } = expiry;
  if (setExpiry(hashTable(ref, headerOf(ref)), field) === NULL_REF) return false;
  const had = loadEarliest(ref, headerOf(ref));
  if (!had || isEarlier(low, high, earliest.low, earliest.high)) storeEarliest(ref, low, high);
  return true;
}

/** Whether a hash has fields that expire, or had and was not looked at since. */
export function hasExpiringFields(ref: Ref): boolean {
  return loadEarliest(ref, headerOf(ref));
}

/** Takes the expiry off a field that has one. False when the arena is full. */
export function clearFieldExpiry(ref: Ref, field: Ref): boolean {
  return clearExpiry(hashTable(ref, headerOf(ref)), field) !== NULL_REF;
}

function isEarlier(low: number, high: number, thanLow: number, thanHigh: number): boolean {
  return high !== thanHigh ? high < thanHigh : low >>> 0 < thanLow >>> 0;
}

// --- what is due ---------------------------------------------------------------------------------

/** Whether a hash has fields whose time may have passed: a look at two words. */
export function mayHaveDue(ref: Ref): boolean {
  if (!loadEarliest(ref, headerOf(ref))) return false;
  return earliest.high * 4294967296 + (earliest.low >>> 0) < clock.nowMillis;
}

/** Deletes up to `limit` fields of a hash that are due. Returns how many; the hash may be empty then. */
export function deleteDueFields(ref: Ref, limit: number): number {
  const table = hashTable(ref, headerOf(ref));
  let deleted = 0;
  for (; deleted < limit; deleted++) {
    const field = nextExpired(table);
    if (field === NULL_REF) break;
    removeElement(table, field);
  }
  return deleted;
}

/**
 * The hash that is due first, or NULL_REF when none is. It may turn out to have no due fields, when those that
 * made it so are gone.
 */
export function nextDueHash(database: Ref): Ref {
  if (!btree.first(database, DATABASE_FIELDS_WORD)) return NULL_REF;
  const { w0, w1, w2 } = btree.item;
  if (w0 * 4294967296 + (w1 >>> 0) >= clock.nowMillis) return NULL_REF;
  const ref = findByHash(database, w2, (entry) => {
    return loadEarliest(entry, headerOf(entry)) && earliest.high === w0 && earliest.low === w1;
  });
  if (ref === NULL_REF) {
    throw new Error(`heap corruption: the index of hashes has no entry for hash ${w2 >>> 0}`);
  }
  return ref;
}

/**
 * Raises the bound of a hash that is not empty to its earliest time. False when the arena is full: the bound
 * stays, and the hash is found again.
 */
export function raiseEarliest(database: Ref, ref: Ref): boolean {
  const hash = hashOfEntry(database, ref);
  let low = 0;
  let high = 0;
  if (btree.first(hashTable(ref, headerOf(ref)), DATABASE_EXPIRY_WORD)) {
    high = btree.item.w0;
    low = btree.item.w1;
    if (!btree.insert(database, DATABASE_FIELDS_WORD, high, low, hash)) return false;
  }
  unindexFields(database, ref, hash);
  storeEarliest(ref, low, high);
  return true;
}

/** Proves what the index of hashes and an entry of the database say of each other. True: it has an item. */
export function verifyFields(database: Ref, ref: Ref): boolean {
  const header = headerOf(ref);
  if (!isHashTable(header)) return false;
  const has = loadEarliest(ref, header);
  const { low, high } = earliest;
  if (isEmptyHash(ref)) throw new Error(`hash ${ref >>> 0} is empty`);
  if (btree.first(hashTable(ref, header), DATABASE_EXPIRY_WORD)) {
    const { w0, w1 } = btree.item;
    if (!has || isEarlier(w1, w0, low, high)) {
      throw new Error(`hash ${ref >>> 0}: a field expires before its earliest time`);
    }
  }
  if (!has) return false;
  const hash = hashOfEntry(database, ref);
  if (btree.contains(database, DATABASE_FIELDS_WORD, high, low, hash)) return true;
  throw new Error(`hash ${ref >>> 0} is missing in the index of hashes`);
}
