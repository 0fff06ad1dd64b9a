// Doubles as text: edge cases by hand; random ones, and which texts are numbers, against a Redis server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatDouble17, parseFloatStrict } from '../../protocol/float_text.js';
import { incrByFloat } from '../../protocol/long_double.js';
import { Random } from '../support/random.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';
import { latin1 } from './drive.js';

/** Texts that are numbers, nearly numbers, or numbers at the end of a range. */
const TEXTS: readonly string[] = [
  ...['', '0', '-0', '+0', '00', '1', '-1', '+1', '--1', '+-1', '1.', '.5', '-.5', '.', '-', '+'],
  ...[
    '1.5',
    '01.50',
    '1..5',
    '1.5.',
    ' 1',
    '1 ',
    '1\n',
    '\t1',
    '\v1',
    '1\0',
    '\0',
    'a',
    '1a',
    '1_0',
  ],
  ...['1e5', '1E5', '1e+5', '1e-5', '1e', '1e+', '1e5.', '1e5e5', 'e5', '.e5', '1d5', '1f', '1,5'],
  ...[
    'inf',
    '-inf',
    '+inf',
    'INF',
    'Infinity',
    'infinity',
    'infinit',
    'infinityx',
    'in',
    '-Infinity',
  ],
  ...['nan', 'NaN', '-nan', 'nan(1)', 'nan()'],
  ...[
    '0x10',
    '0X1F',
    '-0x1',
    '+0x1',
    '0x',
    '0x.',
    '0x.8',
    '0x1.8',
    '0x1.',
    '0x1p3',
    '0x1p-3',
    '0x1p+3',
  ],
  ...[
    '0x1p',
    '0x1p+',
    '0x1.8P1',
    '0xg',
    '0x1p1.5',
    '0x0',
    '-0x0p5',
    '0x1e5',
    '0x1p99999',
    '0x1p-99999',
  ],
  ...[
    '1e308',
    '1.7976931348623157e308',
    '1.7976931348623159e308',
    '1e309',
    '-1e309',
    '1e400',
    '1e-400',
  ],
  ...[
    '4.9e-324',
    '5e-324',
    '2.4e-324',
    '2.5e-324',
    '2.2250738585072014e-308',
    '1e-310',
    '0e999999',
  ],
  ...['0x1.fffffffffffff8p1023', '0x1.fffffffffffff7p1023', '0x1p1024', '0x1p-1074', '0x1p-1075'],
  ...['0x1.8p-1075', '0x1.00000000000008p0', '0x1.000000000000081p0', '0x1.00000000000018p0'],
  ...['1e4931', '1e4932', '1.18973149535723176502e4932', '1.18973149535723176509e4932', '1.2e4932'],
  ...['1e4933', '-1e4933', '1e-4949', '1e-4950', '3.6e-4951', '1.9e-4951', '1.8e-4951', '1e-4951'],
  ...['1e-4952', '1e-5000', '0e-99999', '0x1p16383', '0x1p16384', '0x1p-16445', '0x1p-16446'],
  ...['1e99999999999999999999', '1e-99999999999999999999', '0x1p99999999999999999999'],
  ...['0.1', '3.0', '1.1', '4.1', '1e17', '1e16', '123456789012345678', '12345678901234567890'],
  ...['9007199254740993', '18446744073709551615', '18446744073709551616', '18446744073709551617'],
  ...[
    '1e-17',
    '5e-18',
    '1e-18',
    '-1e-18',
    '-5e-18',
    '0.000000000000000015',
    '0.000000000000000025',
  ],
  ...[
    '999999999999999',
    '9999999999999999',
    '1234567.890123456',
    '0.000000000000001',
    '1e22',
    '1e23',
  ],
  '0'.repeat(5119),
  `${'0'.repeat(5118)}7`,
  '1'.repeat(400),
  `0.${'0'.repeat(400)}1`,
  `${'0'.repeat(20)}.${'0'.repeat(20)}`,
];

const parse = (text: string): number => parseFloatStrict(latin1(`9${text}9`), 1, text.length);

