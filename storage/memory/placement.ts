// Placement while a checkpoint runs: what is written goes where no fault is.
//
// A store into a page that the copier has not reached yet is caught by the kernel and costs a fault and
// a 4 KiB copy. So, while a run is active, objects are allocated in settled extents, and an update
// of an object in a pending page is made out of place: a new object, one Ref changed, the old one
// freed.
//
// Dense metadata is protected last and copied first. It is left out of this until the cut; after it the
// segments of hash tables are written out of place, too, until they are copied: nearly every write
// goes to one, each to another, and a copy of 4 KiB costs a fiftieth of a fault. What else is dense is
// little, or writes to it meet again and again.
//
// Correctness never depends on it: a store that ignores it is caught. What it costs is memory: slots
// freed in pending extents cannot be used again before the copier has passed. Where there is no other
// room and no more fresh memory may be taken (settled.ts), updates are made in place again, with faults.
import { hasSettledRoom } from './allocator.js';
import { DATA, DENSE } from './extents.js';
import type { Ref } from './layout.js';
import { isCutMade, isRunActive, isSettled } from './settled.js';

/** Whether access times are written: during a run they would dirty pages for nothing. */
export function writesAccessTimes(): boolean {
  return !isRunActive();
}

/** Whether an object may be changed where it lies without a fault, or must be. */
export function mayWrite(ref: Ref, bytes: number): boolean {
  return isSettled(ref, bytes) || !hasSettledRoom(bytes, DATA);
}

/** The same of dense metadata. */
export function mayWriteDense(ref: Ref, bytes: number): boolean {
  return !isCutMade() || isSettled(ref, bytes) || !hasSettledRoom(bytes, DENSE);
}
