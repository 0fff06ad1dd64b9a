// Integers to and from text, against BigInt: edge values and random ones.
import { describe, expect, test } from 'vitest';
import {
  addInt64,
  compareInt64,
  formatInt64,
  formatInteger,
  INT64_TEXT_BYTES_MAX,
  int64,
  int64FromNumber,
  int64IsSafe,
  int64Text,
  int64ToNumber,
  negateInt64,
  parseInt64,
  parseInteger,
} from '../../protocol/number_text.js';
import { Random } from '../support/random.js';

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

const high = (n: bigint): number => Number(BigInt.asIntN(32, n >> 32n));
const low = (n: bigint): number => Number(BigInt.asIntN(32, n));
const register = (): bigint => (BigInt(int64.hi) << 32n) + BigInt(int64.lo >>> 0);

/** Parses the text in the middle of digits, which must not be read. */
function withMargins<T>(text: string, parse: (b: Uint8Array, at: number, n: number) => T): T {
  const bytes = new Uint8Array(Buffer.from(`99${text}99`, 'latin1'));
  return parse(bytes, 2, bytes.length - 4);
}

function format(n: bigint): string {
  const target = new Uint8Array(INT64_TEXT_BYTES_MAX + 2).fill(0x78);
  const written = formatInt64(high(n), low(n), target, 1);
  const text = Buffer.from(target).toString('latin1');
  if (!/^x[^x]+x+$/.test(text)) expect.fail(`bytes outside of ${written} written: ${text}`);
  return text.slice(1, 1 + written);
}

/** Powers of two and ten, the limits, their neighbours and opposites. */
function edges(): bigint[] {
  const result = new Set<bigint>([MIN, MAX]);
  for (let power = 0n; power <= 64n; power++) {
    for (const center of [2n ** power, 10n ** power]) {
      for (let n = center - 2n; n <= center + 2n; n++) {
        if (n <= MAX) result.add(n);
        if (-n >= MIN) result.add(-n);
      }
    }
  }
  return [...result];
}

function randomInt64(random: Random): bigint {
  const bits = BigInt(random.between(1, 64));
  const raw = (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
  return BigInt.asIntN(64, BigInt.asIntN(Number(bits), raw));
}

/** expect() of hundreds of thousands of values takes its time; this asks it only about wrong ones. */
function same(actual: unknown, expected: unknown, what = ''): void {
  if (!Object.is(actual, expected)) expect(actual, what).toBe(expected);
}

const random = new Random(42);
const VALUES = [...edges(), ...Array.from({ length: 20000 }, () => randomInt64(random))];

describe('int64', () => {
  test('text and back', () => {
    for (const n of VALUES) {
      const text = n.toString();
      same(withMargins(text, parseInt64), true, text);
      same(register(), n);
      same(format(n), text);
      same(int64Text(high(n), low(n)), text);
      const safe = n >= -(2n ** 53n) + 1n && n <= 2n ** 53n - 1n;
      same(int64IsSafe(high(n), low(n)), safe, text);
      same(withMargins(text, parseInteger), safe ? Number(n) : Number.NaN, text);
      if (safe) {
        same(int64ToNumber(high(n), low(n)), Number(n));
        int64FromNumber(Number(n));
        same(register(), n);
        const target = new Uint8Array(20);
        const written = formatInteger(Number(n), target, 0);
        same(Buffer.from(target.subarray(0, written)).toString(), text);
      }
    }
  });

  test.each([
    '',
    '-',
    '+1',
    '01',
    '-0',
    '-01',
    '00',
    ' 1',
    '1 ',
    '1a',
    'a',
    '1.0',
    '1e3',
    '--1',
    '0x1',
    '1\0',
    '9223372036854775808',
    '-9223372036854775809',
    '9999999999999999999',
    '18446744073709551616',
    '10000000000000000000',
    '-10000000000000000000',
    '99999999999999999999',
    '123456789012345678901',
    '/',
    ':',
    '1/',
    '1:',
    '/1',
    '000000000000000001',
    '12345678901234567a',
    '-123456789012345678\n',
  ])('%j is none', (text) => {
    expect(withMargins(text, parseInt64)).toBe(false);
    expect(withMargins(text, parseInteger)).toBe(Number.NaN);
  });

  test('sums, opposites and order', () => {
    const some = VALUES.filter((_, i) => i < 1000 || i % 7 === 0);
    for (let i = 0; i < 60000; i++) {
      const a = random.pick(some);
      const b = random.chance(0.1) && a !== MIN ? -a : random.pick(some);
      const sum = a + b;
      const inside = sum >= MIN && sum <= MAX;
      same(addInt64(high(a), low(a), high(b), low(b)), inside, `${a} + ${b}`);
      if (inside) same(register(), sum);
      same(compareInt64(high(a), low(a), high(b), low(b)), a < b ? -1 : a > b ? 1 : 0);
      same(negateInt64(high(a), low(a)), a !== MIN);
      if (a !== MIN) same(register(), -a);
    }
  });
});
