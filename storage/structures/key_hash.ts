// Hashes of keys under the seed of their table, and those that were computed ahead (look_ahead.ts).
//
// The hashes computed ahead stand in the order of their names in one buffer. A request after the other
// uses them in that order, each as often as it likes, so a cursor that only goes forward finds them. One
// is used only for the same bytes under the same seed: whatever ran in between, it is the right one.
import { wordWindows } from '../memory/arena.js';
import { type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { hashBytes } from './hash.js';

/** Word of a table's root that holds the first of two seed words. */
export const TABLE_SEED = 4;

/** Keys that are looked at ahead together. */
export const AHEAD_MAX = 32;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Names whose hashes are known: bytes[offsets[i], offsets[i] + lengths[i]) for i < count. */
export class HashesAhead {
  bytes = NO_BYTES;
  readonly offsets = new Int32Array(AHEAD_MAX);
  readonly lengths = new Int32Array(AHEAD_MAX);
  readonly hashes = new Int32Array(AHEAD_MAX);
  readonly seeds0 = new Int32Array(AHEAD_MAX);
  readonly seeds1 = new Int32Array(AHEAD_MAX);
  count = 0;
  cursor = 0;

  /** Begins a list of names in `bytes`, in the order of their offsets. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.count = 0;
    this.cursor = 0;
  }

  add(offset: number, length: number): void {
    const { count } = this;
    this.offsets[count] = offset;
    this.lengths[count] = length;
    this.count = count + 1;
  }
}

/** Keys of requests, and the members or fields of the keys' values. */
export const ahead = new HashesAhead();
export const membersAhead = new HashesAhead();

/** Forgets the hashes that were computed ahead: before the bytes of their names change. */
export function forgetAhead(): void {
  ahead.begin(NO_BYTES);
  membersAhead.begin(NO_BYTES);
}

/** Hash of a key under the table's seed. */
export function hashKey(table: Ref, bytes: Uint8Array, offset: number, length: number): number {
  return hashWith(ahead, table, bytes, offset, length);
}

/** Hash of a member or field under the seed of its own table. */
export function hashMember(table: Ref, bytes: Uint8Array, offset: number, length: number): number {
  return hashWith(membersAhead, table, bytes, offset, length);
}

function hashWith(
  list: HashesAhead,
  table: Ref,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const words = wordWindows[table >>> WINDOW_SHIFT]!;
  const seed = ((table & WINDOW_MASK) << 2) + TABLE_SEED;
  const seed0 = words[seed]!;
  const seed1 = words[seed + 1]!;
  if (bytes === list.bytes) {
    const { offsets, count } = list;
    let cursor = list.cursor;
    while (cursor < count && offsets[cursor]! < offset) cursor++;
    list.cursor = cursor;
    if (
      cursor < count &&
      offsets[cursor] === offset &&
      list.lengths[cursor] === length &&
      list.seeds0[cursor] === seed0 &&
      list.seeds1[cursor] === seed1
    ) {
      return list.hashes[cursor]!;
    }
  }
  return hashBytes(bytes, offset, length, seed0, seed1);
}
