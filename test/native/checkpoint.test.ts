// Checkpoint runs from JavaScript: ordinary stores into typed arrays while the copier runs, and a
// file that holds the cut.
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { native } from '../../native/index.js';
import {
  extentBytes,
  finish,
  firstDifference,
  folder,
  openArena,
  readImage,
  start,
  tableOffset,
} from './checkpoint_harness.js';

const EXTENTS = 24;
const TINY_POOL = extentBytes + 8 * 4096;
const { arena, words } = openArena(EXTENTS);
const WORDS_PER_EXTENT = extentBytes / 4;
const temporaryPath = join(folder, 'run.tmp');
const allData = new Uint8Array(EXTENTS).fill(1);

function scramble(salt: number): void {
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + salt, 0x9e3779b1);
}

beforeEach(() => scramble(1));
afterEach(() => native.checkpointAbort());

describe('the image is the cut', () => {
  test.each([
    ['a roomy pool', 32 * 1024 * 1024],
    ['a tiny pool', TINY_POOL],
  ])('while stores go on, with %s', async (_name, memoryBytesMax) => {
    const extents = allData.slice();
    extents[2] = 0;
    extents[5] = 2;
    const cut = words.slice();
    cut.fill(0, 2 * WORDS_PER_EXTENT, 3 * WORDS_PER_EXTENT);
    const run = start(extents, temporaryPath, memoryBytesMax);
    expect(run.pauseMicros).toBeGreaterThanOrEqual(0);
    expect(native.checkpointCounters().active).toBe(true);
    for (let i = words.length - 1; i >= 0; i -= 1031) words[i] = -1; // backwards: against the copier
    await run.copied;
    expect(firstDifference(readImage(temporaryPath, extents), cut)).toBe(-1);
    const counters = native.checkpointCounters();
    expect(counters.pagesCopied + counters.pagesSaved).toBe(counters.pagesTotal);
    expect(counters.pagesTotal).toBe((EXTENTS - 1) * 512);
    expect(counters.pagesSaved).toBeGreaterThan(0);
    expect(counters.extraBytesPeak).toBeLessThanOrEqual(memoryBytesMax);
    if (memoryBytesMax === TINY_POOL) expect(counters.poolOverflows).toBeGreaterThan(0);
    for (let i = words.length - 1; i >= 0; i -= 1031) expect(words[i]).toBe(-1);
  });

  test('over many runs, then restored', async () => {
    const finalPath = join(folder, 'many.still');
    for (let round = 0; round < 5; round++) {
      scramble(round);
      const cut = words.slice();
      const run = start(allData, temporaryPath);
      for (let i = round; i < words.length; i += 4099) words[i] = round;
      const tableChecksum = await run.copied;
      if (round < 4) {
        native.checkpointAbort();
        continue;
      }
      await finish(finalPath, 'tail');
      words.fill(3);
      native.restoreExtents({
        path: finalPath,
        extents: allData,
        tableOffset: tableOffset(allData),
        tableChecksum,
      });
      expect(firstDifference(words.slice(), cut)).toBe(-1);
    }
  });
});

describe('phases', () => {
  test('finish appends the tail, renames and counts', async () => {
    const finalPath = join(folder, 'phases.still');
    await start(allData, temporaryPath).copied;
    await finish(finalPath, 'manifest and footer');
    expect(existsSync(temporaryPath)).toBe(false);
    expect(statSync(finalPath).size).toBe(EXTENTS * (extentBytes + 128) + 19);
    const counters = native.checkpointCounters();
    expect(counters.active).toBe(false);
    expect(counters.fileBytes).toBe(EXTENTS * (extentBytes + 128) + 19);
    expect(counters.durationMicros).toBeGreaterThan(counters.pauseMicros);
  });

  test('checkpointWait delivers before it returns, and only once', async () => {
    const events: string[] = [];
    const finalPath = join(folder, 'waited.still');
    native.checkpointStart({
      temporaryPath,
      extents: allData,
      memoryBytesMax: 16 << 20,
      onCopied: (error) => {
        events.push(`copied ${error}`);
        native.checkpointFinish({
          tail: Buffer.from('x'),
          finalPath,
          onFinished: (failure) => events.push(`finished ${failure}`),
        });
      },
    });
    native.checkpointWait();
    expect(events).toEqual(['copied null']);
    native.checkpointWait();
    native.checkpointWait();
    expect(events).toEqual(['copied null', 'finished null']);
    await new Promise((resolve) => setImmediate(resolve)); // the loop's own wake-ups find nothing
    await new Promise((resolve) => setImmediate(resolve));
    expect(events.length).toBe(2);
  });

  test('an exception of a callback comes out of checkpointWait', () => {
    native.checkpointStart({
      temporaryPath,
      extents: allData,
      memoryBytesMax: 16 << 20,
      onCopied: () => {
        throw new Error('from the callback');
      },
    });
    expect(() => native.checkpointWait()).toThrow('from the callback');
  });

  test('a run can be prepared in the background', async () => {
    const memoryBytesMax = 16 << 20;
    const extents = allData;
    const prepared = await new Promise((resolve) => {
      native.checkpointPrepare({ extents, memoryBytesMax, onPrepared: resolve });
    });
    expect(prepared).toBe(null);
    const protectedAhead = await new Promise((resolve) => {
      native.checkpointProtect({ temporaryPath, extents, onProtected: resolve });
    });
    expect(protectedAhead).toBe(null);
    words[7] = 7;
    expect(native.checkpointApproach()).toBe(true);
    await start(allData, temporaryPath, memoryBytesMax).copied;
  });

  test('a run is approached after its protection only', () => {
    native.checkpointPrepare({ extents: allData, memoryBytesMax: 16 << 20, onPrepared: () => {} });
    expect(() => native.checkpointApproach()).toThrow('after onProtected(null)');
    native.checkpointWait();
  });

  test('abort removes the file and calls nobody', async () => {
    let called = false;
    start(allData, temporaryPath).copied.finally(() => {
      called = true;
    });
    words[7] = 7;
    native.checkpointAbort();
    expect(existsSync(temporaryPath)).toBe(false);
    expect(native.checkpointCounters().active).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(called).toBe(false);
    const before = native.checkpointCounters().faults;
    for (let i = 0; i < words.length; i += 1024) words[i] = 1;
    expect(native.checkpointCounters().faults).toBe(before);
  });
});

