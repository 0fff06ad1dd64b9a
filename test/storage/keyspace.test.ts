// The keyspace against plain maps: seeded random operations with a walk of the whole heap after each
// one. KEYSPACE_SEED replays a run, KEYSPACE_OPERATIONS lengthens it.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';
import type { ModelOptions } from './keyspace_model.js';

const allocator = await openTestArena(160 * 1024 * 1024);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { attachHeap, databaseCount, flushHeap } = await import('../../storage/heap.js');
const { setClock } = await import('../../storage/structures/clock.js');
const { setExpiryMillis } = await import('../../storage/structures/entries.js');
const { expiresCount } = await import('../../storage/structures/expiry_index.js');
const keyspace = await import('../../storage/keyspace/keyspace.js');
const strings = await import('../../storage/keyspace/string_keys.js');
const { databaseRoot, NULL_REF } = await import('../../storage/memory/layout.js');
const { extentCount } = await import('../../storage/memory/arena.js');
const { freeExtentCount } = await import('../../storage/memory/extents.js');
const { KeyspaceModel } = await import('./keyspace_model.js');
const { bytesOf } = await import('./table_fixture.js');

const SEED = numberFromEnv('KEYSPACE_SEED', 20_254);
const OPERATIONS = numberFromEnv('KEYSPACE_OPERATIONS', 600);

const SHORT_KEYS = ['', 'a', ...Array.from({ length: 40 }, (_, i) => `key:${i}`)];
/** On both sides of the borders: key length field, slab, page. */
const LONG_KEYS = [2030, 4095, 4096, 5000, 32_768, 32_769, 300_000].map((length) =>
  `long:${length}:`.padEnd(length, 'x'),
);

function run(
  options: Partial<ModelOptions> & Pick<ModelOptions, 'random' | 'keys' | 'valueLength'>,
): void {
  const model = new KeyspaceModel({ mayBeFull: false, ...options });
  for (let i = 0; i < OPERATIONS; i++) {
    model.step();
    if (i % 100 === 0) model.verifyAll();
  }
  model.verifyAll();
  model.finish();
  model.verifyAll();
  expect(allocator.usedBytes()).toBe(0);
}

test('small values', () => {
  const random = new Random(SEED);
  run({ random, keys: SHORT_KEYS, valueLength: () => random.below(200) });
});

test('values around the size at which they leave the entry', () => {
  const random = new Random(SEED + 1);
  run({
    random,
    keys: [...SHORT_KEYS, ...LONG_KEYS],
    valueLength: () => random.between(1900, 2100),
  });
});

test('values and keys of every size class', () => {
  const random = new Random(SEED + 2);
  const borders = [0, 1, 15, 16, 44, 256, 2048, 16_384, 32_768, 32_769, 36_864, 100_000, 1_048_576];
  const valueLength = (): number => Math.max(0, random.pick(borders) + random.between(-20, 20));
  run({ random, keys: [...SHORT_KEYS.slice(0, 12), ...LONG_KEYS], valueLength });
});

test('values above 2 MiB', () => {
  const random = new Random(SEED + 3);
  const MIB = 1024 * 1024;
  const borders = [100, 40_000, 2 * MIB - 4096, 2 * MIB, 2 * MIB + 1, 4 * MIB, 5 * MIB + 9000];
  const valueLength = (): number => Math.max(0, random.pick(borders) + random.between(-5000, 5000));
  run({ random, keys: ['a', 'b', 'c', 'd', 'e'], valueLength });
});

test('many keys', () => {
  const random = new Random(SEED + 4);
  const keys = Array.from({ length: 4000 }, (_, i) => `key:${i}`);
  run({ random, keys, valueLength: () => random.below(60) });
});

test('updates out of place, as while a checkpoint runs', () => {
  const random = new Random(SEED + 7);
  const borders = [0, 10, 44, 200, 300, 2048, 2048, 5000, 40_000, 40_000, 2_200_000];
  const valueLength = (): number => Math.max(0, random.pick(borders) + random.between(-50, 50));
  // Each size goes to extents of its own, again and again: two free ones side by side may be missing.
  const keys = [...SHORT_KEYS, ...LONG_KEYS];
  run({ random, keys, valueLength, checkpoints: true, mayBeFull: true });
});

const database = () => databaseRoot(0);

/** Database 0 of an empty heap, and the time. */
function startEmpty(): number {
  flushHeap();
  const start = 1_700_000_000_000;
  setClock(start);
  return start;
}

