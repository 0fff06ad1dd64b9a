// Every option, one row each: what it accepts, what it is by default, when it may change.
//
// The type ServerConfig is derived from this table, so an option is declared once: a new row gives
// the field, the command line option, the redis.conf directive, CONFIG GET, SET and REWRITE, and
// its line in --help. Names, defaults and bounds are those of Redis 7.0 where the option is its;
// the text `about` says where Stillframe differs.
import { resolve } from 'node:path';
import {
  ARENA_BYTES_MAX,
  ARENA_BYTES_MIN,
  DATABASES_MAX,
  EXTENT_BYTES,
} from '../../storage/memory/layout.js';
import { outputBufferLimits, savePoints } from './list_types.js';
import { defaultArenaBytes, machineBytes } from './machine.js';
import {
  clamped,
  integer,
  memory,
  type OptionType,
  octalMode,
  oneOf,
  onlySupported,
  text,
  UNBOUNDED,
  words,
  yesNo,
} from './option_types.js';

/** What must be told about a change made with CONFIG SET; the owner of the part registers it. */
export type ApplyKey =
  | 'bulk length'
  | 'hz'
  | 'list nodes'
  | 'listeners'
  | 'log'
  | 'maxclients'
  | 'maxmemory'
  | 'password';

/** When CONFIG SET may change an option. `protected` has its own reply in Redis: where files go. */
export type Changes = 'while running' | 'at start' | 'protected';

interface Traits {
  readonly changes: Changes;
  readonly apply: ApplyKey | null;
  /** Other names of the option. They work everywhere the name does. */
  readonly aliases: readonly string[];
  /** For one start: refused in a file, where it would act on every start, and never rewritten. */
  readonly commandLineOnly: boolean;
}

export interface OptionRow<T> extends Traits {
  readonly type: OptionType<T>;
  readonly initial: T;
  /** The meaning, for --help: one sentence or two without a full stop at the end. */
  readonly about: string;
}

const TRAITS: Traits = {
  changes: 'while running',
  apply: null,
  aliases: [],
  commandLineOnly: false,
};
const AT_START: Partial<Traits> = { changes: 'at start' };

function option<T>(
  type: OptionType<T>,
  initial: NoInfer<T>,
  about: string,
  traits: Partial<Traits> = {},
): OptionRow<T> {
  return { ...TRAITS, ...traits, type, initial, about };
}

const MB = 2 ** 20;
const GB = 2 ** 30;
const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
const UINT32_MAX = 2 ** 32 - 1;

const EVICTION_POLICIES = [
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'noeviction',
] as const;

const noEviction = onlySupported(
  oneOf(EVICTION_POLICIES),
  (policy) => policy === 'noeviction',
  'noeviction',
  'this version evicts no keys, so noeviction is the only policy',
);
const noAppendOnly = onlySupported(
  yesNo(),
  (value) => !value,
  'no',
  'this version has no append-only log; checkpoints are its persistence',
);
const noDaemon = onlySupported(
  yesNo(),
  (value) => !value,
  'no',
  'the server stays in the foreground; let systemd or a supervisor start it',
);

const LIMITS = {
  normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
  replica: { hardBytes: 256 * MB, softBytes: 64 * MB, softSeconds: 60 },
  pubsub: { hardBytes: 32 * MB, softBytes: 8 * MB, softSeconds: 60 },
};

const SAVE = [
  { seconds: 3600, changes: 1 },
  { seconds: 300, changes: 100 },
  { seconds: 60, changes: 10000 },
];

const ACCEPTED = 'Accepted for compatibility, without effect';

