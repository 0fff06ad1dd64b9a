// CLIENT KILL and CLIENT REPLY: what reaches the connections concerned, and what does not.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encode, type RawClient } from '../support/raw_client.js';
import { info, spawnServer, type TestServer, until } from '../support/spawn_server.js';

let server: TestServer;
let client: RawClient;
beforeAll(async () => {
  server = await spawnServer();
  client = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(() => client.call('FLUSHALL'));

const texts = (replies: readonly { text: string }[]): string[] => replies.map(({ text }) => text);

describe('CLIENT KILL', () => {
  test('a client that kills itself gets its reply, and nothing behind it is executed', async () => {
    const suicide = await server.connect();
    const id = Number(await suicide.call('CLIENT', 'ID'));
    await suicide.write(
      Buffer.concat([
        encode(['SET', 'before', '1']),
        encode(['CLIENT', 'KILL', 'ID', id, 'SKIPME', 'no']),
        encode(['SET', 'behind', '1']),
      ]),
    );
    expect(texts(await suicide.readUntilClosed())).toEqual(['OK', '1']);
    expect(await client.call('EXISTS', 'before')).toBe(1);
    expect(await client.call('EXISTS', 'behind')).toBe(0);
  });

  test('the killed is gone from CLIENT LIST in the same transaction', async () => {
    const victim = await server.connect();
    const id = Number(await victim.call('CLIENT', 'ID'));
    await client.call('MULTI');
    await client.call('CLIENT', 'LIST', 'ID', id);
    await client.call('CLIENT', 'KILL', 'ID', id);
    await client.call('CLIENT', 'LIST', 'ID', id);
    const [before, killed, after] = (await client.call('EXEC')) as unknown[];
    expect(before).toContain(`id=${id} `);
    expect(killed).toBe(1);
    expect(after).toBe('');
    await victim.closed;
  });

  test('one that does not read its replies ends at once, its queue is given back', async () => {
    const slow = await server.connect();
    slow.socket.pause();
    await client.call('SET', 'big', 'x'.repeat(1 << 20));
    await slow.write(Buffer.concat(Array.from({ length: 64 }, () => encode(['GET', 'big']))));
    const waiting = async (): Promise<number> => {
      const list = String(await client.call('CLIENT', 'LIST'));
      return Math.max(...[...list.matchAll(/ omem=(\d+)/g)].map(([, bytes]) => Number(bytes)));
    };
    await until('its replies are queued', async () => (await waiting()) > 1 << 20);
    const address = `127.0.0.1:${slow.socket.localPort}`;
    expect(await client.call('CLIENT', 'KILL', address)).toBe('OK');
    expect(await waiting()).toBe(0);
    expect(Number((await info(client, 'memory')).get('mem_clients_normal'))).toBeLessThan(1 << 20);
  });

  test('many at once: all but the caller', async () => {
    const others = await Promise.all(Array.from({ length: 50 }, () => server.connect()));
    await Promise.all(others.map((other) => other.call('PING')));
    expect(Number(await client.call('CLIENT', 'KILL', 'TYPE', 'normal'))).toBeGreaterThanOrEqual(
      50,
    );
    await Promise.all(others.map((other) => other.closed));
    expect((await info(client, 'clients')).get('connected_clients')).toBe('1');
  });

  test('a transaction and a WATCH of the killed leave nothing behind', async () => {
    const victim = await server.connect();
    await victim.call('WATCH', 'k');
    await victim.call('MULTI');
    await victim.call('SET', 'k', 'never');
    await client.call('CLIENT', 'KILL', `127.0.0.1:${victim.socket.localPort}`);
    await victim.closed;
    expect(await client.call('SET', 'k', 'mine')).toBe('OK');
    expect(await client.call('GET', 'k')).toBe('mine');
  });
});

describe('CLIENT REPLY', () => {
  test('OFF sends not a byte: values, errors, queued commands, protocol changes', async () => {
    const quiet = await server.connect();
    await client.call('SET', 'big', 'x'.repeat(3 << 20));
    await quiet.pipeline([['CLIENT', 'REPLY', 'ON']]);
    const before = quiet.bytesReceived;
    const silent = [
      ['CLIENT', 'REPLY', 'OFF'],
      ['GET', 'big'],
      ['GET', 'big'],
      ['NOSUCH'],
      ['GET'],
      ['MULTI'],
      ['INCR', 'n'],
      ['NOSUCH'],
      ['EXEC'],
      ['MULTI'],
      ['INCR', 'n'],
      ['EXEC'],
      ['CLIENT', 'LIST'],
      ['INFO', 'everything'],
      ['CLIENT', 'REPLY', 'JUNK'],
    ];
    await quiet.write(Buffer.concat([...silent, ['CLIENT', 'REPLY', 'ON']].map(encode)));
    expect(texts([await quiet.read()])).toEqual(['OK']);
    expect(quiet.bytesReceived - before).toBe('+OK\r\n'.length);
    expect(await quiet.call('GET', 'n')).toBe('1');
  });

  test('the replies of others in the same turn arrive', async () => {
    const quiet = await server.connect();
    await quiet.write(encode(['CLIENT', 'REPLY', 'OFF']));
    const loud = await server.connect();
    for (let round = 0; round < 50; round++) {
      void quiet.write(Buffer.concat(Array.from({ length: 20 }, () => encode(['INCR', 'q']))));
      const replies = await loud.pipeline(Array.from({ length: 20 }, () => ['INCR', 'l']));
      expect(texts(replies)[19]).toBe(String((round + 1) * 20));
    }
    await quiet.write(encode(['CLIENT', 'REPLY', 'ON']));
    expect(texts([await quiet.read()])).toEqual(['OK']);
    expect(await quiet.call('GET', 'q')).toBe('1000');
    expect(quiet.takeReady()).toEqual([]);
  });

  test('SKIP drops one reply, also of a command that is refused', async () => {
    const other = await server.connect();
    const replies = await other.pipeline([['PING'], ['ECHO', 'first']]);
    expect(texts(replies)).toEqual(['PONG', 'first']);
    await other.write(
      Buffer.concat(
        [
          ['CLIENT', 'REPLY', 'SKIP'],
          ['NOSUCH'],
          ['ECHO', 'second'],
          ['CLIENT', 'REPLY', 'SKIP'],
          ['GET'],
          ['ECHO', 'third'],
        ].map(encode),
      ),
    );
    expect(texts(await other.readMany(2))).toEqual(['second', 'third']);
  });
});
