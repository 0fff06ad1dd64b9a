// Whole SCAN iterations and RANDOMKEY, whose single replies cannot agree with Redis's.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../support/random.js';
import type { RawClient } from '../support/raw_client.js';
import { describeWithPeer } from '../support/redis_peer.js';
import type { Plain } from '../support/reply.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';
import { ORACLE_SEED } from './stream.js';

const CALLS_MAX = 200_000;

/** All elements of an iteration, in the order they came; throws when it does not end. */
async function scanAll(
  client: RawClient,
  options: (string | number)[],
  between?: () => Promise<unknown>,
): Promise<string[]> {
  const found: string[] = [];
  let cursor: Plain = '0';
  for (let calls = 0; calls < CALLS_MAX; calls++) {
    const reply = (await client.call('SCAN', cursor as string, ...options)) as [string, string[]];
    found.push(...reply[1]);
    cursor = reply[0];
    if (cursor === '0') return found;
    await between?.();
  }
  throw new Error(`SCAN did not come to its end in ${CALLS_MAX} calls`);
}

async function fill(client: RawClient, names: readonly string[]): Promise<void> {
  for (let from = 0; from < names.length; from += 1000) {
    await client.pipeline(names.slice(from, from + 1000).map((name) => ['SET', name, 'v']));
  }
}

describeWithPeer('whole iterations find what Redis finds', () => {
  let redis: TestServer;
  let subject: TestServer;
  beforeAll(async () => {
    redis = await spawnServer({ kind: 'redis' });
    subject = await spawnServer();
  });
  afterAll(async () => {
    await redis?.stop();
    await subject?.stop();
  });

  test.each([0, 1, 7, 100, 3000, 30_000])('SCAN over %i keys', async (count) => {
    const random = new Random(ORACLE_SEED + count);
    const names = Array.from({ length: count }, (_, i) =>
      random.chance(0.5) ? `key:${i}` : `${random.bytes(4).toString('latin1')}${i}`,
    );
    const clients = [await redis.connect(), await subject.connect()] as const;
    for (const client of clients) {
      await client.call('FLUSHALL');
      await fill(client, names);
    }
    for (const options of [
      [],
      ['COUNT', 1],
      ['COUNT', 100],
      ['COUNT', 1_000_000],
      ['MATCH', 'key:*1'],
      ['MATCH', 'key:1*', 'COUNT', 50, 'TYPE', 'string'],
      ['TYPE', 'list', 'COUNT', 100],
    ]) {
      if (count > 10_000 && options.length < 4 && !options.includes(1_000_000)) continue;
      const [expected, actual] = await Promise.all(
        clients.map((client) => scanAll(client, options)),
      );
      expect([...new Set(actual)].sort(), options.join(' ')).toEqual([...new Set(expected)].sort());
      expect(actual?.length, 'no element twice in a table at rest').toBe(new Set(actual).size);
    }
  });

  test('elements present throughout are returned while others come and go', async () => {
    const random = new Random(ORACLE_SEED);
    const client = await subject.connect();
    const other = await subject.connect();
    await client.call('FLUSHALL');
    const steady = Array.from({ length: 3000 }, (_, i) => `steady:${i}`);
    await fill(client, steady);
    let serial = 0;
    const churn = async (): Promise<void> => {
      const commands = Array.from({ length: 40 }, () =>
        random.chance(0.7)
          ? ['SET', `new:${serial++}`, 'v']
          : ['DEL', `new:${random.below(serial + 1)}`],
      );
      await other.pipeline(commands);
    };
    for (let round = 0; round < 4; round++) {
      const found = new Set(await scanAll(client, ['COUNT', 20], churn));
      expect(steady.filter((name) => !found.has(name))).toEqual([]);
      // The next iteration runs while the table shrinks again.
      if (round === 1)
        await other.call('DEL', ...Array.from({ length: serial }, (_, i) => `new:${i}`));
    }
  });

  test('RANDOMKEY gives each key sooner or later, and none that is not there', async () => {
    const client = await subject.connect();
    await client.call('FLUSHALL');
    expect(await client.call('RANDOMKEY')).toBeNull();
    const names = Array.from({ length: 10 }, (_, i) => `key:${i}`);
    await fill(client, names);
    const replies = await client.pipeline(Array.from({ length: 1000 }, () => ['RANDOMKEY']));
    expect([...new Set(replies.map(({ text }) => text))].sort()).toEqual(names);
  });
});
