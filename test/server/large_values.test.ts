// Values that are sent from where they lie: in their place among other replies, whole, also to a client
// that takes them slowly, and not at all to one that wants no replies.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LARGE_BYTES_MIN } from '../../protocol/reply_writer.js';
import type { RawClient } from '../support/raw_client.js';
import type { Reply } from '../support/reply.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';

const SIZES = [LARGE_BYTES_MIN - 1, LARGE_BYTES_MIN, 1_000_003, 5 * 1024 * 1024];
const values = SIZES.map((size) => randomBytes(size));

let server: TestServer;
let client: RawClient;

beforeAll(async () => {
  server = await spawnServer({ kind: 'stillframe' });
  client = await server.connect();
  for (const [i, value] of values.entries()) await client.call('SET', `large:${i}`, value);
  await client.call('SET', 'small', 'x');
});
afterAll(() => server?.stop());

const GETS = values.flatMap((_, i) => [
  ['GET', 'small'],
  ['GET', `large:${i}`],
]);
const EXPECTED = values.flatMap((value) => ['x', value.toString('latin1')]);

/** Short in a failure's text. */
function outline(text: string): string {
  if (text.length < 100) return text;
  return `${text.length} bytes, ${createHash('sha256').update(text, 'latin1').digest('hex')}`;
}
function textsOf(replies: readonly Reply[]): string[] {
  return replies.map(({ text }) => outline(text));
}

test('large and small values of a pipeline', async () => {
  expect(textsOf(await client.pipeline(GETS))).toEqual(EXPECTED.map(outline));
});

test('in arrays and transactions', async () => {
  const keys = values.flatMap((_, i) => ['small', `large:${i}`]);
  const [all] = await client.pipeline([['MGET', ...keys]]);
  expect(textsOf(all!.items)).toEqual(EXPECTED.map(outline));
  const replies = await client.pipeline([['MULTI'], ...GETS, ['EXEC']]);
  expect(textsOf(replies.at(-1)!.items)).toEqual(EXPECTED.map(outline));
});

test('to a client that reads nothing for a while, and others meanwhile', async () => {
  const slow = await server.connect();
  slow.socket.pause();
  const rounds = 4;
  const replies = slow.pipeline(Array.from({ length: rounds }, () => GETS).flat());
  for (let i = 0; i < 20; i++) expect(await client.call('GET', 'small')).toBe('x');
  slow.socket.resume();
  const expected = Array.from({ length: rounds }, () => EXPECTED.map(outline)).flat();
  expect(textsOf(await replies)).toEqual(expected);
});

test('not to a client that wants no replies', async () => {
  await client.write('CLIENT REPLY SKIP\r\nGET large:2\r\nGET small\r\n');
  await client.write('CLIENT REPLY OFF\r\nGET large:3\r\nCLIENT REPLY ON\r\nGET small\r\n');
  expect(textsOf(await client.readMany(3))).toEqual(['x', 'OK', 'x']);
});
