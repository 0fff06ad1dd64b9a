// A work queue in a stream, shared by the consumers of a group, by the typed calls of two clients.
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnServer, type TestServer } from '../support/spawn_server.js';

let server: TestServer;
beforeAll(async () => {
  server = await spawnServer();
});
afterAll(() => server?.stop());

describe.each([2, 3] as const)('ioredis with RESP%i', (protocol) => {
  let redis: Redis;
  beforeAll(async () => {
    redis = new Redis({ port: server.port, host: '127.0.0.1', protocol });
    await redis.flushall();
  });
  afterAll(() => redis?.disconnect());

  /** Streams with their entries: RESP3 has a map of them. */
  const streamsOf = (reply: unknown): unknown => {
    if (reply instanceof Map) return [...reply];
    if (Array.isArray(reply)) return Array.isArray(reply[0]) ? reply : [reply];
    return Object.entries(reply as object);
  };

  test('jobs are delivered, acknowledged and claimed', async () => {
    expect(await redis.xgroup('CREATE', 'jobs', 'workers', '$', 'MKSTREAM')).toBe('OK');
    await expect(redis.xgroup('CREATE', 'jobs', 'workers', '$')).rejects.toThrow(/^BUSYGROUP/);
    for (const id of ['1-1', '1-2', '1-3']) await redis.xadd('jobs', id, 'job', `job ${id}`);
    const read = await redis.xreadgroup(
      ...(['GROUP', 'workers', 'ann', 'COUNT', 2, 'STREAMS', 'jobs', '>'] as const),
    );
    expect(streamsOf(read)).toEqual([
      [
        'jobs',
        [
          ['1-1', ['job', 'job 1-1']],
          ['1-2', ['job', 'job 1-2']],
        ],
      ],
    ]);
    expect(await redis.xack('jobs', 'workers', '1-1', '7-7')).toBe(1);
    expect(await redis.xpending('jobs', 'workers')).toEqual([1, '1-2', '1-2', [['ann', '1']]]);
    const [pending] = (await redis.xpending('jobs', 'workers', '-', '+', 10)) as unknown[][];
    expect([pending![0], pending![1], pending![3]]).toEqual(['1-2', 'ann', 1]);
    const claimed = await redis.xclaim('jobs', 'workers', 'bob', 0, '1-2', 'RETRYCOUNT', 5);
    expect(claimed).toEqual([['1-2', ['job', 'job 1-2']]]);
    await redis.xdel('jobs', '1-2');
    expect(await redis.xautoclaim('jobs', 'workers', 'ann', 0, '0')).toEqual(['0-0', [], ['1-2']]);
    expect(await redis.xgroup('DELCONSUMER', 'jobs', 'workers', 'bob')).toBe(0);
    expect(await redis.xgroup('DESTROY', 'jobs', 'workers')).toBe(1);
  });

  test('a worker waits for a job', async () => {
    const worker = redis.duplicate();
    await redis.xgroup('CREATE', 'later', 'workers', '$', 'MKSTREAM');
    const waiting = worker.xreadgroup(
      ...(['GROUP', 'workers', 'ann', 'BLOCK', 5000, 'STREAMS', 'later', '>'] as const),
    );
    await redis.xadd('later', '1-1', 'job', 'first');
    expect(streamsOf(await waiting)).toEqual([['later', [['1-1', ['job', 'first']]]]]);
    const none = await worker.xreadgroup(
      ...(['GROUP', 'workers', 'ann', 'BLOCK', 5, 'STREAMS', 'later', '>'] as const),
    );
    expect(none).toBeNull();
    worker.disconnect();
  });
});

describe.each([2, 3] as const)('node-redis with RESP%i', (protocol) => {
  const connect = async () => {
    const socket = { port: server.port, host: '127.0.0.1' };
    return await createClient({ socket, RESP: protocol }).connect();
  };
  let client: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    client = await connect();
    await client.flushAll();
  });
  afterAll(() => client?.destroy());

  test('jobs are delivered, acknowledged and claimed', async () => {
    expect(await client.xGroupCreate('jobs', 'workers', '0', { MKSTREAM: true })).toBe('OK');
    expect(await client.xGroupCreateConsumer('jobs', 'workers', 'ann')).toBe(1);
    for (const id of ['1-1', '1-2', '1-3']) await client.xAdd('jobs', id, { job: `job ${id}` });
    const read = await client.xReadGroup('workers', 'ann', { key: 'jobs', id: '>' }, { COUNT: 2 });
    const messages = JSON.parse(JSON.stringify(read)) as unknown;
    expect(messages).toMatchObject([
      {
        name: 'jobs',
        messages: [
          { id: '1-1', message: { job: 'job 1-1' } },
          { id: '1-2', message: { job: 'job 1-2' } },
        ],
      },
    ]);
    expect(await client.xAck('jobs', 'workers', ['1-1', '7-7'])).toBe(1);
    expect(await client.xPending('jobs', 'workers')).toEqual({
      pending: 1,
      firstId: '1-2',
      lastId: '1-2',
      consumers: [{ name: 'ann', deliveriesCounter: 1 }],
    });
    const [record] = await client.xPendingRange('jobs', 'workers', '-', '+', 10);
    expect(record).toMatchObject({ id: '1-2', consumer: 'ann', deliveriesCounter: 1 });
    const [group] = await client.xInfoGroups('jobs');
    expect(group).toMatchObject({
      ...{ name: 'workers', consumers: 1, pending: 1, lag: 1 },
      ...{ 'entries-read': 2, 'last-delivered-id': '1-2' },
    });
    const claimed = await client.xClaim('jobs', 'workers', 'bob', 0, '1-2');
    expect(claimed[0]).toMatchObject({ id: '1-2', message: { job: 'job 1-2' } });
    expect(await client.xClaimJustId('jobs', 'workers', 'ann', 0, '1-2')).toEqual(['1-2']);
    const taken = await client.xAutoClaim('jobs', 'workers', 'bob', 0, '0', { COUNT: 5 });
    expect(taken).toMatchObject({ nextId: '0-0', messages: [{ id: '1-2' }], deletedMessages: [] });
    const consumers = await client.xInfoConsumers('jobs', 'workers');
    expect(consumers.map(({ name, pending }) => [name, pending])).toEqual([
      ['ann', 0],
      ['bob', 1],
    ]);
    expect(await client.xGroupDelConsumer('jobs', 'workers', 'bob')).toBe(1);
    expect(await client.xGroupSetId('jobs', 'workers', '$')).toBe('OK');
    expect(await client.xGroupDestroy('jobs', 'workers')).toBe(1);
  });
});
