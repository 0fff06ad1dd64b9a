// Expiry: an order index of (expiry time, key hash) per table, so that what is due is found without
// looking at what is not. The index holds hashes, not Refs: an entry may move freely. Its root are words
// 8..11 of the table's root block.
//
// Invariant: the index of a table holds exactly one item per entry that expires.
import { DATABASE_EXPIRY_WORD, NULL_REF, type Ref } from '../memory/layout.js';
import * as btree from './btree.js';
import { clock } from './clock.js';
import { expiry, loadExpiry } from './entries.js';
import { FLAG_EXPIRES, headerOf } from './entry.js';
import { findByHash } from './hash_table.js';

/** Adds the expiry register for a key's hash. False when the arena is full. */
export function indexExpiry(table: Ref, hash: number): boolean {
  return btree.insert(table, DATABASE_EXPIRY_WORD, expiry.high, expiry.low, hash);
}

/** Takes the expiry register for a key's hash out of the index, where it must be. */
export function unindexExpiry(table: Ref, hash: number): void {
  if (!btree.remove(table, DATABASE_EXPIRY_WORD, expiry.high, expiry.low, hash)) {
    throw new Error(`heap corruption: the expiry index lacks an item for hash ${hash >>> 0}`);
  }
}

/** Number of entries that expire. */
export function expiresCount(table: Ref): number {
  return btree.count(table, DATABASE_EXPIRY_WORD);
}

/** The entry that is due first, or NULL_REF when none is due. */
export function nextExpired(table: Ref): Ref {
  if (!btree.first(table, DATABASE_EXPIRY_WORD)) return NULL_REF;
  const w0 = btree.item.w0;
  const w1 = btree.item.w1;
  const w2 = btree.item.w2;
  if (w0 * 4294967296 + (w1 >>> 0) >= clock.nowMillis) return NULL_REF;
  const ref = findByHash(table, w2, (entry) => {
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
export function medianTtlMillis(table: Ref): number {
  const count = expiresCount(table);
  if (count === 0 || !btree.select(table, DATABASE_EXPIRY_WORD, count >>> 1)) return 0;
  return Math.max(0, btree.item.w0 * 4294967296 + (btree.item.w1 >>> 0) - clock.nowMillis);
}
