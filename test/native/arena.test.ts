// The arena as JavaScript sees it: windows over one memory, given back and populated by extents.
import { expect, test } from 'vitest';
import { type ArenaHandle, native } from '../../native/index.js';
import { extentBytes, pageBytes, windowBytes } from './checkpoint_harness.js';

test('before an arena is open everything says so', () => {
  expect(() => native.releaseExtents(0, 1)).toThrow(/openArena/);
  expect(() => native.checkpointCounters()).toThrow(/openArena/);
});

test('a wrong size is refused with the sizes that are accepted', () => {
  expect(() => native.openArena(extentBytes + 1)).toThrow(/multiple of 2097152/);
  expect(() => native.openArena(0)).toThrow(/multiple/);
  expect(() => native.openArena(-1)).toThrow(TypeError);
  expect(() => native.openArena(2 ** 36 + extentBytes)).toThrow(/at most 68719476736/);
});

// More than four GiB of address space, of which the tests touch little. Opened by the next test.
let arena: ArenaHandle;

test('the windows cover the arena in address order', () => {
  arena = native.openArena(5 * windowBytes + 4 * extentBytes);
  expect(arena.bytes).toBe(5 * windowBytes + 4 * extentBytes);
  expect(arena.windows.map((window) => window.byteLength)).toEqual([
    ...Array(5).fill(windowBytes),
    4 * extentBytes,
  ]);
  expect(arena.pageStates.byteLength).toBe(arena.bytes / pageBytes);
  expect(arena.mechanism).toBe('userfaultfd');
  expect(arena.mechanismReason).toMatch(/userfaultfd/);
});

test('all memory reads as zeros and holds what is written', () => {
  for (const [index, window] of arena.windows.entries()) {
    const view = new DataView(window);
    const last = window.byteLength - 8;
    expect([view.getFloat64(0), view.getFloat64(last)]).toEqual([0, 0]);
    view.setFloat64(0, index + 0.5);
    view.setFloat64(last, index + 0.25);
    expect([view.getFloat64(0), view.getFloat64(last)]).toEqual([index + 0.5, index + 0.25]);
  }
});

test('one arena per isolate', () => {
  expect(() => native.openArena(extentBytes)).toThrow(/one/);
});

test('released extents read as zeros, their neighbours stay', () => {
  const bytes = new Uint8Array(arena.windows[1]!, 0, 3 * extentBytes).fill(7);
  const extentsPerWindow = windowBytes / extentBytes;
  native.releaseExtents(extentsPerWindow + 1, 1);
  const sample = (extent: number) => [
    bytes[extent * extentBytes],
    bytes[(extent + 1) * extentBytes - 1],
  ];
  expect([sample(0), sample(1), sample(2)]).toEqual([
    [7, 7],
    [0, 0],
    [7, 7],
  ]);
});

test('populated extents keep their contents', () => {
  const bytes = new Uint8Array(arena.windows[2]!, 0, 3 * extentBytes).fill(9);
  native.populateExtents((2 * windowBytes) / extentBytes, 8);
  native.populateExtents(0, 0);
  expect(bytes.every((byte) => byte === 9)).toBe(true);
});

test('extents outside of the arena are refused', () => {
  const count = arena.bytes / extentBytes;
  expect(() => native.releaseExtents(count, 1)).toThrow(/count must be a whole number from 0 to 0/);
  expect(() => native.releaseExtents(count + 1, 0)).toThrow(TypeError);
  expect(() => native.populateExtents(0, 0.5)).toThrow(TypeError);
});

test('crc32c: the check value of the algorithm, and continuing from a seed', () => {
  expect(native.crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(native.crc32c(Buffer.from('456789'), native.crc32c(Buffer.from('123')))).toBe(0xe3069283);
  expect(() => native.crc32c('text' as unknown as Uint8Array)).toThrow(TypeError);
});
