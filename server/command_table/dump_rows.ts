// Rows of DUMP and RESTORE.
import { dump, restore } from '../commands/keys/dump.js';
import type { CommandRow } from './command.js';
import { keyRange } from './key_specs.js';

export const dumpRows: readonly CommandRow[] = [
  {
    name: 'dump',
    arity: 2,
    flags: ['readonly'],
    categories: ['keyspace'],
    tips: ['nondeterministic_output'],
    keySpecs: keyRange(['RO', 'access'], 1),
    keys: [1, 1, 1],
    summary: 'Returns a value as bytes that RESTORE makes a value of again.',
    since: '2.6.0',
    group: 'generic',
    complexity: 'O(N) for a value of N bytes.',
    arguments: [{ name: 'key', type: 'key', keySpec: 0 }],
    handler: dump,
  },
  {
    name: 'restore',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['keyspace', 'dangerous'],
    keySpecs: keyRange(['OW', 'update'], 1),
    keys: [1, 1, 1],
    summary: 'Makes a key of the bytes that DUMP returned.',
    since: '2.6.0',
    group: 'generic',
    complexity: 'O(N) for a value of N bytes; a large sorted set of M members O(N + M*log(M)).',
    history: [
      ['3.0.0', 'Added the `REPLACE` modifier.'],
      ['5.0.0', 'Added the `ABSTTL` modifier.'],
      ['5.0.0', 'Added the `IDLETIME` and `FREQ` options.'],
    ],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'ttl', type: 'integer' },
      { name: 'serialized-value', type: 'string' },
      {
        name: 'replace',
        type: 'pure-token',
        token: 'REPLACE',
        since: '3.0.0',
        flags: ['optional'],
      },
      { name: 'absttl', type: 'pure-token', token: 'ABSTTL', since: '5.0.0', flags: ['optional'] },
      { name: 'seconds', type: 'integer', token: 'IDLETIME', since: '5.0.0', flags: ['optional'] },
      { name: 'frequency', type: 'integer', token: 'FREQ', since: '5.0.0', flags: ['optional'] },
    ],
    handler: restore,
  },
];
