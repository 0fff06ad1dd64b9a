// Stream commands: ids that ascend, collide and are wrong, ranges both ways, deletions, trims of both kinds.
import type { Arg, Command } from '../../support/raw_client.js';
import { type CommandTable, type Generator, ODD_NUMBERS } from '../generator.js';

const STREAMS = ['s1', 's2', 's3'];
export const STREAM_KEYS: readonly string[] = [...STREAMS, 'str', 'none'];

/** What the runs differ in. */
export interface StreamLimits {
  readonly entries: number;
  readonly bytes: number;
  /** Values beyond the few bytes at which nodes are full by their entries: see stream_limits of the test. */
  readonly hasLargeValues: boolean;
  /** Whole nodes are trimmed: the sizes of nodes must then agree. */
  readonly hasApproximateTrims: boolean;
}

const key = (g: Generator): string =>
  g.random.chance(0.95) ? g.random.pick(STREAMS) : g.random.pick(['str', 'none']);

const ODD_IDS: readonly Arg[] = [
  ...ODD_NUMBERS,
  ...['0-0', '0-1', '-1', '1-', '-', '+', '1-1-1', '1--1', ' 7-7', '+8-+8', '09-09', '5--01', '(5'],
  ...['18446744073709551615', '18446744073709551616-0', '5-18446744073709551615', '1-*-', '*-1'],
  ...['9223372036854775807-9223372036854775807', '1-\x00', 'x'.repeat(130)],
];

/** Ids of entries that are likely to be there. */
function id(g: Generator): Arg {
  const r = g.random;
  if (r.chance(0.03)) return r.pick(ODD_IDS);
  const ms = r.pick([r.below(60), r.below(400), r.below(3000), 4294967290 + r.below(20)]);
  return r.chance(0.3) ? String(ms) : `${ms}-${r.below(5)}`;
}

/** Each server has a count of its own for each stream, so that most ids ascend. */
function newId(g: Generator, counter: { next: number }): Arg {
  const r = g.random;
  if (r.chance(0.1)) return id(g);
  if (r.chance(0.2)) return `${counter.next}-*`;
  counter.next += r.pick([0, 0, 1, 1, 1, 2, 40]);
  const seq = r.pick([0, 0, 0, 1, 2, 3, r.below(1000), '4294967295', '4294967296']);
  return r.chance(0.5) ? `${counter.next}-${seq}` : String(counter.next);
}

function value(g: Generator, limits: StreamLimits): Arg {
  const r = g.random;
  if (limits.hasLargeValues && r.chance(0.1)) return 'v'.repeat(r.pick([100, 127, 128, 300, 5000]));
  return r.pick(['', 'a', 'b', 'ab', r.below(1000), r.between(-5, 5), '\x00', 'some value']);
}

/** Mostly the same fields, now and then others. */
function pairs(g: Generator, limits: StreamLimits): Arg[] {
  const r = g.random;
  const names = r.chance(0.7) ? ['x', 'yy'] : r.pick([['x'], ['x', 'zz'], ['', 'x', 'x'], ['q']]);
  const list = names.flatMap((name): Arg[] => [name, value(g, limits)]);
  return r.chance(0.02) ? list.slice(1) : list;
}

function trim(g: Generator, limits: StreamLimits): Arg[] {
  const r = g.random;
  const byId = r.chance(0.4);
  const isApproximate = limits.hasApproximateTrims && r.chance(0.5);
  const limit: Arg[] =
    (isApproximate && r.chance(0.3)) || r.chance(0.02)
      ? ['LIMIT', r.chance(0.9) ? r.pick([0, 1, 3, 10, 50]) : r.pick([-1, 'x'])]
      : [];
  const operator = isApproximate ? ['~'] : r.pick([[], ['=']]);
  if (byId) return [r.pick(['MINID', 'minid']), ...operator, id(g), ...limit];
  const length = r.chance(0.95) ? r.below(120) : r.pick(['-1', ...ODD_NUMBERS]);
  return ['MAXLEN', ...operator, length, ...limit];
}

const bound = (g: Generator): Arg => {
  const r = g.random;
  if (r.chance(0.3)) return r.pick(['-', '+']);
  return r.chance(0.2) ? `(${id(g)}` : id(g);
};