function put(key: string, value: string, mode: number): void {
  const k = bytesOf(key);
  const v = bytesOf(value);
  expect(strings.putString(database(), k, 0, k.length, v, 0, v.length, mode)).toBe(true);
}

test('100,000 keys that expire in the same millisecond', () => {
  // Among so many 32-bit hashes some are equal, so the index then holds equal items.
  const start = startEmpty();
  const keys = 100_000;
  for (let i = 0; i < keys; i++) {
    setExpiryMillis(start + 500);
    put(`key:${i}`, 'value', strings.EXPIRY_SET);
  }
  put('stays', 'value', strings.EXPIRY_CLEAR);
  expect(expiresCount(database())).toBe(keys);
  verifyHeap();
  setClock(start + 500);
  expect(keyspace.deleteExpired(database(), 10), 'the last millisecond is its own').toBe(0);
  setClock(start + 501);
  expect(keyspace.deleteExpired(database(), 30_000)).toBe(30_000);
  verifyHeap();
  expect(keyspace.deleteExpired(database(), keys)).toBe(70_000);
  expect(keyspace.deleteExpired(database(), keys)).toBe(0);
  expect(keyspace.keyCount(database())).toBe(1);
  expect(expiresCount(database())).toBe(0);
  verifyHeap();
});

test('keys go in the order of their expiry', () => {
  const start = startEmpty();
  const random = new Random(SEED + 5);
  const times = new Map<string, number>();
  for (let i = 0; i < 3000; i++) {
    const time = start + random.between(1, 100_000) * (random.chance(0.01) ? 2 ** 32 : 1);
    setExpiryMillis(time);
    put(`key:${i}`, 'value', strings.EXPIRY_SET);
    times.set(`key:${i}`, time);
  }
  for (let now = start; now <= start + 110_000; now += 10_000) {
    setClock(now);
    while (keyspace.deleteExpired(database(), 100) > 0) {}
    const left = [...times.values()].filter((time) => time >= now).length;
    expect(keyspace.keyCount(database())).toBe(left);
    verifyHeap();
  }
});

test('an emptied heap has all its extents again', () => {
  startEmpty();
  const free = freeExtentCount();
  expect(free).toBe(extentCount - 4);
  for (let i = 0; i < 50_000; i++) put(`key:${i}`, 'x'.repeat(300), strings.EXPIRY_CLEAR);
  for (let i = 0; i < 5; i++) put(`large:${i}`, 'x'.repeat(3_000_000), strings.EXPIRY_CLEAR);
  expect(freeExtentCount()).toBeLessThan(free);
  flushHeap();
  expect(freeExtentCount()).toBe(free);
  verifyHeap();
  const key = bytesOf('key:1');
  expect(keyspace.lookup(database(), key, 0, key.length)).toBe(NULL_REF);
  put('key:1', 'again', strings.EXPIRY_CLEAR);
  verifyHeap();
});

test('memory that was freed in between is used again', () => {
  startEmpty();
  const random = new Random(SEED + 6);
  const size = (): number => random.between(100, 300);
  const rounds: number[] = [];
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 20_000; i++) put(`key:${i}`, 'x'.repeat(size()), strings.EXPIRY_CLEAR);
    rounds.push(extentCount - freeExtentCount());
  }
  verifyHeap();
  expect(rounds.at(-1)).toBeLessThanOrEqual((rounds[1] as number) + 3);
  for (let i = 0; i < 20_000; i++) {
    const key = bytesOf(`key:${i}`);
    expect(keyspace.deleteKey(database(), key, 0, key.length)).toBe(true);
  }
  verifyHeap();
  // Each size class may keep the extent under its cursor.
  expect(extentCount - freeExtentCount()).toBeLessThan(24);
});

test('a start with fewer databases frees what empty ones kept, and refuses to lose keys', () => {
  startEmpty();
  const databases = databaseCount();
  const last = databaseRoot(databases - 1);
  const key = bytesOf('key');
  setExpiryMillis(1_800_000_000_000);
  strings.putString(last, key, 0, key.length, key, 0, key.length, strings.EXPIRY_SET);
  expect(() => attachHeap(databases - 1, () => 7)).toThrow(/databases/);
  verifyHeap();
  expect(keyspace.deleteKey(last, key, 0, key.length)).toBe(true);
  attachHeap(databases - 1, () => 7);
  verifyHeap();
  attachHeap(databases, () => 7);
  expect(keyspace.lookup(last, key, 0, key.length)).toBe(NULL_REF);
  verifyHeap();
});
