// The id of an entry of a stream: milliseconds and a sequence number, both unsigned and 64 bits wide. As four
// int32 words they stay small integers in compiled code; `>>> 0` makes a word unsigned.
import { compareUnsigned } from '../../structures/sequence_order.js';

/** Words that an id takes in the arena: as in a node's head, ms high, ms low, sequence high, low. */
export const ID_WORDS = 4;

/** An id in JavaScript. Make them once and use them again. */
export class StreamId {
  msHigh = 0;
  msLow = 0;
  seqHigh = 0;
  seqLow = 0;
}

/** 0-0, below every entry, and the greatest id. Not to be changed. */
export const ID_MIN: StreamId = new StreamId();
export const ID_MAX: StreamId = new StreamId();
setId(ID_MAX, -1, -1, -1, -1);

export function setId(
  id: StreamId,
  msHigh: number,
  msLow: number,
  seqHigh: number,
  seqLow: number,
): void {
  id.msHigh = msHigh;
  id.msLow = msLow;
  id.seqHigh = seqHigh;
  id.seqLow = seqLow;
}

export function copyId(target: StreamId, source: StreamId): void {
  target.msHigh = source.msHigh;
  target.msLow = source.msLow;
  target.seqHigh = source.seqHigh;
  target.seqLow = source.seqLow;
}

/** Order of two ids: -1, 0 or 1. */
export function compareIds(a: StreamId, b: StreamId): number {
  const order = compareUnsigned(a.msHigh, a.msLow, b.msHigh, b.msLow);
  return order !== 0 ? order : compareUnsigned(a.seqHigh, a.seqLow, b.seqHigh, b.seqLow);
}

/** Whether the id is 0-0. */
export function isZeroId(id: StreamId): boolean {
  return (id.msHigh | id.msLow | id.seqHigh | id.seqLow) === 0;
}

/** Makes an id the next one. False, with the id unchanged, for the greatest. */
export function incrementId(id: StreamId): boolean {
  if ((id.seqHigh & id.seqLow) === -1) {
    if ((id.msHigh & id.msLow) === -1) return false;
    id.seqHigh = 0;
    id.seqLow = 0;
    id.msLow = (id.msLow + 1) | 0;
    if (id.msLow === 0) id.msHigh = (id.msHigh + 1) | 0;
    return true;
  }
  id.seqLow = (id.seqLow + 1) | 0;
  if (id.seqLow === 0) id.seqHigh = (id.seqHigh + 1) | 0;
  return true;
}

/** Makes an id the one before. False, with the id unchanged, for 0-0. */
export function decrementId(id: StreamId): boolean {
  if ((id.seqHigh | id.seqLow) === 0) {
    if ((id.msHigh | id.msLow) === 0) return false;
    id.seqHigh = -1;
    id.seqLow = -1;
    if (id.msLow === 0) id.msHigh = (id.msHigh - 1) | 0;
    id.msLow = (id.msLow - 1) | 0;
    return true;
  }
  if (id.seqLow === 0) id.seqHigh = (id.seqHigh - 1) | 0;
  id.seqLow = (id.seqLow - 1) | 0;
  return true;
}

/** Reads an id that lies at words[at]. */
export function loadId(id: StreamId, words: Int32Array, at: number): void {
  id.msHigh = words[at]!;
  id.msLow = words[at + 1]!;
  id.seqHigh = words[at + 2]!;
  id.seqLow = words[at + 3]!;
}

/** Writes an id to words[at]. */
export function storeId(id: StreamId, words: Int32Array, at: number): void {
  words[at] = id.msHigh;
  words[at + 1] = id.msLow;
  words[at + 2] = id.seqHigh;
  words[at + 3] = id.seqLow;
}
