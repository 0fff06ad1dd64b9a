// Systematic odd requests: every command with every number of arguments from none to eight, filled
// with each of a set of tokens, and every option word in every place. The replies must be Redis's.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Command } from '../support/raw_client.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';
import { COMMANDS, SUBCOMMANDS } from './command_list.js';
import { compareEach } from './script.js';

const TOKENS = [
  'str',
  'num',
  'nokey',
  '',
  'abc',
  '-1',
  '0',
  '1.5',
  '9223372036854775807',
  '9223372036854775808',
  'NX',
  'GET',
  '\x00\xff',
  'a b',
]; // prettier-ignore

const OPTIONS = [
  'NX',
  'XX',
  'GT',
  'LT',
  'GET',
  'SET',
  'EX',
  'PX',
  'EXAT',
  'PXAT',
  'KEEPTTL',
  'PERSIST',
  'LEN',
  'IDX',
  'MINMATCHLEN',
  'WITHMATCHLEN',
  'BYTE',
  'BIT',
  'AND',
  'NOT',
  'u8',
  'i64',
  'OVERFLOW',
  'SAT',
  'MATCH',
  'COUNT',
  'TYPE',
  'string',
  'DB',
  'LEFT',
  'RIGHT',
  'BEFORE',
  'RANK',
  'MAXLEN',
  'LIMIT',
  'BYLEX',
  'REV',
  'WITHSCORES',
  'WEIGHTS',
  'AGGREGATE',
  'MIN',
  'INCR',
  'CH',
  'FROMMEMBER',
  'BYRADIUS',
  'WITHDIST',
  'km',
  'REPLACE',
  'ABSTTL',
  'IDLETIME',
  'FREQ',
  'ASYNC',
  'SYNC',
  'SAMPLES',
  'SCHEDULE',
  'AUTH',
  'SETNAME',
  'FILTERBY',
  'ACLCAT',
  'ADDR',
  'ID',
  'WRITE',
  'ALL',
  'ON',
  '100000000',
]; // prettier-ignore

/** These close the connection, stop the server or silence it; they have tests of their own. */
const NOT_HERE = new Set([
  ...['QUIT', 'SHUTDOWN', 'DEBUG', 'RESET', 'CLIENT PAUSE', 'CLIENT REPLY'],
  // These wait.
  ...['BLPOP', 'BRPOP', 'BLMOVE', 'BRPOPLPUSH', 'BLMPOP', 'BZPOPMIN', 'BZPOPMAX', 'BZMPOP'],
]);

/** These write files or reset the clocks: with bad arguments only. */
const ERRORS_ONLY = new Set(['SAVE', 'BGSAVE']);

const BEFORE: Command[] = [
  ['FLUSHALL'],
  ['MSET', 'str', 'Hello', 'num', '10'],
  ['RPUSH', 'abc', '0', 'abc', ''],
  ['ZADD', 'a b', 1, 'abc', 2, '', 3, '0'],
];

const names = COMMANDS.flatMap((name) => [
  [name],
  ...(SUBCOMMANDS[name] ?? []).map((sub) => [name, sub]),
]).filter((words) => !NOT_HERE.has(words.join(' ')));

describeWithPeer('odd requests are answered with the same errors', () => {
  let redis: TestServer;
  let subject: TestServer;
  beforeAll(async () => {
    redis = await spawnServer({ kind: 'redis' });
    subject = await spawnServer();
  });
  afterAll(async () => {
    await redis?.stop();
    await subject?.stop();
  });

  const compare = async (commands: Command[]): Promise<void> => {
    const differences = await compareEach(redis, subject, commands, BEFORE);
    expect(differences.length, differences.slice(0, 30).join('\n')).toBe(0);
  };

  test('each number of arguments, each token', async () => {
    const commands: Command[] = [];
    for (const words of names) {
      const most = words.length > 1 ? 5 : 8;
      for (const token of TOKENS) {
        for (let count = ERRORS_ONLY.has(words[0] as string) ? 1 : 0; count <= most; count++) {
          commands.push([...words, ...Array<string>(count).fill(token)]);
        }
      }
    }
    await compare(commands);
  });

  test('each option word after a key, after two arguments, and with a value', async () => {
    const commands: Command[] = [];
    for (const words of names) {
      if (ERRORS_ONLY.has(words[0] as string)) continue;
      for (const option of OPTIONS) {
        for (const before of [['str'], ['num', '1'], ['str', '0', '-1']]) {
          commands.push([...words, ...before, option]);
          commands.push([...words, ...before, option, '100000000']);
          commands.push([...words, ...before, option.toLowerCase(), 'str', 'junk']);
        }
      }
    }
    await compare(commands);
  });

  test('unknown commands and subcommands', async () => {
    const long = 'x'.repeat(300);
    const commands: Command[] = [
      ['nosuch'],
      ['NoSuch', 'a', 'b'],
      [''],
      ['', ''],
      ['no\r\nsuch', 'a\r\nb'],
      [long],
      [long, long, long],
      ['nosuch', ...Array<string>(50).fill('argument')],
      ['GET\x00', 'k'],
      [' GET', 'k'],
      ['get ', 'k'],
      ...Object.keys(SUBCOMMANDS).flatMap((name) => [
        [name, ''],
        [name, 'nosuch'],
        [name, 'nosuch', 'a', 'b'],
        [name, long],
        [name.toLowerCase(), 'a\r\nb'],
        [`${name}|nosuch`],
        [`${name}|GET`, 'x'],
      ]),
    ]; // prettier-ignore
    await compare(commands);
  });
});
