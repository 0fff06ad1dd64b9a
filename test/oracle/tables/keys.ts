// Commands on keys of any type: existence, names, expiry, databases, iteration.
import type { CommandTable, Generator } from '../generator.js';

const expireCondition = (g: Generator) =>
  g.options([
    [0.15, () => ['NX']],
    [0.15, () => ['XX']],
    [0.2, () => ['GT']],
    [0.2, () => ['LT']],
    [0.03, () => [g.random.pick(['', 'junk', 'KEEPTTL'])]],
  ]);

export const keyCommands: CommandTable = {
  SET: { weight: 6, args: (g) => [g.key(), g.value()] },
  GET: { weight: 2, args: (g) => [g.key()] },
  DEL: (g) => g.someKeys(3),
  UNLINK: (g) => g.someKeys(3),
  EXISTS: (g) => g.someKeys(4),
  TOUCH: (g) => g.someKeys(4),
  TYPE: (g) => [g.key()],
  KEYS: { weight: 2, args: (g) => [g.glob()] },
  SCAN: {
    weight: 2,
    args: (g) => [
      g.random.chance(0.9) ? 0 : g.random.pick(['abc', '', '-1', '99999999999999999999999', '1.5']),
      ...g.options([
        [0.4, () => ['MATCH', g.glob()]],
        [0.4, () => ['TYPE', g.random.pick(['string', 'STRING', 'list', 'hash', 'junk', ''])]],
        [0.05, () => [g.random.pick(['MATCH', 'COUNT', 'TYPE', 'junk'])]],
        [0.1, () => ['COUNT', g.random.pick([0, -1, 'abc', ''])]],
      ]),
      // Everything in one call, so that the order of the buckets does not show.
      ...(g.random.chance(0.9) ? ['COUNT', 1000] : []),
    ],
  },
  RANDOMKEY: () => [],
  RENAME: { weight: 2, args: (g) => [g.key(), g.key()] },
  RENAMENX: (g) => [g.key(), g.key()],
  COPY: {
    weight: 2,
    args: (g) => [
      g.key(),
      g.key(),
      ...g.options([
        [0.4, () => ['DB', g.databaseIndex()]],
        [0.4, () => ['REPLACE']],
        [0.03, () => [g.random.pick(['DB', 'junk', ''])]],
      ]),
    ],
  },
  MOVE: (g) => [g.key(), g.databaseIndex()],
  DUMP: (g) => [g.key()],
  // No payload is both servers': what is restored stands in dump.test.ts.
  RESTORE: (g) => [
    g.key(),
    g.random.chance(0.7) ? g.random.below(3) : g.integer(),
    g.value(),
    ...g.options([
      [0.5, () => ['REPLACE']],
      [0.3, () => ['ABSTTL']],
      [0.3, () => ['IDLETIME', g.integer()]],
      [0.3, () => ['FREQ', g.integer()]],
      [0.03, () => [g.random.pick(['IDLETIME', 'FREQ', 'junk', ''])]],
    ]),
  ],
  SWAPDB: { weight: 0.5, args: (g) => [g.databaseIndex(), g.databaseIndex()] },
  SELECT: { weight: 1, args: (g) => [g.databaseIndex()] },
  EXPIRE: {
    weight: 2,
    args: (g) => [g.key(), g.relative('seconds'), ...expireCondition(g)],
    odd: false,
  },
  PEXPIRE: { args: (g) => [g.key(), g.relative('millis'), ...expireCondition(g)], odd: false },
  EXPIREAT: { weight: 3, args: (g) => [g.key(), g.absolute('seconds'), ...expireCondition(g)] },
  PEXPIREAT: { weight: 3, args: (g) => [g.key(), g.absolute('millis'), ...expireCondition(g)] },
  EXPIRETIME: (g) => [g.key()],
  PEXPIRETIME: { weight: 2, args: (g) => [g.key()] },
  TTL: (g) => [g.key()],
  PTTL: (g) => [g.key()],
  PERSIST: (g) => [g.key()],
  'OBJECT ENCODING': (g) => [g.key()],
  'OBJECT REFCOUNT': (g) => [g.key()],
  'OBJECT IDLETIME': (g) => [g.key()],
  'OBJECT FREQ': (g) => [g.key()],
  'OBJECT HELP': { weight: 0.1, args: () => [] },
  OBJECT: { weight: 0.3, args: (g) => [g.random.pick(['junk', '', 'ENCODIN']), g.key()] },
  DBSIZE: () => [],
  FLUSHDB: {
    weight: 0.2,
    args: (g) => [
      ...g.options([
        [0.3, () => ['ASYNC']],
        [0.3, () => ['SYNC']],
      ]),
    ],
  },
  FLUSHALL: {
    weight: 0.1,
    args: (g) => [
      ...g.options([
        [0.3, () => ['ASYNC']],
        [0.3, () => ['SYNC']],
      ]),
    ],
  },
  'MEMORY USAGE': (g) => [
    g.key(),
    ...g.options([[0.3, () => ['SAMPLES', g.random.pick([0, 5, -1, 'abc', ''])]]]),
  ],
  'DEBUG OBJECT': (g) => [g.key()],
  'DEBUG STRINGMATCH-LEN': { args: (g) => [g.random.pick([10, 100, 10000]), g.glob()] },
};
