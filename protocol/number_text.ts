// Numbers as the protocol writes them, to and from bytes, without BigInt and without allocation.
//
// JavaScript's numbers are exact to 2^53 and Redis's integers to 2^63. A full integer is therefore a
// pair of int32 (hi is signed, lo holds the low 32 bits as an int32), and functions that yield one
// leave it in the registers `int64.hi` and `int64.lo`: read them before the next call.
// Floating point stands in float_text.ts and long_double.ts, and is exported from here too.

export { formatDouble17, parseFloatStrict } from './float_text.js';

const ZERO = 0x30;
const MINUS = 0x2d;
const TWO_32 = 4294967296;
const BILLION = 1_000_000_000;

/** An int64 takes at most this many bytes as text: -9223372036854775808. */
export const INT64_TEXT_BYTES_MAX = 20;

/** The result of the last function here that yields an int64. */
export const int64 = { hi: 0, lo: 0 };

/**
 * The integer in buffer[offset, offset + length), or NaN when the bytes are not an integer in
 * Redis's strict sense (see parseInt64) or not a safe one (|n| > 2^53 - 1).
 */
export function parseInteger(buffer: Uint8Array, offset: number, length: number): number {
  if (length > 15) {
    return parseInt64(buffer, offset, length) && int64IsSafe(int64.hi, int64.lo)
      ? int64ToNumber(int64.hi, int64.lo)
      : Number.NaN;
  }
  let at = offset;
  const end = offset + length;
  const negative = length > 0 && buffer[at] === MINUS;
  if (negative) {
    at++;
  }
  if (at >= end) {
    return Number.NaN;
  }
  if (buffer[at] === ZERO) {
    return length === 1 ? 0 : Number.NaN;
  }
  let value = 0;
  for (; at < end; at++) {
    const digit = buffer[at]! - ZERO;
    if (digit >>> 0 > 9) {
      return Number.NaN;
    }
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/**
 * Whether buffer[offset, offset + length) is a signed 64-bit integer in canonical form: an optional
 * minus, no leading zero, plus, space or anything behind it. Its value is left in `int64`.
 */
export function parseInt64(buffer: Uint8Array, offset: number, length: number): boolean {
  if (length === 0 || length > INT64_TEXT_BYTES_MAX) {
    return false;
  }
  const negative = buffer[offset] === MINUS;
  const end = offset + length;
  let at = negative ? offset + 1 : offset;
  const digits = end - at;
  if (digits === 0 || digits > 19) {
    return false;
  }
  if (buffer[at] === ZERO) {
    int64.hi = 0;
    int64.lo = 0;
    return length === 1;
  }
  // value = upper * 10^9 + lower, both exact as doubles: upper has at most 10 digits.
  let upper = 0;
  let lower = 0;
  const split = end - 9;
  for (; at < end; at++) {
    const digit = buffer[at]! - ZERO;
    if (digit >>> 0 > 9) {
      return false;
    }
    if (at < split) {
      upper = upper * 10 + digit;
    } else {
      lower = lower * 10 + digit;
    }
  }
  return setMagnitude(upper, lower, negative);
}

/** Sets `int64` to +-(upper * 10^9 + lower), upper < 10^10; false outside the int64 range. */
function setMagnitude(upper: number, lower: number, negative: boolean): boolean {
  const upperHigh = Math.floor(upper / 65536);
  const upperLow = upper - upperHigh * 65536;
  const middle = upperHigh * BILLION; // counts 2^16, below 2^48
  const middleHigh = Math.floor(middle / 65536);
  const rest = (middle - middleHigh * 65536) * 65536 + upperLow * BILLION + lower; // below 2^47
  const carry = Math.floor(rest / TWO_32);
  const high = middleHigh + carry;
  const low = rest - carry * TWO_32;
  if (negative) {
    if (high > 0x80000000 || (high === 0x80000000 && low !== 0)) {
      return false;
    }
    int64.lo = -low | 0;
    int64.hi = (~high + (low === 0 ? 1 : 0)) | 0;
    return true;
  }
  int64.hi = high | 0;
  int64.lo = low | 0;
  return high <= 0x7fffffff;
}

/** Writes the safe integer n as text to target[offset..]. Returns the bytes written (at most 17). */
export function formatInteger(n: number, target: Uint8Array, offset: number): number {
  let at = offset;
  let rest = n;
  if (rest < 0) {
    target[at++] = MINUS;
    rest = -rest;
  }
  if (rest < 10) {
    target[at] = ZERO + rest;
    return at + 1 - offset;
  }
  if (rest >= BILLION) {
    const upper = Math.floor(rest / BILLION);
    at += formatInteger(upper, target, at);
    writeDigits(rest - upper * BILLION, target, at, 9);
    return at + 9 - offset;
  }
  const digits = countDigits(rest);
  writeDigits(rest, target, at, digits);
  return at + digits - offset;
}

/** Decimal digits of 0 <= n < 10^9. */
function countDigits(n: number): number {
  if (n < 10000) {
    return n < 100 ? (n < 10 ? 1 : 2) : n < 1000 ? 3 : 4;
  }
  if (n < 1000000) {
    return n < 100000 ? 5 : 6;
  }
  return n < 10000000 ? 7 : n < 100000000 ? 8 : 9;
}

/** Writes exactly `digits` digits of 0 <= n < 10^9, with leading zeros. */
function writeDigits(n: number, target: Uint8Array, offset: number, digits: number): void {
  let rest = n | 0;
  for (let at = offset + digits - 1; at >= offset; at--) {
    const tenth = (rest / 10) | 0;
    target[at] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
}

/** Writes an int64 as text to target[offset..]. Returns the bytes written (at most 20). */
export function formatInt64(hi: number, lo: number, target: Uint8Array, offset: number): number {
  if (int64IsSafe(hi, lo)) {
    return formatInteger(int64ToNumber(hi, lo), target, offset);
  }
  if (hi >= 0) {
    return formatUint64(hi, lo, target, offset);
  }
  target[offset] = MINUS;
  const low = -lo | 0;
  const high = (~hi + (low === 0 ? 1 : 0)) | 0;
  return 1 + formatUint64(high, low, target, offset + 1);
}

/** Writes an unsigned number of 64 bits as text to target[offset..]. Returns the bytes written (at most 20). */
export function formatUint64(hi: number, lo: number, target: Uint8Array, offset: number): number {
  if (hi >>> 0 < 0x200000) {
    return formatInteger(int64ToNumber(hi, lo), target, offset);
  }
  const high = hi >>> 0;
  const low = lo >>> 0;
  let at = offset;
  // Long division by 10^9 in base 2^16 steps, each dividend below 2^46.
  const first = Math.floor(high / BILLION);
  let dividend = (high - first * BILLION) * 65536 + (low >>> 16);
  const second = Math.floor(dividend / BILLION);
  dividend = (dividend - second * BILLION) * 65536 + (low & 0xffff);
  const third = Math.floor(dividend / BILLION);
  at += formatInteger(first * TWO_32 + second * 65536 + third, target, at);
  writeDigits(dividend - third * BILLION, target, at, 9);
  return at + 9 - offset;
}

/** An int64 as text: for error messages and INFO. */
export function int64Text(hi: number, lo: number): string {
  const bytes = new Uint8Array(INT64_TEXT_BYTES_MAX);
  return String.fromCharCode(...bytes.subarray(0, formatInt64(hi, lo, bytes, 0)));
}

/** Sets `int64` to a + b; false (and nothing set) when the sum leaves the int64 range. */
export function addInt64(aHi: number, aLo: number, bHi: number, bLo: number): boolean {
  const low = (aLo >>> 0) + (bLo >>> 0);
  const hi = (aHi + bHi + (low >= TWO_32 ? 1 : 0)) | 0;
  if (((aHi ^ hi) & (bHi ^ hi)) < 0) {
    return false;
  }
  int64.hi = hi;
  int64.lo = low | 0;
  return true;
}

/** Sets `int64` to -a; false (and nothing set) for -2^63, which has no opposite. */
export function negateInt64(hi: number, lo: number): boolean {
  if (hi === -0x80000000 && lo === 0) {
    return false;
  }
  int64.hi = (~hi + (lo === 0 ? 1 : 0)) | 0;
  int64.lo = -lo | 0;
  return true;
}

/** -1, 0 or 1 as a is less than, equal to or greater than b. */
export function compareInt64(aHi: number, aLo: number, bHi: number, bLo: number): number {
  if (aHi !== bHi) {
    return aHi < bHi ? -1 : 1;
  }
  if (aLo === bLo) {
    return 0;
  }
  return aLo >>> 0 < bLo >>> 0 ? -1 : 1;
}

/** Whether the int64 is a safe integer, |n| <= 2^53 - 1. */
export function int64IsSafe(hi: number, lo: number): boolean {
  return hi < 0x200000 && (hi > -0x200000 || (hi === -0x200000 && lo !== 0));
}

/** The int64 as a number: exact when int64IsSafe, else rounded to the nearest double. */
export function int64ToNumber(hi: number, lo: number): number {
  return hi * TWO_32 + (lo >>> 0);
}

/** Sets `int64` to the integer n. Precondition: n is a safe integer. */
export function int64FromNumber(n: number): void {
  const hi = Math.floor(n / TWO_32);
  int64.hi = hi | 0;
  int64.lo = (n - hi * TWO_32) | 0;
}
