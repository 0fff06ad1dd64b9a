// Hashes of keys under the seed of their table, and those that were computed ahead (look_ahead.ts).
//
// The hashes computed ahead stand in the order of their keys in one buffer. A request after the other
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

/** Keys whose hashes are known: bytes[offsets[i], offsets[i] + lengths[i]) for i < count. */
export const ahead = {
  bytes: NO_BYTES,
  offsets: new Int32Array(AHEAD_MAX),
  lengths: new Int32Array(AHEAD_MAX),
  hashes: new Int32Array(AHEAD_MAX),
  count: 0,
  cursor: 0,
  seed0: 0,
  seed1: 0,
};

/** Forgets the hashes that were computed ahead: before the bytes of their keys change. */
export function forgetAhead(): void {
  ahead.bytes = NO_BYTES;
  ahead.count = 0;
}

/** Hash of a key under the table's seed. */
export function hashKey(table: Ref, bytes: Uint8Array, offset: number, length: number): number {
  const words = wordWindows[table >>> WINDOW_SHIFT]!;
  const seed = ((table & WINDOW_MASK) << 2) + TABLE_SEED;
  const seed0 = words[seed]!;
  const seed1 = words[seed + 1]!;
  if (bytes === ahead.bytes) {
    const { offsets, count } = ahead;
    let cursor = ahead.cursor;
    while (cursor < count && offsets[cursor]! < offset) cursor++;
    ahead.cursor = cursor;
    if (
      cursor < count &&
      offsets[cursor] === offset &&
      ahead.lengths[cursor] === length &&
      ahead.seed0 === seed0 &&
      ahead.seed1 === seed1
    ) {
      return ahead.hashes[cursor]!;
    }
  }
  return hashBytes(bytes, offset, length, seed0, seed1);
}
