// Footer and manifest of a checkpoint file: every flipped byte, every truncation is refused.
import { ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  describeCheckpoint,
  encodeTail,
  FOOTER_BYTES,
  readManifest,
  readManifestFrom,
} from '../../storage/checkpoint/snapshot_format.js';

const folder = mkdtempSync(join(process.env.STILLFRAME_TEST_TMP ?? tmpdir(), 'format-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = join(folder, 'file.still');
const manifest = describeCheckpoint(new Uint8Array([2, 1, 0, 1]), {
  epoch: 7,
  serverVersion: '1.2.3',
  createdMillis: 1_795_428_585_000,
  tableChecksum: 0x89abcdef,
  pages: 1536,
  keys: [3, 0, 1],
  usedBytes: 4711,
});
const tail = Buffer.from(encodeTail(manifest));
const tailOffset = manifest.tableOffset + manifest.tableBytes;
const file = openSync(path, 'w+');
writeSync(file, tail, 0, tail.length, tailOffset); // the extents before it are a hole

test('what was written is read', () => {
  const { extents, ...fields } = readManifest(path);
  const { extents: expected, ...rest } = manifest;
  expect(fields).toEqual(rest);
  expect([...extents]).toEqual([...expected]);
});

test('every flipped bit of footer and manifest is refused', () => {
  expect(tail.length).toBeGreaterThan(FOOTER_BYTES + 200);
  for (let bit = 0; bit < tail.length * 8; bit++) {
    const byte = Buffer.of(tail[bit >> 3]! ^ (1 << (bit & 7)));
    writeSync(file, byte, 0, 1, tailOffset + (bit >> 3));
    expect(() => readManifestFrom(file, path), `bit ${bit}`).toThrow(/expected .*, found /);
    writeSync(file, tail, bit >> 3, 1, tailOffset + (bit >> 3));
  }
  readManifestFrom(file, path);
});

test('every truncation of the tail, and a byte more, is refused', () => {
  for (let missing = 1; missing <= tail.length; missing++) {
    ftruncateSync(file, tailOffset + tail.length - missing);
    expect(() => readManifestFrom(file, path), `${missing} bytes missing`).toThrow(/found/);
  }
  writeSync(file, tail, 0, tail.length, tailOffset);
  ftruncateSync(file, tailOffset + tail.length + 1);
  expect(() => readManifestFrom(file, path)).toThrow(/found/);
  ftruncateSync(file, 0);
  expect(() => readManifestFrom(file, path)).toThrow(/at least 64 bytes/);
});
