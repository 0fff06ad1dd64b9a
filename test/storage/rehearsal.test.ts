// The rehearsal of a run leaves no trace, neither beside data nor where there is no room for it.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';

const { ARENA_BYTES_MIN, databaseRoot } = await import('../../storage/memory/layout.js');
const { usedBytes } = await openTestArena(ARENA_BYTES_MIN);
const { REHEARSALS, rehearseRun } = await import('../../storage/checkpoint/rehearsal.js');
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { createHeap } = await import('../../storage/heap.js');
const { keyCount } = await import('../../storage/keyspace/keyspace.js');
const { EXPIRY_CLEAR, putString } = await import('../../storage/keyspace/string_keys.js');
const { isRunActive } = await import('../../storage/memory/settled.js');
const { bytesOf } = await import('./table_fixture.js');

createHeap(1, () => 3);
const database = databaseRoot(0);

function expectNoTrace(): void {
  const [keys, bytes] = [keyCount(database), usedBytes()];
  for (let i = 0; i < REHEARSALS; i++) rehearseRun();
  expect(keyCount(database)).toBe(keys);
  expect(usedBytes()).toBe(bytes);
  expect(isRunActive()).toBe(false);
  verifyHeap();
}

function put(name: string, length: number): boolean {
  const key = bytesOf(name);
  return putString(database, key, 0, key.length, new Uint8Array(length), 0, length, EXPIRY_CLEAR);
}

test('in an empty heap, beside data, and in a full arena', () => {
  expectNoTrace();
  for (let i = 0; i < 1000; i++) put(`key:${i}`, 100);
  expectNoTrace();
  for (const length of [1 << 20, 1000, 10]) for (let i = 0; put(`${length}:${i}`, length); i++);
  expectNoTrace();
});
