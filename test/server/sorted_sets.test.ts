// Sorted sets over the wire, where redis-server 7.0 cannot be the judge: WITHSCORE of Redis 7.2, random
// picks, scans of sets that change, limits changed at run time, a restart, and a full arena.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { RawClient } from '../support/raw_client.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';

let server: TestServer;
let client: RawClient;
beforeAll(async () => {
  server = await spawnServer({ args: ['--enable-debug-command', 'yes', '--arena-size', '64mb'] });
  client = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  await client.call('FLUSHALL');
  await client.call('CONFIG', 'SET', 'zset-max-listpack-entries', 128);
});

/** Adds members m0, m1, ... with their numbers for scores. */
async function fill(key: string, from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += 500) {
    const pairs: (string | number)[] = [];
    for (let i = first; i < Math.min(to, first + 500); i++) pairs.push(i, `m${i}`);
    await client.call('ZADD', key, ...pairs);
  }
}

test('ZRANK and ZREVRANK WITHSCORE', async () => {
  await fill('z', 0, 3);
  expect(await client.call('ZRANK', 'z', 'm1', 'WITHSCORE')).toEqual([1, '1']);
  expect(await client.call('ZREVRANK', 'z', 'm0', 'withscore')).toEqual([2, '0']);
  expect(await client.call('ZRANK', 'z', 'none', 'WITHSCORE')).toBeNull();
  expect(await client.call('ZRANK', 'none', 'm1', 'WITHSCORE')).toBeNull();
  const other = await server.connect();
  await other.call('HELLO', 3);
  expect(await other.call('ZRANK', 'z', 'm2', 'WITHSCORE')).toEqual([2, 2]);
  await other.close();
});

test('the limits of the packed form can change while the server runs', async () => {
  await fill('z', 0, 10);
  expect(await client.call('OBJECT', 'ENCODING', 'z')).toBe('listpack');
  await client.call('CONFIG', 'SET', 'zset-max-ziplist-entries', 5);
  expect(await client.call('OBJECT', 'ENCODING', 'z')).toBe('listpack');
  await client.call('ZADD', 'z', 100, 'last');
  expect(await client.call('OBJECT', 'ENCODING', 'z')).toBe('skiplist');
  expect(await client.call('ZCARD', 'z')).toBe(11);
  expect(await client.call('DEBUG', 'VERIFY')).toBeTruthy();
});

test.each([100, 3000])('ZRANDMEMBER picks each of %i members equally often', async (size) => {
  await fill('z', 0, size);
  const draws = size * 20;
  const picked = (await client.call('ZRANDMEMBER', 'z', -draws)) as string[];
  const counts = new Map<string, number>();
  for (const member of picked) counts.set(member, (counts.get(member) ?? 0) + 1);
  const expected = draws / size;
  let chiSquare = 0;
  for (let i = 0; i < size; i++) {
    chiSquare += ((counts.get(`m${i}`) ?? 0) - expected) ** 2 / expected;
  }
  // Of size - 1 degrees of freedom: six standard deviations above the mean.
  expect(chiSquare).toBeLessThan(size - 1 + 6 * Math.sqrt(2 * (size - 1)));
  for (const count of [1, size >> 1, size - 1, size, size * 2]) {
    const different = (await client.call('ZRANDMEMBER', 'z', count)) as string[];
    expect(new Set(different).size).toBe(Math.min(count, size));
    expect(different.length).toBe(Math.min(count, size));
  }
});

test('ZSCAN returns what is there throughout while the set grows and shrinks', async () => {
  await fill('z', 0, 2000);
  const found = new Set<string>();
  let cursor = '0';
  let step = 0;
  do {
    const [next, elements] = (await client.call('ZSCAN', 'z', cursor)) as [string, string[]];
    for (let i = 0; i < elements.length; i += 2) found.add(elements[i]!);
    cursor = next;
    if (step % 2 === 0) await fill('z', 5000 + step * 40, 5040 + step * 40);
    else await client.call('ZREMRANGEBYSCORE', 'z', 5000, 5000 + step * 30);
    step++;
  } while (cursor !== '0');
  for (let i = 0; i < 2000; i++) expect(found.has(`m${i}`)).toBe(true);
});

test('both forms survive a restart from a checkpoint', async () => {
  await fill('small', 0, 20);
  await fill('large', 0, 5000);
  await client.call('DEBUG', 'RELOAD');
  expect(await client.call('DEBUG', 'VERIFY')).toBeTruthy();
  for (const [key, size] of [
    ['small', 20],
    ['large', 5000],
  ] as const) {
    expect(await client.call('ZCARD', key)).toBe(size);
    expect(await client.call('ZRANGE', key, size - 1, -1, 'WITHSCORES')).toEqual([
      `m${size - 1}`,
      String(size - 1),
    ]);
    expect(await client.call('ZRANK', key, 'm17')).toBe(17);
  }
});

test('deleted sets are freed in steps, and MEMORY USAGE tells what they take', async () => {
  await fill('z', 0, 50_000);
  const bytes = (await client.call('MEMORY', 'USAGE', 'z')) as number;
  expect(bytes / 50_000).toBeGreaterThan(30);
  expect(bytes / 50_000).toBeLessThan(80);
  await client.call('DEL', 'z');
  expect(await client.call('EXISTS', 'z')).toBe(0);
  expect(await client.call('DEBUG', 'VERIFY')).toBeTruthy();
});

test('a full arena refuses members and keeps the ones that it has', async () => {
  const filler = 'x'.repeat(1000);
  let count = 0;
  let refused = '';
  while (refused === '') {
    const members = Array.from({ length: 200 }, () => [count, `${count++}${filler}`]).flat();
    const { type, text } = (await client.pipeline([['ZADD', 'z', ...members]]))[0]!;
    if (type === 'error') refused = text;
  }
  expect(refused).toMatch(/^OOM /);
  const held = (await client.call('ZCARD', 'z')) as number;
  expect(held).toBeGreaterThanOrEqual(count - 200);
  expect(await client.call('ZCOUNT', 'z', '-inf', '+inf')).toBe(held);
  expect((await client.pipeline([['ZADD', 'new', 1, filler.repeat(50_000)]]))[0]!.type).toBe(
    'error',
  );
  expect(await client.call('EXISTS', 'new')).toBe(0);
  expect(await client.call('DEBUG', 'VERIFY')).toBeTruthy();
  expect(await client.call('ZREMRANGEBYRANK', 'z', 0, held - 2)).toBe(held - 1);
  await client.call('ZADD', 'z', 1, 'again');
  expect(await client.call('ZCARD', 'z')).toBe(2);
});
