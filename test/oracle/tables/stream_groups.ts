// Consumer groups: groups and consumers that come and go, entries delivered, claimed and acknowledged, entries
// deleted under them. Times differ between the servers by some milliseconds, so entries are made idle for a long
// time or are fresh.
import type { Arg, Command } from '../../support/raw_client.js';
import { type CommandTable, type Generator, ODD_NUMBERS } from '../generator.js';

const STREAMS = ['s1', 's2'];
export const GROUP_KEYS: readonly string[] = [...STREAMS, 'new', 'str', 'none'];
const GROUPS = ['g1', 'g2', 'G', ''];
const CONSUMERS = ['alice', 'bob', 'carol', 'a', '\xff\x00'];
const ID_MAX = '18446744073709551615-18446744073709551615';

const key = (g: Generator): string =>
  g.random.chance(0.95) ? g.random.pick(STREAMS) : g.random.pick(['str', 'none', 'new']);
const group = (g: Generator): string =>
  g.random.chance(0.6) ? 'g1' : g.random.pick([...GROUPS, 'nosuch']);
const consumer = (g: Generator): string => g.random.pick(CONSUMERS);

/** Ids of entries that are likely to be there. */
function id(g: Generator): Arg {
  const r = g.random;
  if (r.chance(0.02)) return r.pick([...ODD_NUMBERS, '-', '+', '0-0', ID_MAX, '$', '>', '5-']);
  return r.chance(0.7) ? String(r.below(70)) : `${r.below(70)}-${r.below(4)}`;
}

const ids = (g: Generator, most: number): Arg[] =>
  Array.from({ length: g.random.between(1, most) }, () => id(g));

const bound = (g: Generator): Arg => {
  const r = g.random;
  if (r.chance(0.4)) return r.pick(['-', '+']);
  return r.chance(0.2) ? `(${id(g)}` : id(g);
};

const number = (g: Generator, choices: readonly Arg[]): Arg =>
  g.random.chance(0.97) ? g.random.pick(choices) : g.random.pick(ODD_NUMBERS);

/** Milliseconds: entries are fresh or idle for 100 s and more. */
const idle = (g: Generator): Arg => number(g, [0, 0, 0, 50_000, 500_000, -5]);
const count = (g: Generator): Arg[] =>
  g.random.chance(0.5) ? ['COUNT', number(g, [0, 1, 2, 3, 10, -1])] : [];
const entriesRead = (g: Generator): Arg[] =>
  g.random.chance(0.2)
    ? ['ENTRIESREAD', number(g, [0, 3, 10, 50, -1, -2, '9223372036854775807'])]
    : [];

function reads(g: Generator): Arg[] {
  const r = g.random;
  const keys = Array.from({ length: r.pick([1, 1, 1, 2, 3]) }, () => key(g));
  const known = keys.map(() => (r.chance(0.6) ? '>' : r.chance(0.5) ? '0' : id(g)));
  const words: Arg[] = [
    ...(r.chance(0.99) ? ['GROUP', group(g), consumer(g)] : []),
    ...count(g),
    ...g.options([
      [0.1, () => ['NOACK']],
      [0.01, () => ['junk']],
    ]),
    'STREAMS',
    ...keys,
    ...known,
  ];
  return r.chance(0.02) ? words.slice(0, -1) : words;
}

