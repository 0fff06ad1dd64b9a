// Where replies of Stillframe and Redis may differ, each with its reason; everything else must
// agree to the last byte, including the wire type and the text of errors.
//
// An exception is as narrow as it can be: it compares all that has to agree. `same` is asked only
// when the replies are not equal already.
import { fields, isAggregate, plain, type Reply, show } from '../support/reply.js';
import { sameCommandDocs, sameCommandEntries, sameCommandNames } from './command_replies.js';
import { sameButTimes } from './stream_times.js';

export interface Exception {
  /** `NAME` or `NAME SUBCOMMAND`, upper case. */
  readonly command: string;
  readonly reason: string;
  /** True when the difference is one that the reason allows. */
  same(expected: Reply, actual: Reply, words: readonly string[]): boolean;
}

/** Same elements in any order. */
export function sameInAnyOrder(expected: Reply, actual: Reply): boolean {
  if (expected.type !== actual.type || expected.items.length !== actual.items.length) return false;
  const sorted = (reply: Reply): string =>
    reply.items
      .map((item) => show(item))
      .sort()
      .join('\n');
  return sorted(expected) === sorted(actual);
}

/** Same names with same values in any order. */
function sameFields(expected: Reply, actual: Reply): boolean {
  const sorted = (reply: Reply): string =>
    [...fields(reply)]
      .map(([name, value]) => `${name} ${show(value)}`)
      .sort()
      .join('\n');
  return (
    expected.type === actual.type &&
    expected.items.length === actual.items.length &&
    sorted(expected) === sorted(actual)
  );
}

/** Both whole numbers, at most `tolerance` apart, and on the same side of zero. */
function closeIntegers(tolerance: number) {
  return (expected: Reply, actual: Reply): boolean => {
    if (expected.type !== 'integer' || actual.type !== 'integer') return false;
    const left = Number(expected.text);
    const right = Number(actual.text);
    return left > 0 && right > 0 && Math.abs(left - right) <= tolerance;
  };
}

const sameType = (expected: Reply, actual: Reply): boolean => expected.type === actual.type;

const bothOfType = (type: Reply['type']) => (expected: Reply, actual: Reply) =>
  expected.type === type && actual.type === type;

/** From cursor 0, both at the end with the same elements in any order; from another cursor, which
 *  belongs to the table it came from, only the shape. */
function sameScan(expected: Reply, actual: Reply, words: readonly string[]): boolean {
  const [expectedCursor, expectedItems] = expected.items;
  const [actualCursor, actualItems] = actual.items;
  if (!expectedCursor || !expectedItems || !actualCursor || !actualItems) return false;
  if (words[1] !== '0' || expectedCursor.text !== '0' || actualCursor.text !== '0') {
    return actualCursor.type === 'bulk' && actualItems.type === 'array';
  }
  return sameInAnyOrder(expectedItems, actualItems);
}

/** ZRANDMEMBER: as many elements of the same types; which ones is chance. */
function sameShape(expected: Reply, actual: Reply): boolean {
  const shape = (reply: Reply): string => `${reply.type}[${reply.items.map(shape).join()}]`;
  return shape(expected) === shape(actual);
}

/** ZSCAN from 0 with everything in one step: the same pairs in any order. */
function sameScannedPairs(expected: Reply, actual: Reply, words: readonly string[]): boolean {
  const pairs = ({ items }: Reply): string =>
    items
      .flatMap((item, i) => (i % 2 === 0 ? [`${show(item)} ${show(items[i + 1] as Reply)}`] : []))
      .sort()
      .join('\n');
  const [expectedCursor, expectedItems] = expected.items;
  const [actualCursor, actualItems] = actual.items;
  if (!expectedCursor || !expectedItems || !actualCursor || !actualItems) return false;
  if (words[2] !== '0' || expectedCursor.text !== '0' || actualCursor.text !== '0') {
    return actualCursor.type === 'bulk' && actualItems.type === 'array';
  }
  return pairs(expectedItems) === pairs(actualItems);
}

