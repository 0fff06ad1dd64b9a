// Hexadecimal floats (0x1.8p3), which C's strtod and strtold read and JavaScript does not, and the
// rounding of exact values to a binary format that they share with decimal text. Not a hot path: BigInt.

/** An exact binary float: (-1)^negative * mantissa * 2^exponent. */
export interface BinaryFloat {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
  /** A value other than zero was too small for the format: C's ERANGE with a zero result. */
  readonly vanished: boolean;
}

/** Exponents beyond this are beyond every format here, whatever the digits (which are bounded too). */
const EXPONENT_MAX = 1_000_000_000;

/**
 * Rounds numerator / denominator * 2^scale to `precision` mantissa bits, ties to even, with no bit below
 * 2^exponentMin (so small values are denormal). Overflow is left to the caller.
 */
export function roundRatio(
  numerator: bigint,
  denominator: bigint,
  scale: number,
  negative: boolean,
  precision: number,
  exponentMin: number,
): BinaryFloat {
  if (numerator === 0n) {
    return { negative, mantissa: 0n, exponent: 0, vanished: false };
  }
  // The quotient shifted left by `shift` has precision or precision + 1 bits: one step corrects it.
  let shift = precision - (bitLength(numerator) - bitLength(denominator));
  if (quotientBits(numerator, denominator, shift) > precision) {
    shift -= 1;
  }
  shift = Math.min(shift, scale - exponentMin);
  const dividend = shift >= 0 ? numerator << BigInt(shift) : numerator;
  const divisor = shift >= 0 ? denominator : denominator << BigInt(-shift);
  let mantissa = dividend / divisor;
  const twice = (dividend - mantissa * divisor) * 2n;
  if (twice > divisor || (twice === divisor && (mantissa & 1n) === 1n)) {
    mantissa += 1n;
  }
  return { negative, mantissa, exponent: scale - shift, vanished: mantissa === 0n };
}

function quotientBits(numerator: bigint, denominator: bigint, shift: number): number {
  return bitLength(
    shift >= 0
      ? (numerator << BigInt(shift)) / denominator
      : numerator / (denominator << BigInt(-shift)),
  );
}

export function bitLength(n: bigint): number {
  const hex = n.toString(16);
  return n === 0n ? 0 : hex.length * 4 - (Math.clz32(Number.parseInt(hex[0]!, 16)) - 28);
}

/**
 * Rounds the text of a hexadecimal float. Precondition: [+-]0x, hexadecimal digits with at most one dot,
 * then an optional p and decimal exponent.
 */
export function roundHexFloat(text: string, precision: number, exponentMin: number): BinaryFloat {
  const negative = text.startsWith('-');
  const [digits, power = '0'] = text
    .toLowerCase()
    .replace(/^[+-]?0x/, '')
    .split('p') as [string, string?];
  const [whole, fraction = ''] = digits.split('.') as [string, string?];
  const mantissa = BigInt(`0x0${whole}${fraction}`);
  const exponent = Math.max(-EXPONENT_MAX, Math.min(EXPONENT_MAX, Number(power)));
  const scale = exponent - 4 * fraction.length;
  if (mantissa !== 0n && bitLength(mantissa) + scale < exponentMin - 1) {
    return { negative, mantissa: 0n, exponent: 0, vanished: true };
  }
  return roundRatio(mantissa, 1n, scale, negative, precision, exponentMin);
}
