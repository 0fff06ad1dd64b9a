// Rows of the commands on streams, but for consumer groups.
import { xinfoHelp, xinfoStream } from '../commands/streams/stream_info.js';
import { xread } from '../commands/streams/stream_reading.js';
import { xadd, xdel, xlen, xrange, xrevrange, xsetid, xtrim } from '../commands/streams/streams.js';
import { FIELDS_AND_VALUES } from './argument_docs.js';
import { type ArgumentDoc, type CommandRow, containerHandler } from './command.js';
import { keyRange, streamKeys } from './key_specs.js';
import { xinfoGroupRows } from './stream_group_rows.js';

/** MAXLEN | MINID [= | ~] threshold [LIMIT count] */
const TRIM: readonly ArgumentDoc[] = [
  {
    name: 'strategy',
    type: 'oneof',
    arguments: [
      { name: 'maxlen', type: 'pure-token', token: 'MAXLEN' },
      { name: 'minid', type: 'pure-token', token: 'MINID', since: '6.2.0' },
    ],
  },
  {
    name: 'operator',
    type: 'oneof',
    flags: ['optional'],
    arguments: [
      { name: 'equal', type: 'pure-token', token: '=' },
      { name: 'approximately', type: 'pure-token', token: '~' },
    ],
  },
  { name: 'threshold', type: 'string' },
  { name: 'count', type: 'integer', token: 'LIMIT', since: '6.2.0', flags: ['optional'] },
];

const KEY: ArgumentDoc = { name: 'key', type: 'key', keySpec: 0 };
const COUNT: ArgumentDoc = {
  name: 'count',
  type: 'integer',
  token: 'COUNT',
  flags: ['optional'],
};

const RANGE_COMPLEXITY =
  'O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).';

