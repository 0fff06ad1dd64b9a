// A table of entries that may expire: a hash table with its expiry index. The databases are such tables,
// and so are the large forms of hashes, sets and sorted sets (values/element_table.ts).
//
//   root block   words 0..7 the hash table (hash_table.ts), 8..11 the expiry index (expiry_index.ts);
//                words 12..15 belong to the owner
//
// The entries' own objects are moved here as the expiry comes and goes; what their bodies own is not
// looked at, so whoever takes an entry out frees it. Functions that can need memory return NULL_REF or
// false when the arena is full, and nothing has changed then. A Ref is valid until the next change of
// its table: a change may move the entry, and then returns the new Ref.
import { free } from '../memory/allocator.js';
import { DATA } from '../memory/extents.js';
import { DATABASE_EXPIRY_WORD, NULL_REF, type Ref } from '../memory/layout.js';
import { mayWrite } from '../memory/placement.js';
import { contains } from './btree.js';
import { verifyTree } from './btree_verify.js';
import {
  changeExpiryRoom,
  cloneShell,
  expiry,
  freeShell,
  loadExpiry,
  type Owners,
  storeExpiry,
  verifyShell,
} from './entries.js';
import { entryBytes, FLAG_EXPIRES, headerOf, locateKey, span } from './entry.js';
import { expiresCount, indexExpiry, unindexExpiry } from './expiry_index.js';
import { hashOfEntry, insert, removeEntry, replaceEntry } from './hash_table.js';
import { verifyTable } from './table_verify.js';

/**
 * Puts a new, complete entry into the table in place of `old` (NULL_REF: its key is not there), which is
 * the caller's from then on. False when the arena is full: nothing has changed.
 */
export function link(table: Ref, ref: Ref, old: Ref, hash: number): boolean {
  const expires = (headerOf(ref) & FLAG_EXPIRES) !== 0;
  if (expires) {
    loadExpiry(ref);
    if (!indexExpiry(table, hash)) return false;
  }
  if (old !== NULL_REF) {
    replaceEntry(table, old, ref);
    dropExpiry(table, old, hash);
    return true;
  }
  if (insert(table, hash, ref)) return true;
  if (expires) dropExpiry(table, ref, hash);
  return false;
}

/** Takes an entry out of the table and its index. It is the caller's from then on. */
export function unlink(table: Ref, ref: Ref): void {
  if ((headerOf(ref) & FLAG_EXPIRES) !== 0) dropExpiry(table, ref, hashOfEntry(table, ref));
  removeEntry(table, ref);
}

/** Takes the expiry of an entry, if it has one, out of the index; the entry keeps the bytes. */
export function dropExpiry(table: Ref, ref: Ref, hash: number): void {
  if ((headerOf(ref) & FLAG_EXPIRES) === 0) return;
  loadExpiry(ref);
  unindexExpiry(table, hash);
}

/**
 * Gives an entry the expiry in the `expiry` register. Returns the entry, perhaps moved; NULL_REF when
 * the arena is full.
 */
export function setExpiry(table: Ref, ref: Ref): Ref {
  const low = expiry.low;
  const high = expiry.high;
  const hash = hashOfEntry(table, ref);
  if (!indexExpiry(table, hash)) return NULL_REF;
  let target = ref;
  if ((headerOf(ref) & FLAG_EXPIRES) !== 0) dropExpiry(table, ref, hash);
  else target = moveForExpiry(table, ref, true);
  expiry.low = low;
  expiry.high = high;
  if (target === NULL_REF) unindexExpiry(table, hash);
  else target = withExpiry(table, target);
  return target;
}

/** Writes the expiry register into an entry that has room for it. */
function withExpiry(table: Ref, ref: Ref): Ref {
  const low = expiry.low;
  const high = expiry.high;
  const target = writableEntry(table, ref);
  expiry.low = low;
  expiry.high = high;
  storeExpiry(target);
  return target;
}

/**
 * The entry, or a copy in its place when a checkpoint is about to read it: what then is changed in place
 * costs no fault. For small bodies; what the entry owns stays where it is.
 */
export function writableEntry(table: Ref, ref: Ref): Ref {
  if (mayWrite(ref, entryBytes(ref))) return ref;
  locateKey(ref);
  const copy = cloneShell(ref, span.view, span.offset, span.length);
  if (copy === NULL_REF) return ref;
  replaceEntry(table, ref, copy);
  freeShell(ref);
  return copy;
}

/** Takes the expiry off an entry that has one. Returns the entry, perhaps moved; NULL_REF: no memory. */
export function clearExpiry(table: Ref, ref: Ref): Ref {
  const hash = hashOfEntry(table, ref);
  loadExpiry(ref);
  const target = moveForExpiry(table, ref, false);
  if (target !== NULL_REF) unindexExpiry(table, hash);
  return target;
}

function moveForExpiry(table: Ref, ref: Ref, expires: boolean): Ref {
  const bytes = entryBytes(ref);
  const moved = changeExpiryRoom(ref, expires);
  if (moved === NULL_REF || moved === ref) return moved;
  replaceEntry(table, ref, moved);
  free(ref, bytes, DATA);
  return moved;
}

/** Proves a table and its index. `visit` gets every entry; `owners` their objects and the table's. */
export function verifyEntryTable(table: Ref, owners: Owners, visit: (ref: Ref) => void): void {
  let expires = 0;
  const ownsDense = (ref: Ref, bytes: number): void => owners.ownsDense(ref, bytes);
  verifyTable(table, ownsDense, (ref, hash) => {
    verifyShell(ref, owners);
    visit(ref);
    if ((headerOf(ref) & FLAG_EXPIRES) === 0) return;
    expires++;
    loadExpiry(ref);
    if (!contains(table, DATABASE_EXPIRY_WORD, expiry.high, expiry.low, hash)) {
      throw new Error(`table ${table}: entry ${ref >>> 0} is missing in the expiry index`);
    }
  });
  verifyTree(table, DATABASE_EXPIRY_WORD, ownsDense);
  if (expires !== expiresCount(table)) {
    throw new Error(
      `table ${table}: ${expires} entries expire, the index has ${expiresCount(table)}`,
    );
  }
}
