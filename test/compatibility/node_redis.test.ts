// The node-redis client as its users call it, in RESP2 and RESP3.
import { createClient, RESP_TYPES } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnServer, type TestServer, until } from '../support/spawn_server.js';

describe.each([2, 3] as const)('node-redis with RESP%i', (protocol) => {
  let server: TestServer;
  const connect = async (options: Record<string, unknown> = {}) => {
    const client = createClient({
      socket: { port: server.port, host: '127.0.0.1', reconnectStrategy: 5 },
      RESP: protocol,
      ...options,
    });
    client.on('error', () => {}); // commands report their own errors
    await client.connect();
    return client;
  };
  let client: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    server = await spawnServer();
    client = await connect();
  });
  afterAll(async () => {
    client?.destroy();
    await server?.stop();
  });

  test('strings, options and numbers', async () => {
    expect(await client.set('k', 'v', { expiration: { type: 'EX', value: 100 } })).toBe('OK');
    expect(await client.get('k')).toBe('v');
    expect(await client.set('k', 'w', { condition: 'NX' })).toBeNull();
    expect(await client.ttl('k')).toBeGreaterThan(95);
    expect(await client.incrBy('n', 5)).toBe(5);
    expect(await client.mSet({ a: '1', b: '2' })).toBe('OK');
    expect(await client.mGet(['a', 'nokey', 'b'])).toEqual(['1', null, '2']);
    expect(await client.exists(['a', 'b', 'nokey'])).toBe(2);
    expect(await client.getRange('k', 0, -1)).toBe('v');
    expect(await client.setBit('bits', 7, 1)).toBe(0);
    expect(await client.bitCount('bits')).toBe(1);
    await expect(client.incr('k')).rejects.toThrow('ERR value is not an integer or out of range');
    expect(await client.lcsLen('a', 'b')).toBe(0);
  });

  test('lists, and waiting for them', async () => {
    expect(await client.rPush('l', ['a', 'b', 'c', 'd'])).toBe(4);
    expect(await client.lRange('l', 0, -1)).toEqual(['a', 'b', 'c', 'd']);
    expect(await client.lPopCount('l', 2)).toEqual(['a', 'b']);
    expect(await client.lInsert('l', 'AFTER', 'c', 'x')).toBe(3);
    expect(await client.lPos('l', 'd')).toBe(2);
    expect(await client.lMove('l', 'm', 'LEFT', 'RIGHT')).toBe('c');
    expect(await client.lmPop(['none', 'm'], 'LEFT', { COUNT: 3 })).toEqual(['m', ['c']]);
    expect(await client.blPop('l', 1)).toEqual({ key: 'l', element: 'x' });
    expect(await client.brPop('none', 0.01)).toBeNull();
    const waiting = await connect();
    const popped = waiting.brPop(['none', 'later'], 0);
    await client.rPush('later', 'now');
    expect(await popped).toEqual({ key: 'later', element: 'now' });
    waiting.destroy();
    await client.del(['l', 'm']);
  });

  test('buffers', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    await client.set('bytes', bytes);
    const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    expect(await binary.get('bytes')).toEqual(bytes);
  });

  test('many commands in one tick', async () => {
    const replies = await Promise.all(
      Array.from({ length: 5000 }, (_, i) => client.set(`auto:${i}`, String(i))),
    );
    expect(new Set(replies)).toEqual(new Set(['OK']));
    expect(await client.get('auto:4999')).toBe('4999');
  });

  test('MULTI and WATCH', async () => {
    expect(await client.multi().set('m', 'x').get('m').exec()).toEqual(['OK', 'x']);
    const other = await connect();
    await client.watch('w');
    await other.set('w', '1');
    await expect(client.multi().get('w').exec()).rejects.toThrow();
    other.destroy();
  });

  test('a scan iterator finds every key', async () => {
    const found = new Set<string>();
    for await (const keys of client.scanIterator({ MATCH: 'auto:*', COUNT: 100 })) {
      for (const key of keys) found.add(key);
    }
    expect(found.size).toBe(5000);
  });

  test('databases, names, CONFIG, COMMAND and INFO', async () => {
    const named = await connect({ database: 3, name: 'three' });
    await named.set('in3', 'x');
    expect(await client.exists('in3')).toBe(0);
    expect(await named.clientGetName()).toBe('three');
    expect((await named.clientInfo()).db).toBe(3);
    expect(await client.configGet('timeout')).toEqual({ timeout: '0' });
    expect(await client.commandCount()).toBeGreaterThan(70);
    expect((await client.commandInfo(['get']))[0]?.arity).toBe(2);
    expect(await client.info('server')).toContain('redis_version:');
    named.destroy();
  });

  test('comes back after CLIENT KILL', async () => {
    const victim = await connect({ database: 4 });
    await victim.set('k', 'before');
    const id = await victim.clientId();
    await client.sendCommand(['CLIENT', 'KILL', 'ID', String(id)]);
    await until('the client is back', async () => {
      try {
        return (await victim.get('k')) === 'before' && (await victim.clientId()) !== id;
      } catch {
        return false;
      }
    });
    victim.destroy();
  });

  test('a password, right and wrong', async () => {
    const locked = await spawnServer({ args: ['--requirepass', 'sesame'] });
    const socket = { port: locked.port, host: '127.0.0.1', reconnectStrategy: false as const };
    const inside = await connect({ socket, password: 'sesame' });
    expect(await inside.set('k', 'v')).toBe('OK');
    await expect(connect({ socket, password: 'wrong' })).rejects.toThrow('WRONGPASS');
    inside.destroy();
    await locked.stop();
  });

  test('a Unix socket', async () => {
    const path = `${server.dir}/node-redis.sock`;
    const local = await spawnServer({ args: ['--unixsocket', path] });
    const unix = await connect({ socket: { path } });
    expect(await unix.set('k', 'v')).toBe('OK');
    unix.destroy();
    await local.stop();
  });
});