/** HRANDFIELD: as many fields, single ones or pairs. */
function sameFieldsPicked(expected: Reply, actual: Reply): boolean {
  return (
    expected.type === actual.type &&
    expected.items.length === actual.items.length &&
    expected.items.every((item, i) => sameShape(item, actual.items[i] as Reply))
  );
}

/** LATENCY HISTOGRAM: the commands that are named, and how often each was called. */
function sameHistograms(expected: Reply, actual: Reply, words: readonly string[]): boolean {
  if (words.length === 2) return sameType(expected, actual);
  const calls = (reply: Reply): string =>
    [...fields(reply)]
      .map(([name, histogram]) => `${name} ${show(fields(histogram).get('calls')!)}`)
      .sort()
      .join('\n');
  return expected.type === actual.type && calls(expected) === calls(actual);
}

/** MEMORY STATS: the fields that mean something without Redis's allocator. */
function sameMemoryStats(expected: Reply, actual: Reply): boolean {
  const names = [
    'peak.allocated',
    'total.allocated',
    'startup.allocated',
    'clients.normal',
    'keys.count',
    'keys.bytes-per-key',
    'dataset.bytes',
    'dataset.percentage',
    'peak.percentage',
  ]; // prettier-ignore
  const right = fields(actual);
  const left = fields(expected);
  return (
    expected.type === actual.type &&
    names.every((name) => right.get(name)?.type === left.get(name)?.type) &&
    right.get('keys.count')?.text === left.get('keys.count')?.text
  );
}

/** CLIENT LIST and INFO: same names; same values apart from those that belong to the process. */
function sameClientLines(expected: Reply, actual: Reply): boolean {
  const own = new Set([
    'id',
    'addr',
    'laddr',
    'fd',
    'age',
    'idle',
    'qbuf',
    'qbuf-free',
    'argv-mem',
    'rbs',
    'rbp',
    'obl',
    'oll',
    'omem',
    'tot-mem',
    'multi-mem',
    'redir',
  ]); // prettier-ignore
  const lines = (reply: Reply): string[] =>
    String(plain(reply))
      .split('\n')
      .map((line) =>
        line
          .split(' ')
          .map((field) => {
            const name = field.split('=')[0] as string;
            return own.has(name) ? `${name}=` : field;
          })
          .join(' '),
      );
  const left = lines(expected);
  const right = lines(actual);
  return left.length === right.length && left.every((line, i) => line === right[i]);
}

/** HELLO: every field but the name and version of the server and the id of the connection. */
function sameHello(expected: Reply, actual: Reply): boolean {
  if (expected.type !== actual.type || !isAggregate(expected.type)) return false;
  const left = fields(expected);
  const right = fields(actual);
  if ([...left.keys()].join() !== [...right.keys()].join()) return false;
  for (const [name, value] of left) {
    const other = right.get(name) as Reply;
    if (name === 'server' || name === 'version' || name === 'id') {
      if (value.type !== other.type) return false;
    } else if (show(value) !== show(other)) return false;
  }
  return true;
}

/** XINFO STREAM: all but times and the sizes of the radix tree, which stands for the nodes of the stream. */
function sameStreamInfo(expected: Reply, actual: Reply): boolean {
  const rest = (reply: Reply): Reply => ({
    ...reply,
    items: reply.items.filter(
      (item, i) => !`${item.text} ${reply.items[i - 1]?.text}`.includes('radix-tree-'),
    ),
  });
  return sameButTimes(rest(expected), rest(actual));
}

/** Encoding and reference count must agree; address, lru clock and serialised length cannot. */
function sameDebugObject(expected: Reply, actual: Reply): boolean {
  const core = (reply: Reply): string =>
    reply.text
      .split(' ')
      .filter((part) => part.startsWith('encoding:'))
      .join();
  return expected.type === actual.type && core(expected) === core(actual);
}

