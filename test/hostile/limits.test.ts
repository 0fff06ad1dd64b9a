// Limits on sizes, counts and connections: the error that Redis gives, or a closed connection.
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numberFromEnv, Random } from '../support/random.js';
import { encode, RawClient } from '../support/raw_client.js';
import type { Plain } from '../support/reply.js';
import { info, spawnServer, type TestServer, until } from '../support/spawn_server.js';
import { DATABASES, MB, Witness } from './storm.js';

const CONNECTIONS = numberFromEnv('HOSTILE_CONNECTIONS', 20_000);

describe('limits', () => {
  let server: TestServer;
  let witness: Witness;
  beforeAll(async () => {
    // Redis takes 127.0.0.2 for a stranger.
    server = await spawnServer({
      args: ['--protected-mode', 'no', '--databases', String(DATABASES)],
    });
    witness = await Witness.watch(server);
  });
  afterAll(() => server?.stop());

  const replyThenClosed = async (bytes: string | Buffer): Promise<string[]> => {
    const client = await RawClient.connect({ port: server.port });
    await client.write(bytes);
    const replies = await client.readUntilClosed();
    return replies.map(({ text }) => text);
  };

  test(`${CONNECTIONS} connections opened and dropped`, { timeout: 300_000 }, async () => {
    const random = new Random(7);
    const concurrent = 250;
    const network = 1 + (process.pid % 250);
    const half = encode(['SET', 'storm', 'x'.repeat(100)]).subarray(0, 40);
    const one = (i: number): Promise<void> =>
      new Promise((resolve) => {
        // A closed port stays taken for a minute, but each loopback address has ports of its own.
        const localAddress = `127.${network}.${Math.floor(i / 10_000) % 250}.2`;
        const socket = connect({ port: server.port, host: '127.0.0.1', localAddress });
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        socket.on('data', () => {});
        socket.on('connect', () => {
          const way = random.below(5);
          if (way === 0) socket.destroy();
          else if (way === 1) socket.resetAndDestroy();
          else if (way === 2) socket.write(half, () => socket.destroy());
          else if (way === 3) socket.write('PING\r\n', () => socket.resetAndDestroy());
          else socket.end('*1\r\n$4\r\nPING\r\n');
        });
      });
    let started = 0;
    const worker = async (): Promise<void> => {
      while (started < CONNECTIONS) await one(started++);
    };
    const workers = Promise.all(Array.from({ length: concurrent }, worker));
    let slowest = 0;
    let over = false;
    void workers.then(() => {
      over = true;
    });
    while (!over) slowest = Math.max(slowest, await witness.pingMillis());
    await workers;
    await witness.alone();
    await witness.testify(100 * MB);
    expect(slowest).toBeLessThan(1500);
    const client = await server.connect();
    const fields = await info(client);
    expect(Number(fields.get('total_connections_received'))).toBeGreaterThanOrEqual(
      CONNECTIONS * 0.95,
    );
    await client.close();
  });

  test('lines without an end', async () => {
    expect(await replyThenClosed('x'.repeat(70_000))).toEqual([
      'ERR Protocol error: too big inline request',
    ]);
    expect(await replyThenClosed(`*${'1'.repeat(70_000)}`)).toEqual([
      'ERR Protocol error: too big mbulk count string',
    ]);
    expect(await replyThenClosed(`*1\r\n$${'1'.repeat(70_000)}`)).toEqual([
      'ERR Protocol error: too big bulk count string',
    ]);
    await witness.testify(100 * MB);
  });

  test('proto-max-bulk-len bounds what a bulk and a string may be', async () => {
    const client = await server.connect();
    expect(await client.call('CONFIG', 'SET', 'proto-max-bulk-len', '1mb')).toBe('OK');
    expect(await replyThenClosed('*2\r\n$3\r\nGET\r\n$1048577\r\n')).toEqual([
      'ERR Protocol error: invalid bulk length',
    ]);
    expect(await client.call('SET', 'k', 'x'.repeat(MB))).toBe('OK');
    const tooBig = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
    expect(String(await client.call('APPEND', 'k', 'y'))).toBe(tooBig);
    expect(String(await client.call('SETRANGE', 'k', MB, 'y'))).toBe(tooBig);
    expect(String(await client.call('SETBIT', 'k', MB * 8, 1))).toBe(
      'ERR bit offset is not an integer or out of range',
    );
    expect(await client.call('STRLEN', 'k')).toBe(MB);
    expect(await client.call('CONFIG', 'SET', 'proto-max-bulk-len', '512mb')).toBe('OK');
    await client.call('DEL', 'k');
    await client.close();
  });

  test('a request that outgrows the query buffer limit is dropped', async () => {
    const client = await server.connect();
    expect(await client.call('CONFIG', 'SET', 'client-query-buffer-limit', '2mb')).toBe('OK');
    const greedy = await RawClient.connect({ port: server.port });
    await greedy.write(
      `*1000000\r\n$5\r\nMGETX\r\n${`$1000\r\n${'x'.repeat(1000)}\r\n`.repeat(1000)}`,
    );
    // Arguments that are complete belong to the request as well as bytes that are not parsed yet.
    for (let i = 0; i < 2000 && !greedy.isClosed; i++)
      await greedy.write(`$1000\r\n${'x'.repeat(1000)}\r\n`);
    await greedy.write(Buffer.alloc(8 * MB, 'y'));
    await greedy.readUntilClosed();
    expect(await client.call('CONFIG', 'SET', 'client-query-buffer-limit', '1gb')).toBe('OK');
    await client.close();
    await witness.testify(100 * MB);
  });

  test('keys and values of half a gigabyte', { timeout: 120_000 }, async () => {
    const size = 512 * MB;
    const client = await server.connect();
    const piece = Buffer.alloc(16 * MB, '0123456789abcdef');
    await client.write(`*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n$${size}\r\n`);
    for (let i = 0; i < 32; i++) await client.write(piece);
    await client.write('\r\n');
    expect((await client.read(60_000)).text).toBe('OK');
    expect(await client.call('STRLEN', 'huge')).toBe(size);
    expect(await client.call('GETRANGE', 'huge', size - 5, -1)).toBe('bcdef');
    expect(await client.call('GETRANGE', 'huge', 16 * MB - 2, 16 * MB + 2)).toBe('ef012');
    expect(String(await client.call('APPEND', 'huge', 'x'))).toContain(
      'ERR string exceeds maximum',
    );
    expect(await client.call('SETRANGE', 'huge', size - 1, 'F')).toBe(size);
    expect(await client.call('GETRANGE', 'huge', -3, -1)).toBe('deF');
    expect(
      await countBytes(server.port, encode(['GET', 'huge']), size + '$536870912\r\n\r\n'.length),
    ).toBe(true);
    await client.call('DEL', 'huge');
    const longKey = Buffer.alloc(32 * MB, 'k');
    expect(await client.call('SET', longKey, 'v')).toBe('OK');
    expect(await client.call('GET', longKey)).toBe('v');
    expect(await client.call('EXISTS', longKey.subarray(1))).toBe(0);
    expect(await client.call('DEL', longKey)).toBe(1);
    await client.close();
    await witness.testify(200 * MB);
  });

  test('maxclients: one line, then closed; room again when one goes', async () => {
    const small = await spawnServer({ args: ['--maxclients', '10'] });
    const clients = await Promise.all(Array.from({ length: 10 }, () => small.connect()));
    for (const client of clients) expect(await client.call('PING')).toBe('PONG');
    const refused = await RawClient.connect({ port: small.port });
    const replies = await refused.readUntilClosed();
    expect(replies.map(({ text }) => text)).toEqual(['ERR max number of clients reached']);
    const fields = await info(clients[0] as RawClient);
    expect(fields.get('rejected_connections')).toBe('1');
    await clients[9]?.close();
    let pong: Plain = null;
    await until('there is room', async () => {
      const next = await small.connect();
      try {
        pong = await next.call('PING');
      } catch {
        return false;
      }
      return pong === 'PONG';
    });
    await small.stop();
  });

  test('protected mode: no password and all interfaces, outsiders are turned away', async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
    if (outside === undefined) return; // a machine with loopback only has no outsiders
    const shy = await spawnServer({ args: ['--bind', '0.0.0.0', '--protected-mode', 'yes'] });
    const inside = await shy.connect();
    expect(await inside.call('PING')).toBe('PONG');
    const stranger = await RawClient.connect({ port: shy.port, host: outside });
    const replies = await stranger.readUntilClosed();
    expect(replies).toHaveLength(1);
    expect(replies[0]?.text).toMatch(/^DENIED /);
    expect(await inside.call('CONFIG', 'SET', 'requirepass', 'x')).toBe('OK');
    const welcome = await RawClient.connect({ port: shy.port, host: outside });
    expect(await welcome.call('AUTH', 'x')).toBe('OK');
    await welcome.close();
    await shy.stop();
  });
});

/** Whether exactly so many bytes come back for a request. */
function countBytes(port: number, request: Buffer, expected: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let received = 0;
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received < expected) return;
      socket.destroy();
      resolve(received === expected);
    });
    socket.on('error', reject);
  });
}
