// Sorted set commands: members and scores that collide often, ranges of every kind, all options.
import type { Arg, Command } from '../../support/raw_client.js';
import { type CommandTable, type Generator, ODD_NUMBERS } from '../generator.js';

/** Sets whose members have different scores, sets for lexicographic ranges, and other keys. */
const SCORED = ['z1', 'z2', 'z3', 'z4'];
const LEXICAL = ['lex1', 'lex2'];
export const SORTED_SET_KEYS: readonly string[] = [...SCORED, ...LEXICAL, 'str', 'none'];

const scored = (g: Generator): string =>
  g.random.chance(0.93) ? g.random.pick(SCORED) : g.random.pick(['str', 'none']);
const lexical = (g: Generator): string =>
  g.random.chance(0.95) ? g.random.pick(LEXICAL) : g.random.pick(['text', 'void']);

function member(g: Generator): Arg {
  const r = g.random;
  switch (r.below(6)) {
    case 0:
      return r.pick(['', 'a', 'b', 'ab', 'abc', 'abd', '\x00', '\xff', 'a\x00', 'a\x00b']);
    case 1:
      return `m${r.below(30)}`;
    case 2:
      return r.between(-20, 20);
    case 3:
      return 'x'.repeat(r.pick([11, 12, 13, 63, 64, 65]));
    default:
      return `element:${String(r.below(40)).padStart(4, '0')}`;
  }
}

function score(g: Generator): Arg {
  const r = g.random;
  switch (r.below(8)) {
    case 0:
      return r.pick(['inf', '-inf', '+inf', '1e300', '-1e300', '0.1', '1e-7', '3.0', '1e17', '-0']);
    case 1:
      return r.between(-1_000_000, 1_000_000) / 1000;
    case 2:
      return r.chance(0.1) ? r.pick(ODD_NUMBERS) : g.bigInteger();
    default:
      return r.between(-6, 6);
  }
}

function scoreBound(g: Generator): Arg {
  const r = g.random;
  if (r.chance(0.05)) return r.pick(['', '(', '((1', ' 1', '(x', 'nan', '[1', '1\x00x', '0x10']);
  const value = r.chance(0.2) ? r.pick(['-inf', '+inf', 'inf']) : score(g);
  return r.chance(0.3) ? `(${value}` : value;
}

function memberBound(g: Generator): Arg {
  const r = g.random;
  if (r.chance(0.05)) return r.pick(['', 'a', '+a', '-a', '1', '+\x00a']);
  if (r.chance(0.25)) return r.pick(['-', '+']);
  return `${r.pick(['[', '('])}${member(g)}`;
}

const rank = (g: Generator): Arg =>
  g.random.chance(0.9) ? g.random.between(-12, 12) : g.random.pick([-100, 100, ...ODD_NUMBERS]);

const limit = (g: Generator): Arg[] => ['LIMIT', g.random.between(-1, 6), g.random.between(-1, 6)];
const withScores = (): Arg[] => ['WITHSCORES'];

function range(g: Generator, bound: (g: Generator) => Arg, scores: number): Arg[] {
  const options = g.options([
    [scores, withScores],
    [0.3, () => limit(g)],
    [0.02, () => [g.random.pick(['REV', 'BYSCORE', 'LIMIT', 'junk', ''])]],
  ]);
  return [bound(g), bound(g), ...options];
}

/** The forms of ZRANGE, mostly in their right combinations. */
function anyRange(g: Generator, store: boolean): Arg[] {
  const r = g.random;
  const by = r.pick(['', 'BYSCORE', 'BYLEX']);
  const bound = by === '' ? rank : by === 'BYSCORE' ? scoreBound : memberBound;
  const options = g.options([
    [by === '' ? 0 : 1, () => [by]],
    [0.4, () => ['REV']],
    [by === '' ? 0.03 : 0.4, () => limit(g)],
    [store || by === 'BYLEX' ? 0.03 : 0.5, withScores],
  ]);
  const source = by === 'BYLEX' ? lexical(g) : scored(g);
  return [
    ...(store ? [by === 'BYLEX' ? 'lex2' : scored(g)] : []),
    source,
    bound(g),
    bound(g),
    ...options,
  ];
}

