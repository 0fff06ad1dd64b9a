// The ioredis client as its users call it.
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { spawnServer, type TestServer } from '../support/spawn_server.js';

describe('ioredis', () => {
  let server: TestServer;
  const open: Redis[] = [];
  const connect = (options: Record<string, unknown> = {}): Redis => {
    const redis = new Redis({ port: server.port, host: '127.0.0.1', ...options });
    redis.on('error', () => {}); // commands report their own errors
    open.push(redis);
    return redis;
  };
  let redis: Redis;
  beforeAll(async () => {
    server = await spawnServer();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    redis = connect();
    await redis.flushall();
  });
  afterEach(() => {
    for (const client of open.splice(0)) client.disconnect();
  });

  test('strings, numbers, buffers and expiry', async () => {
    expect(await redis.set('k', 'v', 'EX', 100)).toBe('OK');
    expect(await redis.get('k')).toBe('v');
    expect(await redis.ttl('k')).toBeGreaterThan(95);
    expect(await redis.set('k', 'w', 'NX')).toBeNull();
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    await redis.set(bytes, bytes);
    expect(await redis.getBuffer(bytes)).toEqual(bytes);
    expect(await redis.incrby('n', 41)).toBe(41);
    expect(await redis.incrbyfloat('n', 0.5)).toBe('41.5');
    expect(await redis.mget('k', 'nokey')).toEqual(['v', null]);
    expect(await redis.mset({ a: 1, b: 2 })).toBe('OK');
    expect((await redis.keys('[ab]')).sort()).toEqual(['a', 'b']);
    await expect(redis.incr('k')).rejects.toThrow('ERR value is not an integer or out of range');
  });

  test('lists, and waiting for them', async () => {
    expect(await redis.rpush('l', 'a', 'b', 'c', 'd')).toBe(4);
    expect(await redis.lrange('l', 0, -1)).toEqual(['a', 'b', 'c', 'd']);
    expect(await redis.lpop('l', 2)).toEqual(['a', 'b']);
    expect(await redis.linsert('l', 'BEFORE', 'd', 'x')).toBe(3);
    expect(await redis.lpos('l', 'd', 'COUNT', 0)).toEqual([2]);
    expect(await redis.lmove('l', 'm', 'LEFT', 'RIGHT')).toBe('c');
    expect(await redis.lmpop(2, 'none', 'm', 'LEFT', 'COUNT', 3)).toEqual(['m', ['c']]);
    expect(await redis.brpop('l', 1)).toEqual(['l', 'd']);
    expect(await redis.blpop('none', 0.01)).toBeNull();
    const waiting = connect();
    const popped = waiting.blpop('later', 0);
    const moved = connect().blmove('source', 'target', 'LEFT', 'RIGHT', 0);
    await redis.rpush('later', 'now');
    await redis.rpush('source', 'one');
    expect(await popped).toEqual(['later', 'now']);
    expect(await moved).toBe('one');
    expect(await redis.lrange('target', 0, -1)).toEqual(['one']);
  });

  test('the ready check reads INFO, and time is told', async () => {
    expect(redis.status).toBe('ready');
    const [seconds] = await redis.time();
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(5);
  });

  test('a pipeline of ten thousand commands keeps its order', async () => {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 10_000; i++) pipeline.set(`p:${i}`, i).get(`p:${i}`);
    const results = await pipeline.exec();
    expect(results).toHaveLength(20_000);
    expect(results?.every(([error]) => error === null)).toBe(true);
    expect(results?.[19_999]).toEqual([null, '9999']);
  });

  test('auto-pipelining', async () => {
    const auto = connect({ enableAutoPipelining: true });
    const replies = await Promise.all(Array.from({ length: 500 }, (_, i) => auto.set(`a:${i}`, i)));
    expect(new Set(replies)).toEqual(new Set(['OK']));
  });

  test('MULTI, errors inside, and WATCH', async () => {
    const results = await redis.multi().set('m', 'x').incr('m').get('m').exec();
    expect(results?.[0]).toEqual([null, 'OK']);
    expect(results?.[1]?.[0]?.message).toContain('not an integer');
    expect(results?.[2]).toEqual([null, 'x']);
    const other = connect();
    await redis.watch('w');
    await other.set('w', 1);
    expect(await redis.multi().get('w').exec()).toBeNull();
  });

  test('a scan stream finds every key', async () => {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 2000; i++) pipeline.set(`scan:${i}`, i);
    pipeline.set('other', 1);
    await pipeline.exec();
    const found = new Set<string>();
    for await (const keys of redis.scanStream({ match: 'scan:*', count: 100 })) {
      for (const key of keys as string[]) found.add(key);
    }
    expect(found.size).toBe(2000);
  });

  test('select, connection name, client commands', async () => {
    const named = connect({ db: 7, connectionName: 'seven' });
    await named.set('in7', 'x');
    expect(await redis.exists('in7')).toBe(0);
    await redis.select(7);
    expect(await redis.exists('in7')).toBe(1);
    expect(await named.client('GETNAME')).toBe('seven');
    expect(String(await redis.client('LIST'))).toContain('name=seven');
    expect(await redis.dbsize()).toBe(1);
  });

  test('comes back after CLIENT KILL with its database and name', async () => {
    const victim = connect({ db: 4, connectionName: 'victim', retryStrategy: () => 5 });
    await victim.set('k', 'before');
    const id = await victim.client('ID');
    expect(await redis.client('KILL', 'ID', id)).toBe(1);
    expect(await victim.get('k')).toBe('before');
    expect(await victim.client('GETNAME')).toBe('victim');
    expect(await victim.client('ID')).not.toBe(id);
  });

  test('a password, right and wrong', async () => {
    const locked = await spawnServer({ args: ['--requirepass', 'sesame'] });
    const inside = connect({ port: locked.port, password: 'sesame' });
    expect(await inside.set('k', 'v')).toBe('OK');
    const wrong = connect({ port: locked.port, password: 'wrong', retryStrategy: () => null });
    await expect(wrong.get('k')).rejects.toThrow();
    const none = connect({ port: locked.port, retryStrategy: () => null });
    await expect(none.get('k')).rejects.toThrow('NOAUTH');
    for (const client of open.splice(0)) client.disconnect();
    await locked.stop();
  });

  test('a Unix socket', async () => {
    const path = `${server.dir}/ioredis.sock`;
    const local = await spawnServer({ args: ['--unixsocket', path] });
    const unix = new Redis(path);
    open.push(unix);
    expect(await unix.set('k', 'v')).toBe('OK');
    expect(await unix.get('k')).toBe('v');
    unix.disconnect();
    await local.stop();
  });

  test('a value of 20 MB goes and comes', async () => {
    const big = Buffer.alloc(20 << 20, 'abcdefg');
    await redis.set('big', big);
    expect((await redis.getBuffer('big'))?.equals(big)).toBe(true);
  });
});
