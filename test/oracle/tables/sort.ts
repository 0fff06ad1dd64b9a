// SORT and SORT_RO over lists, sets and sorted sets. Weights differ from each other, so that every order is one
// order only; of a set BY nosort there is none, so it is left out. None is beyond a double: Redis then takes
// those that follow for wrong too; so no oddities are added. What GET found has no weights, so it is stored apart.
import type { Arg, Command } from '../../support/raw_client.js';
import type { CommandTable, Generator } from '../generator.js';

export const SORT_KEYS: readonly string[] = ['l1', 'l2', 's1', 's2', 'z1', 'z2', 'string', 'nokey'];

const NUMBERS = ['1', '2', '3', '10', '-5', '2.5', '1e3', '-inf', '0x10', '007'];
const TEXTS = ['a', 'b', 'B', 'abc', 'ab', '', '10', '9', 'c\xff', '\x80'];
/** What names fields of hashes, and what only looks like it. */
const FIELDS = [
  'h_*->f',
  'h_*->g',
  'h_*x->f',
  'h_*->',
  'h_*->f\0',
  'h_*-> f',
  'h_*->f->g',
  '*->f',
  'h_->*',
];
const PATTERNS = [
  'w_*',
  'w_*x',
  '*',
  '#',
  'nosuch_*',
  'w_',
  '*_w',
  'w_*\0*',
  'w_*->f',
  '',
  ...FIELDS,
];

/** Equal to 'a' where texts end at a zero byte: for lists, which have an order of their own. */
const ENDED = ['a\0b', 'a\0a'];

const elements = (g: Generator): string[] => {
  const some = g.random.chance(0.6) ? NUMBERS : TEXTS;
  return g.random.shuffle(some.slice()).slice(0, g.random.between(1, some.length));
};

const ALL = [...NUMBERS, ...TEXTS, ...ENDED];

/** A number that no other weight is, now and then in a form that is hardly one, or none. */
const weight = (g: Generator): string => {
  const number = g.random.between(1000, 1e9);
  if (g.random.chance(0.9)) return `${number}`;
  return g.random.pick([
    `text${number}`,
    ` ${number}`,
    `${number} `,
    `0x${number}p3`,
    `+${number}e0`,
  ]);
};

const pattern = (g: Generator): string => g.random.pick(PATTERNS);

const options = (g: Generator, stores: boolean): Arg[] =>
  g.options([
    [0.4, () => ['ALPHA']],
    [0.4, () => [g.random.pick(['ASC', 'DESC', 'desc'])]],
    [
      0.25,
      () => ['LIMIT', g.random.chance(0.9) ? g.random.between(-2, 8) : g.integer(), g.index()],
    ],
    [0.3, () => ['GET', pattern(g)]],
    [0.2, () => ['GET', '#']],
    [0.25, () => ['BY', g.random.pick(['w_*', 'w_*x', 'h_*->f'])]],
    [stores ? 0.3 : 0.03, () => ['STORE', g.random.pick(['out', 'over'])]],
    [0.02, () => [g.random.pick(['GET', 'LIMIT', 'STORE', 'junk', ''])]],
  ]);

/** BY without '*' on a key that is not a set. */
const unsorted = (g: Generator): Arg[] => [
  g.random.pick(['l1', 'l2', 'z1', 'z2']),
  'BY',
  g.random.pick(['nosort', '#', '', 'w_']),
  ...options(g, true),
];

export const sortCommands: CommandTable = {
  SORT: {
    weight: 12,

    args: (g) => {
      if (g.random.chance(0.05)) return [g.key(), 'ALPHA', 'STORE', g.key()];
      return g.random.chance(0.25) ? unsorted(g) : [g.key(), ...options(g, true)];
    },
  },
  SORT_RO: { weight: 4, args: (g) => [g.key(), ...options(g, false)] },
  RPUSH: {
    weight: 2,
    args: (g) => [
      g.random.pick(['l1', 'l2']),
      ...elements(g),
      ...(g.random.chance(0.2) ? ENDED : []),
    ],
  },
  SADD: { weight: 2, args: (g) => [g.random.pick(['s1', 's2']), ...elements(g)] },
  ZADD: {
    weight: 2,
    args: (g) => [
      g.random.pick(['z1', 'z2']),
      ...elements(g).flatMap((element) => [g.random.below(1000) / 8, element]),
    ],
  },
  SET: { weight: 2, args: (g) => [`w_${g.random.pick(ALL)}`, weight(g)] },
  HSET: { weight: 2, args: (g) => [`h_${g.random.pick(ALL)}`, 'f', weight(g)] },
  LRANGE: { weight: 2, args: (g) => [g.random.pick(['out', 'over', g.key()]), 0, -1] },
  TYPE: (g) => [g.random.pick(['out', 'over', g.key()])],
  SETEX: { weight: 0.3, args: () => ['over', 1_000_000, 'text'] },
  TTL: () => ['over'],
  DEL: (g) => [g.key()],
  'COMMAND GETKEYS': (g) => ['SORT', g.key(), ...options(g, true)],
};

/** Weights that all differ, for every element, and a key of another type. */
export function seedSort(g: Generator): Command[] {
  const weights = g.random.shuffle(ALL.map((_, i) => i * 3 - 20));
  return [
    ['SET', 'string', 'text'],
    ...ALL.flatMap((element, i): Command[] => [
      ['SET', `w_${element}`, weights[i]!],
      ['SET', `w_${element}x`, `${weights[i]!}.5`],
      ['HSET', `h_${element}`, 'f', weights[i]!, 'g', element, ' f', 'blank', 'f->g', 'arrow'],
    ]),
    ['RPUSH', 'l1', ...elements(g)],
    ['SADD', 's1', ...elements(g)],
    ['ZADD', 'z1', 1, 'a', 2, '3', 3, '1'],
  ];
}
