// String commands with all their options.
import { type CommandTable, type Generator, ODD_NUMBERS } from '../generator.js';

/** Keys that several families share, so that one command meets the other's values. */
export const SHARED_KEYS: readonly string[] = [
  'k1',
  'k2',
  'k3',
  'key:4',
  'key:5',
  'a',
  '',
  'bin\x00\xff\r\n',
  'long'.repeat(30),
  '12',
  'k*',
  'K1',
]; // prettier-ignore

const expiryOptions = (g: Generator) =>
  [
    [0.2, () => ['EX', g.relative('seconds')]],
    [0.2, () => ['PX', g.relative('millis')]],
    [0.15, () => ['EXAT', g.absolute('seconds')]],
    [0.15, () => ['PXAT', g.absolute('millis')]],
  ] as const;

const pairs = (g: Generator) =>
  Array.from({ length: g.random.between(1, 4) }, () => [g.key(), g.value()]).flat();

export const stringCommands: CommandTable = {
  SET: {
    weight: 6,
    args: (g) => [
      g.key(),
      g.value(),
      ...(g.random.chance(0.5)
        ? []
        : g.options([
            ...expiryOptions(g),
            [0.2, () => ['KEEPTTL']],
            [0.25, () => ['NX']],
            [0.25, () => ['XX']],
            [0.25, () => ['GET']],
            [0.03, () => [g.random.pick(['EX', 'PXAT', 'PERSIST', 'nonsense', ''])]],
          ])),
    ],
  },
  GET: { weight: 4, args: (g) => [g.key()] },
  SETNX: (g) => [g.key(), g.value()],
  SETEX: (g) => [g.key(), g.relative('seconds'), g.value()],
  PSETEX: (g) => [g.key(), g.relative('millis'), g.value()],
  GETSET: (g) => [g.key(), g.value()],
  GETDEL: (g) => [g.key()],
  GETEX: (g) => [
    g.key(),
    ...g.options([
      ...expiryOptions(g),
      [0.2, () => ['PERSIST']],
      [0.05, () => [g.random.pick(['KEEPTTL', 'NX', 'GET', 'junk'])]],
    ]),
  ],
  MGET: (g) => g.someKeys(6),
  MSET: (g) => pairs(g),
  MSETNX: (g) => pairs(g),
  APPEND: { weight: 2, args: (g) => [g.key(), g.value()] },
  STRLEN: (g) => [g.key()],
  GETRANGE: { weight: 2, args: (g) => [g.key(), g.index(), g.index()] },
  SUBSTR: (g) => [g.key(), g.index(), g.index()],
  SETRANGE: { weight: 2, args: (g) => [g.key(), g.offset(), g.value()] },
  INCR: { weight: 2, args: (g) => [g.key()] },
  DECR: (g) => [g.key()],
  INCRBY: { weight: 2, args: (g) => [g.key(), g.integer()] },
  DECRBY: (g) => [g.key(), g.integer()],
  INCRBYFLOAT: { weight: 2, args: (g) => [g.key(), g.float()] },
  LCS: {
    weight: 2,
    args: (g) => [
      g.key(),
      g.key(),
      ...g.options([
        [0.3, () => ['LEN']],
        [0.4, () => ['IDX']],
        [0.3, () => ['MINMATCHLEN', g.random.chance(0.8) ? g.random.below(6) : g.integer()]],
        [0.3, () => ['WITHMATCHLEN']],
        [0.05, () => [g.random.pick(['MINMATCHLEN', 'GET', 'idx ', ''])]],
      ]),
    ],
  },
  DEL: (g) => g.someKeys(2),
  TTL: (g) => [g.key()],
  'OBJECT ENCODING': (g) => [g.key()],
};

/** A few plain values, so that a stream does not begin on an empty keyspace. */
export function seedStrings(g: Generator): (readonly [string, string, string | number])[] {
  const some = ['12', 'Hello, World', '3.5', ...ODD_NUMBERS.slice(25, 40)];
  return g.keys.map((key) => ['SET', key, g.random.pick(some)] as const);
}
