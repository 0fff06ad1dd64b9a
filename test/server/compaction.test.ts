// Compaction of what values own: small collections of each form, many of them, and large ones, a random share
// deleted. The values stay what they were, the heap is whole after every few steps, a step is bounded, and
// extents become free. COMPACTION_SEED replays a run.
import { beforeEach, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';
import type { Arg } from '../support/raw_client.js';

const MIB = 1024 * 1024;
const allocator = await openTestArena(192 * MIB);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { createHeap, flushHeap } = await import('../../storage/heap.js');
const compaction = await import('../../storage/keyspace/compaction.js');
const { extentCount } = await import('../../storage/memory/arena.js');
const { freeExtentCount } = await import('../../storage/memory/extents.js');
const { setClock } = await import('../../storage/structures/clock.js');
const { relocated } = await import('../../storage/structures/relocation.js');
const { freeRetired } = await import('../../storage/values/retired.js');
const { contents } = await import('../support/contents.js');
const { call } = await import('../support/run_command.js');

const SEED = numberFromEnv('COMPACTION_SEED', 50_505);
const NOW = 1_700_000_000_000;
const STEP_BYTES = 64 * 1024;
/** The largest object that the tests here move. */
const OBJECT_BYTES_MAX = 32 * 1024;
const DELETED_SHARE = 0.6;
/** Of many keys so many are compared. */
const COMPARED = 3000;

createHeap(2, () => SEED);
beforeEach(() => {
  flushHeap();
  setClock(NOW);
});

const usedExtents = (): number => extentCount - freeExtentCount();
const name = (i: number): string => `element:${String(i).padStart(8, '0')}`;
const each = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** A whole pass; the heap is walked some five times on the way, mostly at its beginning. */
function compact(): void {
  expect(compaction.beginCompaction(0, 0)).toBeGreaterThan(0);
  let verifyAt = 1;
  for (let step = 0, more = true; more; step++) {
    const before = relocated.bytes;
    more = compaction.compactStep(1, STEP_BYTES);
    expect(relocated.bytes - before).toBeLessThanOrEqual(STEP_BYTES + OBJECT_BYTES_MAX);
    if (step < verifyAt) continue;
    verifyHeap();
    verifyAt *= 4;
  }
  verifyHeap();
  allocator.dropEmptyCursors();
}

/** Compacts what was thinned out, and compares all keys and the memory. */
function compactAndCompare(keys: readonly string[], ratio: number): void {
  while (freeRetired(1000) > 0);
  const before = usedExtents();
  const compared = keys.slice(0, COMPARED);
  const expected = compared.map(contents);
  compact();
  for (const [i, key] of compared.entries()) {
    if (JSON.stringify(contents(key)) !== JSON.stringify(expected[i])) {
      throw new Error(`${key} has changed`);
    }
  }
  expect(usedExtents()).toBeLessThan(ratio * before);
  expect(relocated.refused, 'all find room').toBeLessThan(100);
}

const SMALL: readonly (readonly [string, number, (i: number) => readonly Arg[]])[] = [
  [
    'packed hashes',
    50_000,
    (i) => ['HSET', ...each(20, (j) => (j % 2 === 0 ? `field:${j}` : name(i + j)))],
  ],
  ['hashes with one long value', 2500, (i) => ['HSET', 'f', `${i}`.padEnd(9000, 'v')]],
  ['sets of integers', 60_000, (i) => ['SADD', ...each(20, (j) => 1_000_000 + i + j)]],
  ['packed sets', 50_000, (i) => ['SADD', ...each(10, (j) => name(i + j))]],
  ['packed sorted sets', 50_000, (i) => ['ZADD', ...each(10, (j) => [j, name(i + j)]).flat()]],
  ['lists of one node', 40_000, (i) => ['RPUSH', ...each(20, (j) => name(i + j))]],
  ['lists of several nodes', 400, (i) => ['RPUSH', ...each(4000, (j) => name(i + j))]],
  [
    'lists of elements of their own',
    1500,
    (i) => ['RPUSH', ...each(5, (j) => name(i + j).padEnd(4000))],
  ],
  ['HyperLogLogs', 12_000, (i) => ['PFADD', ...each(250, (j) => name(i + j * 31))]],
];

test.each(SMALL)('%s', (_, count, make) => {
  const random = new Random(SEED);
  for (let i = 0; i < count; i++) {
    const [command, ...rest] = make(i);
    call(command!, `key:${i}`, ...rest);
  }
  const order = random.shuffle(each(count, (i) => i));
  for (const i of order.splice(0, count * DELETED_SHARE)) call('DEL', `key:${i}`);
  compactAndCompare(
    order.map((i) => `key:${i}`),
    0.72,
  );
});

/** Elements of one value, added some at a time, and how some of them are taken away. */
const LARGE: readonly (readonly [string, number, (i: number) => readonly Arg[], string])[] = [
  ['a hash', 200_000, (i) => ['HSET', name(i), name(i * 7)], 'HDEL'],
  ['a hash of long values', 5000, (i) => ['HSET', name(i), `${i}`.padEnd(9000, 'v')], 'HDEL'],
  ['a hash of long fields', 5000, (i) => ['HSET', name(i).padEnd(6000, '.'), 'v'], 'HDEL'],
  ['a set', 200_000, (i) => ['SADD', name(i)], 'SREM'],
  ['a sorted set', 150_000, (i) => ['ZADD', i % 5000, name(i)], 'ZREM'],
  ['a sorted set of one score', 150_000, (i) => ['ZADD', 1, name(i)], 'ZREM'],
];

test.each(LARGE)('%s', (_, count, make, remove) => {
  const random = new Random(SEED);
  for (let i = 0; i < count; i++) {
    const [command, ...rest] = make(i);
    call(command!, 'k', ...rest);
  }
  const order = random.shuffle(each(count, (i) => i));
  const element = (i: number): Arg => make(i)[remove === 'ZREM' ? 2 : 1]!;
  for (const i of order.splice(0, count * DELETED_SHARE)) call(remove, 'k', element(i));
  const spare = count > 10_000 ? 0.8 : 0.72; // tables and trees are no part of it
  compactAndCompare(['k'], spare);
  // What has moved is found, and is taken away, as before.
  if (remove === 'ZREM') {
    const first = call('ZRANGE', 'k', 0, 0) as string[];
    expect(call('ZRANK', 'k', first[0]!)).toBe(0);
  }
  for (const i of order.slice(0, 500)) expect(call(remove, 'k', element(i))).toBe(1);
  verifyHeap();
});

test('a list of elements that have objects of their own', () => {
  const random = new Random(SEED);
  for (let i = 0; i < 12_000; i++) call('RPUSH', 'k', name(i).padEnd(3000, '.'));
  for (let i = 0; i < 12_000; i++) if (random.chance(DELETED_SHARE)) call('LSET', 'k', i, 'gone');
  call('LREM', 'k', 0, 'gone');
  compactAndCompare(['k'], 0.72);
});

test('fields that expire keep their times', () => {
  const random = new Random(SEED);
  for (let i = 0; i < 100_000; i++) {
    call('HSET', 'k', name(i), name(i));
    call('HPEXPIREAT', 'k', NOW + 1000 + i, 'FIELDS', 1, name(i));
  }
  for (let i = 0; i < 100_000; i++) if (random.chance(DELETED_SHARE)) call('HDEL', 'k', name(i));
  compactAndCompare(['k'], 0.85);
  const left = call('HLEN', 'k') as number;
  const late = (call('HKEYS', 'k') as string[]).filter((field) => field >= name(50_000));
  setClock(NOW + 1000 + 50_000);
  expect((call('HKEYS', 'k') as string[]).sort()).toEqual(late.sort());
  expect(late.length).toBeLessThan(left);
  verifyHeap();
});

test('values that change, come and go between the steps', () => {
  const random = new Random(SEED);
  const keys = each(150, (i) => `key:${i}`);
  const long = (i: number): string => name(i).padEnd(700, '.');
  const models = new Map<string, Map<string, number>>();
  const put = (key: string): void => {
    const members = models.get(key) ?? new Map<string, number>();
    models.set(key, members);
    for (let i = random.pick([1, 100, 300]); i > 0; i--) {
      const [member, score] = [long(random.below(3000)), random.below(50)];
      call('ZADD', key, score, member);
      members.set(member, score);
    }
  };
  const take = (key: string): void => {
    const members = models.get(key);
    if (members === undefined) return;
    for (const member of [...members.keys()]) {
      if (random.chance(DELETED_SHARE)) continue;
      call('ZREM', key, member);
      members.delete(member);
    }
    if (members.size === 0) models.delete(key);
  };
  const moved = relocated.objects;
  for (let round = 0; round < 4; round++) {
    for (const key of keys) put(key);
    for (const key of keys) if (random.chance(0.8)) take(key);
    while (freeRetired(1000) > 0);
    expect(compaction.beginCompaction(0, 0)).toBeGreaterThan(0);
    for (let step = 0; compaction.isCompacting(); step++) {
      compaction.compactStep(1, random.pick([1, 1000, STEP_BYTES, STEP_BYTES]));
      if (step % 4 === 0) (random.chance(0.3) ? put : take)(random.pick(keys));
      if (step % 60 === 0) verifyHeap();
    }
  }
  verifyHeap();
  expect(relocated.objects - moved).toBeGreaterThan(500);
  for (const [key, members] of models) {
    const expected = [...members].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
    expect(call('ZRANGE', key, 0, -1, 'WITHSCORES')).toEqual(
      expected.flatMap(([member, score]) => [member, String(score)]),
    );
  }
});