export const streamRows: readonly CommandRow[] = [
  {
    name: 'xadd',
    arity: -5,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['stream'],
    tips: ['nondeterministic_output'],
    keySpecs: [
      {
        notes: 'UPDATE instead of INSERT because of the optional trimming feature',
        flags: ['RW', 'update'],
        begin: { index: 1 },
        find: { lastKey: 0, keyStep: 1, limit: 0 },
      },
    ],
    keys: [1, 1, 1],
    summary: 'Adds an entry to the end of a stream, and trims its front if asked to.',
    since: '5.0.0',
    group: 'stream',
    complexity:
      'O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.',
    history: [
      ['6.2.0', 'Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option.'],
      ['7.0.0', 'Added support for the `<ms>-*` explicit ID form.'],
    ],
    arguments: [
      KEY,
      {
        name: 'nomkstream',
        type: 'pure-token',
        token: 'NOMKSTREAM',
        since: '6.2.0',
        flags: ['optional'],
      },
      { name: 'trim', type: 'block', flags: ['optional'], arguments: TRIM },
      {
        name: 'id_or_auto',
        type: 'oneof',
        arguments: [
          { name: 'auto_id', type: 'pure-token', token: '*' },
          { name: 'id', type: 'string' },
        ],
      },
      FIELDS_AND_VALUES,
    ],
    handler: xadd,
  },
  {
    name: 'xlen',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['stream'],
    keySpecs: keyRange(['RO'], 1),
    keys: [1, 1, 1],
    summary: 'Returns the number of entries of a stream.',
    since: '5.0.0',
    group: 'stream',
    complexity: 'O(1)',
    arguments: [KEY],
    handler: xlen,
  },
  {
    name: 'xrange',
    arity: -4,
    flags: ['readonly'],
    categories: ['stream'],
    keySpecs: keyRange(['RO', 'access'], 1),
    keys: [1, 1, 1],
    summary: 'Returns the entries of a stream from one id to another.',
    since: '5.0.0',
    group: 'stream',
    complexity: RANGE_COMPLEXITY,
    history: [['6.2.0', 'Added exclusive ranges.']],
    arguments: [KEY, { name: 'start', type: 'string' }, { name: 'end', type: 'string' }, COUNT],
    handler: xrange,
  },
  {
    name: 'xrevrange',
    arity: -4,
    flags: ['readonly'],
    categories: ['stream'],
    keySpecs: keyRange(['RO', 'access'], 1),
    keys: [1, 1, 1],
    summary: 'Returns the entries of a stream from one id down to another.',
    since: '5.0.0',
    group: 'stream',
    complexity: RANGE_COMPLEXITY,
    history: [['6.2.0', 'Added exclusive ranges.']],
    arguments: [KEY, { name: 'end', type: 'string' }, { name: 'start', type: 'string' }, COUNT],
    handler: xrevrange,
  },
  {
    name: 'xdel',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['stream'],
    keySpecs: keyRange(['RW', 'delete'], 1),
    keys: [1, 1, 1],
    summary: 'Deletes entries of a stream and returns how many there were.',
    since: '5.0.0',
    group: 'stream',
    complexity: 'O(1) for each single item to delete in the stream, regardless of the stream size.',
    arguments: [KEY, { name: 'id', type: 'string', flags: ['multiple'] }],
    handler: xdel,
  },
  {
    name: 'xtrim',
    arity: -4,
    flags: ['write'],
    categories: ['stream'],
    tips: ['nondeterministic_output'],
    keySpecs: keyRange(['RW', 'delete'], 1),
    keys: [1, 1, 1],
    summary: 'Deletes the first entries of a stream, to a length or an id.',
    since: '5.0.0',
    group: 'stream',
    complexity:
      'O(N), with N being the number of evicted entries. Constant times are very small however, since entries are organized in macro nodes containing multiple entries that can be released with a single deallocation.',
    history: [['6.2.0', 'Added the `MINID` trimming strategy and the `LIMIT` option.']],
    arguments: [KEY, { name: 'trim', type: 'block', arguments: TRIM }],
    handler: xtrim,
  },
  {
    name: 'xsetid',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['stream'],
    keySpecs: keyRange(['RW', 'update'], 1),
    keys: [1, 1, 1],
    summary: 'Sets the last id of a stream, and what else a copy of it needs.',
    since: '5.0.0',
    group: 'stream',
    complexity: 'O(1)',
    history: [['7.0.0', 'Added the `entries_added` and `max_deleted_entry_id` arguments.']],
    arguments: [
      KEY,
      { name: 'last-id', type: 'string' },
      {
        name: 'entries_added',
        type: 'integer',
        token: 'ENTRIESADDED',
        since: '7.0.0',
        flags: ['optional'],
      },
      {
        name: 'max_deleted_entry_id',
        type: 'string',
        token: 'MAXDELETEDID',
        since: '7.0.0',
        flags: ['optional'],
      },
    ],
    handler: xsetid,
  },
  {
    name: 'xread',
    arity: -4,
    flags: ['readonly', 'blocking', 'movablekeys'],
    categories: ['stream'],
    keySpecs: streamKeys(1),
    summary: 'Returns the entries of streams behind the given ids, or waits for some.',
    since: '5.0.0',
    group: 'stream',
    complexity:
      'For each stream mentioned: O(N) with N being the number of elements being returned, it means that XREAD-ing with a fixed COUNT is O(1). Note that when the BLOCK option is used, XADD will pay O(M) time in order to serve the M clients blocked on the stream getting new data.',
    arguments: [
      COUNT,
      { name: 'milliseconds', type: 'integer', token: 'BLOCK', flags: ['optional'] },
      {
        name: 'streams',
        type: 'block',
        token: 'STREAMS',
        arguments: [
          { name: 'key', type: 'key', keySpec: 0, flags: ['multiple'] },
          { name: 'id', type: 'string', flags: ['multiple'] },
        ],
      },
    ],
    handler: xread,
  },
  {
    name: 'xinfo',
    arity: -2,
    flags: [],
    categories: [],
    summary: 'Tells what streams are made of.',
    since: '5.0.0',
    group: 'stream',
    complexity: 'That of the subcommand.',
    handler: containerHandler,
    subcommands: [
      ...xinfoGroupRows,
      {
        name: 'stream',
        arity: -3,
        flags: ['readonly'],
        categories: ['stream'],
        keySpecs: keyRange(['RO', 'access'], 2),
        keys: [2, 2, 1],
        summary: 'Describes a stream.',
        since: '5.0.0',
        group: 'stream',
        complexity: 'O(N) for N nodes of the stream, at most 4096.',
        history: [
          ['6.0.0', 'Added the `FULL` modifier.'],
          [
            '7.0.0',
            'Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag` fields',
          ],
        ],
        arguments: [
          KEY,
          {
            name: 'full',
            type: 'block',
            token: 'FULL',
            flags: ['optional'],
            arguments: [COUNT],
          },
        ],
        handler: xinfoStream,
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['stream'],
        summary: 'Explains the subcommands.',
        since: '5.0.0',
        group: 'stream',
        complexity: 'O(1)',
        handler: xinfoHelp,
      },
    ],
  },
];
