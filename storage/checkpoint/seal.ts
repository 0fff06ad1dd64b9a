// Seal: between two commands, what a checkpoint is goes to the root page and is written down for its
// manifest. All of storage's durable state is in the arena at any time, so the only thing that goes
// to the root page is the number of the checkpoint.
import { databaseCount, epoch, setEpoch } from '../heap.js';
import { usedBytes } from '../memory/allocator.js';
import { describeExtents } from '../memory/extents.js';
import { databaseRoot } from '../memory/layout.js';
import { tableCount } from '../structures/hash_table.js';
import { highestEpoch } from './checkpoint_files.js';

/** The heap at the cut. */
export interface Seal {
  readonly epoch: number;
  /** See describeExtents. */
  readonly extents: Uint8Array;
  /** Per database. */
  readonly keys: readonly number[];
  readonly usedBytes: number;
}

/** Numbers the coming checkpoint above all that are there. It needs no other one if it fails. */
export function numberCheckpoint(directory: string): number {
  setEpoch(Math.max(epoch(), highestEpoch(directory)) + 1);
  return epoch();
}

export function seal(): Seal {
  return {
    epoch: epoch(),
    extents: describeExtents(),
    keys: Array.from({ length: databaseCount() }, (_, i) => tableCount(databaseRoot(i))),
    usedBytes: usedBytes(),
  };
}