export const exceptions: readonly Exception[] = [
  { command: 'KEYS', reason: 'the order of a hash table', same: sameInAnyOrder },
  {
    command: 'SCAN',
    reason: 'cursors and order belong to the hash table; whole iterations are compared elsewhere',
    same: sameScan,
  },
  { command: 'ZSCAN', reason: 'cursors and order of another table', same: sameScannedPairs },
  ...['GEOSEARCH', 'GEORADIUS', 'GEORADIUS_RO', 'GEORADIUSBYMEMBER', 'GEORADIUSBYMEMBER_RO'].map(
    (command) => ({
      command,
      reason: 'without ASC or DESC, the order in which the cells of the map are looked at',
      same: sameInAnyOrder,
    }),
  ),
  { command: 'HSCAN', reason: 'cursors and order of another table', same: sameScannedPairs },
  { command: 'HRANDFIELD', reason: 'random fields', same: sameFieldsPicked },
  ...['HKEYS', 'HVALS'].map((command) => ({
    command,
    reason: 'the order of a hash table',
    same: sameInAnyOrder,
  })),
  { command: 'HGETALL', reason: 'the order of a hash table', same: sameFields },
  { command: 'ZRANDMEMBER', reason: 'random members', same: sameShape },
  ...['SMEMBERS', 'SINTER', 'SUNION', 'SDIFF'].map((command) => ({
    command,
    reason: 'the order of a hash table',
    same: sameInAnyOrder,
  })),
  {
    command: 'SSCAN',
    reason: 'cursors and order belong to the hash table; whole iterations are compared elsewhere',
    same: (expected, actual, words) => sameScan(expected, actual, words.slice(1)),
  },
  ...['SPOP', 'SRANDMEMBER'].map((command) => ({
    command,
    reason: 'random; that members are there, and how likely each is, is tested elsewhere',
    same: sameShape,
  })),
  {
    command: 'RANDOMKEY',
    reason: 'random; that the key exists is tested elsewhere',
    same: bothOfType('bulk'),
  },
  { command: 'TTL', reason: 'the clock runs between the two servers', same: closeIntegers(1) },
  { command: 'PTTL', reason: 'the clock runs between the two servers', same: closeIntegers(1000) },
  {
    command: 'EXPIRETIME',
    reason: 'a relative time was set at a different millisecond',
    same: closeIntegers(1),
  },
  {
    command: 'PEXPIRETIME',
    reason: 'a relative time was set at a different millisecond',
    same: closeIntegers(1000),
  },
  {
    command: 'OBJECT IDLETIME',
    // The shared object tells when any key with this value was accessed, or the server was started.
    reason: 'seconds since the last access, on two clocks; Redis shares small integers',
    same: (expected, actual) =>
      bothOfType('integer')(expected, actual) && Number(actual.text) <= Number(expected.text) + 1,
  },
  {
    command: 'MEMORY USAGE',
    reason: 'bytes of another memory layout',
    same: (expected, actual) => bothOfType('integer')(expected, actual) && Number(actual.text) > 0,
  },
  { command: 'DEBUG OBJECT', reason: 'addresses and clocks of the process', same: sameDebugObject },
  { command: 'DEBUG HTSTATS', reason: 'another hash table', same: sameType },
  { command: 'DEBUG HTSTATS-KEY', reason: 'another hash table', same: sameType },
  { command: 'CLIENT ID', reason: 'ids count the connections so far', same: bothOfType('integer') },
  { command: 'CLIENT INFO', reason: 'addresses, ids, ages, buffer sizes', same: sameClientLines },
  { command: 'CLIENT LIST', reason: 'addresses, ids, ages, buffer sizes', same: sameClientLines },
  { command: 'HELLO', reason: 'name and version of the server, connection id', same: sameHello },
  { command: 'TIME', reason: 'the clock', same: (e, a) => e.items.length === a.items.length },
  { command: 'LASTSAVE', reason: 'the clock', same: closeIntegers(60) },
  {
    command: 'INFO',
    reason: 'values of the process; field names are compared in persistence.test.ts',
    same: sameType,
  },
  { command: 'CONFIG GET', reason: 'the order of a hash table', same: sameFields },
  {
    command: 'COMMAND COUNT',
    reason: 'Redis has commands of types that Stillframe does not have yet',
    same: bothOfType('integer'),
  },
  {
    command: 'COMMAND LIST',
    reason: 'Redis has commands of types that Stillframe does not have yet',
    same: sameCommandNames,
  },
  {
    command: 'COMMAND DOCS',
    reason: 'as COMMAND LIST; the prose is our own',
    same: sameCommandDocs,
  },
  {
    command: 'COMMAND INFO',
    reason: 'as COMMAND LIST; flags and categories are sets',
    same: sameCommandEntries,
  },
  {
    command: 'COMMAND',
    reason: 'as COMMAND LIST; flags and categories are sets',
    same: sameCommandEntries,
  },
  {
    command: 'OBJECT REFCOUNT',
    reason: 'inside EXEC, Redis counts the argument of the queued command that set the value',
    same: (expected, actual) => expected.text === '2' && actual.text === '1',
  },
  {
    command: 'DUMP',
    reason: 'a payload of our own; that RESTORE makes the same of it is tested elsewhere',
    same: bothOfType('bulk'),
  },
  { command: 'OBJECT HELP', reason: 'our own words', same: sameType },
  { command: 'XINFO HELP', reason: 'our own words', same: sameType },
  { command: 'XGROUP HELP', reason: 'our own words', same: sameType },
  { command: 'XINFO CONSUMERS', reason: 'the clock', same: sameButTimes },
  { command: 'XPENDING', reason: 'the clock', same: sameButTimes },
  {
    command: 'XINFO STREAM',
    reason:
      'the clock; nodes that are full by their bytes hold more entries, others are compared in streams.test.ts',
    same: sameStreamInfo,
  },
  { command: 'MEMORY HELP', reason: 'our own words', same: sameType },
  { command: 'MEMORY MALLOC-STATS', reason: 'another allocator', same: sameType },
  { command: 'MEMORY STATS', reason: 'values of another allocator', same: sameMemoryStats },
  {
    command: 'MEMORY DOCTOR',
    reason: 'our own words about our own memory',
    same: sameType,
  },
  { command: 'LATENCY HELP', reason: 'our own words', same: sameType },
  { command: 'LATENCY DOCTOR', reason: 'our own words about our own time', same: sameType },
  {
    command: 'LATENCY LATEST',
    reason: 'Stillframe records waiting for memory without a threshold',
    same: sameType,
  },
  {
    command: 'LATENCY RESET',
    reason: 'of all events: Stillframe records waiting for memory without a threshold',
    same: (expected, actual, words) => words.length === 2 && sameType(expected, actual),
  },
  {
    command: 'LATENCY HISTOGRAM',
    reason: 'how long calls took; without names also of connections made by the test',
    same: sameHistograms,
  },
];

const byCommand = new Map(exceptions.map((exception) => [exception.command, exception]));

/** The exception that stands for a command, if any. */
export function exceptionFor(words: readonly string[]): Exception | undefined {
  const name = (words[0] ?? '').toUpperCase();
  const pair = `${name} ${(words[1] ?? '').toUpperCase()}`;
  return byCommand.get(pair) ?? byCommand.get(name);
}

/** True when the replies to a command agree, exactly or by its exception. */
export function agree(expected: Reply, actual: Reply, words: readonly string[]): boolean {
  if (show(expected) === show(actual)) return true;
  if (expected.type === 'error' || actual.type === 'error') return false;
  return exceptionFor(words)?.same(expected, actual, words) ?? false;
}