/** All options by name, in the order of --help. */
export const CONFIG_TABLE = {
  // Network
  port: option(integer(0, 65535), 6379, 'TCP port; 0 listens on no TCP port', {
    apply: 'listeners',
  }),
  bind: option(
    words('up to 16 addresses', 16, 'Too many bind addresses specified.'),
    ['127.0.0.1', '-::1'],
    "Addresses to listen on; '*' is every IPv4 address, '::*' every IPv6 address, and '-' in " +
      'front of an address ignores that it is not available',
    { apply: 'listeners' },
  ),
  unixsocket: option(text('a path'), '', 'Path of a Unix socket to listen on as well', AT_START),
  unixsocketperm: option(octalMode(), 0, 'Mode of the Unix socket, as 700', AT_START),
  'tcp-backlog': option(integer(0, INT32_MAX), 511, 'Length of the accept queue', AT_START),
  'tcp-keepalive': option(
    integer(0, INT32_MAX),
    300,
    'Seconds between TCP keep-alive probes of new connections; 0 sends none',
  ),
  timeout: option(
    integer(0, INT32_MAX),
    0,
    'Seconds after which an idle client is closed; 0 never',
  ),
  maxclients: option(
    integer(1, UINT32_MAX),
    10000,
    'Most clients at a time; lowered when the limit on open files is lower',
    { apply: 'maxclients' },
  ),
  'proto-max-bulk-len': option(memory(MB, 512 * MB), 512 * MB, 'Longest argument of a request', {
    apply: 'bulk length',
  }),
  'client-query-buffer-limit': option(
    memory(MB, UNBOUNDED),
    GB,
    'Most bytes of a request that is not complete yet',
  ),
  'client-output-buffer-limit': option(
    outputBufferLimits,
    LIMITS,
    'Most bytes that wait for a client that does not read: class, hard limit, soft limit, ' +
      'seconds above the soft limit',
  ),

  // Access
  requirepass: option(text('a password'), '', 'Password of the default user; empty asks for none', {
    apply: 'password',
  }),
  'protected-mode': option(yesNo(), true, 'Without a password, serve only clients of this machine'),
  'enable-debug-command': option(
    oneOf(['no', 'yes', 'local']),
    'no',
    'Who may use DEBUG: nobody, everybody, or clients of this machine',
    AT_START,
  ),

  // Memory
  databases: option(integer(1, DATABASES_MAX), 16, 'Number of databases', AT_START),
  'arena-size': option(
    memory(ARENA_BYTES_MIN, ARENA_BYTES_MAX, EXTENT_BYTES),
    defaultArenaBytes(machineBytes()),
    'Size of the arena, which holds all keys and values: address space that costs memory only ' +
      'as it fills. Three quarters of the memory of this machine unless stated',
    AT_START,
  ),
  maxmemory: option(
    memory(0, UNBOUNDED),
    0,
    'Bytes of data above which commands that add some are refused; 0 is the whole arena',
    { apply: 'maxmemory' },
  ),
  'maxmemory-policy': option(noEviction, 'noeviction', 'What happens at maxmemory'),
  activedefrag: option(
    yesNo(),
    true,
    'Move data together in the background where deletes left much memory part used; on by default, ' +
      'since no request waits for it longer than 0.2 ms',
  ),
  'active-defrag-ignore-bytes': option(
    memory(1, UNBOUNDED),
    16 * MB,
    'Least gain for which data is moved together',
  ),
  'active-defrag-threshold-lower': option(
    integer(0, 1000),
    5,
    'Likewise, in percent of the memory that would stay in use',
  ),
  'active-defrag-threshold-upper': option(
    integer(0, 1000),
    100,
    'From which gain on it takes active-defrag-cycle-max of the time',
  ),
  'active-defrag-cycle-min': option(
    integer(1, 99),
    10,
    'Percent of the time that it takes at the lower threshold',
  ),
  'active-defrag-cycle-max': option(
    integer(1, 99),
    25,
    'Percent of the time that it takes at the upper threshold',
  ),
  'active-defrag-max-scan-fields': option(integer(1, UNBOUNDED), 1000, ACCEPTED),
  'lfu-log-factor': option(integer(0, INT32_MAX), 10, 'Slope of the access frequency counter'),
  'lfu-decay-time': option(integer(0, INT32_MAX), 1, 'Minutes for the counter to fall by one'),
  'lazyfree-lazy-eviction': option(yesNo(), false, ACCEPTED),
  'lazyfree-lazy-expire': option(yesNo(), false, ACCEPTED),
  'lazyfree-lazy-server-del': option(yesNo(), false, ACCEPTED),
  'lazyfree-lazy-user-del': option(yesNo(), false, ACCEPTED),
  'lazyfree-lazy-user-flush': option(yesNo(), false, ACCEPTED),

  // Data types
  'hll-sparse-max-bytes': option(
    memory(0, UNBOUNDED),
    3000,
    'Bytes, header included, above which a HyperLogLog becomes dense',
  ),
  'list-max-listpack-size': option(
    integer(INT32_MIN, INT32_MAX),
    -2,
    'Size of the nodes of a list: -1 to -5 for 4, 8, 16, 32 or 64 KiB (here at most 32), or a ' +
      'number of elements',
    { apply: 'list nodes', aliases: ['list-max-ziplist-size'] },
  ),
  'list-compress-depth': option(integer(0, INT32_MAX), 0, ACCEPTED),
  'set-max-intset-entries': option(
    integer(0, UNBOUNDED),
    512,
    'Members up to which a set of integers is a sorted array',
  ),
  'zset-max-listpack-entries': option(
    integer(0, UNBOUNDED),
    128,
    'Most members of a sorted set in its packed form',
    { aliases: ['zset-max-ziplist-entries'] },
  ),
  'zset-max-listpack-value': option(
    memory(0, UNBOUNDED),
    64,
    'Longest member of a sorted set in its packed form',
    { aliases: ['zset-max-ziplist-value'] },
  ),
  'hash-max-listpack-entries': option(
    integer(0, UNBOUNDED),
    512,
    'Fields up to which a hash is packed into one object',
    { aliases: ['hash-max-ziplist-entries'] },
  ),
  'hash-max-listpack-value': option(
    memory(0, UNBOUNDED),
    64,
    'Bytes of a field or value up to which a hash is packed into one object',
    { aliases: ['hash-max-ziplist-value'] },
  ),
  'stream-node-max-bytes': option(
    memory(0, UNBOUNDED),
    4096,
    'Bytes of a node of a stream, 0 for as many as there may be (64 KiB)',
  ),
  'stream-node-max-entries': option(
    integer(0, UNBOUNDED),
    100,
    'Entries of a node of a stream, 0 for no limit',
  ),

  // Checkpoints
  dir: option(
    text('a path of a directory', (path) => resolve(path)),
    resolve('data'),
    "Directory of the data; created when absent. './data' unless stated",
    { changes: 'protected' },
  ),
  save: option(
    savePoints,
    SAVE,
    'A checkpoint is written after so many seconds when there were so many changes; "" never',
  ),
  'stop-writes-on-bgsave-error': option(
    yesNo(),
    true,
    'Refuse writes while the last checkpoint failed',
  ),
  'checkpoint-extra-memory': option(
    memory(8 * MB, UNBOUNDED),
    64 * MB,
    'Most bytes of memory that a running checkpoint takes beside the arena',
  ),
  'checkpoint-keep': option(integer(1, INT32_MAX), 2, 'How many checkpoints are kept in dir'),
  'checkpoint-mechanism': option(
    oneOf(['auto', 'userfaultfd', 'mprotect']),
    'auto',
    'How writes are caught while a checkpoint runs: auto takes userfaultfd where the system ' +
      'permits it, else mprotect, which is slower and restores eagerly',
    AT_START,
  ),
  restore: option(
    oneOf(['lazy', 'eager']),
    'lazy',
    'How a start reads its checkpoint: lazy serves at once and reads what is touched first, ' +
      'eager reads everything before it serves',
    AT_START,
  ),
  'restore-skip': option(
    integer(0, INT32_MAX),
    0,
    'Start from an older checkpoint: how many of the newest ones to pass over. Only for one ' +
      'start, so not in a file',
    { ...AT_START, commandLineOnly: true },
  ),
  appendonly: option(noAppendOnly, false, 'An append-only log'),

  // Process
  loglevel: option(
    oneOf(['debug', 'verbose', 'notice', 'warning']),
    'notice',
    'Least important level that is logged',
    { apply: 'log' },
  ),
  logfile: option(
    text('a path'),
    '',
    'File to append the log to; empty is standard output',
    AT_START,
  ),
  daemonize: option(noDaemon, false, 'Leave the terminal', AT_START),
  hz: option(
    clamped(integer(0, INT32_MAX), 1, 500),
    10,
    'How often a second the periodic work runs; held between 1 and 500',
    { apply: 'hz' },
  ),
  'dynamic-hz': option(yesNo(), true, 'Run the periodic work more often with many clients'),
  'active-expire-effort': option(integer(1, 10), 1, 'How much time goes into finding expired keys'),
  'latency-monitor-threshold': option(
    integer(0, UNBOUNDED),
    0,
    'Milliseconds from which an event counts as slow; 0 watches those of checkpoints only',
  ),
  'slowlog-log-slower-than': option(
    integer(-1, UNBOUNDED),
    10000,
    'Microseconds from which a command enters the slow log; -1 logs none',
  ),
  'slowlog-max-len': option(integer(0, UNBOUNDED), 128, 'Entries that the slow log keeps'),
};

