// List commands with all their options. The blocking ones find an element, have a time limit of few
// milliseconds, or stand inside a transaction.
import type { Arg } from '../../support/raw_client.js';
import { type CommandTable, type Generator, ODD_NUMBERS } from '../generator.js';

/** Elements of few different values and lengths, so that searches find some. */
export function element(g: Generator): Arg {
  const r = g.random;
  if (r.chance(0.6)) return r.pick(['a', 'b', 'c', 'aa', '', '12']);
  return r.chance(0.95) ? g.value() : 'x'.repeat(r.pick([253, 254, 2048, 2049, 9000]));
}

function elements(g: Generator): Arg[] {
  const r = g.random;
  const most = r.chance(0.02) ? 3000 : 5;
  return Array.from({ length: r.between(1, most) }, () =>
    most > 5 ? r.pick(['a', 'b', 'xyz']) : element(g),
  );
}

const listEnd = (g: Generator): string =>
  g.random.pick([
    'LEFT',
    'RIGHT',
    'LEFT',
    'RIGHT',
    'left',
    'Right',
    g.random.chance(0.1) ? 'UP' : 'LEFT',
  ]);

const positions = (g: Generator): Arg =>
  g.random.chance(0.85)
    ? g.random.between(-8, 8)
    : g.random.pick([0, -1, 100, 2999, -3000, ...ODD_NUMBERS]);

/** Not the least int64: Redis negates it, which C leaves undefined. */
function rank(g: Generator): Arg {
  const number = positions(g);
  return number === '-9223372036854775808' ? -1 : number;
}

const popCount = (g: Generator): Arg =>
  g.random.chance(0.8) ? g.random.below(6) : g.random.pick([1000, ...ODD_NUMBERS]);

const counted = (g: Generator): Arg[] => {
  const keys = g.someKeys(3);
  const count = g.random.chance(0.93) ? keys.length : g.random.pick([0, -1, 4, 'abc', 100]);
  return [count, ...keys, listEnd(g), ...g.options([[0.4, () => ['COUNT', popCount(g)]]])];
};

/** Time limits that end soon, and some that are refused. */
const limit = (g: Generator): Arg =>
  g.random.chance(0.9)
    ? g.random.pick(['0.001', '0.002', '.001', '1e-3', '0x0.01'])
    : g.random.pick([
        '-1',
        'abc',
        '',
        'inf',
        '-inf',
        'nan',
        '1e300',
        '1e309',
        ' 1',
        '9223372036854775807',
      ]);

export const listCommands: CommandTable = {
  LPUSH: { weight: 3, args: (g) => [g.key(), ...elements(g)] },
  RPUSH: { weight: 3, args: (g) => [g.key(), ...elements(g)] },
  LPUSHX: (g) => [g.key(), ...elements(g)],
  RPUSHX: (g) => [g.key(), ...elements(g)],
  LPOP: { weight: 2, args: (g) => [g.key(), ...g.options([[0.5, () => [popCount(g)]]])] },
  RPOP: { weight: 2, args: (g) => [g.key(), ...g.options([[0.5, () => [popCount(g)]]])] },
  LLEN: (g) => [g.key()],
  LRANGE: { weight: 2, args: (g) => [g.key(), positions(g), positions(g)] },
  LINDEX: { weight: 2, args: (g) => [g.key(), positions(g)] },
  LSET: { weight: 2, args: (g) => [g.key(), positions(g), element(g)] },
  LINSERT: {
    weight: 2,
    args: (g) => [
      g.key(),
      g.random.pick(['BEFORE', 'AFTER', 'before', g.random.chance(0.1) ? 'at' : 'after']),
      element(g),
      element(g),
    ],
  },
  LREM: { weight: 2, args: (g) => [g.key(), positions(g), element(g)] },
  LTRIM: { weight: 0.7, args: (g) => [g.key(), positions(g), positions(g)] },
  LPOS: {
    weight: 3,
    args: (g) => [
      g.key(),
      element(g),
      ...g.options([
        [0.4, () => ['RANK', rank(g)]],
        [0.4, () => ['COUNT', popCount(g)]],
        [0.3, () => ['MAXLEN', popCount(g)]],
        [0.03, () => [g.random.pick(['RANK', 'COUNT', 'MAXLEN', 'junk', ''])]],
      ]),
    ],
  },
  LMOVE: { weight: 2, args: (g) => [g.key(), g.key(), listEnd(g), listEnd(g)] },
  RPOPLPUSH: { weight: 2, args: (g) => [g.key(), g.key()] },
  LMPOP: { weight: 2, args: (g) => counted(g) },
  BLPOP: { args: (g) => [...g.someKeys(3), limit(g)], odd: false },
  BRPOP: { args: (g) => [...g.someKeys(3), limit(g)], odd: false },
  BLMOVE: { args: (g) => [g.key(), g.key(), listEnd(g), listEnd(g), limit(g)], odd: false },
  BRPOPLPUSH: { args: (g) => [g.key(), g.key(), limit(g)], odd: false },
  BLMPOP: { args: (g) => [limit(g), ...counted(g)], odd: false },
  'OBJECT ENCODING': { weight: 0.3, args: (g) => [g.key()] },
  TYPE: { weight: 0.3, args: (g) => [g.key()] },
};

/** What lists meet: other types, other names, deletion, copies. */
export const listSurroundings: CommandTable = {
  SET: { weight: 0.5, args: (g) => [g.key(), g.value()] },
  GET: { weight: 0.5, args: (g) => [g.key()] },
  APPEND: { weight: 0.2, args: (g) => [g.key(), g.value()] },
  DEL: { weight: 0.5, args: (g) => g.someKeys(2) },
  RENAME: (g) => [g.key(), g.key()],
  COPY: (g) => [g.key(), g.key(), 'REPLACE'],
  EXPIREAT: { weight: 0.5, args: (g) => [g.key(), g.absolute('seconds')] },
  PERSIST: { weight: 0.5, args: (g) => [g.key()] },
  MGET: { weight: 0.5, args: (g) => g.someKeys(4) },
  EXISTS: { weight: 0.5, args: (g) => g.someKeys(3) },
  'SCAN 0 COUNT 1000 TYPE': {
    weight: 0.3,
    args: (g) => [g.random.pick(['list', 'string'])],
    odd: false,
  },
};
