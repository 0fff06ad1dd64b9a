// Restore from JavaScript: round trip, and refusals that name file, block and both checksums.
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { native } from '../../native/index.js';
import { flipByte } from '../support/flip_byte.js';
import {
  extentBytes,
  finish,
  firstDifference,
  folder,
  openArena,
  start,
  tableOffset,
} from './checkpoint_harness.js';

const { words } = openArena(8);
const extents = new Uint8Array([1, 1, 0, 2, 1]);
const path = join(folder, 'restore.still');
const request = { path, extents, tableOffset: tableOffset(extents), tableChecksum: 0 };
let cut: Int32Array;

beforeAll(async () => {
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 0x9e3779b1);
  cut = words.slice();
  cut.fill(0, (2 * extentBytes) / 4, (3 * extentBytes) / 4);
  cut.fill(0, (5 * extentBytes) / 4);
  request.tableChecksum = await start(extents, join(folder, 'restore.tmp')).copied;
  await finish(path, 'tail');
});
beforeEach(() => {
  words.fill(5);
});

test('what was saved comes back; the rest reads as zeros', () => {
  native.restoreExtents(request);
  expect(firstDifference(words.slice(), cut)).toBe(-1);
});

test('a damaged block is refused and nothing of it is seen', () => {
  const offset = 3 * extentBytes + 5 * 65536 + 17;
  flipByte(path, offset);
  const restore = (): void => native.restoreExtents(request);
  expect(restore).toThrow(expect.objectContaining({ name: 'RestoreError' }));
  expect(restore).toThrow(path);
  expect(restore).toThrow(/checksum of block 101 .*expected [0-9a-f]{8}, found [0-9a-f]{8}/);
  expect(words.every((word) => word === 0)).toBe(true);
  flipByte(path, offset);
  native.restoreExtents(request);
  expect(firstDifference(words.slice(), cut)).toBe(-1);
});

test('a missing file, a short file and an arena that is too small', () => {
  expect(() => native.restoreExtents({ ...request, path: `${path}.absent` })).toThrow(
    expect.objectContaining({ code: 'ENOENT', syscall: 'open' }),
  );
  expect(() => native.restoreExtents({ ...request, extents: new Uint8Array(9) })).toThrow(
    /larger arena-size/,
  );
  truncateSync(path, request.tableOffset + 10);
  expect(() => native.restoreExtents(request)).toThrow(/truncated.*block table/);
});
