// The extent table: what each 2 MiB of the arena is used for. The table itself is durable; the
// search state around it (first free extent, extents waiting to be given back) is rebuilt by
// attachExtents().
//
//   entry (4 words):  | kind:8 density:8 sizeClass:16 | used | runExtents | 0 |
//
//   used        slots (SLAB) or pages (PAGES) in use; 0 otherwise
//   runExtents  for the first extent of a RUN: how many whole extents it has
//
// Invariants: METADATA extents are the first four of each window, by position: their entries are not
// written, so that a window costs no memory before it holds data. A FREE extent has an all-zero
// entry and an all-zero bitmap, and no live data. `used` equals the allocated bits of the bitmap.
import { native } from '../../native/index.js';
import { extentCount, wordWindows } from './arena.js';
import { noteFreed } from './evacuation.js';
import {
  BITMAP_WORDS,
  EXTENT_BYTES,
  EXTENT_ENTRY_WORDS,
  EXTENT_TABLE_WORD,
  EXTENTS_PER_WINDOW,
  METADATA_EXTENTS,
} from './layout.js';
import { isUnsettled, mayTakeFresh, noteFresh } from './settled.js';

export const KIND_FREE = 0;
export const KIND_METADATA = 1;
export const KIND_SLAB = 2;
export const KIND_PAGES = 3;
export const KIND_RUN = 4;

/** Objects: written rarely. Dense metadata (table segments, tree nodes): where writes land. */
export const DATA = 0;
export const DENSE = 1;
export type Density = typeof DATA | typeof DENSE;

/** Extents kept populated ahead of use, so that no insert waits for a fresh huge page. */
const READY_EXTENTS = 4;
/** Free extents whose memory is kept for the next use, those that are populated ahead among them: a share of
 *  the extents in use, within bounds. More are given back to the kernel. */
const RESIDENT_FREE_SHARE = 1 / 32;
const RESIDENT_FREE_MIN = READY_EXTENTS;
const RESIDENT_FREE_MAX = 8;

export function entryWord(extent: number): number {
  return EXTENT_TABLE_WORD + (extent & (EXTENTS_PER_WINDOW - 1)) * EXTENT_ENTRY_WORDS;
}
export function entryWindow(extent: number): Int32Array {
  return wordWindows[extent >>> 9]!;
}
/** Index of the first bitmap word of an extent in entryWindow(extent). */
export function bitmapWord(extent: number): number {
  return (extent & (EXTENTS_PER_WINDOW - 1)) * BITMAP_WORDS;
}
export function extentKind(extent: number): number {
  if ((extent & (EXTENTS_PER_WINDOW - 1)) < METADATA_EXTENTS) return KIND_METADATA;
  return entryWindow(extent)[entryWord(extent)]! & 0xff;
}
export function extentDensity(extent: number): Density {
  return ((entryWindow(extent)[entryWord(extent)]! >>> 8) & 0xff) as Density;
}
export function extentSizeClass(extent: number): number {
  return entryWindow(extent)[entryWord(extent)]! >>> 16;
}
export function extentUsed(extent: number): number {
  return entryWindow(extent)[entryWord(extent) + 1]!;
}
export function extentRunLength(extent: number): number {
  return entryWindow(extent)[entryWord(extent) + 2]!;
}
export function addUsed(extent: number, delta: number): number {
  const words = entryWindow(extent);
  const index = entryWord(extent) + 1;
  const used = words[index]! + delta;
  words[index] = used;
  return used;
}

// --- derived state -------------------------------------------------------------------------------
const dirty = new Uint8Array(extentCount); // 1 = free, but its memory was used and not given back
const ready: number[] = []; // free extents that the populate thread was asked to touch
let lowestFree = 0; // no free extent lies below, but for the ready ones
let highestUsed = 0; // one past the highest extent ever used since attach
let freeCount = 0;
let dataExtents = 0; // all but those of metadata
let dirtyCount = 0;
let longestTouchMicros = 0;
let runExtents: Uint8Array | null = null; // extents of the active checkpoint, or null
let filling = false; // a lazy restore has not brought everything in yet