export function groupCommands(): CommandTable {
  let next = 60;
  return {
    XADD: {
      weight: 5,
      args: (g) => {
        next += g.random.pick([0, 1, 1, 2]);
        const own = g.random.chance(0.8) ? `${next}-*` : id(g);
        return [key(g), ...(g.random.chance(0.1) ? ['MAXLEN', 20] : []), own, 'f', next];
      },
    },
    XDEL: { weight: 2, args: (g) => [key(g), ...ids(g, 4)] },
    XTRIM: { weight: 0.5, args: (g) => [key(g), 'MAXLEN', g.random.below(30)] },
    XSETID: { weight: 0.2, args: (g) => [key(g), `${next + 1}-0`] },
    'XGROUP CREATE': {
      weight: 2,
      args: (g) => [
        g.random.chance(0.9) ? key(g) : 'new',
        g.random.chance(0.5) ? 'g1' : g.random.pick(GROUPS),
        g.random.chance(0.5) ? g.random.pick(['$', '0']) : id(g),
        ...g.options([
          [0.3, () => ['MKSTREAM']],
          [1, () => entriesRead(g)],
          [0.01, () => ['junk']],
        ]),
      ],
    },
    'XGROUP SETID': {
      weight: 1,
      args: (g) => [
        key(g),
        group(g),
        g.random.chance(0.4) ? g.random.pick(['$', '0', '-', '+']) : id(g),
        ...entriesRead(g),
      ],
    },
    'XGROUP DESTROY': { weight: 0.3, args: (g) => [key(g), group(g)] },
    'XGROUP CREATECONSUMER': { weight: 1, args: (g) => [key(g), group(g), consumer(g)] },
    'XGROUP DELCONSUMER': { weight: 0.4, args: (g) => [key(g), group(g), consumer(g)] },
    XREADGROUP: { weight: 10, args: reads },
    'XREADGROUP GROUP': {
      weight: 0.2,
      odd: false,
      args: (g) => ['g1', consumer(g), 'BLOCK', 1, 'STREAMS', g.random.pick(STREAMS), '>'],
    },
    XACK: { weight: 3, args: (g) => [key(g), group(g), ...ids(g, 5)] },
    XPENDING: {
      weight: 3,
      args: (g) => [
        key(g),
        group(g),
        ...g.options([
          [
            0.7,
            () => [
              ...g.options([[0.3, () => ['IDLE', idle(g)]]]),
              bound(g),
              bound(g),
              number(g, [0, 1, 5, 100, -1]),
              ...g.options([[0.3, () => [consumer(g)]]]),
            ],
          ],
          [0.01, () => ['junk']],
        ]),
      ],
    },
    XCLAIM: {
      weight: 4,
      args: (g) => [
        key(g),
        group(g),
        consumer(g),
        idle(g),
        ...ids(g, 5),
        ...g.options([
          [0.3, () => ['IDLE', number(g, [100_000, 1_000_000, 0, -100, -1])]],
          [0.1, () => ['TIME', number(g, [1_600_000_000_000, 0, -1, 9_000_000_000_000])]],
          [0.2, () => ['RETRYCOUNT', number(g, [0, 1, 7, '9223372036854775807', -3])]],
          [0.3, () => ['FORCE']],
          [0.3, () => ['JUSTID']],
          [0.1, () => ['LASTID', id(g)]],
          [0.01, () => ['junk']],
        ]),
      ],
    },
    XAUTOCLAIM: {
      weight: 3,
      args: (g) => [
        key(g),
        group(g),
        consumer(g),
        idle(g),
        bound(g),
        ...g.options([
          [0.4, () => ['COUNT', number(g, [1, 2, 5, 0, -1])]],
          [0.3, () => ['JUSTID']],
          [0.01, () => ['junk']],
        ]),
      ],
    },
    'XINFO GROUPS': { weight: 4, args: (g) => [key(g)] },
    'XINFO CONSUMERS': { weight: 3, args: (g) => [key(g), group(g)] },
    'XINFO STREAM': {
      weight: 3,
      args: (g) => [key(g), ...g.options([[0.7, () => ['FULL', ...count(g)]]])],
    },
    // What holds for every type.
    DEL: { weight: 0.1, args: (g) => [g.key()] },
    COPY: { weight: 0.4, args: (g) => [g.random.pick(STREAMS), g.random.pick(STREAMS), 'REPLACE'] },
    RENAME: { weight: 0.2, args: (g) => [g.random.pick(STREAMS), g.random.pick(STREAMS)] },
    'MEMORY USAGE': { weight: 0.3, args: (g) => [g.key()] },
  };
}

export function seedGroups(): Command[] {
  return [
    ['SET', 'str', 'text'],
    ...STREAMS.flatMap((stream): Command[] => [
      ...Array.from({ length: 60 }, (_, i): Command => ['XADD', stream, `${i}-1`, 'f', i]),
      ['XGROUP', 'CREATE', stream, 'g1', 0],
      ['XREADGROUP', 'GROUP', 'g1', 'alice', 'COUNT', 20, 'STREAMS', stream, '>'],
    ]),
  ];
}
