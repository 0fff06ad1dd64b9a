// Rows of the string commands.
import { get, set } from '../commands/strings.js';
import type { CommandRow } from './command.js';
import { keyRange } from './key_specs.js';

export const stringRows: readonly CommandRow[] = [
  {
    name: 'get',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['string'],
    keySpecs: keyRange(['RO', 'access'], 1),
    keys: [1, 1, 1],
    summary: 'Returns the string at a key.',
    since: '1.0.0',
    group: 'string',
    complexity: 'O(1)',
    arguments: [{ name: 'key', type: 'key', keySpec: 0 }],
    handler: get,
  },
  {
    name: 'set',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keySpecs: [
      {
        flags: ['RW', 'access', 'update', 'variable_flags'],
        notes: 'RW and ACCESS due to the optional `GET` argument',
        begin: { index: 1 },
        find: { lastKey: 0, keyStep: 1, limit: 0 },
      },
    ],
    keys: [1, 1, 1],
    summary: 'Sets a key to a string, whatever it held before, unless a condition says otherwise.',
    since: '1.0.0',
    group: 'string',
    complexity: 'O(1)',
    history: [
      ['2.6.12', 'Added the `EX`, `PX`, `NX` and `XX` options.'],
      ['6.0.0', 'Added the `KEEPTTL` option.'],
      ['6.2.0', 'Added the `GET`, `EXAT` and `PXAT` option.'],
      ['7.0.0', 'Allowed the `NX` and `GET` options to be used together.'],
    ],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'value', type: 'string' },
      {
        name: 'condition',
        type: 'oneof',
        since: '2.6.12',
        flags: ['optional'],
        arguments: [
          { name: 'nx', type: 'pure-token', token: 'NX' },
          { name: 'xx', type: 'pure-token', token: 'XX' },
        ],
      },
      { name: 'get', type: 'pure-token', token: 'GET', since: '6.2.0', flags: ['optional'] },
      {
        name: 'expiration',
        type: 'oneof',
        flags: ['optional'],
        arguments: [
          { name: 'seconds', type: 'integer', token: 'EX', since: '2.6.12' },
          { name: 'milliseconds', type: 'integer', token: 'PX', since: '2.6.12' },
          { name: 'unix-time-seconds', type: 'unix-time', token: 'EXAT', since: '6.2.0' },
          { name: 'unix-time-milliseconds', type: 'unix-time', token: 'PXAT', since: '6.2.0' },
          { name: 'keepttl', type: 'pure-token', token: 'KEEPTTL', since: '6.0.0' },
        ],
      },
    ],
    handler: set,
  },
];