/**
 * Rebuilds the derived state from the extent table. Writes nothing into the arena. A start walks the
 * whole table here, 512 entries per GiB, in code that is not compiled yet: so without a call for each.
 */
export function attachExtents(): void {
  dirty.fill(0);
  ready.length = 0;
  lowestFree = METADATA_EXTENTS;
  highestUsed = 0;
  freeCount = 0;
  dataExtents = 0;
  dirtyCount = 0;
  for (let window = 0; window < extentCount; window += EXTENTS_PER_WINDOW) {
    const words = entryWindow(window);
    const end = Math.min(window + EXTENTS_PER_WINDOW, extentCount);
    let word = entryWord(METADATA_EXTENTS);
    dataExtents += Math.max(0, end - window - METADATA_EXTENTS);
    for (let extent = window + METADATA_EXTENTS; extent < end; extent++) {
      if ((words[word]! & 0xff) === KIND_FREE) freeCount++;
      else highestUsed = extent + 1;
      word += EXTENT_ENTRY_WORDS;
    }
  }
}

/** One past the highest extent that was used since attachExtents(). */
export function usedExtentsEnd(): number {
  return highestUsed;
}

function setEntry(extent: number, kind: number, density: number, sizeClass: number): void {
  const words = entryWindow(extent);
  const index = entryWord(extent);
  words[index] = kind | (density << 8) | (sizeClass << 16);
  words[index + 1] = 0;
  words[index + 2] = 0;
}

/** Takes the lowest free extent, preferring populated ones; -1 when the arena is full. */
export function takeExtent(kind: number, density: Density, sizeClass: number): number {
  const extent = ready.length > 0 ? ready[0]! : findFree();
  if (extent < 0) return -1;
  if (dirty[extent] === 0) touchFresh(extent);
  occupy(extent, kind, density, sizeClass);
  populateAhead();
  return extent;
}

/** Touches an extent that nothing was written to yet, which its first object would do otherwise, and
 *  measures it: long when the populate thread was not there before. */
function touchFresh(extent: number): void {
  const start = performance.now();
  entryWindow(extent)[(extent & (EXTENTS_PER_WINDOW - 1)) * (EXTENT_BYTES / 4)] = 0;
  const micros = (performance.now() - start) * 1000;
  if (micros > longestTouchMicros) longestTouchMicros = micros;
}

/** How long the longest touch of a fresh extent took since the last call of this, in microseconds. */
export function takePopulateStall(): number {
  const micros = longestTouchMicros;
  longestTouchMicros = 0;
  return micros;
}

/** Takes `count` consecutive free extents inside one window as a RUN; -1 when there are none. */
export function takeRun(count: number, density: Density): number {
  const first = findFreeRun(count);
  if (first < 0) return -1;
  for (let i = 0; i < count; i++) occupy(first + i, KIND_RUN, density, 0);
  entryWindow(first)[entryWord(first) + 2] = count;
  return first;
}

/** Turns one extent of a run into a PAGES extent (the tail of a run that is not full). */
export function retypeExtent(extent: number, kind: number, density: Density): void {
  setEntry(extent, kind, density, 0);
}

export function setRunLength(first: number, count: number): void {
  entryWindow(first)[entryWord(first) + 2] = count;
}

function occupy(extent: number, kind: number, density: Density, sizeClass: number): void {
  const at = ready.indexOf(extent);
  if (at >= 0) ready.splice(at, 1);
  else if (dirty[extent] === 0) noteFresh(1); // those in `ready` were counted when they were populated
  if (dirty[extent] === 1) {
    dirty[extent] = 0;
    dirtyCount--;
  }
  freeCount--;
  if (extent >= highestUsed) highestUsed = extent + 1;
  setEntry(extent, kind, density, sizeClass);
}

/** Gives an extent back. Its bitmap is cleared here; its memory is released later, in steps. */
export function freeExtent(extent: number): void {
  setEntry(extent, KIND_FREE, 0, 0);
  const words = entryWindow(extent);
  const first = bitmapWord(extent);
  words.fill(0, first, first + BITMAP_WORDS);
  dirty[extent] = 1;
  dirtyCount++;
  freeCount++;
  noteFreed(extent);
  if (filling) native.forgetExtents(extent, 1);
  if (extent < lowestFree) lowestFree = extent;
}

