// Rows of the HyperLogLog commands.
import { pfselftest } from '../commands/hyperloglogs/hyperloglog_self_test.js';
import { pfadd, pfcount, pfdebug, pfmerge } from '../commands/hyperloglogs/hyperloglogs.js';
import type { CommandRow } from './command.js';
import { keyRange } from './key_specs.js';

export const hyperLogLogRows: readonly CommandRow[] = [
  {
    name: 'pfadd',
    arity: -2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hyperloglog'],
    keySpecs: keyRange(['RW', 'insert'], 1),
    keys: [1, 1, 1],
    summary: 'Adds elements to a HyperLogLog, which is made if the key is not there.',
    since: '2.8.9',
    group: 'hyperloglog',
    complexity: 'O(1) to add every element.',
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'element', type: 'string', flags: ['optional', 'multiple'] },
    ],
    handler: pfadd,
  },
  {
    name: 'pfcount',
    arity: -2,
    flags: ['readonly'],
    categories: ['hyperloglog'],
    keySpecs: [
      {
        flags: ['RW', 'access'],
        notes:
          'RW because it may change the internal representation of the key, and propagate to replicas',
        begin: { index: 1 },
        find: { lastKey: -1, keyStep: 1, limit: 0 },
      },
    ],
    keys: [1, -1, 1],
    summary: 'Estimates how many distinct elements HyperLogLogs have seen together.',
    since: '2.8.9',
    group: 'hyperloglog',
    complexity: 'O(1) for one key whose estimate is cached, O(N) for N keys.',
    arguments: [{ name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] }],
    handler: pfcount,
  },
  {
    name: 'pfmerge',
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['hyperloglog'],
    keySpecs: [...keyRange(['RW', 'access', 'insert'], 1), ...keyRange(['RO', 'access'], 2, -1)],
    keys: [1, -1, 1],
    summary: 'Merges HyperLogLogs into the one at the first key.',
    since: '2.8.9',
    group: 'hyperloglog',
    complexity: 'O(N) to merge N HyperLogLogs.',
    arguments: [
      { name: 'destkey', type: 'key', keySpec: 0 },
      { name: 'sourcekey', type: 'key', keySpec: 1, flags: ['multiple'] },
    ],
    handler: pfmerge,
  },
  {
    name: 'pfdebug',
    arity: 3,
    flags: ['write', 'denyoom', 'admin'],
    categories: ['hyperloglog'],
    keySpecs: keyRange(['RW', 'access'], 2),
    keys: [2, 2, 1],
    summary: 'Shows or converts the representation of a HyperLogLog.',
    since: '2.8.9',
    group: 'hyperloglog',
    complexity: 'N/A',
    isSystem: true,
    arguments: [
      { name: 'subcommand', type: 'string' },
      { name: 'key', type: 'key', keySpec: 0 },
    ],
    handler: pfdebug,
  },
  {
    name: 'pfselftest',
    arity: 1,
    flags: ['admin'],
    categories: ['hyperloglog'],
    summary: 'Tests the implementation of HyperLogLog.',
    since: '2.8.9',
    group: 'hyperloglog',
    complexity: 'N/A',
    isSystem: true,
    handler: pfselftest,
  },
];
