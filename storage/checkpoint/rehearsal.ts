// A rehearsal of what is done while a checkpoint runs, before anybody waits for it.
//
// V8 compiles a function for the branches that it has seen and throws the code away when another one is
// taken. Right after the first cut of a process that happened to a dozen functions of the write path
// at once, and they ran interpreted, ten times as slow, just when writes are caught as well: the server
// fell 20 to 30 ms behind. Others, which serve writes out of place alone, had never been compiled. So the
// branches are taken before, often enough, over a database of its own that is gone afterwards. Nothing is
// protected and no page is written to for it but those of the scratch objects; memory in use is the same
// before and after.
import { deleteKey, lookupTouch } from '../keyspace/keyspace.js';
import {
  EXPIRY_CLEAR,
  EXPIRY_KEEP,
  EXPIRY_SET,
  putInteger,
  putString,
} from '../keyspace/string_keys.js';
import {
  allocate,
  avoidPendingExtents,
  dropEmptyCursors,
  free,
  noteCut,
  useAllExtents,
} from '../memory/allocator.js';
import { wordWindows } from '../memory/arena.js';
import { DENSE, describeExtents, takePopulateStall } from '../memory/extents.js';
import {
  DATABASE_EXPIRY_WORD,
  DATABASE_ROOT_WORDS,
  NULL_REF,
  type Ref,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../memory/layout.js';
import * as btree from '../structures/btree.js';
import { setExpiryMillis } from '../structures/entries.js';
import { hashBytes } from '../structures/hash.js';
import { createTable, freeTable } from '../structures/hash_table.js';
import { integer } from '../values/string.js';

const KEYS = 32;
const ROUNDS = 3;
/** No page state bears it: every page of the run is pending. */
const EPOCH = 64;
/** Of names of commands and keys: each number of bytes behind the last word is a branch. */
const NAME_BYTES_MAX = 16;
const ROOT_BYTES = DATABASE_ROOT_WORDS * 4;
const VALUE_BYTES = 100;
/** As much fresh memory as a run would be given. */
const BOUND_BYTES = 8 * 1024 * 1024;

const key = new Uint8Array(16);
const value = new Uint8Array(2 * VALUE_BYTES);

/** How often rehearseRun() is called until V8 has compiled what it runs. */
export const REHEARSALS = 40;

/** Takes the branches of a run, in about a millisecond. Between runs; does nothing where the arena is full. */
export function rehearseRun(): void {
  const root = allocate(ROOT_BYTES, DENSE);
  if (root === NULL_REF) return;
  const at = (root & WINDOW_MASK) << 2;
  wordWindows[root >>> WINDOW_SHIFT]!.fill(0, at, at + DATABASE_ROOT_WORDS);
  createTable(root, 1, 2);
  for (let round = 0; round < ROUNDS; round++) {
    write(root, round);
    avoidPendingExtents(describeExtents(), () => BOUND_BYTES);
    write(root, round);
    noteCut(EPOCH);
    write(root, round + 1);
    useAllExtents();
  }
  for (let i = 0; i < KEYS; i++) deleteKey(root, key, 0, nameKey(i));
  freeTable(root);
  btree.freeAll(root, DATABASE_EXPIRY_WORD);
  free(root, ROOT_BYTES, DENSE);
  dropEmptyCursors();
  for (let length = 0; length <= NAME_BYTES_MAX; length++) hashBytes(key, 0, length, 1, 2);
  takePopulateStall(); // nobody waited for it
}

/** Writes every key: bytes and integers, with and without expiry, in the same slot and another. */
function write(root: Ref, round: number): void {
  for (let i = 0; i < KEYS; i++) {
    const length = nameKey(i);
    setExpiryMillis(Number.MAX_SAFE_INTEGER);
    const expiry = i % 8 === 1 ? EXPIRY_SET : i % 8 === 2 ? EXPIRY_KEEP : EXPIRY_CLEAR;
    lookupTouch(root, key, 0, length);
    if (i % 4 === 3) {
      integer.low = i;
      integer.high = 0;
      putInteger(root, key, 0, length, expiry);
    } else {
      const bytes = i % 4 === 0 && round % 2 === 1 ? 2 * VALUE_BYTES : VALUE_BYTES;
      putString(root, key, 0, length, value, 0, bytes, expiry);
    }
  }
  if (round % 3 === 0) deleteKey(root, key, 0, nameKey(0));
}

/** Puts the name of key `i` into `key`; its length. */
function nameKey(i: number): number {
  key.fill(0x30 + i);
  return key.length;
}
