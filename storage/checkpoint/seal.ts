// Seal, the first phase of a checkpoint: between two commands, everything that is not in the arena
// yet goes to the root page. All of storage's durable state is in the arena at any time, so what is
// left is the number of the checkpoint.
import { epoch, setEpoch } from '../heap.js';
import { describeExtents } from '../memory/extents.js';
import { highestEpoch } from './checkpoint_files.js';

export interface Seal {
  readonly epoch: number;
  /** See describeExtents. */
  readonly extents: Uint8Array;
}

/** Numbers the checkpoint above all that are there and says what it must hold. */
export function seal(directory: string): Seal {
  setEpoch(Math.max(epoch(), highestEpoch(directory)) + 1);
  return { epoch: epoch(), extents: describeExtents() };
}
