// Expiry: an order index of (expiry time, key hash) per database, so that what is due is found
// without looking at what is not. The index holds hashes, not Refs: an entry may move freely.
//
// Invariant: the index of a database holds exactly one item per entry that expires.
import { DATABASE_EXPIRY_WORD, NULL_REF, type Ref } from '../memory/layout.js';
import * as btree from '../structures/btree.js';
import { FLAG_EXPIRES, headerOf } from '../structures/entry.js';
import { findByHash } from '../structures/hash_table.js';
import { clock } from './clock.js';
import { expiry, loadExpiry } from './entries.js';

/** Adds the expiry register for a key's hash. False when the arena is full. */
export function indexExpiry(database: Ref, hash: number): boolean {
  return btree.insert(database, DATABASE_EXPIRY_WORD, expiry.high, expiry.low, hash);
}

/** Takes the expiry register for a key's hash out of the index, where it must be. */
export function unindexExpiry(database: Ref, hash: number): void {
  if (!btree.remove(database, DATABASE_EXPIRY_WORD, expiry.high, expiry.low, hash)) {
    throw new Error(`heap corruption: the expiry index lacks an item for hash ${hash >>> 0}`);
  }
}

/** Number of entries that expire. */
export function expiresCount(database: Ref): number {
  return btree.count(database, DATABASE_EXPIRY_WORD);
}

/** The entry that is due first, or NULL_REF when none is due. */
export function nextExpired(database: Ref): Ref {
  if (!btree.first(database, DATABASE_EXPIRY_WORD)) return NULL_REF;
  const w0 = btree.item.w0;
  const w1 = btree.item.w1;
  const w2 = btree.item.w2;
  if (w0 * 4294967296 + (w1 >>> 0) >= clock.nowMillis) return NULL_REF;
  const ref = findByHash(database, w2, (entry) => {
    if ((headerOf(entry) & FLAG_EXPIRES) === 0) return false;
    loadExpiry(entry);
    return expiry.high === w0 && expiry.low === w1;
  });
  if (ref === NULL_REF) {
    throw new Error(`heap corruption: the expiry index has no entry for hash ${w2 >>> 0}`);
  }
  return ref;
}

/** Milliseconds until the middle one of all expiries; 0 when there is none. */
export function medianTtlMillis(database: Ref): number {
  const count = expiresCount(database);
  if (count === 0 || !btree.select(database, DATABASE_EXPIRY_WORD, count >>> 1)) return 0;
  return Math.max(0, btree.item.w0 * 4294967296 + (btree.item.w1 >>> 0) - clock.nowMillis);
}

export function freeExpiryIndex(database: Ref): void {
  btree.freeAll(database, DATABASE_EXPIRY_WORD);
}
