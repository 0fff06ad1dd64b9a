// The arithmetic of BITFIELD: integers of 1 to 64 bits (unsigned: to 63), highest bit first, in the
// register `field`, and what becomes of values that do not fit.
import { addInt64, int64, negateInt64 } from '../../../protocol/number_text.js';

/** The int64 that the functions here read and yield. */
export const field = { high: 0, low: 0 };

/** A value that does not fit keeps its low bits, becomes the nearest one that fits, or is refused. */
export const WRAP = 0;
export const SATURATE = 1;
export const FAIL = 2;
export type Overflow = typeof WRAP | typeof SATURATE | typeof FAIL;

/**
 * Fills `field` from the bits at `bitOffset` of the string view[start, start + length); bits behind
 * its end are zero.
 */
export function loadField(
  view: Uint8Array,
  start: number,
  length: number,
  bitOffset: number,
  bits: number,
  signed: boolean,
): void {
  let index = Math.floor(bitOffset / 8);
  let shift = 7 - (bitOffset % 8);
  let high = 0;
  let low = 0;
  for (let left = bits; left > 0; left--) {
    const bit = index < length ? (view[start + index]! >>> shift) & 1 : 0;
    high = (high << 1) | (low >>> 31);
    low = (low << 1) | bit;
    if (--shift < 0) {
      shift = 7;
      index++;
    }
  }
  truncate(high, low, bits, signed);
}

/** Writes the low `bits` bits of `field` at `bitOffset` of the string that begins at view[start]. */
export function storeField(view: Uint8Array, start: number, bitOffset: number, bits: number): void {
  let at = start + Math.floor(bitOffset / 8);
  let shift = 7 - (bitOffset % 8);
  for (let left = bits - 1; left >= 0; left--) {
    const bit = ((left >= 32 ? field.high >>> (left - 32) : field.low >>> left) & 1) << shift;
    view[at] = (view[at]! & ~(1 << shift)) | bit;
    if (--shift < 0) {
      shift = 7;
      at++;
    }
  }
}

/** Sets `field` to the low `bits` bits of an int64, extended by their sign or by zeros. */
function truncate(high: number, low: number, bits: number, signed: boolean): void {
  field.high = high;
  field.low = low;
  if (bits > 32) {
    const unused = 64 - bits;
    field.high = signed ? (high << unused) >> unused : ((high << unused) >>> unused) | 0;
    return;
  }
  const unused = 32 - bits;
  field.low = signed ? (low << unused) >> unused : ((low << unused) >>> unused) | 0;
  field.high = signed ? field.low >> 31 : 0;
}

/** Adds an int64 to the value in `field`. False: it does not fit and FAIL is asked for. */
export function addToField(
  high: number,
  low: number,
  bits: number,
  signed: boolean,
  overflow: Overflow,
): boolean {
  const exact = addInt64(field.high, field.low, high, low);
  const sumLow = (field.low + low) | 0;
  const carry = sumLow >>> 0 < low >>> 0 ? 1 : 0;
  const sumHigh = (field.high + high + carry) | 0;
  truncate(sumHigh, sumLow, bits, signed);
  if (exact && field.high === sumHigh && field.low === sumLow) return true;
  return settleOverflow(high >= 0, bits, signed, overflow);
}

/** Sets `field` to a value for it. False: it does not fit and FAIL is asked for. */
export function valueForField(
  high: number,
  low: number,
  bits: number,
  signed: boolean,
  overflow: Overflow,
): boolean {
  truncate(high, low, bits, signed);
  if (field.high === high && field.low === low) return true;
  const above = !signed || high >= 0 || isTakenForAbove(high, low, bits);
  return settleOverflow(above, bits, signed, overflow);
}

/**
 * Redis decides with `max - value`, which wraps for the lowest int64 values: it takes them to be above
 * the range of a signed field, not below, and so do we.
 */
function isTakenForAbove(high: number, low: number, bits: number): boolean {
  if (!negateInt64(high, low)) return true;
  const maxHigh = bits > 33 ? -1 >>> (65 - bits) : 0;
  const maxLow = bits > 32 ? -1 : (1 << (bits - 1)) - 1;
  return !addInt64(maxHigh, maxLow, int64.hi, int64.lo);
}

/** `field` holds the wrapped value; makes it what `overflow` asks for. */
function settleOverflow(
  above: boolean,
  bits: number,
  signed: boolean,
  overflow: Overflow,
): boolean {
  if (overflow === FAIL) return false;
  if (overflow === WRAP) return true;
  saturate(above, bits, signed);
  return true;
}

/** Sets `field` to the greatest or the least value of a type. */
function saturate(above: boolean, bits: number, signed: boolean): void {
  if (!signed && !above) {
    field.high = 0;
    field.low = 0;
    return;
  }
  setOnes(signed ? bits - 1 : bits);
  if (!above) {
    field.high = ~field.high;
    field.low = ~field.low;
  }
}

/** Sets `field` to 2^bits - 1, 0 <= bits <= 63. */
function setOnes(bits: number): void {
  field.high = bits > 32 ? -1 >>> (64 - bits) : 0;
  field.low = bits >= 32 ? -1 : (1 << bits) - 1;
}
