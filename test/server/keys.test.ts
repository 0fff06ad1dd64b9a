// Keys and transactions where a stream of random commands cannot look: time that passes, limits, and
// what a flush leaves behind. STILLFRAME_TEST_SUBJECT=redis shows that the expectations are Redis's.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawClient } from '../support/raw_client.js';
import { info, spawnServer, subjectKind, type TestServer, until } from '../support/spawn_server.js';

const KEYS = 50_000;
const QUERY_LIMIT = 1024 * 1024;

describe('keys over time', () => {
  let server: TestServer;
  let client: RawClient;
  let other: RawClient;
  beforeAll(async () => {
    server = await spawnServer({ args: ['--client-query-buffer-limit', String(QUERY_LIMIT)] });
    client = await server.connect();
    other = await server.connect();
  });
  afterAll(() => server?.stop());

  test('a watched key that active expiry deletes fails the transaction', async () => {
    await client.pipeline([
      ['SET', 'brief', 'v', 'PX', 30],
      ['WATCH', 'brief'],
    ]);
    await until('the key is gone', async () => (await other.call('DBSIZE')) === 0);
    await client.call('MULTI');
    await client.call('PING');
    expect(await client.call('EXEC')).toBeNull();
    await client.call('MULTI');
    await client.call('PING');
    expect(await client.call('EXEC')).toEqual(['PONG']);
  });

  test('of several watched keys the first to expire counts, UNWATCH forgets it', async () => {
    await client.pipeline([
      ['SET', 'far', 'v', 'EX', 1000],
      ['SET', 'near', 'v', 'PX', 30],
      ['WATCH', 'far', 'near'],
    ]);
    await other.call('WATCH', 'near');
    await other.call('UNWATCH');
    await until('the key is gone', async () => (await other.call('EXISTS', 'near')) === 0);
    for (const [one, expected] of [
      [client, null],
      [other, ['PONG']],
    ] as const) {
      await one.call('MULTI');
      await one.call('PING');
      expect(await one.call('EXEC')).toEqual(expected);
    }
  });

  test('a key that had expired before WATCH is as good as absent', async () => {
    await client.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
    await client.call('SET', 'gone', 'v', 'PX', 1);
    const deadline = Date.now() + 1;
    await until('it has expired', () => Date.now() > deadline + 1);
    await client.call('WATCH', 'gone');
    await client.call('MULTI');
    await client.call('EXISTS', 'gone');
    expect(await client.call('EXEC')).toEqual([0]);
    await client.call('DEBUG', 'SET-ACTIVE-EXPIRE', 1);
  });

  test('OBJECT IDLETIME counts seconds; TOUCH and reads set it back, EXISTS does not', async () => {
    const idle = async (): Promise<number> =>
      (await client.call('OBJECT', 'IDLETIME', 'idle')) as number;
    await client.call('SET', 'idle', 'a value of its own');
    await until('a second has passed', async () => (await idle()) >= 1);
    await client.call('EXISTS', 'idle');
    await client.call('TYPE', 'idle');
    await client.call('TTL', 'idle');
    expect(await idle()).toBeGreaterThanOrEqual(1);
    await client.call('TOUCH', 'idle');
    expect(await idle()).toBe(0);
  });

  test('FLUSHALL empties large databases at once, and they can be used again', async () => {
    for (const database of [0, 5]) {
      await client.call('SELECT', database);
      await client.call('DEBUG', 'POPULATE', KEYS);
      expect(await client.call('DBSIZE')).toBeGreaterThanOrEqual(KEYS);
    }
    await other.call('WATCH', 'key:1');
    expect(await client.call('FLUSHALL')).toBe('OK');
    expect(await client.call('DBSIZE')).toBe(0);
    expect(await client.call('RANDOMKEY')).toBeNull();
    expect(await client.call('KEYS', '*')).toEqual([]);
    expect(await client.call('SCAN', 0)).toEqual(['0', []]);
    await other.call('MULTI');
    expect(await other.call('EXEC')).toBeNull();
    await client.call('SELECT', 0);
    await client.call('DEBUG', 'POPULATE', 1000);
    expect(await client.call('DBSIZE')).toBe(1000);
    await client.call('FLUSHDB');
    expect(await client.call('DBSIZE')).toBe(0);
  });

  test('changes are counted as Redis counts them', async () => {
    const changes = async (): Promise<number> =>
      Number((await info(other, 'persistence')).get('rdb_changes_since_last_save'));
    await client.call('FLUSHALL');
    const steps: [number, ...(string | number)[]][] = [
      [3, 'MSET', 'a', 1, 'b', 2, 'c', 3],
      [1, 'RENAME', 'a', 'd'],
      [1, 'COPY', 'b', 'e'],
      [1, 'MOVE', 'c', 1],
      [1, 'EXPIRE', 'b', 100],
      [0, 'EXPIRE', 'b', 50, 'GT'],
      [1, 'PERSIST', 'b'],
      [1, 'EXPIRE', 'b', -1],
      [0, 'TOUCH', 'd'],
      [1, 'SWAPDB', 0, 2],
      [1, 'SWAPDB', 0, 0],
      [0, 'DEL', 'nothing'],
      [3, 'FLUSHALL'],
    ];
    let before = await changes();
    for (const [expected, ...command] of steps) {
      await client.call(...command);
      const after = await changes();
      expect(after - before, command.join(' ')).toBe(expected);
      before = after;
    }
  });

  test.skipIf(subjectKind() === 'redis')(
    'a transaction beyond the query buffer limit closes its client only',
    async () => {
      const greedy = await server.connect();
      await greedy.call('MULTI');
      const value = 'x'.repeat(50_000);
      const commands = Array.from({ length: 40 }, (_, i) => ['SET', `k${i}`, value]);
      await greedy.pipeline(commands).catch(() => {});
      await greedy.closed;
      expect(await client.call('EXISTS', 'k0')).toBe(0);
      expect(await client.call('PING')).toBe('PONG');
    },
  );
});

describe('a transaction when memory is short', () => {
  test('queueing is refused, EXEC of writes aborts, DISCARD is not', async () => {
    const server = await spawnServer();
    const client = await server.connect();
    const oom = "OOM command not allowed when used memory > 'maxmemory'.";
    const texts = async (...commands: string[][]): Promise<string[]> =>
      (await client.pipeline(commands)).map(({ text }) => text);
    await client.call('SET', 'key', 'x'.repeat(100));
    await client.pipeline([['MULTI'], ['SET', 'other', 'v']]);
    const setter = await server.connect();
    await setter.call('CONFIG', 'SET', 'maxmemory', 1);
    expect(await texts(['EXEC'])).toEqual([`EXECABORT Transaction discarded because of: ${oom}`]);
    expect(await texts(['EXEC'])).toEqual(['ERR EXEC without MULTI']);
    expect(await texts(['MULTI'], ['GET', 'key'], ['DISCARD'])).toEqual(['OK', oom, 'OK']);
    expect(await texts(['MULTI'], ['GET', 'key'], ['EXEC'])).toEqual([
      'OK',
      oom,
      'EXECABORT Transaction discarded because of previous errors.',
    ]);
    await setter.call('CONFIG', 'SET', 'maxmemory', 0);
    expect(await texts(['SET', 'other', 'v'])).toEqual(['OK']);
    await server.stop();
  });
});