describe('refusals', () => {
  test('a second run, and releasing what a run covers', async () => {
    const run = start(allData.subarray(0, 20), temporaryPath);
    expect(() =>
      native.checkpointStart({
        temporaryPath: join(folder, 'other.tmp'),
        extents: allData,
        memoryBytesMax: 16 << 20,
        onCopied: () => {},
      }),
    ).toThrow(/active/);
    if (native.checkpointCounters().pagesCopied < 20 * 512) {
      expect(() => native.releaseExtents(0, 1)).toThrow(/checkpoint/);
    }
    native.releaseExtents(20, 4); // not covered
    await run.copied;
    expect(existsSync(join(folder, 'other.tmp'))).toBe(false);
    expect(() =>
      native.restoreExtents({
        path: temporaryPath,
        extents: allData,
        tableOffset: 0,
        tableChecksum: 0,
      }),
    ).toThrow(/active/);
  });

  test('a temporary file that exists already stays as it is', () => {
    const path = join(folder, 'taken.tmp');
    writeFileSync(path, 'precious');
    const attempt = (): number =>
      native.checkpointStart({
        temporaryPath: path,
        extents: allData,
        memoryBytesMax: 16 << 20,
        onCopied: () => {},
      });
    expect(attempt).toThrow(
      expect.objectContaining({ name: 'NativeError', code: 'EEXIST', syscall: 'open' }),
    );
    expect(statSync(path).size).toBe(8);
    words[0] = 1; // nothing is protected
    expect(native.checkpointCounters().active).toBe(false);
  });

  test('a final name that is taken is not overwritten', async () => {
    const finalPath = join(folder, 'taken.still');
    writeFileSync(finalPath, 'precious');
    await start(allData, temporaryPath).copied;
    await expect(finish(finalPath, 'tail')).rejects.toMatchObject({ code: 'EEXIST' });
    expect(statSync(finalPath).size).toBe(8);
    expect(existsSync(temporaryPath)).toBe(false);
  });

  test('bad arguments', async () => {
    const good = { temporaryPath, extents: allData, memoryBytesMax: 1 << 24, onCopied: () => {} };
    const bad = (change: object) => () => native.checkpointStart({ ...good, ...change });
    expect(bad({ extents: new Uint8Array(EXTENTS + 1) })).toThrow(/lie in the arena/);
    expect(bad({ extents: new Uint8Array([1, 3]) })).toThrow(/kind of extent 1/);
    expect(bad({ memoryBytesMax: 1 << 20 })).toThrow(/at least/);
    expect(bad({ temporaryPath: '' })).toThrow(/temporaryPath must be a path/);
    expect(bad({ temporaryPath: join(folder, 'no/such/folder/x') })).toThrow(/No such file/);
    expect(bad({ onCopied: 1 })).toThrow(/onCopied must be a function/);
    await expect(finish(join(folder, 'x'), '')).rejects.toThrow(/onCopied/);
    expect(native.checkpointCounters().active).toBe(false);
  });
});

test('page states tell which pages are still pending', async () => {
  const states = new Uint8Array(arena.pageStates);
  await start(allData, temporaryPath).copied;
  const { epoch } = native.checkpointCounters();
  for (let page = 0; page < EXTENTS * 512; page++) {
    const state = states[page]! - epoch * 4;
    if (state !== 2 && state !== 3) throw new Error(`page ${page} is in state ${state}`);
  }
});