describe('doubles', () => {
  test.each([
    [0, '0'],
    [-0, '-0'],
    [3, '3'],
    [-1.5, '-1.5'],
    [0.1, '0.10000000000000001'],
    [1e16, '10000000000000000'],
    [1e17, '1e+17'],
    [1e20, '1e+20'],
    [1e100, '1e+100'],
    [1e-4, '0.0001'],
    [1e-5, '1.0000000000000001e-05'],
    [5e-324, '4.9406564584124654e-324'],
    [123456789012345680, '1.2345678901234568e+17'],
    // Exact ties at the 17th digit go to the even neighbour.
    [2 ** 50 + 0.25, '1125899906842624.2'],
    [2 ** 50 + 0.75, '1125899906842624.8'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [Number.NaN, 'nan'],
  ])('%d is printed as %s', (n, text) => {
    expect(formatDouble17(n)).toBe(text);
    if (Number.isFinite(n)) expect(parse(text)).toBe(n);
  });

  test('text and back, random bits', () => {
    const random = new Random(3);
    const view = new DataView(new ArrayBuffer(8));
    for (let i = 0; i < 20000; i++) {
      view.setUint32(0, random.uint32());
      view.setUint32(4, random.uint32());
      const n = view.getFloat64(0);
      if (Number.isFinite(n) && parse(formatDouble17(n)) !== n) expect.fail(String(n));
    }
  });

  test('long and hostile texts are refused in no time', () => {
    const begin = process.hrtime.bigint();
    expect(parse('1'.repeat(1_000_000))).toBe(Number.NaN);
    expect(parse(`${'1'.repeat(5000)}x`)).toBe(Number.NaN);
    expect(incrByFloat('0', `${'1'.repeat(5000)}e99999999x`).ok).toBe(false);
    expect(incrByFloat('0', '1e-99999999999').ok).toBe(false);
    expect(Number(process.hrtime.bigint() - begin) / 1e6).toBeLessThan(500);
  });
});

/** A decimal text of random length, magnitude and form. */
function randomDecimal(random: Random): string {
  const digits = Array.from({ length: random.between(1, 25) }, () => random.below(10)).join('');
  const dot = random.between(0, digits.length);
  const sign = random.pick(['', '', '-']);
  const number = random.chance(0.6) ? `${digits.slice(0, dot)}.${digits.slice(dot)}` : digits;
  const power = random.pick([0, 0, 0, 5, 30, 400, 4000]);
  return `${sign}${number}${power === 0 ? '' : `e${random.between(-power, power)}`}`;
}

function randomOperand(random: Random): string {
  if (random.chance(0.15)) return random.pick(TEXTS);
  if (random.chance(0.3)) return (random.between(-100000, 100000) / 100).toFixed(random.below(4));
  return randomDecimal(random);
}

describeWithPeer('floats as Redis reads and prints them', () => {
  let peer: TestServer;
  beforeAll(async () => {
    peer = await spawnServer({ kind: 'redis' });
  });
  afterAll(() => peer.stop());

  test('scores', async () => {
    const random = new Random(5);
    const texts = [...TEXTS, ...Array.from({ length: 3000 }, () => randomDecimal(random))];
    const client = await peer.connect();
    const replies = await client.pipeline(
      texts.flatMap((text) => [
        ['DEL', 'z'],
        ['ZADD', 'z', text, 'm'],
        ['ZSCORE', 'z', 'm'],
      ]),
    );
    texts.forEach((text, i) => {
      const value = parse(text);
      const score = replies[3 * i + 2]!;
      const expected = score.type === 'null' ? 'none' : score.text;
      // A small sorted set there forgets the sign of zero.
      const read = Object.is(value, -0) ? 0 : value;
      expect(Number.isNaN(read) ? 'none' : formatDouble17(read), text).toBe(expected);
    });
  });

  test('INCRBYFLOAT', async () => {
    const random = new Random(6);
    const pairs: [string, string][] = [];
    for (const text of TEXTS) {
      pairs.push([text, '0'], ['0', text], ['3.0', text], [text, text], [text, '1e-17']);
    }
    while (pairs.length < 8000) {
      const left = randomOperand(random);
      // Opposites leave only what rounding lost.
      const right = random.chance(0.1) ? `-${left}`.replace('--', '') : randomOperand(random);
      pairs.push([left, right]);
    }
    const client = await peer.connect();
    const replies = await client.pipeline(
      pairs.flatMap(([left, right]) => [
        ['SET', 'x', left],
        ['INCRBYFLOAT', 'x', right],
      ]),
    );
    pairs.forEach(([left, right], i) => {
      const sum = incrByFloat(left, right);
      const expected = replies[2 * i + 1]!.text;
      expect(sum.ok ? sum.text : sum.error, `${left} + ${right}`).toBe(expected);
    });
  });
});
