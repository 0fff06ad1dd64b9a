// Checks every byte of a checkpoint's data area against the block table, with reads: a disk error is
// then an error message, where in a mapped file it would be a bus error. Needs no arena.
//
// Blocks of extents that the checkpoint does not hold are checked too: they are zeros, without a
// checksum in the table. A restore ignores them, but `inspect` and `verify` map them.
import { readSync } from 'node:fs';
import { native } from '../../native/index.js';
import { EXTENT_BYTES } from '../memory/layout.js';
import type { Manifest } from './snapshot_format.js';

const BLOCK_BYTES = native.constants.checksumBlockBytes;
const BLOCKS_PER_EXTENT = EXTENT_BYTES / BLOCK_BYTES;

export interface BlockReport {
  /** Blocks that hold data. */
  readonly blocks: number;
  readonly damagedBlocks: number;
  /** One line for each of the first damaged blocks. */
  readonly problems: readonly string[];
}

/**
 * Reads the whole data area of an open checkpoint. `onProgress` gets the bytes checked so far, extent
 * by extent; of damaged blocks the first `problemsMax` are described. Throws errors of the file
 * system, with the extent that could not be read.
 */
export function checkBlocks(
  file: number,
  manifest: Manifest,
  problemsMax: number,
  onProgress: (bytes: number) => void,
): BlockReport {
  const table = Buffer.alloc(manifest.tableBytes);
  readFully(file, table, manifest.tableOffset, 'the block table');
  const tableProblem = damageOf(table, manifest.tableChecksum);
  if (tableProblem !== null) {
    return { blocks: 0, damagedBlocks: 0, problems: [`block table: expected ${tableProblem}`] };
  }
  const data = Buffer.allocUnsafeSlow(EXTENT_BYTES);
  const problems: string[] = [];
  let blocks = 0;
  let damagedBlocks = 0;
  for (let extent = 0; extent < manifest.extents.length; extent++) {
    const isPresent = manifest.extents[extent] !== 0;
    readFully(file, data, extent * EXTENT_BYTES, `extent ${extent}`);
    if (isPresent) blocks += BLOCKS_PER_EXTENT;
    for (let i = 0; i < BLOCKS_PER_EXTENT; i++) {
      const block = extent * BLOCKS_PER_EXTENT + i;
      const bytes = data.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES);
      const expected = table.readUInt32LE(block * 4);
      const problem = isPresent ? damageOf(bytes, expected) : damageOfHole(bytes, expected);
      if (problem === null) continue;
      damagedBlocks++;
      if (problems.length < problemsMax) {
        problems.push(`block ${block} at ${block * BLOCK_BYTES}: expected ${problem}`);
      }
    }
    onProgress((extent + 1) * EXTENT_BYTES);
  }
  return { blocks, damagedBlocks, problems };
}

function damageOf(bytes: Uint8Array, expected: number): string | null {
  const found = native.crc32c(bytes);
  return found === expected ? null : `checksum ${hex(expected)}, found ${hex(found)}`;
}

const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** What is wrong with a block of an extent that the checkpoint does not hold. */
function damageOfHole(bytes: Uint8Array, expected: number): string | null {
  if (expected !== 0) return `no checksum for a block without data, found ${hex(expected)}`;
  return ZEROS.equals(bytes) ? null : 'zeros where the checkpoint has no data, found other bytes';
}

function hex(checksum: number): string {
  return `0x${(checksum >>> 0).toString(16).padStart(8, '0')}`;
}

function readFully(file: number, target: Buffer, offset: number, what: string): void {
  let done = 0;
  while (done < target.length) {
    let count = 0;
    try {
      count = readSync(file, target, done, target.length - done, offset + done);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${what} at ${offset + done}: ${reason}`);
    }
    if (count === 0) throw new Error(`${what}: the file ends at ${offset + done} now`);
    done += count;
  }
}
