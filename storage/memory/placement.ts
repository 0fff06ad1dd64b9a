// Placement while a checkpoint runs: what is written goes where no fault is.
//
// A store into a page that the copier has not reached yet is caught by the kernel and costs a fault and
// a 4 KiB copy. So, while a run is active, objects are allocated in settled extents only, and an
// update of an object in a pending page is made out of place: a new object, one Ref changed, the old
// one freed. Dense metadata is copied first and is left out of this.
//
// Correctness never depends on it: a store that ignores it is caught. What it costs is memory: slots
// freed in pending extents cannot be used again before the copier has passed. Those `held` bytes are
// bounded; at the bound updates are made in place again, with faults, until extents settle.
//
//   page states (native, one byte a page):  | epoch: 6 | pending 0, copying 1, done 2, saved 3 |
//   a byte of another epoch counts as pending; an extent that the run does not cover is settled.
import { arena, extentCount } from './arena.js';
import { EXTENT_SHIFT, PAGES_PER_EXTENT, type Ref } from './layout.js';

const GRANULES_PER_PAGE_SHIFT = 8;
/** Held bytes are counted down after so many frees in pending extents. */
const FREES_PER_SWEEP = 256;

const states = new Uint8Array(arena.pageStates);

/** 1 = covered by the run and not known to be settled. */
const unsettled = new Uint8Array(extentCount);
/** Bytes freed in an unsettled extent. */
const held = new Int32Array(extentCount);
/** Whether a run is active; whether updates go out of place (not when too much is held). */
let active = false;
let outOfPlace = false;
let epoch = 0;
let heldBytes = 0;
let heldBytesMax = 0;
let heldBytesPeak = 0;
let freesUntilSweep = FREES_PER_SWEEP;
let sweepFrom = 0;
let sweepEnd = 0;

/** An epoch that no page state bears: before the cut every page of the run's extents is pending. */
const NO_EPOCH = -1;

/**
 * Called when the preparation of a run begins, or right after a cut without one. `extents`: those of
 * the run (0 = not covered); `bytesMax`: bound of the held bytes.
 */
export function beginPlacement(extents: Uint8Array, bytesMax: number): void {
  for (let e = 0; e < extents.length; e++) unsettled[e] = extents[e] === 0 ? 0 : 1;
  held.fill(0);
  active = true;
  outOfPlace = true;
  epoch = NO_EPOCH;
  heldBytes = 0;
  heldBytesMax = bytesMax;
  heldBytesPeak = 0;
  sweepFrom = 0;
  sweepEnd = extents.length;
}

/** Sets the bound of the held bytes anew. */
export function limitHeld(bytesMax: number): void {
  heldBytesMax = bytesMax;
  outOfPlace = active && heldBytes < heldBytesMax;
}

/** Called right after the cut: from now on pages settle. `runEpoch`: of the page states. */
export function noteCut(runEpoch: number): void {
  epoch = runEpoch;
}

export function endPlacement(): void {
  active = false;
  outOfPlace = false;
  unsettled.fill(0);
}

/** Most bytes that were held at a time in this run or the last one. */
export function heldPeak(): number {
  return heldBytesPeak;
}

/** Whether access times are written: during a run they would dirty pages for nothing. */
export function writesAccessTimes(): boolean {
  return !active;
}

/** Whether an object may be changed where it lies without a fault (or must be, at the bound). */
export function mayWrite(ref: Ref, bytes: number): boolean {
  if (!outOfPlace) return true;
  if (unsettled[ref >>> EXTENT_SHIFT] === 0) return true;
  const last = (ref + ((bytes - 1) >>> 4)) | 0;
  return (
    !isPending(ref >>> GRANULES_PER_PAGE_SHIFT) && !isPending(last >>> GRANULES_PER_PAGE_SHIFT)
  );
}

function isPending(page: number): boolean {
  const state = states[page]!;
  return state >>> 2 !== epoch || (state & 3) < 2;
}

/** Whether the allocator must keep away from an extent now. */
export function isUnsettled(extent: number): boolean {
  if (unsettled[extent] === 0) return false;
  const first = extent * PAGES_PER_EXTENT;
  for (let page = first; page < first + PAGES_PER_EXTENT; page++) {
    if (isPending(page)) return true;
  }
  unsettled[extent] = 0;
  heldBytes -= held[extent]!;
  return false;
}

/** Notes that a slot was freed. Its extent may be one that the copier has not reached yet. */
export function noteFreed(extent: number, bytes: number): void {
  if (!active || unsettled[extent] === 0) return;
  held[extent] = held[extent]! + bytes;
  heldBytes += bytes;
  if (heldBytes > heldBytesPeak) heldBytesPeak = heldBytes;
  if (--freesUntilSweep > 0) return;
  freesUntilSweep = FREES_PER_SWEEP;
  sweep();
}

/** Counts down what the copier has passed, in its order, and turns the policy off or on. */
function sweep(): void {
  while (sweepFrom < sweepEnd && !isUnsettled(sweepFrom)) sweepFrom++;
  outOfPlace = heldBytes < heldBytesMax;
}