function add(g: Generator): Arg[] {
  const r = g.random;
  const options = g.options([
    [0.15, () => ['NX']],
    [0.15, () => ['XX']],
    [0.15, () => ['GT']],
    [0.15, () => ['LT']],
    [0.2, () => ['CH']],
    [0.12, () => ['INCR']],
  ]);
  const pairs = options.includes('INCR') && r.chance(0.9) ? 1 : r.pick([1, 1, 1, 2, 3, 8]);
  const list = Array.from({ length: pairs }, () => [score(g), member(g)]).flat();
  return [scored(g), ...options, ...list];
}

function sources(g: Generator, most = 4): Arg[] {
  const key = (): string => (g.random.chance(0.85) ? scored(g) : g.random.pick(['set', 'ints']));
  const keys = Array.from({ length: g.random.between(1, most) }, key);
  const count = g.random.chance(0.95) ? keys.length : g.random.pick([0, -1, 9, 'abc']);
  return [count, ...keys];
}

function combination(g: Generator, isDiff: boolean, store: boolean): Arg[] {
  const r = g.random;
  const keys = sources(g);
  const weight = (): Arg => (r.chance(0.95) ? r.pick([0, 1, 2, -1, 0.5, 'inf', '-inf']) : 'x');
  const plain = isDiff ? 0.02 : 0.3;
  return [
    ...(store ? [scored(g)] : []),
    ...keys,
    ...g.options([
      [plain, () => ['WEIGHTS', ...keys.slice(1).map(weight)]],
      [plain, () => ['AGGREGATE', r.pick(['SUM', 'MIN', 'MAX', 'sum', 'avg'])]],
      [store ? 0.02 : 0.5, withScores],
    ]),
  ];
}

const count = (g: Generator): Arg =>
  g.random.chance(0.9) ? g.random.below(8) : g.random.pick([-1, ...ODD_NUMBERS]);

const waitTime = (g: Generator): Arg =>
  g.random.chance(0.9) ? 0.001 : g.random.pick([-1, 'abc', '', 'inf', '-inf', '1e400']);

