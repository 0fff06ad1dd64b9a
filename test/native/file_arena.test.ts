// A file as an arena: read through the same windows, refused when it is too short, never changed.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { native } from '../../native/index.js';
import { PACKAGE_ROOT, temporaryFolder } from '../support/spawn_server.js';

const { extentBytes, windowBytes } = native.constants;
const path = join(temporaryFolder(), 'data');

test('a size that the file does not have, or no arena can have, is refused', () => {
  writeFileSync(path, '');
  truncateSync(path, 2 * extentBytes - 1);
  const file = openSync(path, 'r');
  expect(() => native.openFileArena(file, 2 * extentBytes)).toThrow(
    /at least 4194304 bytes .* has/,
  );
  expect(() => native.openFileArena(file, 0)).toThrow(/multiple of 2097152/);
  expect(() => native.openFileArena(file, extentBytes + 1)).toThrow(/multiple of 2097152/);
  expect(() => native.openFileArena(file, 2 ** 36 + extentBytes)).toThrow(/at most 68719476736/);
  expect(() => native.openFileArena(-1, extentBytes)).toThrow(/fstat: Bad file descriptor/);
  expect(() => native.openFileArena(file, Number.NaN)).toThrow(TypeError);
  closeSync(file);
});

test('the windows show the file, also after it is closed; one arena per isolate', () => {
  truncateSync(path, windowBytes + 3 * extentBytes + 5);
  const file = openSync(path, 'r+');
  writeFileSync(file, 'first');
  const arena = native.openFileArena(file, windowBytes + 3 * extentBytes);
  expect(() => native.openFileArena(file, extentBytes)).toThrow(/one/);
  closeSync(file);
  expect(arena).toMatchObject({ bytes: windowBytes + 3 * extentBytes, mechanism: 'none' });
  expect(arena.windows.map((window) => window.byteLength)).toEqual([windowBytes, 3 * extentBytes]);
  expect(Buffer.from(arena.windows[0]!, 0, 6).toString()).toBe('first\0');
  expect(new Uint8Array(arena.windows[1]!).at(-1)).toBe(0);
  expect(arena.pageStates.byteLength).toBe(0);
});

test('a store ends the process, and the file is as it was', () => {
  const small = join(temporaryFolder(), 'small');
  writeFileSync(small, Buffer.alloc(extentBytes, 7));
  const program = `
    const { openSync } = require('node:fs');
    const native = require(${JSON.stringify(join(PACKAGE_ROOT, 'native/build/Release/stillframe.node'))});
    const arena = native.openFileArena(openSync(${JSON.stringify(small)}, 'r+'), ${extentBytes});
    const bytes = new Uint8Array(arena.windows[0]);
    console.log(bytes[5]);
    bytes[5] = 1;
    console.log('not reached');`;
  const { signal, stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  expect({ signal, stdout }).toEqual({ signal: 'SIGSEGV', stdout: '7\n' });
  expect(readFileSync(small).equals(Buffer.alloc(extentBytes, 7))).toBe(true);
});
