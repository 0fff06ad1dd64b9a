// Lazy restore over the binding: what JavaScript reads and writes while the file is being read.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { native } from '../../native/index.js';
import { flipByte } from '../support/flip_byte.js';
import { runTool } from '../support/run_tool.js';
import {
  extentBytes,
  finish,
  firstDifference,
  folder,
  openArena,
  start,
  tableOffset,
} from './checkpoint_harness.js';

const addonPath = fileURLToPath(
  new URL('../../native/build/Release/stillframe.node', import.meta.url),
);
const { words } = openArena(12);
const extents = new Uint8Array([2, 1, 0, 2, 1, 1, 1, 1]);
const path = join(folder, 'lazy.still');
const request = {
  path,
  extents,
  tableOffset: tableOffset(extents),
  tableChecksum: 0,
  logDescriptor: 2,
  advice: 'Try another.',
};
const WORDS = extentBytes / 4;
let cut: Int32Array;

beforeAll(async () => {
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 0x9e3779b1);
  cut = words.slice();
  cut.fill(0, 2 * WORDS, 3 * WORDS);
  cut.fill(0, 8 * WORDS);
  request.tableChecksum = await start(extents, join(folder, 'lazy.tmp')).copied;
  await finish(path, 'tail');
});

function restore(): Promise<void> {
  return new Promise((resolve, reject) => {
    const onFilled = (error: Error | null): void => (error === null ? resolve() : reject(error));
    native.restoreLazily({ ...request, onFilled });
    native.startFilling();
  });
}

test('the arena reads as the file at once, and progress ends at the whole', async () => {
  words.fill(5);
  const filled = restore();
  expect(firstDifference(words.slice(), cut)).toBe(-1);
  await filled;
  expect(firstDifference(words.slice(), cut)).toBe(-1);
  const progress = native.restoreProgress();
  expect(progress).toMatchObject({ active: false, bytesTotal: 7 * extentBytes });
  expect(progress.bytesDone).toBe(progress.bytesTotal);
  expect(progress.durationMicros).toBeGreaterThan(0);
});

test('what is written meanwhile stays, also in a checkpoint that is asked for meanwhile', async () => {
  const filled = restore();
  for (let i = 7; i < cut.length; i += 4099) words[i] = i;
  const expected = cut.slice();
  for (let i = 7; i < cut.length; i += 4099) expected[i] = i;
  const all = new Uint8Array(12).fill(1);
  const tableChecksum = await start(all, join(folder, 'second.tmp')).copied;
  await finish(join(folder, 'second.still'), 'tail');
  await filled;
  expect(firstDifference(words.slice(), expected)).toBe(-1);
  words.fill(0);
  const second = { path: join(folder, 'second.still'), tableOffset: tableOffset(all) };
  native.restoreExtents({ ...second, extents: all, tableChecksum });
  expect(firstDifference(words.slice(), expected)).toBe(-1);
});

test('extents that are released or forgotten are not read any more', async () => {
  const filled = restore();
  native.releaseExtents(1, 1);
  native.forgetExtents(4, 2);
  words.fill(9, WORDS, WORDS + 10);
  words.fill(9, 4 * WORDS, 6 * WORDS);
  await filled;
  const expected = cut.slice();
  expected.fill(0, WORDS, 2 * WORDS);
  expected.fill(9, WORDS, WORDS + 10);
  expected.fill(9, 4 * WORDS, 6 * WORDS);
  expect(firstDifference(words.slice(), expected)).toBe(-1);
});

test('an eager restore takes over; the lazy one is not heard of again', async () => {
  const lazy = restore().then(() => 'filled');
  native.restoreExtents(request);
  expect(native.restoreProgress().active).toBe(false);
  const turn = new Promise((resolve) => setImmediate(resolve, 'unheard'));
  expect(await Promise.race([lazy, turn])).toBe('unheard');
  expect(firstDifference(words.slice(), cut)).toBe(-1);
});

test('a damaged block is reported by the background threads', async () => {
  const offset = 5 * extentBytes + 3 * 65536 + 17;
  flipByte(path, offset);
  await expect(restore()).rejects.toThrow(
    /lazy\.still is damaged: checksum of block 163 \(file offset 10682368\): expected [0-9a-f]{8}, found/,
  );
  const run = (): Promise<number> => start(extents, join(folder, 'third.tmp')).copied;
  await expect(run()).rejects.toThrow(/block 163/);
  flipByte(path, offset);
  await restore();
});

test('every flipped byte of the block table is refused, and nothing changes', () => {
  words.fill(5);
  const lazily = (): void => native.restoreLazily({ ...request, onFilled: () => {} });
  for (let at = 0; at < extents.length * 128; at += 1) {
    flipByte(path, request.tableOffset + at);
    expect(lazily).toThrow(/checksum of its block table: expected [0-9a-f]{8}, found/);
    flipByte(path, request.tableOffset + at);
  }
  expect(words.every((word) => word === 5)).toBe(true);
});

test('touching a damaged block ends the process with a message on standard error and in the log', async () => {
  const offset = 7 * extentBytes + 31 * 65536 + 65535; // of all blocks the last one to be read
  flipByte(path, offset);
  const log = join(folder, 'damage.log');
  const script = join(folder, 'damage.cjs');
  writeFileSync(
    script,
    `'use strict';
     const native = require(${JSON.stringify(addonPath)});
     const words = new Int32Array(native.openArena(12 * 2 ** 21).windows[0]);
     const logDescriptor = require('node:fs').openSync(${JSON.stringify(log)}, 'a');
     const request = ${JSON.stringify({ ...request, extents: [...extents] })};
     native.restoreLazily({ ...request, extents: Uint8Array.from(request.extents), logDescriptor,
       onFilled: () => {} });
     process.exitCode = words[${offset >> 2}] + words[0];`,
  );
  const result = await runTool(process.execPath, [script]);
  expect(result.code).toBe(native.constants.damagedExitCode);
  expect(result.stderr).toMatch(
    /^stillframe: checkpoint .*lazy\.still is damaged: checksum of block 255 \(file offset 16711680\): expected [0-9a-f]{8}, found [0-9a-f]{8}; it is never served: the process ends with exit code 3\. Try another\.\n$/,
  );
  expect(readFileSync(log, 'utf8')).toBe(result.stderr);
  flipByte(path, offset);
  rmSync(log);
});

test('arguments', () => {
  const bad = (change: object): (() => void) => {
    return () => native.restoreLazily({ ...request, onFilled: () => {}, ...change });
  };
  expect(bad({ tableChecksum: -1 })).toThrow(TypeError);
  expect(bad({ onFilled: null })).toThrow(TypeError);
  expect(bad({ advice: '' })).toThrow(TypeError);
  expect(bad({ path: `${path}.absent` })).toThrow(/No such file/);
  expect(bad({ extents: new Uint8Array(13) })).toThrow(/larger arena-size/);
});
