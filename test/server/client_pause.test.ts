// CLIENT PAUSE: who waits, how long, and in which order the waiting are served.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RawClient } from '../support/raw_client.js';
import { info, spawnServer, type TestServer, until } from '../support/spawn_server.js';

const LONG_MS = 600_000;

describe('CLIENT PAUSE', () => {
  let server: TestServer;
  let client: RawClient;
  beforeAll(async () => {
    server = await spawnServer();
    client = await server.connect();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    await client.call('CLIENT', 'UNPAUSE');
    await client.call('FLUSHALL');
  });

  const blockedClients = async (): Promise<number> =>
    Number((await info(client, 'clients')).get('blocked_clients'));

  test('a write is answered when the time is over, not before', async () => {
    const writer = await server.connect();
    await client.call('CLIENT', 'PAUSE', 150, 'WRITE');
    const start = performance.now();
    expect(await writer.call('SET', 'k', 'v')).toBe('OK');
    expect(performance.now() - start).toBeGreaterThan(140);
  });

  test('a shorter pause does not shorten one that is under way', async () => {
    const writer = await server.connect();
    const start = performance.now();
    await client.call('CLIENT', 'PAUSE', 250, 'WRITE');
    await client.call('CLIENT', 'PAUSE', 1, 'WRITE');
    await writer.call('SET', 'k', 'v');
    expect(performance.now() - start).toBeGreaterThan(240);
  });

  test('a pause of all stays one of all until it ends', async () => {
    const reader = await server.connect();
    const start = performance.now();
    await client.pipeline([
      ['CLIENT', 'PAUSE', 200, 'ALL'],
      ['CLIENT', 'PAUSE', 100, 'WRITE'],
    ]);
    await reader.call('GET', 'k');
    expect(performance.now() - start).toBeGreaterThan(190);
  });

  test('what waits is served in order, pipelines whole', async () => {
    const writers = await Promise.all([server.connect(), server.connect(), server.connect()]);
    await client.call('CLIENT', 'PAUSE', LONG_MS, 'WRITE');
    const replies = writers.map((writer, i) =>
      writer.pipeline([
        ['PING'],
        ...Array.from({ length: 100 }, () => ['INCR', `n:${i}`]),
        ['GET', `n:${i}`],
      ]),
    );
    await until('all writers wait', async () => (await blockedClients()) === writers.length);
    expect(await client.call('EXISTS', 'n:0', 'n:1', 'n:2')).toBe(0);
    await client.call('CLIENT', 'UNPAUSE');
    for (const reply of await Promise.all(replies)) {
      expect(reply.map(({ text }) => text)).toEqual([
        'PONG',
        ...Array.from({ length: 100 }, (_, i) => String(i + 1)),
        '100',
      ]);
    }
  });

  test('a client that waits is shown as blocked, and may go away', async () => {
    const writer = await server.connect();
    const id = Number(await writer.call('CLIENT', 'ID'));
    await client.call('CLIENT', 'PAUSE', LONG_MS, 'WRITE');
    await writer.write('SET k v\r\n');
    await until('the writer waits', async () => (await blockedClients()) === 1);
    expect(await client.call('CLIENT', 'LIST', 'ID', id)).toMatch(/ flags=b .* qbuf=9 /);
    expect(await client.call('CLIENT', 'KILL', 'ID', id)).toBe(1);
    await writer.closed;
    await client.call('CLIENT', 'UNPAUSE');
    expect(await client.call('EXISTS', 'k')).toBe(0);
  });

  test('a waiting client is not read from, and loses nothing', async () => {
    const count = 300_000;
    const writer = await server.connect();
    const id = Number(await writer.call('CLIENT', 'ID'));
    await client.call('CLIENT', 'PAUSE', LONG_MS, 'WRITE');
    void writer.write('INCR n\r\n'.repeat(count));
    await until('the writer waits', async () => (await blockedClients()) === 1);
    const held = /tot-mem=(\d+)/.exec(String(await client.call('CLIENT', 'LIST', 'ID', id)));
    expect(Number(held?.[1])).toBeLessThan(1 << 18);
    await client.call('CLIENT', 'UNPAUSE');
    const replies = await writer.readMany(count);
    expect(replies[count - 1]?.text).toBe(String(count));
  });

  test('expired keys stay in place while writes are paused', async () => {
    await client.pipeline([
      ['SET', 'k', 'v', 'PX', 1],
      ['CLIENT', 'PAUSE', 700, 'WRITE'],
    ]);
    // Several rounds of the periodic work, which comes ten times a second.
    const start = performance.now();
    while (performance.now() - start < 400) expect(await client.call('DBSIZE')).toBe(1);
    await until('it is deleted once writes go on', async () => (await client.call('DBSIZE')) === 0);
  });

  test('QUIT is answered and closes during a pause of all', async () => {
    const other = await server.connect();
    await client.call('CLIENT', 'PAUSE', 300, 'ALL');
    const start = performance.now();
    await other.write('QUIT\r\n');
    const replies = await other.readUntilClosed();
    expect(replies.map(({ text }) => text)).toEqual(['OK']);
    expect(performance.now() - start).toBeLessThan(250);
  });
});
