// Streams over the wire, beside the replies that are compared with Redis's in test/oracle: the nodes that XINFO
// tells of, large streams that go without holding the server, a restart, and a full arena.
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { figure } from '../support/figures.js';
import type { RawClient } from '../support/raw_client.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { fields } from '../support/reply.js';
import { info, spawnServer, type TestServer } from '../support/spawn_server.js';

const ENTRIES = 300_000;
const BATCH = 500;

let server: TestServer;
let client: RawClient;
beforeAll(async () => {
  server = await spawnServer({ args: ['--enable-debug-command', 'yes', '--arena-size', '128mb'] });
  client = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  await client.call('FLUSHALL');
});

/** Adds entries 1-0, 2-0, ... with three small fields. */
async function fill(on: RawClient, key: string, entries: number): Promise<void> {
  for (let first = 1; first <= entries; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, entries - first + 1) }, (_, i) =>
      `XADD ${key} ${first + i}-0 a ${first + i} b two c three`.split(' '),
    );
    await on.pipeline(batch);
  }
}

describeWithPeer('XINFO STREAM tells the nodes of Redis', () => {
  test('where nodes are full by their entries', async () => {
    const redis = await spawnServer({ kind: 'redis' });
    try {
      const peer = await redis.connect();
      for (const both of [client, peer]) {
        await fill(both, 's', 2000);
        for (const id of ['4294967296-5', '4294967296-4294967300', '99999999999999-7']) {
          await both.call('XADD', 's', id, 'a', 1);
          for (let i = 0; i < 250; i++)
            await both.call('XADD', 's', `${id.split('-')[0]}-*`, 'a', i);
        }
        await both.call('XTRIM', 's', 'MINID', '~', 350);
      }
      for (let round = 0; round < 20; round++) {
        for (const words of [
          ['XTRIM', 's', 'MAXLEN', '~', 2600 - round * 130],
          ['XLEN', 's'],
        ]) {
          expect(await client.call(...words)).toBe(await peer.call(...words));
        }
        const ours = fields((await client.pipeline([['XINFO', 'STREAM', 's']]))[0]!);
        const theirs = fields((await peer.pipeline([['XINFO', 'STREAM', 's']]))[0]!);
        for (const name of ['radix-tree-keys', 'radix-tree-nodes']) {
          expect(`${name} ${ours.get(name)?.text}`).toBe(`${name} ${theirs.get(name)?.text}`);
        }
      }
    } finally {
      await redis.stop();
    }
  });
});

test('a large stream is freed in steps, and others are served meanwhile', async () => {
  await fill(client, 's', ENTRIES);
  const other = await server.connect();
  const used = Number((await info(client, 'memory')).get('used_memory'));
  const started = performance.now();
  await client.call('DEL', 's');
  const millis = performance.now() - started;
  figure(`DEL of a stream of ${ENTRIES} entries: ${millis.toFixed(2)} ms at the client`);
  expect(await client.call('EXISTS', 's')).toBe(0);
  expect(await client.call('DEBUG', 'VERIFY')).toBeTruthy();
  for (;;) {
    expect(await other.call('PING')).toBe('PONG');
    const now = Number((await info(client, 'memory')).get('used_memory'));
    if (now < used / 4) break;
    await turn();
  }
  await other.close();
}, 30_000);

test('streams are there after a restart, and go on', async () => {
  await fill(client, 's', 1000);
  await client.call('XDEL', 's', '500-0', '1000-0');
  await client.call('XTRIM', 's', 'MAXLEN', 900);
  await client.call('XADD', 'empty', 'MAXLEN', 0, '7-7', 'f', 'v');
  const before = await client.pipeline([
    ['XINFO', 'STREAM', 's', 'FULL', 'COUNT', 0],
    ['XINFO', 'STREAM', 'empty', 'FULL'],
  ]);
  await client.call('DEBUG', 'RELOAD');
  const after = await client.pipeline([
    ['XINFO', 'STREAM', 's', 'FULL', 'COUNT', 0],
    ['XINFO', 'STREAM', 'empty', 'FULL'],
  ]);
  expect(after).toEqual(before);
  expect(await client.call('XADD', 's', '1000-*', 'f', 'v')).toBe('1000-1');
  expect(await client.call('XADD', 'empty', '7-*', 'f', 'v')).toBe('7-8');
});

test('XADD to a full arena is refused and changes nothing', async () => {
  const value = 'v'.repeat(300_000);
  let entries = 0;
  let error: unknown = null;
  while (error === null) {
    const [reply] = await client.pipeline([['XADD', 's', `${entries + 1}-0`, 'f', value]]);
    if (reply!.type === 'error') error = reply!.text;
    else entries++;
  }
  expect(error).toContain('OOM');
  expect(await client.call('XLEN', 's')).toBe(entries);
  expect(await client.call('DEBUG', 'VERIFY')).toBeTruthy();
  expect(await client.call('XTRIM', 's', 'MAXLEN', 10)).toBe(entries - 10);
  expect(await client.call('XADD', 's', '*', 'f', value)).toBeTruthy();
  expect(await client.call('DEBUG', 'VERIFY')).toBeTruthy();
}, 30_000);
