// INCRBYFLOAT's arithmetic. Redis computes it in C's long double, on x86 the 80-bit format with a 64-bit
// mantissa, and prints with "%.17Lf" less trailing zeros, so 3.0 + 1.1 is 4.1 where doubles would give
// 4.0999999999999996. Here the same is done exactly: text to the nearest such float, exact sum, rounding
// to the nearest, exact decimal text. BigInt throughout: a few microseconds, for a rare command.
import { INCREMENT_NOT_FINITE, NOT_A_FLOAT } from './error_replies.js';
import { floatSyntax } from './float_text.js';
import { type BinaryFloat, bitLength, roundHexFloat, roundRatio } from './hex_float.js';

const MANTISSA_BITS = 64;
/** The lowest bit of the smallest denormal is 2^-16445. */
const EXPONENT_MIN = -16445;
/** Values from 2^16384 on are infinite. */
const OVERFLOW_BITS = 16384;
/** Decimal exponents beyond these are surely infinite or zero: 2^16384 < 10^4933, 2^-16446 > 10^-4951. */
const DECIMAL_EXPONENT_MAX = 4933;
const DECIMAL_EXPONENT_MIN = -4952;

const FRACTION_DIGITS = 17;
const FRACTION_SCALE = 10n ** BigInt(FRACTION_DIGITS);

export type FloatSum =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: string };

/** A parsed operand; null: infinite. */
type Operand = BinaryFloat | null;

/**
 * The text INCRBYFLOAT stores for current + increment, or its error reply. The texts are the stored value
 * ('0' for a missing key) and the argument, one character per byte.
 */
export function incrByFloat(current: string, increment: string): FloatSum {
  const left = parseLongDouble(current);
  const right = left === undefined ? undefined : parseLongDouble(increment);
  if (left === undefined || right === undefined) {
    return { ok: false, error: NOT_A_FLOAT };
  }
  const sum = left === null || right === null ? null : add(left, right);
  if (sum === null) {
    return { ok: false, error: INCREMENT_NOT_FINITE };
  }
  return { ok: true, text: format(sum) };
}

/** As strtold, with the strictness of parseFloatStrict: undefined when the text is no such number. */
function parseLongDouble(text: string): Operand | undefined {
  switch (floatSyntax(text)) {
    case 'decimal':
      return inRange(parseDecimal(text));
    case 'hexadecimal':
      return inRange(roundHexFloat(text, MANTISSA_BITS, EXPONENT_MIN));
    case 'infinite':
      return null;
    case 'none':
      return undefined;
  }
}

/** C's ERANGE: what became infinite, or zero without being zero, is refused. */
function inRange(value: BinaryFloat | undefined): BinaryFloat | undefined {
  return value === undefined || value.vanished || overflows(value) ? undefined : value;
}

function overflows(value: BinaryFloat): boolean {
  return value.mantissa !== 0n && bitLength(value.mantissa) + value.exponent > OVERFLOW_BITS;
}

/** Undefined when the decimal exponent alone is out of range. */
function parseDecimal(text: string): BinaryFloat | undefined {
  const negative = text.startsWith('-');
  const [number, power = '0'] = text.toLowerCase().replace(/^[+-]/, '').split('e') as [
    string,
    string?,
  ];
  const [whole, fraction = ''] = number.split('.') as [string, string?];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  if (digits === '') {
    return { negative, mantissa: 0n, exponent: 0, vanished: false };
  }
  const exponent = Number(power) - fraction.length;
  const magnitude = digits.length + exponent;
  if (magnitude > DECIMAL_EXPONENT_MAX || magnitude < DECIMAL_EXPONENT_MIN) {
    return undefined;
  }
  const scale = 10n ** BigInt(Math.abs(exponent));
  const numerator = exponent < 0 ? BigInt(digits) : BigInt(digits) * scale;
  const denominator = exponent < 0 ? scale : 1n;
  return roundRatio(numerator, denominator, 0, negative, MANTISSA_BITS, EXPONENT_MIN);
}

/** The rounded sum, or null when it is infinite. */
function add(left: BinaryFloat, right: BinaryFloat): Operand {
  const exponent = Math.min(left.exponent, right.exponent);
  const total = signed(left, exponent) + signed(right, exponent);
  const magnitude = total < 0n ? -total : total;
  const sum = roundRatio(magnitude, 1n, exponent, total < 0n, MANTISSA_BITS, EXPONENT_MIN);
  return overflows(sum) ? null : sum;
}

/** The value as a count of 2^exponent, exponent <= value.exponent. */
function signed(value: BinaryFloat, exponent: number): bigint {
  const magnitude = value.mantissa << BigInt(value.exponent - exponent);
  return value.negative ? -magnitude : magnitude;
}

/** "%.17Lf" without trailing zeros; -0 is written as 0. */
function format(value: BinaryFloat): string {
  let scaled = value.mantissa * FRACTION_SCALE;
  if (value.exponent >= 0) {
    scaled <<= BigInt(value.exponent);
  } else {
    const shift = BigInt(-value.exponent);
    const rest = BigInt.asUintN(-value.exponent, scaled);
    const half = 1n << (shift - 1n);
    scaled >>= shift;
    if (rest > half || (rest === half && (scaled & 1n) === 1n)) {
      scaled += 1n;
    }
  }
  const digits = scaled.toString().padStart(FRACTION_DIGITS + 1, '0');
  const whole = digits.slice(0, -FRACTION_DIGITS);
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, '');
  const sign = value.negative && scaled !== 0n ? '-' : '';
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}
