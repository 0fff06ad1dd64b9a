// A full arena: commands are refused, nothing is corrupted, and what is freed can be used again. The
// smallest arena that there is, so that every kind of allocation fails now and then.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const { ARENA_BYTES_MIN, databaseRoot, NULL_REF } = await import('../../storage/memory/layout.js');
const allocator = await openTestArena(ARENA_BYTES_MIN);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { attachHeap, createHeap, flushHeap } = await import('../../storage/heap.js');
const { setClock } = await import('../../storage/structures/clock.js');
const { setExpiryMillis } = await import('../../storage/structures/entries.js');
const { setExpiry } = await import('../../storage/structures/entry_table.js');
const keyspace = await import('../../storage/keyspace/keyspace.js');
const strings = await import('../../storage/keyspace/string_keys.js');
const { freeExtentCount } = await import('../../storage/memory/extents.js');
const { KeyspaceModel } = await import('./keyspace_model.js');
const { bytesOf } = await import('./table_fixture.js');

const SEED = numberFromEnv('KEYSPACE_SEED', 20_255);
const OPERATIONS = numberFromEnv('KEYSPACE_OPERATIONS', 800);
const START_MILLIS = 1_700_000_000_000;

createHeap(1, () => 3);
const database = databaseRoot(0);

function put(key: string, length: number, mode: number): boolean {
  const bytes = bytesOf(key);
  const value = new Uint8Array(length).fill(0x61);
  return strings.putString(database, bytes, 0, bytes.length, value, 0, length, mode);
}

/** Puts numbered keys until one is refused; returns how many there are. */
function fill(prefix: string, length: number, mode: number): number {
  for (let i = 0; ; i++) {
    setExpiryMillis(START_MILLIS + 1000 + i);
    if (!put(`${prefix}:${i}`, length, mode)) return i;
  }
}

function deleteAll(prefix: string, count: number): void {
  let deleted = 0;
  for (let i = 0; i < count; i++) {
    const key = bytesOf(`${prefix}:${i}`);
    if (keyspace.deleteKey(database, key, 0, key.length)) deleted++;
  }
  expect(deleted).toBe(count);
}

test.each([
  ['small values', 100],
  ['values of 1 KiB', 1000],
  ['the largest slots', 32_000],
  ['pages', 50_000],
  ['runs', 3_000_000],
])('%s until the arena is full, and again after deleting', (_, length) => {
  flushHeap();
  setClock(START_MILLIS);
  const count = fill('key', length, strings.EXPIRY_CLEAR);
  expect(count).toBeGreaterThan(0);
  verifyHeap();
  expect(keyspace.keyCount(database)).toBe(count);
  // What is there stays as it is and can still be read, replaced in its place and deleted.
  let missing = 0;
  for (let i = 0; i < count; i++) {
    const key = bytesOf(`key:${i}`);
    if (keyspace.lookup(database, key, 0, key.length) === NULL_REF) missing++;
  }
  expect(missing).toBe(0);
  if (length < 2000) expect(put('key:0', length, strings.EXPIRY_CLEAR)).toBe(true);
  deleteAll('key', count);
  verifyHeap();
  const again = fill('yek', length, strings.EXPIRY_CLEAR);
  expect(again).toBeGreaterThanOrEqual(count - 1);
  verifyHeap();
});

test('memory goes from one size to another', () => {
  const lengths = [200, 1000, 32_000, 50_000, 300, 3_000_000, 17_000];
  const alone = lengths.map((length) => {
    flushHeap();
    return fill('key', length, strings.EXPIRY_CLEAR);
  });
  flushHeap();
  lengths.forEach((length, i) => {
    const count = fill('key', length, strings.EXPIRY_CLEAR);
    expect(count).toBeGreaterThanOrEqual((alone[i] as number) * 0.99);
    verifyHeap();
    deleteAll('key', count);
    if (i === 3) attachHeap(1, () => 3);
  });
  verifyHeap();
});

test('expiring keys until the arena is full; expiry makes room', () => {
  flushHeap();
  setClock(START_MILLIS);
  const count = fill('key', 150, strings.EXPIRY_SET);
  verifyHeap();
  setClock(START_MILLIS + 1001 + (count >>> 1));
  const deleted = keyspace.deleteExpired(database, count);
  expect(deleted).toBe((count >>> 1) + 1);
  verifyHeap();
  expect(put('new', 150, strings.EXPIRY_CLEAR)).toBe(true);
  setClock(START_MILLIS + 1001 + count);
  expect(keyspace.deleteExpired(database, count)).toBe(count - deleted);
  verifyHeap();
});

test('a full arena that is emptied by a walk over its expiries', () => {
  flushHeap();
  setClock(START_MILLIS);
  const count = fill('key', 200, strings.EXPIRY_CLEAR);
  // Each key gets an expiry while there is room for its index item, then one is refused.
  let given = 0;
  for (let i = 0; i < count; i++) {
    const key = bytesOf(`key:${i}`);
    const ref = keyspace.lookup(database, key, 0, key.length);
    setExpiryMillis(START_MILLIS + 5);
    if (setExpiry(database, ref) !== NULL_REF) given++;
  }
  expect(given).toBeLessThan(count);
  verifyHeap();
  setClock(START_MILLIS + 6);
  expect(keyspace.deleteExpired(database, count)).toBe(given);
  expect(keyspace.keyCount(database)).toBe(count - given);
  verifyHeap();
});

test('a value larger than what is left is refused, smaller ones are not', () => {
  flushHeap();
  setClock(START_MILLIS);
  const room = freeExtentCount() * 2 * 1024 * 1024;
  expect(put('too large', room + 1, strings.EXPIRY_CLEAR)).toBe(false);
  expect(put('no window', 1_100_000_000, strings.EXPIRY_CLEAR)).toBe(false);
  verifyHeap();
  expect(keyspace.keyCount(database)).toBe(0);
  expect(put('large', room - 10 * 1024 * 1024, strings.EXPIRY_CLEAR)).toBe(true);
  expect(put('too large', 8 * 1024 * 1024, strings.EXPIRY_CLEAR)).toBe(false);
  expect(put('small', 1000, strings.EXPIRY_CLEAR)).toBe(true);
  verifyHeap();
});

test.each([1, 2, 3])('random operations on a full arena, run %i', (run) => {
  flushHeap();
  const random = new Random(SEED + run);
  const lengths = [10, 100, 1500, 30_000, 200_000, 1_000_000, 3_000_000];
  const keys = [
    ...Array.from({ length: 60 }, (_, i) => `key:${i}`),
    'x'.repeat(5000),
    'y'.repeat(100_000),
  ];
  const model = new KeyspaceModel({
    random,
    keys,
    valueLength: () => random.below(2 * random.pick(lengths)),
    mayBeFull: true,
    checkpoints: run === 3,
  });
  for (let i = 0; i < OPERATIONS; i++) {
    model.step();
    if (i % 100 === 0) model.verifyAll();
  }
  model.verifyAll();
  expect(model.refused).toBeGreaterThan(20);
  model.finish();
  expect(allocator.usedBytes()).toBe(0);
  attachHeap(1, () => 3);
});
