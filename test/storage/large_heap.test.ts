// A heap above 4 GiB, for real: more than one window, values and keys on both sides of each border,
// a checkpoint of it and its restore.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arenaOptions } from '../../storage/memory/arena_options.js';

const GIB = 1024 * 1024 * 1024;
const ARENA_BYTES = 6 * GIB;
const VALUE_BYTES = 100 * 1024 * 1024;
const VALUES = 45; // 4.4 GiB
const SMALL_KEYS = 100_000; // before the large values, and again behind them

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'stillframe-test-'));
  arenaOptions.bytes = ARENA_BYTES;
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a heap of more than 4 GiB is written, checked, saved and restored', async () => {
  const heap = await import('../../storage/heap.js');
  const { databaseRoot, NULL_REF } = await import('../../storage/memory/layout.js');
  const { byteWindows } = await import('../../storage/memory/arena.js');
  const { putString, EXPIRY_CLEAR } = await import('../../storage/keyspace/string_keys.js');
  const { lookup } = await import('../../storage/keyspace/keyspace.js');
  const { headerOf, span } = await import('../../storage/structures/entry.js');
  const { locateString } = await import('../../storage/values/string.js');
  const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
  const { runCheckpoint } = await import('../../storage/checkpoint/run.js');
  const { recoverHeap } = await import('../../storage/checkpoint/recovery.js');
  let seed = 1;
  heap.createHeap(2, () => seed++);
  const database = databaseRoot(0);
  const encoder = new TextEncoder();
  const value = new Uint8Array(VALUE_BYTES);
  const windows = new Set<number>();

  const put = (name: string, bytes: Uint8Array, length: number): boolean => {
    const key = encoder.encode(name);
    return putString(database, key, 0, key.length, bytes, 0, length, EXPIRY_CLEAR);
  };
  const find = (name: string): Uint8Array | null => {
    const key = encoder.encode(name);
    const ref = lookup(database, key, 0, key.length);
    if (ref === NULL_REF) return null;
    locateString(ref, headerOf(ref));
    windows.add(byteWindows.indexOf(span.view));
    return span.view.subarray(span.offset, span.offset + span.length);
  };
  const putSmall = (first: number): void => {
    for (let i = first; i < first + SMALL_KEYS; i++) {
      const text = encoder.encode(`small value ${i}`);
      expect(put(`small:${i}`, text, text.length)).toBe(true);
    }
  };
  const check = (): void => {
    for (let i = 0; i < VALUES; i++) {
      const found = find(`large:${i}`)!;
      expect(found.length).toBe(VALUE_BYTES - i);
      for (const at of [0, 1_000_000, VALUE_BYTES - i - 1]) expect(found[at]).toBe(i + 1);
    }
    for (let i = 0; i < 2 * SMALL_KEYS; i += 97) {
      expect(Buffer.from(find(`small:${i}`)!).toString()).toBe(`small value ${i}`);
    }
  };

  putSmall(0);
  for (let i = 0; i < VALUES; i++) {
    value.fill(i + 1);
    expect(put(`large:${i}`, value, VALUE_BYTES - i)).toBe(true);
  }
  putSmall(SMALL_KEYS);
  check();
  const before = verifyHeap();
  expect(before.keys).toBe(VALUES + 2 * SMALL_KEYS);
  expect(before.usedBytes).toBeGreaterThan(4 * GIB);
  expect([...windows].sort()).toEqual([0, 1, 2, 3, 4]);

  let failure: Error | null | undefined;
  runCheckpoint({
    dataDirectory: directory,
    memoryBytesMax: 64 * 1024 * 1024,
    keep: 1,
    serverVersion: 'test',
    nowMillis: 0,
    onCut: () => {},
    onDone: (error) => {
      failure = error;
    },
  });
  expect(failure).toBe(null);
  heap.flushHeap();
  expect(verifyHeap().keys).toBe(0);

  const recovery = recoverHeap(directory, 2, 0, () => seed++, null);
  expect(recovery.keys).toBe(VALUES + 2 * SMALL_KEYS);
  check();
  expect(verifyHeap()).toEqual(before);

  // The arena is full at its end: the command fails, the rest stays.
  let stored = 0;
  while (put(`more:${stored}`, value, VALUE_BYTES)) stored++;
  expect(stored).toBeGreaterThan(5);
  expect(put('tiny', value, 5)).toBe(true);
  expect(verifyHeap().keys).toBe(before.keys + stored + 1);
}, 120_000);
