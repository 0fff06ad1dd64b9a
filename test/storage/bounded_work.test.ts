// What may hold the server up is bounded in work and not in time, which a busy machine stretches: whatever a value's or
// a database's size, one call frees no more than it was asked to.
import { beforeEach, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';

const allocator = await openTestArena(128 * 1024 * 1024);
const { createHeap, flushHeap } = await import('../../storage/heap.js');
const keyspace = await import('../../storage/keyspace/keyspace.js');
const strings = await import('../../storage/keyspace/string_keys.js');
const { databaseRoot } = await import('../../storage/memory/layout.js');
const { setClock } = await import('../../storage/structures/clock.js');
const { setExpiryMillis } = await import('../../storage/structures/entries.js');
const hash = await import('../../storage/values/hash.js');
const retired = await import('../../storage/values/retired.js');
const sortedSet = await import('../../storage/values/sorted_set.js');
const { bytesOf } = await import('./table_fixture.js');

const START_MILLIS = 1_700_000_000_000;
const ELEMENTS = 50_000;
/** What the server frees between two looks at the time (server/reclaim.ts). */
const PARTS = 16;
/** A part is an element, a node of a tree or a segment of a table: a page at most. */
const PART_BYTES_MAX = 4096;
/** The entry of a key, and what of a small value it owns. */
const ENTRY_BYTES_MAX = 256;

const database = databaseRoot(0);
const key = bytesOf('key');
createHeap(1, () => 12345);

beforeEach(() => {
  flushHeap();
  setClock(START_MILLIS);
});

function makeHash(): void {
  const ref = hash.createHash(key, 0, key.length);
  keyspace.addEntry(database, ref);
  for (let i = 0; i < ELEMENTS; i++) {
    const field = bytesOf(`field:${i}`);
    hash.setField(ref, field, 0, field.length, field, 0, field.length, false);
  }
}

function makeSortedSet(): void {
  const ref = sortedSet.createSortedSet(key, 0, key.length);
  keyspace.addEntry(database, ref);
  for (let i = 0; i < ELEMENTS; i++) {
    const member = bytesOf(`member:${i}`);
    sortedSet.locateMember(ref, member, 0, member.length);
    sortedSet.putMember(ref, member, 0, member.length, (i * 7919) % ELEMENTS);
  }
}

function makeKeys(): void {
  for (let i = 0; i < ELEMENTS; i++) {
    const name = bytesOf(`key:${i}`);
    setExpiryMillis(START_MILLIS + 1000);
    strings.putString(database, name, 0, name.length, name, 0, name.length, strings.EXPIRY_SET);
  }
}

/** Bytes that a call gave back. */
function freedBy(call: () => void): number {
  const before = allocator.usedBytes();
  call();
  return before - allocator.usedBytes();
}

function expectBoundedSteps(): void {
  let steps = 0;
  while (retired.hasRetired()) {
    const freed = freedBy(() => retired.freeRetired(PARTS));
    // One more than asked for: the block that held what is gone.
    expect(freed).toBeLessThanOrEqual((PARTS + 1) * PART_BYTES_MAX);
    steps++;
  }
  expect(steps).toBeGreaterThan(ELEMENTS / PARTS);
}

test.each([
  ['a hash', makeHash],
  ['a sorted set', makeSortedSet],
])('the deletion of %s frees no element; each step frees a few', (_name, make) => {
  make();
  expect(
    freedBy(() => expect(keyspace.deleteKey(database, key, 0, key.length)).toBe(true)),
  ).toBeLessThanOrEqual(ENTRY_BYTES_MAX);
  expect(keyspace.keyCount(database)).toBe(0);
  expectBoundedSteps();
});

test.each([
  ['a hash', makeHash],
  ['a sorted set', makeSortedSet],
])('so it is when %s is overwritten', (_name, make) => {
  make();
  const replace = (): void => {
    strings.putString(database, key, 0, key.length, key, 0, key.length, strings.EXPIRY_CLEAR);
  };
  expect(freedBy(replace)).toBeLessThanOrEqual(ENTRY_BYTES_MAX);
  expectBoundedSteps();
});

test('a flush frees nothing by itself', () => {
  makeKeys();
  expect(freedBy(() => keyspace.flushDatabase(database))).toBe(0);
  expectBoundedSteps();
});

test('of keys that expire together a step deletes as many as it may', () => {
  makeKeys();
  setClock(START_MILLIS + 2000);
  let left = ELEMENTS;
  while (left > 0) {
    const expected = Math.min(20, left);
    const freed = freedBy(() => expect(keyspace.deleteExpired(database, 20)).toBe(expected));
    expect(freed).toBeLessThanOrEqual(20 * ENTRY_BYTES_MAX + 4 * PART_BYTES_MAX);
    left -= expected;
    expect(keyspace.keyCount(database)).toBe(left);
  }
});
