// Hashes: small and large ones, with thresholds that change, and keys of another type.
import type { Arg, Command } from '../../support/raw_client.js';
import type { CommandTable, Generator } from '../generator.js';

export const HASH_KEYS: readonly string[] = ['h1', 'h2', 'h3', 'h4', 'string'];

const field = (g: Generator): Arg => {
  const r = g.random;
  switch (r.below(8)) {
    case 0:
      return r.pick(['', 'a', 'b', 'x'.repeat(64), 'y'.repeat(65), '\x00', '\r\n']);
    case 1:
      return r.bytes(r.below(6));
    case 2:
      return r.chance(0.1) ? 'z'.repeat(r.pick([253, 254, 255, 256, 5000])) : `f${r.below(300)}`;
    default:
      return `f${r.below(14)}`;
  }
};

/** Values: numbers as often as not, for HINCRBY; seldom one that is long. */
const value = (g: Generator): Arg =>
  g.random.chance(0.4)
    ? g.random.pick([g.random.between(-50, 50), '1.5', '-0.25', g.bigInteger()])
    : g.random.chance(0.9)
      ? `v${g.random.below(1000)}`
      : g.value();

const pairs = (g: Generator): Arg[] => {
  const count = g.random.chance(0.05) ? g.random.between(20, 150) : g.random.between(1, 4);
  return Array.from({ length: count }, () => [field(g), value(g)]).flat();
};

const fields = (g: Generator): Arg[] =>
  Array.from({ length: g.random.between(1, 5) }, () => field(g));

export const hashCommands: CommandTable = {
  HSET: { weight: 8, args: (g) => [g.key(), ...pairs(g)] },
  HMSET: { args: (g) => [g.key(), ...pairs(g)] },
  HSETNX: { weight: 2, args: (g) => [g.key(), field(g), value(g)] },
  HGET: { weight: 3, args: (g) => [g.key(), field(g)] },
  HMGET: { weight: 2, args: (g) => [g.key(), ...fields(g)] },
  HGETALL: { weight: 2, args: (g) => [g.key()] },
  HKEYS: (g) => [g.key()],
  HVALS: (g) => [g.key()],
  HLEN: { weight: 2, args: (g) => [g.key()] },
  HSTRLEN: { weight: 2, args: (g) => [g.key(), field(g)] },
  HEXISTS: { weight: 2, args: (g) => [g.key(), field(g)] },
  HDEL: { weight: 5, args: (g) => [g.key(), ...fields(g)] },
  HINCRBY: { weight: 3, args: (g) => [g.key(), field(g), g.integer()] },
  HINCRBYFLOAT: { weight: 3, args: (g) => [g.key(), field(g), g.float()] },
  HSCAN: {
    weight: 2,
    args: (g) => [
      g.key(),
      g.random.chance(0.9) ? 0 : g.integer(),
      ...g.options([
        [0.3, () => ['MATCH', g.random.pick(['*', 'f*', 'f1*', '?', '[ab]', ''])]],
        [0.6, () => ['COUNT', g.random.chance(0.8) ? g.random.pick([10, 100_000]) : g.integer()]],
        [0.05, () => [g.random.pick(['TYPE', 'junk', 'COUNT'])]],
      ]),
    ],
  },
  HRANDFIELD: {
    weight: 2,
    args: (g) => [
      g.key(),
      ...g.options([
        [
          0.7,
          () => [
            g.random.chance(0.9)
              ? g.random.between(-6, 40)
              : g.random.pick(['', 'a', '1.5', '9223372036854775807', '-9223372036854775808']),
            ...(g.random.chance(0.5) ? ['WITHVALUES'] : []),
            ...(g.random.chance(0.05) ? ['junk'] : []),
          ],
        ],
      ]),
    ],
    odd: false,
  },
  'OBJECT ENCODING': { weight: 3, args: (g) => [g.key()] },
  'DEBUG OBJECT': { weight: 0.2, args: (g) => [g.key()] },
  TYPE: (g) => [g.key()],
  COPY: (g) => [g.key(), g.key(), ...(g.random.chance(0.5) ? ['REPLACE'] : [])],
  RENAME: { weight: 0.5, args: (g) => [g.key(), g.key()] },
  MOVE: { weight: 0.3, args: (g) => [g.key(), g.databaseIndex()] },
  SELECT: { weight: 0.3, args: (g) => [g.random.below(2)] },
  SCAN: { weight: 0.3, args: () => [0, 'COUNT', 1000, 'TYPE', 'hash'], odd: false },
  DEL: { weight: 0.4, args: (g) => [g.key()] },
  EXPIRE: { weight: 0.5, args: (g) => [g.key(), g.relative('seconds')] },
  PERSIST: { weight: 0.5, args: (g) => [g.key()] },
  TTL: { weight: 0.5, args: (g) => [g.key()] },
  GET: { weight: 0.3, args: (g) => [g.key()] },
  INCR: { weight: 0.2, args: (g) => [g.key()] },
  SET: { weight: 0.2, args: (g) => [g.key(), 'text'] },
  'MEMORY USAGE': { weight: 0.3, args: (g) => [g.key()] },
  'CONFIG SET': {
    weight: 0.3,
    args: (g) =>
      g.random.chance(0.5)
        ? ['hash-max-listpack-entries', g.random.pick([0, 1, 5, 30, 512])]
        : ['hash-max-ziplist-value', g.random.pick([0, 3, 8, 64, 1000])],
  },
};

/** Each episode begins with thresholds of its own, and with a key of another type. */
export function seedHashes(g: Generator): Command[] {
  return [
    ['CONFIG', 'SET', 'hash-max-listpack-entries', g.random.pick([4, 60, 512])],
    ['CONFIG', 'SET', 'hash-max-listpack-value', g.random.pick([4, 64])],
    ['SET', 'string', 'text'],
    ['HSET', 'h1', ...pairs(g)],
    ['HSET', 'h2', ...pairs(g)],
  ];
}
