// Rows of the commands that move elements between lists, take them from the first of several, or wait for them.
import { blmove, blmpop, blpop, brpop, brpoplpush } from '../commands/lists/blocking_lists.js';
import { lmove, lmpop, rpoplpush } from '../commands/lists/list_moves.js';
import type { ArgumentDoc, CommandRow, KeySpec } from './command.js';
import { countedKeys, keyRange } from './key_specs.js';

/** Source and destination of a move. */
const MOVE_KEYS: readonly KeySpec[] = [
  ...keyRange(['RW', 'access', 'delete'], 1),
  ...keyRange(['RW', 'insert'], 2),
];

/** Which end of a list: LEFT or RIGHT. */
function end(name: string): ArgumentDoc {
  return {
    name,
    type: 'oneof',
    arguments: [
      { name: 'left', type: 'pure-token', token: 'LEFT' },
      { name: 'right', type: 'pure-token', token: 'RIGHT' },
    ],
  };
}

export const listMoveRows: readonly CommandRow[] = [
  {
    name: 'lmove',
    arity: 5,
    flags: ['write', 'denyoom'],
    categories: ['list'],
    keySpecs: MOVE_KEYS,
    keys: [1, 2, 1],
    summary: 'Moves an element from one end of a list to one of another list.',
    since: '6.2.0',
    group: 'list',
    complexity: 'O(1)',
    arguments: [
      { name: 'source', type: 'key', keySpec: 0 },
      { name: 'destination', type: 'key', keySpec: 1 },
      end('wherefrom'),
      end('whereto'),
    ],
    handler: lmove,
  },
  {
    name: 'rpoplpush',
    arity: 3,
    flags: ['write', 'denyoom'],
    categories: ['list'],
    keySpecs: MOVE_KEYS,
    keys: [1, 2, 1],
    summary: 'Moves the last element of a list to the head of another.',
    since: '1.2.0',
    group: 'list',
    complexity: 'O(1)',
    deprecated: { since: '6.2.0', replacedBy: '`LMOVE` with the `RIGHT` and `LEFT` arguments' },
    arguments: [
      { name: 'source', type: 'key', keySpec: 0 },
      { name: 'destination', type: 'key', keySpec: 1 },
    ],
    handler: rpoplpush,
  },
  {
    name: 'lmpop',
    arity: -4,
    flags: ['write', 'movablekeys'],
    categories: ['list'],
    keySpecs: countedKeys(['RW', 'access', 'delete'], 1),
    summary: 'Removes and returns elements of the first list that has any.',
    since: '7.0.0',
    group: 'list',
    complexity: 'O(N+M) for N keys and M elements returned.',
    arguments: [
      { name: 'numkeys', type: 'integer' },
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      end('where'),
      { name: 'count', type: 'integer', token: 'COUNT', flags: ['optional'] },
    ],
    handler: lmpop,
  },
  {
    name: 'blpop',
    arity: -3,
    flags: ['write', 'noscript', 'blocking'],
    categories: ['list'],
    keySpecs: keyRange(['RW', 'access', 'delete'], 1, -2),
    keys: [1, -2, 1],
    summary: 'LPOP of the first list that has elements; waits until one has.',
    since: '2.0.0',
    group: 'list',
    complexity: 'O(N) for N keys.',
    history: [['6.0.0', '`timeout` is interpreted as a double instead of an integer.']],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      { name: 'timeout', type: 'double' },
    ],
    handler: blpop,
  },
  {
    name: 'brpop',
    arity: -3,
    flags: ['write', 'noscript', 'blocking'],
    categories: ['list'],
    keySpecs: keyRange(['RW', 'access', 'delete'], 1, -2),
    keys: [1, -2, 1],
    summary: 'RPOP of the first list that has elements; waits until one has.',
    since: '2.0.0',
    group: 'list',
    complexity: 'O(N) for N keys.',
    history: [['6.0.0', '`timeout` is interpreted as a double instead of an integer.']],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      { name: 'timeout', type: 'double' },
    ],
    handler: brpop,
  },
  {
    name: 'blmove',
    arity: 6,
    flags: ['write', 'denyoom', 'noscript', 'blocking'],
    categories: ['list'],
    keySpecs: MOVE_KEYS,
    keys: [1, 2, 1],
    summary: 'LMOVE; waits until there is an element.',
    since: '6.2.0',
    group: 'list',
    complexity: 'O(1)',
    arguments: [
      { name: 'source', type: 'key', keySpec: 0 },
      { name: 'destination', type: 'key', keySpec: 1 },
      end('wherefrom'),
      end('whereto'),
      { name: 'timeout', type: 'double' },
    ],
    handler: blmove,
  },
  {
    name: 'brpoplpush',
    arity: 4,
    flags: ['write', 'denyoom', 'noscript', 'blocking'],
    categories: ['list'],
    keySpecs: MOVE_KEYS,
    keys: [1, 2, 1],
    summary: 'RPOPLPUSH; waits until there is an element.',
    since: '2.2.0',
    group: 'list',
    complexity: 'O(1)',
    deprecated: { since: '6.2.0', replacedBy: '`BLMOVE` with the `RIGHT` and `LEFT` arguments' },
    history: [['6.0.0', '`timeout` is interpreted as a double instead of an integer.']],
    arguments: [
      { name: 'source', type: 'key', keySpec: 0 },
      { name: 'destination', type: 'key', keySpec: 1 },
      { name: 'timeout', type: 'double' },
    ],
    handler: brpoplpush,
  },
  {
    name: 'blmpop',
    arity: -5,
    flags: ['write', 'blocking', 'movablekeys'],
    categories: ['list'],
    keySpecs: countedKeys(['RW', 'access', 'delete'], 2),
    summary: 'LMPOP; waits until one of the lists has elements.',
    since: '7.0.0',
    group: 'list',
    complexity: 'O(N+M) for N keys and M elements returned.',
    arguments: [
      { name: 'timeout', type: 'double' },
      { name: 'numkeys', type: 'integer' },
      { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
      end('where'),
      { name: 'count', type: 'integer', token: 'COUNT', flags: ['optional'] },
    ],
    handler: blmpop,
  },
];
