// Clients that do not read, do not go on, or ask for more than there is: bounded memory, and the
// others do not notice.
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Command, encode, RawClient } from '../support/raw_client.js';
import { spawnServer, type TestServer, until } from '../support/spawn_server.js';
import { DATABASES, MB, Witness } from './storm.js';

const LATENCY_MAX_MS = 1000;

describe('slow and silent clients', () => {
  let server: TestServer;
  let witness: Witness;
  let admin: RawClient;
  const open: RawClient[] = [];
  beforeAll(async () => {
    server = await spawnServer({ args: ['--databases', String(DATABASES)] });
    witness = await Witness.watch(server);
    admin = await server.connect();
    await admin.call('SET', 'mega', 'm'.repeat(MB));
  });
  afterAll(() => server?.stop());
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.close()));
    await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 0 0 0');
    await admin.call('CONFIG', 'SET', 'timeout', '0');
  });

  const connectDeaf = async (): Promise<RawClient> => {
    const client = await RawClient.connect({ port: server.port });
    open.push(client);
    client.socket.pause();
    return client;
  };
  const repeat = (count: number, command: Command): Buffer =>
    Buffer.concat(Array<Buffer>(count).fill(encode(command)));

  /** Samples until done: highest resident size and slowest PING of another client. */
  const observe = async (done: () => Promise<boolean> | boolean) => {
    let peakBytes = 0;
    let slowestPing = 0;
    await until('the storm is over', async () => {
      peakBytes = Math.max(peakBytes, server.rssBytes());
      slowestPing = Math.max(slowestPing, await witness.pingMillis());
      return done();
    });
    return { peakBytes, slowestPing };
  };

  test('a client that never reads is closed at the hard output limit', async () => {
    await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 20mb 0 0');
    const before = server.rssBytes();
    const client = await connectDeaf();
    const id = await clientId(admin, client);
    client.socket.write(repeat(1000, ['GET', 'mega']));
    const gone = async (): Promise<boolean> =>
      (await admin.call('CLIENT', 'LIST', 'ID', id)) === '';
    const { peakBytes, slowestPing } = await observe(gone);
    expect(peakBytes - before).toBeLessThan(150 * MB);
    expect(slowestPing).toBeLessThan(LATENCY_MAX_MS);
    await witness.testify(150 * MB);
  });

  test('the soft output limit closes after its seconds, not before', async () => {
    await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 0 1mb 1');
    const client = await connectDeaf();
    const id = await clientId(admin, client);
    const started = Date.now();
    client.socket.write(repeat(20, ['GET', 'mega']));
    await until('it is closed', async () => (await admin.call('CLIENT', 'LIST', 'ID', id)) === '');
    expect(Date.now() - started).toBeGreaterThan(900);
    await witness.testify(150 * MB);
  });

  test('without limits, requests of a client that does not read wait, and memory does not grow', async () => {
    if (server.kind === 'redis') return; // Redis holds all 500 MB; Stillframe stops reading
    const before = server.rssBytes();
    const client = await connectDeaf();
    const count = 500;
    client.socket.write(repeat(count, ['GET', 'mega']));
    let turns = 0;
    const { peakBytes, slowestPing } = await observe(() => ++turns > 200);
    expect(peakBytes - before).toBeLessThan(150 * MB);
    expect(slowestPing).toBeLessThan(LATENCY_MAX_MS);
    let received = 0;
    const wholeBytes = count * (MB + '$1048576\r\n\r\n'.length);
    const hash = createHash('sha1');
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      hash.update(chunk);
    });
    client.socket.resume();
    await until('every reply arrives once it reads', () => received >= wholeBytes, 30_000);
    expect(received).toBe(wholeBytes);
    const expected = createHash('sha1');
    for (let i = 0; i < count; i++) expected.update(`$1048576\r\n${'m'.repeat(MB)}\r\n`);
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
    await witness.testify(150 * MB);
  });

  test('many clients that never read', async () => {
    await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 4mb 0 0');
    const before = server.rssBytes();
    const clients = await Promise.all(Array.from({ length: 50 }, connectDeaf));
    for (const client of clients) client.socket.write(repeat(100, ['GET', 'mega']));
    const alone = async (): Promise<boolean> =>
      String(await admin.call('CLIENT', 'LIST'))
        .trim()
        .split('\n').length === 2;
    const { peakBytes, slowestPing } = await observe(alone);
    expect(peakBytes - before).toBeLessThan(500 * MB);
    expect(slowestPing).toBeLessThan(LATENCY_MAX_MS);
    await Promise.all(open.splice(0).map((client) => client.close()));
    await witness.testify(200 * MB);
  });

  test('half a bulk of 100 MB is held, costs what was sent, and is given back', async () => {
    const before = server.rssBytes();
    const client = await connectDeaf();
    await client.write('*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$104857600\r\n');
    const piece = Buffer.alloc(MB, 'h');
    let slowest = 0;
    for (let i = 0; i < 50; i++) {
      await client.write(piece);
      slowest = Math.max(slowest, await witness.pingMillis());
    }
    expect(server.rssBytes() - before).toBeLessThan(250 * MB);
    expect(slowest).toBeLessThan(LATENCY_MAX_MS);
    expect(await admin.call('EXISTS', 'half')).toBe(0);
    await client.close();
    await witness.testify(150 * MB);
  });

  test('announced sizes cost nothing before the bytes come', async () => {
    const before = server.rssBytes();
    const clients = await Promise.all(Array.from({ length: 40 }, connectDeaf));
    for (const client of clients)
      await client.write('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nx');
    for (const client of clients.slice(0, 20)) await client.write('yz');
    await witness.pingMillis();
    expect(server.rssBytes() - before).toBeLessThan(100 * MB);
    const counts = await Promise.all(Array.from({ length: 40 }, connectDeaf));
    for (const client of counts) await client.write('*2147483647\r\n$4\r\nMGET\r\n$1\r\nk\r\n');
    await witness.pingMillis();
    expect(server.rssBytes() - before).toBeLessThan(150 * MB);
  });

  test('a client that sends one byte at a time is served like any other', async () => {
    const client = await server.connect();
    for (const byte of encode(['SET', 'slow', 'sure'])) await client.write(Buffer.from([byte]));
    expect((await client.read()).text).toBe('OK');
    await client.close();
  });

  test('timeout closes idle clients and spares busy ones', async () => {
    await admin.call('CONFIG', 'SET', 'timeout', '1');
    const idle = await RawClient.connect({ port: server.port });
    const busy = await RawClient.connect({ port: server.port });
    open.push(idle, busy);
    const started = Date.now();
    while (!idle.isClosed && Date.now() - started < 10_000) {
      expect(await busy.call('PING')).toBe('PONG');
      await admin.call('PING');
      await witness.pingMillis();
    }
    expect(idle.isClosed).toBe(true);
    expect(Date.now() - started).toBeGreaterThan(900);
    expect(await busy.call('PING')).toBe('PONG');
  });
});

/** The id of a client that cannot be asked, by its address. */
async function clientId(admin: RawClient, client: RawClient): Promise<string> {
  let id = '';
  await until('the client is listed', async () => {
    const list = String(await admin.call('CLIENT', 'LIST'));
    id = new RegExp(`id=(\\d+) addr=127.0.0.1:${client.socket.localPort} `).exec(list)?.[1] ?? '';
    return id !== '';
  });
  return id;
}