export const sortedSetCommands: CommandTable = {
  ZADD: { weight: 10, args: add },
  ZINCRBY: { weight: 3, args: (g) => [scored(g), score(g), member(g)] },
  ZREM: {
    weight: 3,
    args: (g) => [scored(g), ...Array.from({ length: g.random.between(1, 4) }, () => member(g))],
  },
  ZSCORE: { weight: 2, args: (g) => [scored(g), member(g)] },
  ZMSCORE: (g) => [scored(g), member(g), member(g), member(g)],
  ZCARD: (g) => [scored(g)],
  ZCOUNT: (g) => [scored(g), scoreBound(g), scoreBound(g)],
  ZLEXCOUNT: (g) => [lexical(g), memberBound(g), memberBound(g)],
  ZRANK: { weight: 2, args: (g) => [scored(g), member(g)] },
  ZREVRANK: (g) => [scored(g), member(g)],
  ZRANGE: { weight: 5, args: (g) => anyRange(g, false) },
  ZRANGESTORE: { weight: 2, args: (g) => anyRange(g, true) },
  ZREVRANGE: (g) => [scored(g), rank(g), rank(g), ...g.options([[0.5, withScores]])],
  ZRANGEBYSCORE: (g) => [scored(g), ...range(g, scoreBound, 0.4)],
  ZREVRANGEBYSCORE: (g) => [scored(g), ...range(g, scoreBound, 0.4)],
  ZRANGEBYLEX: (g) => [lexical(g), ...range(g, memberBound, 0.02)],
  ZREVRANGEBYLEX: (g) => [lexical(g), ...range(g, memberBound, 0.02)],
  ZREMRANGEBYRANK: (g) => [scored(g), rank(g), rank(g)],
  ZREMRANGEBYSCORE: (g) => [scored(g), scoreBound(g), scoreBound(g)],
  ZREMRANGEBYLEX: (g) => [lexical(g), memberBound(g), memberBound(g)],
  ZPOPMIN: (g) => [scored(g), ...g.options([[0.5, () => [count(g)]]])],
  ZPOPMAX: (g) => [scored(g), ...g.options([[0.5, () => [count(g)]]])],
  ZMPOP: (g) => [
    ...sources(g),
    g.random.pick(['MIN', 'MAX', 'min', 'max', 'mid']),
    ...g.options([
      [0.5, () => ['COUNT', count(g)]],
      [0.02, () => ['COUNT']],
    ]),
  ],
  // In these streams one connection is in use at a time, so these find a member or wait in vain.
  BZPOPMIN: { weight: 0.3, args: (g) => [...sources(g).slice(1), waitTime(g)], odd: false },
  BZPOPMAX: { weight: 0.3, args: (g) => [...sources(g).slice(1), waitTime(g)], odd: false },
  BZMPOP: {
    weight: 0.3,
    args: (g) => [waitTime(g), ...sources(g), g.random.pick(['MIN', 'MAX'])],
    odd: false,
  },
  ZUNION: { weight: 2, args: (g) => combination(g, false, false) },
  ZINTER: { weight: 2, args: (g) => combination(g, false, false) },
  ZDIFF: { weight: 2, args: (g) => combination(g, true, false) },
  ZUNIONSTORE: { weight: 2, args: (g) => combination(g, false, true) },
  ZINTERSTORE: { weight: 2, args: (g) => combination(g, false, true) },
  ZDIFFSTORE: { weight: 2, args: (g) => combination(g, true, true) },
  ZINTERCARD: (g) => [...sources(g), ...g.options([[0.4, () => ['LIMIT', count(g)]]])],
  ZRANDMEMBER: {
    args: (g) => [
      scored(g),
      ...(g.random.chance(0.7)
        ? [g.random.pick([0, 1, 3, 50, -1, -3, -20, 'abc', '-9223372036854775808'])]
        : []),
      ...g.options([[0.3, withScores]]),
    ],
    odd: false,
  },
  ZSCAN: (g) => [
    scored(g),
    g.random.chance(0.95) ? 0 : 'abc',
    ...g.options([[0.3, () => ['MATCH', g.random.pick(['*', 'm*', '*1', '[a-c]*', '?'])]]]),
    'COUNT',
    g.random.chance(0.95) ? 1000 : g.random.pick([0, -1, 'x']),
  ],
  // Members of equal scores.
  'ZADD lex1': { weight: 3, args: (g) => equalScores(g), odd: false },
  'ZADD lex2': { weight: 3, args: (g) => equalScores(g), odd: false },
  // What holds for every type.
  DEL: { weight: 0.7, args: (g) => [g.key()] },
  TYPE: (g) => [g.key()],
  EXPIRE: { weight: 0.5, args: (g) => [g.key(), 1_000_000] },
  TTL: (g) => [g.key()],
  PERSIST: { weight: 0.5, args: (g) => [g.key()] },
  COPY: (g) => [g.random.pick(SCORED), g.random.pick(SCORED), 'REPLACE'],
  RENAME: (g) => [g.random.pick(SCORED), g.random.pick(SCORED)],
  'OBJECT ENCODING': { weight: 2, args: (g) => [g.key()] },
  'MEMORY USAGE': (g) => [g.key()],
  'DEBUG OBJECT': { weight: 0.3, args: (g) => [g.random.pick(SCORED)] },
  GET: { weight: 0.3, args: (g) => [g.key()] },
};

function equalScores(g: Generator): Arg[] {
  return Array.from({ length: g.random.between(1, 6) }, () => [0, member(g)]).flat();
}

/** The sets in their packed form, or most of them as trees. */
export function seedSortedSets(members: number, memberBytes: number) {
  return (): Command[] => [
    ['CONFIG', 'SET', 'zset-max-listpack-entries', members],
    ['CONFIG', 'SET', 'zset-max-ziplist-value', memberBytes],
    ['MSET', 'str', 'text', 'text', 'text'],
    ['SADD', 'set', 'a', 'b', 'm1', 'm2', 'element:0001', ''],
    ['SADD', 'ints', 1, 2, 3, -4, 100],
    ['ZADD', 'z1', 1, 'a', 2, 'b', 3, 'c', 3, 'd', 'inf', 'e', '-inf', 'f'],
    ['ZADD', 'z2', 1, 'a', 5, 'b', -3, 'c', 0, 'x'],
    ['ZADD', 'lex1', 0, 'a', 0, 'b', 0, 'c', 0, 'ab', 0, 'abc', 0, ''],
  ];
}
