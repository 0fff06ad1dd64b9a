// The arena and the checkpoint runs of a test file, and a folder for its files.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArenaHandle, native } from '../../native/index.js';

export const { extentBytes, windowBytes, pageBytes } = native.constants;
const BLOCKS_PER_EXTENT = extentBytes / native.constants.checksumBlockBytes;

/** A folder that goes with the process. */
export const folder = mkdtempSync(join(process.env.STILLFRAME_TEST_TMP ?? tmpdir(), 'native-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

export function openArena(extents: number): { arena: ArenaHandle; words: Int32Array } {
  const arena = native.openArena(extents * extentBytes);
  return { arena, words: new Int32Array(arena.windows[0]!) };
}

export interface Run {
  readonly pauseMicros: number;
  /** Settles with onCopied; the checksum of the block table. */
  readonly copied: Promise<number>;
}

export function start(
  extents: Uint8Array,
  temporaryPath: string,
  memoryBytesMax = 16 * 1024 * 1024,
): Run {
  let pauseMicros = -1;
  const copied = new Promise<number>((resolve, reject) => {
    pauseMicros = native.checkpointStart({
      temporaryPath,
      extents,
      memoryBytesMax,
      onCopied: (error, sum) => (error === null ? resolve(sum) : reject(error)),
    });
  });
  return { pauseMicros, copied };
}

export function finish(finalPath: string, tail: string): Promise<void> {
  return new Promise((resolve, reject) => {
    native.checkpointFinish({
      tail: Buffer.from(tail),
      finalPath,
      onFinished: (error) => (error === null ? resolve() : reject(error)),
    });
  });
}

export function tableOffset(extents: Uint8Array): number {
  return extents.length * extentBytes;
}

/** The data area of a file as words, without its table and tail; aborts on wrong checksums. */
export function readImage(path: string, extents: Uint8Array): Int32Array {
  const file = readFileSync(path);
  const data = new Uint8Array(extents.length * extentBytes); // aligned, unlike a small Buffer
  data.set(file.subarray(0, data.length));
  for (let block = 0; block < extents.length * BLOCKS_PER_EXTENT; block++) {
    const from = block * native.constants.checksumBlockBytes;
    const sum = native.crc32c(data.subarray(from, from + native.constants.checksumBlockBytes));
    const present = extents[Math.floor(block / BLOCKS_PER_EXTENT)] !== 0;
    const expected = present ? sum : 0;
    if (file.readUInt32LE(data.length + block * 4) !== expected) {
      throw new Error(`checksum of block ${block} is wrong`);
    }
  }
  return new Int32Array(data.buffer);
}

/** Index of the first word that differs, or -1. */
export function firstDifference(left: Int32Array, right: Int32Array): number {
  if (Buffer.compare(Buffer.from(left.buffer), Buffer.from(right.buffer)) === 0) return -1;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return i;
  return left.length;
}
