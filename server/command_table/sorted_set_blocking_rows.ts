// Rows of the commands that take members from a sorted set and wait when there are none.
import { bzmpop, bzpopmax, bzpopmin } from '../commands/sorted_sets/blocking_sorted_sets.js';
import { MIN_OR_MAX } from './argument_docs.js';
import type { CommandRow } from './command.js';
import { keyRange } from './key_specs.js';

export const sortedSetBlockingRows: readonly CommandRow[] = [
  {
    name: 'bzpopmin',
    arity: -3,
    flags: ['write', 'noscript', 'blocking', 'fast'],
    categories: ['sortedset'],
    keySpecs: keyRange(['RW', 'access', 'delete'], 1, -2, 1),
    keys: [1, -2, 1],
    summary:
      'Removes and returns the member with the lowest score of the first sorted set that is there, or waits for one.',
    since: '5.0.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) with N being the number of elements in the sorted set.',
    history: [['6.0.0', '`timeout` is interpreted as a double instead of an integer.']],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      { name: 'timeout', type: 'double' },
    ],
    handler: bzpopmin,
  },
  {
    name: 'bzpopmax',
    arity: -3,
    flags: ['write', 'noscript', 'blocking', 'fast'],
    categories: ['sortedset'],
    keySpecs: keyRange(['RW', 'access', 'delete'], 1, -2, 1),
    keys: [1, -2, 1],
    summary:
      'Removes and returns the member with the highest score of the first sorted set that is there, or waits for one.',
    since: '5.0.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) with N being the number of elements in the sorted set.',
    history: [['6.0.0', '`timeout` is interpreted as a double instead of an integer.']],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      { name: 'timeout', type: 'double' },
    ],
    handler: bzpopmax,
  },
  {
    name: 'bzmpop',
    arity: -5,
    flags: ['write', 'blocking', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [
      {
        flags: ['RW', 'access', 'delete'],
        begin: { index: 2 },
        find: { keyNumIndex: 0, firstKey: 1, keyStep: 1 },
      },
    ],
    summary:
      'Removes and returns the first or last members of the first sorted set that is there, or waits for one.',
    since: '7.0.0',
    group: 'sorted-set',
    complexity:
      'O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.',
    arguments: [
      { name: 'timeout', type: 'double' },
      { name: 'numkeys', type: 'integer' },
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      MIN_OR_MAX,
      { name: 'count', type: 'integer', token: 'COUNT', flags: ['optional'] },
    ],
    handler: bzmpop,
  },
];
