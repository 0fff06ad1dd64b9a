// What is freed in steps: flushed databases and element tables, with the heap proved between steps, across
// a restart in the middle, and in a full arena.
import { beforeEach, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { Random } from '../support/random.js';

const allocator = await openTestArena(64 * 1024 * 1024);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { attachHeap, createHeap, flushHeap } = await import('../../storage/heap.js');
const keyspace = await import('../../storage/keyspace/keyspace.js');
const strings = await import('../../storage/keyspace/string_keys.js');
const { databaseRoot, NULL_REF } = await import('../../storage/memory/layout.js');
const { setClock } = await import('../../storage/structures/clock.js');
const { createEntry, setExpiryMillis } = await import('../../storage/structures/entries.js');
const { setExpiry } = await import('../../storage/structures/entry_table.js');
const { tableCount } = await import('../../storage/structures/hash_table.js');
const elements = await import('../../storage/values/element_table.js');
const retired = await import('../../storage/values/retired.js');
const { bytesOf } = await import('./table_fixture.js');

/** A form of this test's own: plain element tables. */
const TEST_FORM = 15;
retired.registerRetired(TEST_FORM, {
  freeSome: elements.freeElementsSome,
  verify: elements.verifyElementsFreeing,
});

const START_MILLIS = 1_700_000_000_000;
const random = new Random(77);
createHeap(3, () => random.uint32());

beforeEach(() => {
  flushHeap();
  retired.retiredCounters.freed = 0;
  setClock(START_MILLIS);
});

function put(database: number, key: string, length: number, expires = false): boolean {
  const bytes = bytesOf(key);
  const value = new Uint8Array(length).fill(0x61);
  setExpiryMillis(START_MILLIS + 1000 + (length % 100));
  const mode = expires ? strings.EXPIRY_SET : strings.EXPIRY_CLEAR;
  return strings.putString(databaseRoot(database), bytes, 0, bytes.length, value, 0, length, mode);
}

function add(table: ReturnType<typeof elements.createElements>, member: string): boolean {
  const bytes = bytesOf(member);
  const old = elements.findElement(table, bytes, 0, bytes.length);
  const ref = createEntry(0, bytes, 0, bytes.length, 0);
  return ref !== NULL_REF && elements.linkElement(table, ref, old);
}

/** A table of numbered members, some with an expiry, that only the list of what is retired owns. */
function retireTable(count: number): void {
  const table = elements.createElements();
  for (let i = 0; i < count; i++) {
    expect(add(table, `member:${i}`)).toBe(true);
    if (i % 3 > 0) continue;
    const bytes = bytesOf(`member:${i}`);
    setExpiryMillis(START_MILLIS + i);
    setExpiry(table, elements.findElement(table, bytes, 0, bytes.length));
  }
  retired.retire(table, TEST_FORM);
}

/** Frees everything in steps of `limit`, with the heap proved after each `every`th. */
function drain(limit: number, every: number): number {
  let steps = 0;
  while (retired.hasRetired()) {
    const done = retired.freeRetired(limit);
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThanOrEqual(limit + 1);
    if (++steps % every === 0) verifyHeap();
  }
  expect(retired.freeRetired(limit)).toBe(0);
  verifyHeap();
  return steps;
}

test('a flushed database is empty at once and freed in steps', () => {
  for (let i = 0; i < 6000; i++) put(1, `key:${i}`, (i % 7) * 40, i % 4 === 0);
  put(1, 'x'.repeat(6000), 100);
  put(0, 'stays', 10);
  const kept = allocator.usedBytes();
  keyspace.flushDatabase(databaseRoot(1));
  expect(keyspace.keyCount(databaseRoot(1))).toBe(0);
  expect(allocator.usedBytes()).toBe(kept);
  expect(retired.retiredCount()).toBe(6001);
  verifyHeap();
  put(1, 'new', 10);
  expect(drain(97, 5)).toBeGreaterThan(60);
  expect(retired.retiredCounters.freed).toBe(6001);
  expect(keyspace.keyCount(databaseRoot(1))).toBe(1);
  expect(keyspace.keyCount(databaseRoot(0))).toBe(1);
});

test.each([1, 7, 64, 5000])('element tables in steps of %i', (limit) => {
  const before = allocator.usedBytes();
  for (const count of [1, 300, 3000]) retireTable(count);
  expect(retired.retiredCount()).toBe(3);
  verifyHeap();
  drain(limit, limit < 10 ? 97 : 3);
  expect(allocator.usedBytes()).toBe(before);
});

test('a new process goes on where the old one was', () => {
  for (let i = 0; i < 3000; i++) put(1, `key:${i}`, 50, i % 2 === 0);
  for (let i = 0; i < 2000; i++) put(2, `key:${i}`, 50);
  retireTable(2000);
  keyspace.flushDatabase(databaseRoot(1));
  keyspace.flushDatabase(databaseRoot(2));
  for (let i = 0; retired.hasRetired(); i++) {
    retired.freeRetired(131);
    if (i % 4 === 0) attachHeap(3, () => 7);
    verifyHeap();
  }
  expect(allocator.usedBytes()).toBe(0);
});

test('more flushes than there are places: the next one waits for one of them', () => {
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 20; i++) put(1, `key:${i}`, 50);
    keyspace.flushDatabase(databaseRoot(1));
    expect(keyspace.keyCount(databaseRoot(1))).toBe(0);
  }
  verifyHeap();
  expect(retired.retiredCount()).toBeLessThanOrEqual(64 * 20);
  drain(100, 10);
  expect(allocator.usedBytes()).toBe(0);
});

test('emptying the heap empties the list', () => {
  retireTable(500);
  put(1, 'key', 50);
  keyspace.flushDatabase(databaseRoot(1));
  flushHeap();
  expect(retired.hasRetired()).toBe(false);
  verifyHeap();
});

test('in a full arena what is retired makes room before anything is refused', () => {
  let keys = 0;
  while (keys < 20_000) put(1, `key:${keys++}`, 1000);
  while (put(0, `key:${keys}`, 1000)) keys++;
  keyspace.flushDatabase(databaseRoot(1));
  const pending = retired.retiredCount();
  expect(pending).toBe(20_000);
  for (let i = 0; i < 12_000; i++) {
    if (!put(0, `other:${i}`, 1000)) throw new Error(`key ${i} was refused`);
    if (i % 4000 === 0) verifyHeap();
  }
  expect(retired.retiredCount()).toBeLessThan(pending - 11_000);
  verifyHeap();
});

test('a copy of a table, and what a full arena makes of it', () => {
  const table = elements.createElements();
  for (let i = 0; i < 3000; i++) add(table, `member:${i}`);
  const bytes = bytesOf('member:5');
  setExpiryMillis(START_MILLIS + 5);
  setExpiry(table, elements.findElement(table, bytes, 0, bytes.length));
  const used = allocator.usedBytes();
  const copy = elements.duplicateElements(table);
  expect(tableCount(copy)).toBe(3000);
  const owners = { ownsData: () => {}, ownsDense: () => {} };
  let members = 0;
  elements.verifyElements(copy, owners, () => members++);
  expect(members).toBe(3000);
  const size = allocator.usedBytes() - used;
  expect(elements.elementsMemory(copy) / size).toBeGreaterThan(0.9);
  expect(elements.elementsMemory(copy) / size).toBeLessThan(1.1);
  elements.freeElements(copy, TEST_FORM);
  while (retired.freeRetired(1000) > 0);
  expect(allocator.usedBytes()).toBe(used);
  retired.retire(table, TEST_FORM);
  drain(1000, 10);
});
