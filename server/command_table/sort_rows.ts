// Rows of SORT and SORT_RO.
import { sort, sortReadOnly } from '../commands/keys/sort.js';
import { LIMIT, ORDER } from './argument_docs.js';
import type { ArgumentDoc, CommandRow, KeySpec } from './command.js';
import { keyRange, sortDestination } from './key_specs.js';

const KEY: readonly KeySpec[] = [
  ...keyRange(['RO', 'access'], 1),
  {
    flags: ['RO', 'access'],
    notes:
      "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive " +
      'from the content of the key we sort',
    begin: 'unknown',
    find: 'unknown',
  },
];

const DESTINATION: KeySpec = {
  flags: ['OW', 'update'],
  notes:
    "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear " +
    'anywhere in the argument array',
  begin: 'unknown',
  find: 'unknown',
  locate: sortDestination,
};

const COMPLEXITY =
  'O(N+M*log(M)) for N elements of which M are returned, and O(N) when they are not sorted.';

const ARGUMENTS: readonly ArgumentDoc[] = [
  { name: 'key', type: 'key', keySpec: 0 },
  { name: 'pattern', type: 'pattern', keySpec: 1, token: 'BY', flags: ['optional'] },
  LIMIT,
  {
    name: 'pattern',
    type: 'pattern',
    keySpec: 1,
    token: 'GET',
    flags: ['optional', 'multiple', 'multiple_token'],
  },
  ORDER,
  { name: 'sorting', type: 'pure-token', token: 'ALPHA', flags: ['optional'] },
];

export const sortRows: readonly CommandRow[] = [
  {
    name: 'sort',
    arity: -2,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['set', 'sortedset', 'list', 'dangerous'],
    keySpecs: [...KEY, DESTINATION],
    keys: [1, 1, 1],
    summary:
      'Sorts the elements of a list, a set or a sorted set, and replies or stores the result.',
    since: '1.0.0',
    group: 'generic',
    complexity: COMPLEXITY,
    arguments: [
      ...ARGUMENTS,
      { name: 'destination', type: 'key', keySpec: 2, token: 'STORE', flags: ['optional'] },
    ],
    handler: sort,
  },
  {
    name: 'sort_ro',
    arity: -2,
    flags: ['readonly', 'movablekeys'],
    categories: ['set', 'sortedset', 'list', 'dangerous'],
    keySpecs: KEY,
    keys: [1, 1, 1],
    summary: 'Sorts the elements of a list, a set or a sorted set, and replies the result.',
    since: '7.0.0',
    group: 'generic',
    complexity: COMPLEXITY,
    arguments: ARGUMENTS,
    handler: sortReadOnly,
  },
];