const count = (g: Generator): Arg[] =>
  g.random.chance(0.4)
    ? ['COUNT', g.random.chance(0.95) ? g.random.below(12) : g.random.pick(['-1', 'x'])]
    : [];

function reads(g: Generator, options: Arg[]): Arg[] {
  const r = g.random;
  const keys = Array.from({ length: r.between(1, 3) }, () => key(g));
  const ids = keys.map(() => (r.chance(0.2) ? r.pick(['$', '>', '+']) : id(g)));
  const words = [...options, ...count(g), 'STREAMS', ...keys, ...ids];
  return r.chance(0.03) ? words.slice(0, -1) : words;
}

export function streamCommands(limits: StreamLimits): CommandTable {
  const counter = { next: 1 };
  return {
    XADD: {
      weight: 14,
      args: (g) => [
        key(g),
        ...g.options([
          [0.05, () => ['NOMKSTREAM']],
          [0.12, () => trim(g, limits)],
          [0.01, () => [g.random.pick(['junk', 'MAXLEN', 'LIMIT'])]],
        ]),
        newId(g, counter),
        ...pairs(g, limits),
      ],
    },
    XLEN: { weight: 2, args: (g) => [key(g)] },
    XRANGE: { weight: 4, args: (g) => [key(g), bound(g), bound(g), ...count(g)] },
    XREVRANGE: { weight: 4, args: (g) => [key(g), bound(g), bound(g), ...count(g)] },
    XDEL: {
      weight: 4,
      args: (g) => [key(g), ...Array.from({ length: g.random.between(1, 5) }, () => id(g))],
    },
    XTRIM: { weight: 1, args: (g) => [key(g), ...trim(g, limits)] },
    XSETID: {
      weight: 0.7,
      args: (g) => [
        key(g),
        g.random.chance(0.5) ? `${counter.next + 1}-0` : id(g),
        ...g.options([
          [0.3, () => ['ENTRIESADDED', g.random.chance(0.9) ? g.random.below(2000) : '-1']],
          [0.2, () => ['MAXDELETEDID', id(g)]],
          [0.02, () => ['junk']],
        ]),
      ],
    },
    XREAD: { weight: 3, args: (g) => reads(g, []) },
    'XREAD BLOCK': { weight: 0.3, args: (g) => [1, ...reads(g, []).map(String)], odd: false },
    'XINFO STREAM': {
      weight: 3,
      args: (g) => [
        key(g),
        ...g.options([[0.5, () => ['FULL', ...g.options([[0.6, () => count(g)]])]]]),
      ],
    },
    // What holds for every type.
    DEL: { weight: 0.3, args: (g) => [g.key()] },
    TYPE: (g) => [g.key()],
    EXPIRE: { weight: 0.5, args: (g) => [g.key(), 1_000_000] },
    PERSIST: { weight: 0.5, args: (g) => [g.key()] },
    COPY: { weight: 0.7, args: (g) => [g.random.pick(STREAMS), g.random.pick(STREAMS), 'REPLACE'] },
    RENAME: { weight: 0.3, args: (g) => [g.random.pick(STREAMS), g.random.pick(STREAMS)] },
    'OBJECT ENCODING': (g) => [g.key()],
    'MEMORY USAGE': (g) => [g.key()],
    'DEBUG OBJECT': { weight: 0.3, args: (g) => [g.random.pick(STREAMS)] },
    SORT: { weight: 0.2, args: (g) => [g.key()] },
    GET: { weight: 0.2, args: (g) => [g.key()] },
  };
}

export function seedStreams({ entries, bytes }: StreamLimits) {
  return (): Command[] => [
    ['CONFIG', 'SET', 'stream-node-max-entries', entries],
    ['CONFIG', 'SET', 'stream-node-max-bytes', bytes],
    ['SET', 'str', 'text'],
    ...Array.from(
      { length: 250 },
      (_, i): Command => ['XADD', 's1', `${i + 1}-0`, 'x', i, 'yy', 'b'],
    ),
    ...Array.from({ length: 30 }, (_, i): Command => ['XADD', 's2', `5-${i}`, 'x', 'a']),
  ];
}
