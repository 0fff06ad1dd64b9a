// Doubles as Redis reads and prints them: strtod with strict ends, and C's "%.17g".
import { Buffer } from 'node:buffer';
import { roundHexFloat } from './hex_float.js';

const ZERO = 0x30;
const DOT = 0x2e;

/** Powers of ten that are exact doubles. */
const EXACT_POWERS = Float64Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

/** Longer texts are not read as numbers; Redis's own bound for INCRBYFLOAT. */
const FLOAT_TEXT_BYTES_MAX = 5119;

/** What strtod takes as a number: no alternative can match twice, so a mismatch costs linear time. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const HEXADECIMAL = /^[+-]?0x(?:[\da-f]+(?:\.[\da-f]*)?|\.[\da-f]+)(?:p[+-]?\d+)?$/i;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

export type FloatSyntax = 'decimal' | 'hexadecimal' | 'infinite' | 'none';

/** How strtod would read the whole text; 'none' when it would stop before the end, or reads nan. */
export function floatSyntax(text: string): FloatSyntax {
  if (text.length > FLOAT_TEXT_BYTES_MAX) {
    return 'none';
  }
  if (DECIMAL.test(text)) {
    return 'decimal';
  }
  if (HEXADECIMAL.test(text)) {
    return 'hexadecimal';
  }
  return INFINITE.test(text) ? 'infinite' : 'none';
}

/**
 * The double in buffer[offset, offset + length) as Redis reads scores: decimal or hexadecimal (0x1p3),
 * inf and infinity in any case. NaN when it reads none: empty, space before or anything behind, "nan",
 * too large for a double, or so small that only zero is left.
 */
export function parseFloatStrict(buffer: Uint8Array, offset: number, length: number): number {
  // Up to 15 digits with at most one dot: the digits and the power of ten are exact, so one division
  // rounds correctly. This is nearly every number a client sends.
  if (length > 0 && length <= 16) {
    const negative = buffer[offset] === 0x2d;
    let at = negative ? offset + 1 : offset;
    const end = offset + length;
    let digits = 0;
    let value = 0;
    let dot = -1;
    for (; at < end; at++) {
      const digit = buffer[at]! - ZERO;
      if (digit >>> 0 <= 9) {
        value = value * 10 + digit;
        digits++;
      } else if (buffer[at] === DOT && dot < 0) {
        dot = at;
      } else {
        break;
      }
    }
    if (at === end && digits > 0 && digits <= 15) {
      const magnitude = dot < 0 ? value : value / EXACT_POWERS[end - dot - 1]!;
      return negative ? -magnitude : magnitude;
    }
  }
  if (length > FLOAT_TEXT_BYTES_MAX) {
    return Number.NaN;
  }
  const bytes = Buffer.from(buffer.buffer, buffer.byteOffset + offset, length);
  return parseFloatText(bytes.toString('latin1'));
}

/** As parseFloatStrict, from text. */
export function parseFloatText(text: string): number {
  switch (floatSyntax(text)) {
    case 'decimal': {
      const value = Number(text);
      const vanished = value === 0 && /[1-9]/.test(text.replace(/e.*$/i, ''));
      return vanished || !Number.isFinite(value) ? Number.NaN : value;
    }
    case 'hexadecimal':
      return hexadecimal(text);
    case 'infinite':
      return text.startsWith('-') ? -Infinity : Infinity;
    case 'none':
      return Number.NaN;
  }
}

/**
 * A number as plain strtod reads it from a text that ends at its first zero byte: space before is
 * taken, no text at all is 0, and what is too large or too small is infinite or zero. NaN when anything
 * else is left.
 */
export function parseFloatLoose(buffer: Uint8Array, offset: number, length: number): number {
  const strict = parseFloatStrict(buffer, offset, length);
  if (!Number.isNaN(strict)) return strict;
  const bytes = Buffer.from(buffer.buffer, buffer.byteOffset + offset, length);
  const text = (bytes.toString('latin1').split('\0')[0] as string).replace(
    /^[ \t\n\v\f\r]+(?=.)/,
    '',
  );
  switch (floatSyntax(text)) {
    case 'decimal':
      return Number(text);
    case 'hexadecimal':
      return hexadecimal(text, true);
    case 'infinite':
      return text.startsWith('-') ? -Infinity : Infinity;
    case 'none':
      return text === '' ? 0 : Number.NaN;
  }
}

/** NaN for what does not fit a double, or infinity and zero when `saturate` is set. */
function hexadecimal(text: string, saturate = false): number {
  const rounded = roundHexFloat(text, 53, -1074);
  if (rounded.mantissa === 0n) {
    return rounded.vanished && !saturate ? Number.NaN : rounded.negative ? -0 : 0;
  }
  // mantissa < 2^53 is exact; two steps, because 2^exponent alone may leave the range of a double.
  const half = Math.trunc(rounded.exponent / 2);
  const magnitude = Number(rounded.mantissa) * 2 ** half * 2 ** (rounded.exponent - half);
  if (!Number.isFinite(magnitude) && !saturate) {
    return Number.NaN;
  }
  return rounded.negative ? -magnitude : magnitude;
}

/** The double as C's printf prints it with "%.17g"; infinities as inf and -inf. */
export function formatDouble17(n: number): string {
  if (!Number.isFinite(n)) {
    return Number.isNaN(n) ? 'nan' : n > 0 ? 'inf' : '-inf';
  }
  if (Number.isSafeInteger(n)) {
    return Object.is(n, -0) ? '-0' : String(n);
  }
  const [digits, exponentText] = scientific17(n).split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 17) {
    const sign = exponent < 0 ? '-' : '+';
    return `${trimZeros(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return positional(digits, exponent);
}

/** 17 significant digits in scientific form, correctly rounded, ties to even as glibc does. */
function scientific17(n: number): string {
  const text = n.toExponential(16);
  // JavaScript rounds ties up. A tie is an expansion that ends in a 5 right behind the 17th digit; no
  // double is closer than 10^-40 of itself to one without being one, so 60 digits tell.
  const exact = n.toExponential(60);
  const tail = exact.slice(exact.indexOf('.') + 17, exact.indexOf('e'));
  if (tail[0] !== '5' || /[1-9]/.test(tail.slice(1))) {
    return text;
  }
  const floor = exact.slice(0, exact.indexOf('.') + 17);
  return Number(floor.at(-1)) % 2 === 0 ? floor + exact.slice(exact.indexOf('e')) : text;
}

/** d.ddd with an exponent between -4 and 16 in plain notation, without trailing zeros. */
function positional(scientific: string, exponent: number): string {
  const sign = scientific.startsWith('-') ? '-' : '';
  const digits = scientific.replace('-', '').replace('.', '');
  const leading = exponent < 0 ? '0'.repeat(-exponent) : '';
  const point = Math.max(exponent, 0) + 1;
  const all = leading + digits;
  const fraction = all.slice(point).replace(/0+$/, '');
  return `${sign}${all.slice(0, point)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The digits of the scientific form, which always has a point. */
function trimZeros(digits: string): string {
  return digits.replace(/\.?0+$/, '');
}
