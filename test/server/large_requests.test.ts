// Requests that are received straight into their client's buffer: whole however they are cut, in their
// place among others, and nothing of them stays when their client goes, is paused or asks for too much.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../support/random.js';
import { type Command, encode, type RawClient } from '../support/raw_client.js';
import { spawnServer, type TestServer, until } from '../support/spawn_server.js';

const MB = 1 << 20;
const random = new Random(31);

let server: TestServer;
let admin: RawClient;

beforeAll(async () => {
  server = await spawnServer();
  admin = await server.connect();
});
afterAll(() => server?.stop());

const sha1 = (bytes: string | Buffer): string =>
  createHash('sha1')
    .update(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, 'latin1'))
    .digest('hex');

async function digestOf(key: string): Promise<string> {
  return sha1(String(await admin.call('GET', key)));
}

/** Writes bytes in pieces that end where it hurts: in headers, behind a \r, in the middle. */
async function writeInPieces(client: RawClient, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const length = random.chance(0.3) ? random.between(1, 40) : random.between(1, 400_000);
    await client.write(bytes.subarray(at, at + length));
    at += length;
    if (random.chance(0.3)) await admin.call('PING'); // so that the server has seen the piece
  }
}

test('pipelines of large and small requests, cut anywhere', async () => {
  const client = await server.connect();
  const sizes = [30_000, 32_768, 65_536, 100_000, 300_001, MB, 3 * MB];
  const values = sizes.map((size) => random.bytes(size));
  const commands: Command[] = [];
  for (const [i, value] of values.entries()) {
    commands.push(['SET', `one:${i}`, value], ['STRLEN', `one:${i}`]);
    const other = values.at(-1 - i) as Buffer;
    commands.push(['MSET', `two:${i}`, value, `three:${i}`, other], ['PING']);
  }
  const replies = client.readMany(commands.length);
  await writeInPieces(client, Buffer.concat(commands.map(encode)));
  const texts = (await replies).map(({ text }) => text);
  expect(texts).toEqual(sizes.flatMap((size) => ['OK', String(size), 'OK', 'PONG']));
  for (const [i, value] of values.entries()) {
    expect(await digestOf(`one:${i}`)).toBe(sha1(value));
    expect(await digestOf(`two:${i}`)).toBe(sha1(value));
    expect(await digestOf(`three:${i}`)).toBe(sha1(values.at(-1 - i) as Buffer));
  }
  await client.close();
});

test('fifty clients at once', async () => {
  const clients = await Promise.all(Array.from({ length: 50 }, () => server.connect()));
  const values = clients.map(() => random.bytes(random.between(200_000, MB)));
  const sets = clients.map((client, i) => client.call('SET', `many:${i}`, values[i] as Buffer));
  expect(new Set(await Promise.all(sets))).toEqual(new Set(['OK']));
  for (const [i, value] of values.entries()) expect(await digestOf(`many:${i}`)).toBe(sha1(value));
  await Promise.all(clients.map((client) => client.close()));
});

test('a client that leaves in the middle changes nothing', async () => {
  const half = encode(['SET', 'left', random.bytes(2 * MB)]).subarray(0, MB);
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const client = await server.connect();
    await client.write(half);
    client.socket[leave]();
    await until('it is gone', async () => {
      const list = String(await admin.call('CLIENT', 'LIST'));
      return list.trim().split('\n').length === 1;
    });
    await client.close();
    expect(await admin.call('EXISTS', 'left')).toBe(0);
  }
});

test('a client that is paused in the middle goes on afterwards', async () => {
  const client = await server.connect();
  const value = random.bytes(2 * MB);
  const bytes = encode(['SET', 'paused', value]);
  await client.write(bytes.subarray(0, MB));
  await admin.call('CLIENT', 'PAUSE', 100_000, 'WRITE');
  await client.write(bytes.subarray(MB));
  await client.write(encode(['STRLEN', 'paused']));
  expect(await admin.call('EXISTS', 'paused')).toBe(0);
  await admin.call('CLIENT', 'UNPAUSE');
  expect((await client.readMany(2)).map(({ text }) => text)).toEqual(['OK', String(2 * MB)]);
  expect(await digestOf('paused')).toBe(sha1(value));
  await client.close();
});

test('a client whose replies are not taken is not received from until they are', async () => {
  const client = await server.connect();
  client.socket.pause();
  const value = random.bytes(4 * MB);
  const bytes = encode(['SET', 'deaf', value]);
  await client.write(encode(['SET', 'deaf', random.bytes(4 * MB)]));
  for (let i = 0; i < 4; i++) await client.write(encode(['GET', 'deaf']));
  const written = client.write(bytes);
  for (let i = 0; i < 20; i++) expect(await admin.call('PING')).toBe('PONG');
  client.socket.resume();
  await written;
  expect((await client.readMany(6)).at(-1)?.text).toBe('OK');
  expect(await digestOf('deaf')).toBe(sha1(value));
  await client.close();
});

test('a bulk over the query buffer limit closes its client', async () => {
  await admin.call('CONFIG', 'SET', 'client-query-buffer-limit', '1mb');
  const client = await server.connect();
  await client.write(encode(['SET', 'greedy', random.bytes(3 * MB)]));
  expect(await client.readUntilClosed()).toEqual([]);
  await admin.call('CONFIG', 'SET', 'client-query-buffer-limit', '1gb');
  expect(await admin.call('EXISTS', 'greedy')).toBe(0);
});