type Table = typeof CONFIG_TABLE;
export type OptionName = keyof Table;

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** The options as typed fields: `maxmemory`, `clientOutputBufferLimit`, `checkpointKeep`, ... */
export type ServerConfig = {
  [Name in OptionName as CamelCase<Name>]: Table[Name] extends OptionRow<infer T> ? T : never;
};

export type ConfigField = keyof ServerConfig;

/** A row with its names, for code that handles every option alike. */
export interface Option extends OptionRow<unknown> {
  readonly name: OptionName;
  readonly field: ConfigField;
}

function camelCase(name: string): ConfigField {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) as ConfigField;
}

/** All options in the order of the table. */
export const OPTIONS: readonly Option[] = Object.entries(CONFIG_TABLE).map(([name, row]) => ({
  ...(row as OptionRow<unknown>),
  name: name as OptionName,
  field: camelCase(name),
}));

/** Options by lower-case name and alias, in the order of the table. */
export const OPTIONS_BY_NAME: ReadonlyMap<string, Option> = new Map(
  OPTIONS.flatMap((row) => [row.name, ...row.aliases].map((name) => [name, row] as const)),
);

/** The option of that name or alias in any case of letters, or null. */
export function findOption(name: string): Option | null {
  return OPTIONS_BY_NAME.get(name.toLowerCase()) ?? null;
}
