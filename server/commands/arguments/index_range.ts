// Start and end of a range in a request: GETRANGE, BITCOUNT, BITPOS, LRANGE, LTRIM. Both ends belong to the
// range; negative ones count from the end.
import { compareInt64, int64, int64ToNumber } from '../../../protocol/number_text.js';
import { readInt64 } from './integer_arguments.js';

/** The range that was read last. Beyond 2^53 its numbers are rounded, where only their size counts. */
export const range = {
  start: 0,
  end: 0,
  /** Both ends are negative and the start is behind the end: empty, however long the string is. */
  inverted: false,
};

/** Reads arguments i and i + 1 into `range`. False: an error was replied. */
export function readRange(i: number): boolean {
  if (!readInt64(i)) return false;
  const high = int64.hi;
  const low = int64.lo;
  if (!readInt64(i + 1)) return false;
  range.start = int64ToNumber(high, low);
  range.end = int64ToNumber(int64.hi, int64.lo);
  range.inverted =
    range.start < 0 && range.end < 0 && compareInt64(high, low, int64.hi, int64.lo) > 0;
  return true;
}

/**
 * Turns `range` into positions of a string of `length` (bytes or bits). False: the range is empty.
 */
export function clipRange(length: number): boolean {
  if (range.inverted) return false;
  if (range.start < 0) range.start = Math.max(0, length + range.start);
  if (range.end < 0) range.end = Math.max(0, length + range.end);
  if (range.end >= length) range.end = length - 1;
  return range.start <= range.end;
}

/**
 * Turns `range` into indexes of a list of `length` elements. False: the range is empty. An end before the first
 * element makes it so here, where of a string it means the first byte.
 */
export function clipIndexes(length: number): boolean {
  if (range.start < 0) range.start = Math.max(0, length + range.start);
  if (range.end < 0) range.end = length + range.end;
  if (range.end >= length) range.end = length - 1;
  return range.start <= range.end;
}