function findFree(): number {
  for (let extent = lowestFree; extent < extentCount; extent++) {
    if (extentKind(extent) === KIND_FREE && !ready.includes(extent)) {
      lowestFree = extent;
      // Freed under a checkpoint that has not reached it yet: one behind it is better, if it may be.
      return isUnsettled(extent) && mayTakeFresh() ? findSettled(extent) : extent;
    }
  }
  lowestFree = extentCount;
  return -1;
}

/** The first free extent behind `extent` that is settled, or `extent` itself when there is none. */
function findSettled(extent: number): number {
  for (let next = extent + 1; next < extentCount; next++) {
    if (extentKind(next) === KIND_FREE && !ready.includes(next) && !isUnsettled(next)) return next;
  }
  return extent;
}

function findFreeRun(count: number): number {
  let length = 0;
  for (let extent = METADATA_EXTENTS; extent < extentCount; extent++) {
    length = extentKind(extent) === KIND_FREE ? length + 1 : 0;
    if (length === count) return extent - count + 1;
  }
  return -1;
}

/** Keeps the next extents populated; they stay free until they are taken. A server calls it before it
 *  serves, so that its first inserts do not wait for memory either. */
export function populateAhead(): void {
  while (ready.length < READY_EXTENTS) {
    const next = findFree();
    if (next < 0 || (dirty[next] === 0 && !mayTakeFresh())) return;
    ready.push(next);
    if (dirty[next] === 1) continue;
    native.populateExtents(next, 1);
    noteFresh(1);
  }
}

/** Gives memory of up to `limit` free extents back to the kernel. Returns how many. */
export function releaseFreeExtents(limit: number): number {
  let released = 0;
  const inUse = dataExtents - freeCount;
  const kept = Math.min(
    Math.max(inUse * RESIDENT_FREE_SHARE, RESIDENT_FREE_MIN),
    RESIDENT_FREE_MAX,
  );
  for (let e = highestUsed - 1; e >= 0 && released < limit; e--) {
    if (dirtyCount <= kept) break;
    if (dirty[e] === 0 || ready.includes(e)) continue;
    if (runExtents !== null && runExtents[e] !== 0) continue; // a pending pre-image may lie there
    native.releaseExtents(e, 1);
    dirty[e] = 0;
    dirtyCount--;
    released++;
  }
  return released;
}

/** Tells that a lazy restore has begun (false: ended): what is freed need not be read any more. */
export function setFilling(on: boolean): void {
  filling = on;
}
export function isFilling(): boolean {
  return filling;
}

/** Tells the extents of a starting checkpoint (null: it ended); see releaseFreeExtents. */
export function setCheckpointExtents(extents: Uint8Array | null): void {
  runExtents = extents;
}

/**
 * What a checkpoint must hold, one byte per extent up to the highest in use: 0 free, 1 objects,
 * 2 dense metadata. A metadata extent whose bitmaps are all zero is left out.
 */
export function describeExtents(): Uint8Array {
  const extents = new Uint8Array(Math.max(highestUsed, METADATA_EXTENTS));
  extents[0] = 2;
  for (let extent = 0; extent < extents.length; extent++) {
    const kind = extentKind(extent);
    if (kind <= KIND_METADATA) continue;
    extents[extent] = extentDensity(extent) === DENSE ? 2 : 1;
    const window = extent & ~(EXTENTS_PER_WINDOW - 1);
    extents[window] = 2; // the window's extent table
    extents[window + ((extent - window) >>> 7)] = 2; // 128 bitmaps fill one metadata extent
  }
  let length = extents.length;
  while (extents[length - 1] === 0) length--;
  return extents.subarray(0, length);
}

export function freeExtentCount(): number {
  return freeCount;
}

/** Bytes of the extents that hold data or metadata. */
export function claimedBytes(): number {
  let extents = 0;
  for (const kind of describeExtents()) if (kind !== 0) extents++;
  return extents * EXTENT_BYTES;
}
