// Which memory a running checkpoint has passed, and how much fresh memory it may cause to be used.
//
// A page of the run is pending until the copier, or a writer that was caught, has its pre-image. An extent
// is settled when none of its pages is pending; the copier takes dense metadata first, then all others
// in ascending order.
//
//   page states (native, one byte a page):  | epoch: 6 | pending 0, copying 1, done 2, saved 3 |
//   a byte of another epoch counts as pending; an extent that the run does not cover is settled.
//
// What avoids pending pages needs other memory, and takes it from the same bound as the native side of
// the run. It is counted where it shows from outside: extents touched for the first time since the
// cut, less what the data would have needed anyway, because it no longer fits into the extents of
// the cut. Bytes that are freed in one place and used in another do not count; fresh memory does.
import { arena, extentCount } from './arena.js';
import { EXTENT_BYTES, EXTENT_SHIFT, PAGES_PER_EXTENT, type Ref } from './layout.js';

const GRANULES_PER_PAGE_SHIFT = 8;
/** At the bound, it is read again after so many questions. */
const CHECKS_PER_BOUND = 256;
/** When so much of the extents in use is free room, no fresh ones are taken to get around (but as many
 *  as the bound permits may be free in any heap). */
const ROOM_SHARE_MAX = 1 / 8;
/** Calls until V8 keeps a history of a function: a kilobyte of bytecode. */
const REHEARSALS = 200;

const states = new Uint8Array(arena.pageStates);

/** 1 = covered by the run and not known to be settled. */
const unsettled = new Uint8Array(extentCount);
let active = false;
let epoch = 0;
/** Extents below are settled and were handed out by nextPassed(). */
let passedEnd = 0;
let runEnd = 0;
/** Bytes of extents first touched in this run, their bound, and what the extents of the cut hold. */
let freshBytes = 0;
let freshBytesMax = 0;
let capacityBytes = 0;
let extraBytesPeak = 0;
let usedBytes: () => number = () => 0;
let boundBytes: () => number = () => 0;
let checksUntilBound = 0;

/** An epoch that no page state bears: before the cut every page of the run's extents is pending. */
const NO_EPOCH = -1;

/**
 * Called when the extents of a run begin to be protected, or right before a cut without that.
 * `extents`: those of the run (0 = not covered); `bound`: tells how much fresh memory may be taken,
 * which grows while the native side gives memory back; `used`: tells the bytes in use by objects.
 */
export function beginRun(extents: Uint8Array, bound: () => number, used: () => number): void {
  capacityBytes = 0;
  for (let extent = 0; extent < extents.length; extent++) {
    unsettled[extent] = extents[extent] === 0 ? 0 : 1;
    if (extents[extent] !== 0) capacityBytes += EXTENT_BYTES;
  }
  active = true;
  epoch = NO_EPOCH;
  passedEnd = 0;
  runEnd = extents.length;
  freshBytes = 0;
  extraBytesPeak = 0;
  usedBytes = used;
  boundBytes = bound;
  readBound();
}

/** Fresh memory stays when the run has ended, as free room in many extents. Where there is much of that
 *  already, it is room enough: else each checkpoint would leave a larger heap than the one before. */
function readBound(): void {
  checksUntilBound = CHECKS_PER_BOUND;
  const bound = boundBytes();
  const bytes = capacityBytes + freshBytes;
  const roomToCome = Math.max(bytes * ROOM_SHARE_MAX, bound) - (bytes - usedBytes());
  freshBytesMax = Math.min(bound, freshBytes + roomToCome);
}

/** Called right after the cut, by the allocator: pages settle from now on. `runEpoch`: of their states. */
export function beginSettling(runEpoch: number): void {
  epoch = runEpoch;
  readBound();
}

/** The run has ended: everything is settled. */
export function endRun(): void {
  active = false;
  unsettled.fill(0);
}

export function isRunActive(): boolean {
  return active;
}

/** Whether a run is active whose cut has been made. */
export function isCutMade(): boolean {
  return active && epoch !== NO_EPOCH;
}

/** Whether an object can be written to without being caught. */
export function isSettled(ref: Ref, bytes: number): boolean {
  if (!active || unsettled[ref >>> EXTENT_SHIFT] === 0) return true;
  const last = (ref + ((bytes - 1) >>> 4)) | 0;
  return (
    !isPending(ref >>> GRANULES_PER_PAGE_SHIFT) && !isPending(last >>> GRANULES_PER_PAGE_SHIFT)
  );
}

function isPending(page: number): boolean {
  const state = states[page]!;
  return state >>> 2 !== epoch || (state & 3) < 2;
}

/** Whether an extent has pending pages. */
export function isUnsettled(extent: number): boolean {
  if (unsettled[extent] === 0) return false;
  const first = extent * PAGES_PER_EXTENT;
  for (let page = first; page < first + PAGES_PER_EXTENT; page++) {
    if (isPending(page)) return true;
  }
  unsettled[extent] = 0;
  return false;
}

/** The next extent of the run that is settled, as are all below it; each once. -1: not yet. */
export function nextPassed(): number {
  return passedEnd < runEnd && !isUnsettled(passedEnd) ? passedEnd++ : -1;
}

/** Notes that extents were touched for the first time. */
export function noteFresh(extents: number): void {
  if (!active) return;
  freshBytes += extents * EXTENT_BYTES;
  extraBytesPeak = Math.max(extraBytesPeak, extraBytes());
}

function extraBytes(): number {
  return freshBytes - Math.max(0, usedBytes() - capacityBytes);
}

/** Whether another fresh extent stays within the bound. Always, while no run is active. */
export function mayTakeFresh(): boolean {
  if (!active) return true;
  if (extraBytes() + EXTENT_BYTES <= freshBytesMax) return true;
  if (--checksUntilBound <= 0) readBound();
  return false;
}

/** Most memory that keeping away from pending pages took in this run or the last one, in bytes. */
export function relocatedPeak(): number {
  return extraBytesPeak;
}

/**
 * Runs what else would be run for the first time right after a cut, when there is no time to be compiled
 * again: V8 throws optimised code away that meets a branch without a history. Changes nothing.
 */
function rehearse(): void {
  active = true;
  runEnd = 1;
  const before = states.slice(0, PAGES_PER_EXTENT); // of the first extent, which no run covers yet
  for (let i = 0; i < REHEARSALS; i++) {
    states.fill(i % 3, 0, PAGES_PER_EXTENT); // pending, being copied, settled
    unsettled[0] = 1;
    epoch = i % 2 === 0 ? NO_EPOCH : 0;
    isSettled(1 as Ref, i);
    passedEnd = 0;
    nextPassed();
  }
  states.set(before);
  active = false;
  unsettled[0] = 0;
  passedEnd = 0;
  runEnd = 0;
}

rehearse();
