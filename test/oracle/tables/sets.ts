// Sets. SPOP takes other members on each side, so it is drawn where it empties the set or is undone.
import type { Arg, Command } from '../../support/raw_client.js';
import type { CommandTable, Generator } from '../generator.js';

export const SET_KEYS: readonly string[] = ['s1', 's2', 's3', 's4', 's5', 'string'];

/** Members: mostly from a small range, so that sets have some in common. */
const member = (g: Generator): Arg => {
  const r = g.random;
  switch (r.below(8)) {
    case 0:
    case 1:
    case 2:
      return r.below(30);
    case 3:
      return r.pick([
        'a',
        'b',
        'c',
        '',
        '01',
        '-0',
        '+1',
        ' 1',
        '1.0',
        'x'.repeat(64),
        'y'.repeat(65),
      ]);
    case 4:
      return r.chance(0.3) ? g.bigInteger() : r.between(-40_000, 40_000);
    case 5:
      return r.chance(0.1) ? g.value() : `m${r.below(40)}`;
    default:
      return `m${r.below(12)}`;
  }
};

/** Often of one kind, so that sets of integers stay such. */
const members = (g: Generator): Arg[] => {
  const r = g.random;
  const count = r.chance(0.04) ? r.between(100, 200) : r.between(1, 6);
  if (r.chance(0.6))
    return Array.from({ length: count }, () => r.between(-20, r.chance(0.2) ? 70_000 : 40));
  return Array.from({ length: count }, () => member(g));
};

const countOption = (g: Generator): Arg[] =>
  g.random.chance(0.3)
    ? []
    : [
        g.random.chance(0.8)
          ? g.random.between(-3, 20)
          : g.random.pick([
              '',
              'a',
              '1.5',
              '300',
              '9223372036854775807',
              '9223372036854775808',
              '-9223372036854775808',
            ]),
      ];

const sources = (g: Generator): Arg[] => g.someKeys(4);

export const setCommands: CommandTable = {
  SADD: { weight: 8, args: (g) => [g.key(), ...members(g)] },
  SREM: { weight: 3, args: (g) => [g.key(), ...members(g)] },
  SMEMBERS: { weight: 2, args: (g) => [g.key()] },
  SISMEMBER: { weight: 2, args: (g) => [g.key(), member(g)] },
  SMISMEMBER: { weight: 2, args: (g) => [g.key(), ...members(g)] },
  SCARD: { weight: 2, args: (g) => [g.key()] },
  SMOVE: { weight: 3, args: (g) => [g.key(), g.key(), member(g)] },
  SPOP: {
    weight: 0.3,
    args: (g) => [g.key(), g.random.pick([0, 100_000, '', '-1', 'a', '9223372036854775807'])],
    odd: false,
  },
  SRANDMEMBER: { args: (g) => [g.key(), ...countOption(g)], odd: false },
  SINTER: { weight: 2, args: sources },
  SUNION: { weight: 2, args: sources },
  SDIFF: { weight: 2, args: sources },
  SINTERSTORE: { weight: 2, args: (g) => [g.key(), ...sources(g)] },
  SUNIONSTORE: { weight: 2, args: (g) => [g.key(), ...sources(g)] },
  SDIFFSTORE: { weight: 2, args: (g) => [g.key(), ...sources(g)] },
  SINTERCARD: {
    weight: 2,
    args: (g) => {
      const keys = sources(g);
      const count = g.random.chance(0.9) ? keys.length : g.integer();
      return [
        count,
        ...keys,
        ...g.options([
          [0.4, () => ['LIMIT', g.random.chance(0.8) ? g.random.below(6) : g.integer()]],
          [0.05, () => [g.random.pick(['LIMIT', 'junk', ''])]],
        ]),
      ];
    },
  },
  SSCAN: {
    weight: 2,
    args: (g) => [
      g.key(),
      g.random.chance(0.9) ? 0 : g.integer(),
      ...g.options([
        [0.3, () => ['MATCH', g.random.pick(['*', 'm*', '1*', '?', '[ab]', ''])]],
        [
          0.5,
          () => ['COUNT', g.random.chance(0.8) ? g.random.pick([1, 10, 100_000]) : g.integer()],
        ],
        [0.05, () => [g.random.pick(['TYPE', 'junk', 'COUNT'])]],
        [0.03, () => ['TYPE', 'set']],
      ]),
    ],
  },
  'OBJECT ENCODING': { weight: 3, args: (g) => [g.key()] },
  TYPE: (g) => [g.key()],
  COPY: (g) => [g.key(), g.key(), 'REPLACE'],
  RENAME: { weight: 0.5, args: (g) => [g.key(), g.key()] },
  DEL: { weight: 0.5, args: (g) => [g.key()] },
  EXPIRE: { weight: 0.5, args: (g) => [g.key(), g.relative('seconds')] },
  PERSIST: { weight: 0.5, args: (g) => [g.key()] },
  TTL: { weight: 0.5, args: (g) => [g.key()] },
  GET: { weight: 0.3, args: (g) => [g.key()] },
  SET: { weight: 0.2, args: (g) => [g.key(), 'text'] },
  APPEND: { weight: 0.1, args: (g) => [g.key(), 'text'] },
  'MEMORY USAGE': { weight: 0.3, args: (g) => [g.key()] },
  'CONFIG SET': {
    weight: 0.3,
    args: (g) => ['set-max-intset-entries', g.random.pick([0, 1, 5, 30, 512])],
  },
};

/** Each episode begins with the same threshold, and with a key of another type. */
export function seedSets(g: Generator): Command[] {
  return [
    ['CONFIG', 'SET', 'set-max-intset-entries', g.random.pick([4, 60, 512])],
    ['SET', 'string', 'text'],
    ['SADD', 's1', ...members(g)],
    ['SADD', 's2', ...members(g)],
  ];
}
