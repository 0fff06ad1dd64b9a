// Rows of the commands on whole databases.
import { dbsize, flushall, flushdb, select, swapdb } from '../commands/keys/databases.js';
import type { ArgumentDoc, CommandRow } from './command.js';

const flushHistory = [
  ['4.0.0', 'Added the `ASYNC` flushing mode modifier.'],
  ['6.2.0', 'Added the `SYNC` flushing mode modifier.'],
] as const;

const flushArguments: readonly ArgumentDoc[] = [
  {
    name: 'async',
    type: 'oneof',
    flags: ['optional'],
    arguments: [
      { name: 'async', type: 'pure-token', token: 'ASYNC', since: '4.0.0' },
      { name: 'sync', type: 'pure-token', token: 'SYNC', since: '6.2.0' },
    ],
  },
];

export const databaseRows: readonly CommandRow[] = [
  {
    name: 'select',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    categories: ['connection'],
    summary: 'Chooses the database of the connection.',
    since: '1.0.0',
    group: 'connection',
    complexity: 'O(1)',
    arguments: [{ name: 'index', type: 'integer' }],
    handler: select,
  },
  {
    name: 'dbsize',
    arity: 1,
    flags: ['readonly', 'fast'],
    categories: ['keyspace'],
    tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
    summary: 'Counts the keys of the database.',
    since: '1.0.0',
    group: 'server',
    complexity: 'O(1)',
    handler: dbsize,
  },
  {
    name: 'flushdb',
    arity: -1,
    flags: ['write'],
    categories: ['keyspace', 'dangerous'],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    summary: 'Removes all keys of the database.',
    since: '1.0.0',
    group: 'server',
    complexity: 'O(N) for N keys in the database; O(1) when no other database holds keys.',
    history: flushHistory,
    arguments: flushArguments,
    handler: flushdb,
  },
  {
    name: 'flushall',
    arity: -1,
    flags: ['write'],
    categories: ['keyspace', 'dangerous'],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    summary: 'Removes all keys of all databases.',
    since: '1.0.0',
    group: 'server',
    complexity: 'O(1): about a microsecond for each 2 MiB in use.',
    history: flushHistory,
    arguments: flushArguments,
    handler: flushall,
  },
  {
    name: 'swapdb',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['keyspace', 'dangerous'],
    summary: 'Exchanges the contents of two databases.',
    since: '4.0.0',
    group: 'server',
    complexity: 'O(N) for N clients that watch keys.',
    arguments: [
      { name: 'index1', type: 'integer' },
      { name: 'index2', type: 'integer' },
    ],
    handler: swapdb,
  },
];
