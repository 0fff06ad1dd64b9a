// Rows of the commands that combine sorted sets: union, intersection, difference.
import {
  zdiff,
  zdiffstore,
  zinter,
  zintercard,
  zinterstore,
  zunion,
  zunionstore,
} from '../commands/sorted_sets/sorted_set_algebra.js';
import { WEIGHTS_AND_AGGREGATE } from './argument_docs.js';
import type { CommandRow } from './command.js';
import { countedKeys, keyRange } from './key_specs.js';

export const sortedSetAlgebraRows: readonly CommandRow[] = [
  {
    name: 'zunion',
    arity: -3,
    flags: ['readonly', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: countedKeys(['RO', 'access'], 1),
    summary: 'Returns the union of sorted sets.',
    since: '6.2.0',
    group: 'sorted-set',
    complexity:
      'O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.',
    arguments: [
      { name: 'numkeys', type: 'integer' },
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      ...WEIGHTS_AND_AGGREGATE,
      { name: 'withscores', type: 'pure-token', token: 'WITHSCORES', flags: ['optional'] },
    ],
    handler: zunion,
  },
  {
    name: 'zunionstore',
    arity: -4,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [...keyRange(['OW', 'update'], 1), ...countedKeys(['RO', 'access'], 2)],
    keys: [1, 1, 1],
    summary: 'Stores the union of sorted sets under a key.',
    since: '2.0.0',
    group: 'sorted-set',
    complexity:
      'O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.',
    arguments: [
      { name: 'destination', type: 'key', keySpec: 0 },
      { name: 'numkeys', type: 'integer' },
      { name: 'key', type: 'key', keySpec: 1, flags: ['multiple'] },
      ...WEIGHTS_AND_AGGREGATE,
    ],
    handler: zunionstore,
  },
  {
    name: 'zinter',
    arity: -3,
    flags: ['readonly', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: countedKeys(['RO', 'access'], 1),
    summary: 'Returns the intersection of sorted sets.',
    since: '6.2.0',
    group: 'sorted-set',
    complexity:
      'O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.',
    arguments: [
      { name: 'numkeys', type: 'integer' },
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      ...WEIGHTS_AND_AGGREGATE,
      { name: 'withscores', type: 'pure-token', token: 'WITHSCORES', flags: ['optional'] },
    ],
    handler: zinter,
  },
  {
    name: 'zinterstore',
    arity: -4,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [...keyRange(['OW', 'update'], 1), ...countedKeys(['RO', 'access'], 2)],
    keys: [1, 1, 1],
    summary: 'Stores the intersection of sorted sets under a key.',
    since: '2.0.0',
    group: 'sorted-set',
    complexity:
      'O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.',
    arguments: [
      { name: 'destination', type: 'key', keySpec: 0 },
      { name: 'numkeys', type: 'integer' },
      { name: 'key', type: 'key', keySpec: 1, flags: ['multiple'] },
      ...WEIGHTS_AND_AGGREGATE,
    ],
    handler: zinterstore,
  },
  {
    name: 'zintercard',
    arity: -3,
    flags: ['readonly', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: countedKeys(['RO', 'access'], 1),
    summary: 'Counts the members of the intersection of sorted sets.',
    since: '7.0.0',
    group: 'sorted-set',
    complexity:
      'O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted sets.',
    arguments: [
      { name: 'numkeys', type: 'integer' },
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      { name: 'limit', type: 'integer', token: 'LIMIT', flags: ['optional'] },
    ],
    handler: zintercard,
  },
  {
    name: 'zdiff',
    arity: -3,
    flags: ['readonly', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: countedKeys(['RO', 'access'], 1),
    summary: 'Returns the members of a sorted set that others do not have.',
    since: '6.2.0',
    group: 'sorted-set',
    complexity:
      'O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.',
    arguments: [
      { name: 'numkeys', type: 'integer' },
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      { name: 'withscores', type: 'pure-token', token: 'WITHSCORES', flags: ['optional'] },
    ],
    handler: zdiff,
  },
  {
    name: 'zdiffstore',
    arity: -4,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [...keyRange(['OW', 'update'], 1), ...countedKeys(['RO', 'access'], 2)],
    keys: [1, 1, 1],
    summary: 'Stores the members of a sorted set that others do not have under a key.',
    since: '6.2.0',
    group: 'sorted-set',
    complexity:
      'O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.',
    arguments: [
      { name: 'destination', type: 'key', keySpec: 0 },
      { name: 'numkeys', type: 'integer' },
      { name: 'key', type: 'key', keySpec: 1, flags: ['multiple'] },
    ],
    handler: zdiffstore,
  },
];
