// Error texts: each constant stands in the redis-server program, each function words its text as a
// running server does.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as errors from '../../protocol/error_replies.js';
import { describeWithPeer, REDIS_SERVER } from '../support/redis_peer.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';

/** Errors for what Redis does and we do not, and those of later versions: the expiry of fields, 7.4. */
const OWN = new Set([
  'RELOAD_MERGE',
  'DUMP_TOO_LARGE',
  'FIELDS_MISSING',
  'NUMFIELDS_NOT_POSITIVE',
  'NUMFIELDS_COUNT',
  'NUMFIELDS_MISMATCH',
  'EXPIRE_TIME_NEGATIVE',
]);

const CONSTANTS = Object.entries(errors).filter(
  (entry): entry is [string, string] => typeof entry[1] === 'string' && !OWN.has(entry[0]),
);

const LONG = 'n'.repeat(200);

/** A request and the text its reply must have. Unknown commands: see resp_parser_oracle.test.ts. */
const WORDED: readonly [string[], string][] = [
  [['GET'], errors.wrongArity('get')],
  [['CONFIG', 'GET'], errors.wrongArity('config|get')],
  [['CLIENT', LONG], errors.unknownSubcommand('client', LONG)],
  [['CONFIG', 'a\r\nb\0c'], errors.unknownSubcommand('CONFIG', 'a  b\0c')],
  [['DEBUG', LONG], errors.unknownSubcommandOrArity('debug', LONG)],
  [['SET', 'a', 'b', 'EX', '0'], errors.invalidExpireTime('set')],
  [['EXPIRE', 'a', '1', 'x\0y'], errors.unsupportedOption('x\0y')],
  [['HELLO', '2', 'x\0y'], errors.helloOption('x\0y')],
  [['CLIENT', 'LIST', 'TYPE', LONG], errors.unknownClientType(LONG)],
  [['CLIENT', 'KILL', 'USER', 'x'], errors.noSuchUser('x')],
  [['CONFIG', 'SET', 'x\0y', '1'], errors.configUnknownOption('x\0y')],
  [
    ['CONFIG', 'SET', 'databases', '5'],
    errors.configSetFailed('databases', "can't set immutable config"),
  ],
  [['MODULE', 'LIST', 'x'], errors.wrongArity('module|list')],
  [['MODULE', 'LOAD', 'x'], errors.commandSwitchedOff('MODULE', 'enable-module-command')],
];

describeWithPeer('error texts', () => {
  let peer: TestServer;
  beforeAll(async () => {
    peer = await spawnServer({ kind: 'redis' });
  });
  afterAll(() => peer.stop());

  test.each(CONSTANTS)('%s', (_, text) => {
    const program = readFileSync(REDIS_SERVER);
    const [code, ...words] = text.replaceAll(/-?9223372036854775807/g, '%ld').split(' ');
    expect(code).toMatch(/^[A-Z]+$/);
    expect(program.includes(words.length === 0 ? `-${code}\r\n` : words.join(' '))).toBe(true);
  });

  test.each(WORDED)('%j', async (command, text) => {
    const client = await peer.connect();
    expect((await client.ask(command)).text).toBe(text);
  });

  test('a transaction that a command aborts', async () => {
    const client = await peer.connect();
    await client.call('MULTI');
    const reply = await client.ask(['EXEC', 'x']);
    const reason = errors.wrongArity('exec').slice('ERR '.length);
    expect(reply.text).toBe(errors.execAborted(reason));
  });
});
