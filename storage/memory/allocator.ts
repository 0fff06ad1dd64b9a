// The allocator: slabs of one slot size for objects up to 32 KiB, runs of pages above.
//
// Freeing needs the size (every owner knows it), so objects carry no header of the allocator's and
// freeing one does not write to it: it clears a bit in the extent's bitmap and lowers one counter,
// both in metadata extents. Allocation takes the lowest free bit at a cursor that walks the extent,
// so that objects made one after the other lie side by side.
//
// Invariant: a set bit has exactly one owner (verify proves it). OOM is the return value NULL_REF;
// nothing has changed then.
import { extentCount, wordWindows } from './arena.js';
import { isClosed, openAllExtents, openExtent, resetEvacuation } from './evacuation.js';
import {
  addUsed,
  attachExtents,
  bitmapWord,
  DATA,
  DENSE,
  type Density,
  entryWindow,
  extentDensity,
  extentKind,
  extentSizeClass,
  extentUsed,
  freeExtent,
  isFilling,
  KIND_METADATA,
  KIND_PAGES,
  KIND_RUN,
  KIND_SLAB,
  takeExtent,
  usedExtentsEnd,
} from './extents.js';
import {
  EXTENT_BYTES,
  EXTENT_MASK,
  EXTENT_SHIFT,
  NULL_REF,
  PAGE_BYTES,
  type Ref,
} from './layout.js';
import {
  allocatePages,
  allocatePagesElsewhere,
  attachPages,
  freePages,
  pagesInUse,
} from './page_runs.js';
import {
  beginRun,
  beginSettling,
  endRun,
  isCutMade,
  isUnsettled,
  mayTakeFresh,
  nextPassed,
} from './settled.js';
import {
  classOfGranules,
  SIZE_CLASSES,
  SLAB_BYTES_MAX,
  slotCount,
  slotGranules,
  slotReciprocal,
} from './size_classes.js';

const CURSORS = SIZE_CLASSES * 2; // one per class and density

// The cursor of a class: its extent (-1: none), the next bitmap word and the word after the last.
const cursorExtent = new Int32Array(CURSORS);
const cursorWord = new Int32Array(CURSORS);
const cursorEnd = new Int32Array(CURSORS);
/** Extents of a class, not under its cursor, that have room again; stale entries are possible. */
const roomy: number[][] = Array.from({ length: CURSORS }, () => []);
/** In which list an extent stands: cursor + 1, or 0. */
const roomyCursor = new Uint8Array(extentCount);

/** Bytes in slots; a typed array, so that counts above 2^31 need no heap number per change. */
const slabBytes = new Float64Array(1);

/**
 * Rebuilds the derived state from the extent table: of a fresh (all-zero) arena, or after a restore.
 * Frees extents that are empty; not while a lazy restore goes on, because that touches memory, which
 * a server has no time for when it starts: call freeEmptyExtents() when it has ended.
 */
export function attachAllocator(): void {
  attachExtents();
  resetSearch();
  for (let extent = 0; extent < usedExtentsEnd(); extent++) {
    if (extentKind(extent) !== KIND_SLAB) continue;
    const sizeClass = extentSizeClass(extent);
    const used = extentUsed(extent);
    slabBytes[0]! += used * slotGranules[sizeClass]! * 16;
    if (used === 0 && !isFilling()) freeExtent(extent);
    else noteRoom(extent, sizeClass, used);
  }
}

/** Frees extents that nothing lies in and no cursor stands in. */
export function freeEmptyExtents(): void {
  for (let extent = 0; extent < usedExtentsEnd(); extent++) {
    if (extentKind(extent) !== KIND_SLAB || extentUsed(extent) > 0) continue;
    if (!isUnderCursor(extent)) freeExtent(extent);
  }
}

/** Forgets all cursors and lists; right for an empty heap. */
function resetSearch(): void {
  attachPages();
  resetEvacuation();
  cursorExtent.fill(-1);
  cursorWord.fill(0);
  cursorEnd.fill(0);
  roomyCursor.fill(0);
  for (const list of roomy) list.length = 0;
  slabBytes[0] = 0;
}

/**
 * A checkpoint is prepared: objects are allocated in settled extents from now on, as long as they need
 * no more fresh memory for that than `bound` tells. See settled.ts for the parameters.
 */
export function avoidPendingExtents(extents: Uint8Array, bound: () => number): void {
  openAllExtents(); // their room is noted again when the checkpoint has passed them
  beginRun(extents, bound, usedBytes);
  leavePending(0, SIZE_CLASSES);
}

/** The cut was made: dense metadata keeps away from pending pages, too. `epoch`: of the page states. */
export function noteCut(epoch: number): void {
  beginSettling(epoch);
  leavePending(SIZE_CLASSES, CURSORS);
}

/** Takes the cursors away from pending extents. */
function leavePending(first: number, end: number): void {
  for (let cursor = first; cursor < end; cursor++) {
    const extent = cursorExtent[cursor]!;
    if (extent < 0 || !isUnsettled(extent)) continue;
    cursorExtent[cursor] = -1;
    if (extentUsed(extent) === 0) freeExtent(extent);
  }
}

/** Whether the objects of a cursor keep away from an extent that a checkpoint has not copied yet. */
function isAvoided(extent: number, cursor: number): boolean {
  return isUnsettled(extent) && (cursor < SIZE_CLASSES || isCutMade());
}

/** The checkpoint has ended: all extents with room are used again. */
export function useAllExtents(): void {
  endRun();
  notePassed();
}

/** Notes the room in extents that a checkpoint has passed since the last call. */
function notePassed(): void {
  for (let extent = nextPassed(); extent >= 0; extent = nextPassed()) {
    if (extentKind(extent) !== KIND_SLAB || isUnderCursor(extent)) continue;
    noteRoom(extent, extentSizeClass(extent), extentUsed(extent));
  }
}

/** While a checkpoint runs: whether an object of `bytes` can be allocated where it will not be caught. */
export function hasSettledRoom(bytes: number, density: Density): boolean {
  if (mayTakeFresh()) return true;
  if (bytes > SLAB_BYTES_MAX) return false;
  const sizeClass = classOfGranules[(bytes + 15) >>> 4]!;
  const cursor = density === DENSE ? sizeClass + SIZE_CLASSES : sizeClass;
  if (cursorHasRoom(cursor) && !isUnsettled(cursorExtent[cursor]!)) return true;
  return findKnownRoom(cursor, sizeClass);
}

/** Moves a cursor to an extent that is known to have room; false: to none. */
function findKnownRoom(cursor: number, sizeClass: number): boolean {
  const extent = popRoomy(cursor, sizeClass);
  if (extent >= 0) moveCursor(cursor, sizeClass, extent);
  return extent >= 0 && cursorHasRoom(cursor);
}

/**
 * Memory for an object of data that is moved out of an extent that is being emptied: as allocate(), but
 * never in such an extent and never in a fresh one. NULL_REF when there is no other room.
 */
export function allocateElsewhere(bytes: number): Ref {
  if (bytes > SLAB_BYTES_MAX) return allocatePagesElsewhere(Math.ceil(bytes / PAGE_BYTES));
  const cursor = classOfGranules[(bytes + 15) >>> 4]!;
  if (cursorHasRoom(cursor)) return allocate(bytes, DATA);
  if (cursorExtent[cursor]! >= 0) leaveExtent(cursor);
  return findKnownRoom(cursor, cursor) ? allocate(bytes, DATA) : NULL_REF;
}

/** An extent is no longer being emptied: what is free in it may be used again. */
export function reopenExtent(extent: number): void {
  openExtent(extent);
  if (extentKind(extent) !== KIND_SLAB || isUnderCursor(extent)) return;
  noteRoom(extent, extentSizeClass(extent), extentUsed(extent));
}

/** Frees every object of the heap at once. */
export function releaseEverything(): void {
  for (let extent = 0; extent < extentCount; extent++) {
    if (extentKind(extent) > KIND_METADATA) freeExtent(extent);
  }
  resetSearch();
}

/** Bytes that the allocator really gives for a request of `bytes`. */
export function usableBytes(bytes: number): number {
  if (bytes > SLAB_BYTES_MAX) return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  return slotGranules[classOfGranules[(bytes + 15) >>> 4]!]! << 4;
}

/** True when two sizes take the same slot, so that an object can change size where it is. */
export function sameSlot(bytesA: number, bytesB: number): boolean {
  if (bytesA > SLAB_BYTES_MAX || bytesB > SLAB_BYTES_MAX) {
    return usableBytes(bytesA) === usableBytes(bytesB);
  }
  return classOfGranules[(bytesA + 15) >>> 4] === classOfGranules[(bytesB + 15) >>> 4];
}

/** Bytes in use by objects, slots counted whole. */
export function usedBytes(): number {
  return slabBytes[0]! + pagesInUse() * PAGE_BYTES;
}

/** Bytes in use by dense metadata: hash table segments and tree nodes. Walks the extent table. */
export function denseBytes(): number {
  let bytes = 0;
  for (let extent = 0; extent < extentCount; extent++) {
    if (extentDensity(extent) !== DENSE) continue;
    const kind = extentKind(extent);
    if (kind === KIND_SLAB) {
      bytes += extentUsed(extent) * (slotGranules[extentSizeClass(extent)]! << 4);
    } else if (kind === KIND_PAGES) bytes += extentUsed(extent) * PAGE_BYTES;
    else if (kind === KIND_RUN) bytes += EXTENT_BYTES;
  }
  return bytes;
}

/** Frees some memory that nothing uses any more; false when there is none. See setReclaim. */
let reclaim: () => boolean = () => false;

/** Tells how memory is found when the arena is full. What it frees must be nobody's but its own. */
export function setReclaim(reclaimSome: () => boolean): void {
  reclaim = reclaimSome;
}

/**
 * Memory for an object of `bytes` (at least 1, at most one window less its metadata), 16-byte
 * aligned, contents undefined. NULL_REF when the arena is full, also after all that could be was
 * reclaimed.
 */
export function allocate(bytes: number, density: Density): Ref {
  if (bytes > SLAB_BYTES_MAX) {
    const ref = allocateLarge(bytes, density);
    return ref === NULL_REF ? allocateReclaimed(bytes, density) : ref;
  }
  const sizeClass = classOfGranules[(bytes + 15) >>> 4]!;
  const cursor = density === DENSE ? sizeClass + SIZE_CLASSES : sizeClass;
  const extent = cursorExtent[cursor]!;
  if (extent >= 0) {
    const word = cursorWord[cursor]!;
    const words = wordWindows[extent >>> 9]!;
    const bits = words[word]!;
    if (bits !== -1) return takeSlot(words, word, bits, extent, sizeClass);
  }
  const ref = allocateSlow(cursor, sizeClass, density);
  return ref === NULL_REF ? allocateReclaimed(bytes, density) : ref;
}

function allocateLarge(bytes: number, density: Density): Ref {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const ref = allocatePages(pages, density);
  return ref === NULL_REF && dropEmptyCursors() ? allocatePages(pages, density) : ref;
}

/** The arena is full: allocates again as often as some memory can be reclaimed. */
function allocateReclaimed(bytes: number, density: Density): Ref {
  const sizeClass = classOfGranules[(bytes + 15) >>> 4]!;
  const cursor = density === DENSE ? sizeClass + SIZE_CLASSES : sizeClass;
  while (reclaim()) {
    const ref =
      bytes > SLAB_BYTES_MAX
        ? allocateLarge(bytes, density)
        : allocateSlow(cursor, sizeClass, density);
    if (ref !== NULL_REF) return ref;
  }
  return NULL_REF;
}

function takeSlot(
  words: Int32Array,
  word: number,
  bits: number,
  extent: number,
  sizeClass: number,
): Ref {
  const bit = ~bits & (bits + 1); // the lowest clear bit
  words[word] = bits | bit;
  addUsed(extent, 1);
  const granules = slotGranules[sizeClass]!;
  slabBytes[0]! += granules << 4;
  const slot = ((word - bitmapWord(extent)) << 5) | (31 - Math.clz32(bit));
  return ((extent << EXTENT_SHIFT) | (slot * granules)) as Ref;
}

/** Moves the cursor to the next word with room, to another extent if need be. */
function allocateSlow(cursor: number, sizeClass: number, density: Density): Ref {
  for (;;) {
    const extent = cursorExtent[cursor]!;
    if (extent >= 0) {
      if (cursorHasRoom(cursor)) {
        const words = wordWindows[extent >>> 9]!;
        const word = cursorWord[cursor]!;
        return takeSlot(words, word, words[word]!, extent, sizeClass);
      }
      leaveExtent(cursor);
    }
    if (!advanceCursor(cursor, sizeClass, density)) return NULL_REF;
  }
}

/** Moves the cursor to the next word of its extent with room; false when there is none. */
function cursorHasRoom(cursor: number): boolean {
  const extent = cursorExtent[cursor]!;
  if (extent < 0) return false;
  const words = wordWindows[extent >>> 9]!;
  const end = cursorEnd[cursor]!;
  let word = cursorWord[cursor]!;
  while (word < end && words[word] === -1) word++;
  // The cursor must not stand behind the last word: that is the first of the next extent's bitmap.
  if (word === end) return false;
  cursorWord[cursor] = word;
  return true;
}

function leaveExtent(cursor: number): void {
  const extent = cursorExtent[cursor]!;
  cursorExtent[cursor] = -1;
  noteRoom(extent, extentSizeClass(extent), extentUsed(extent)); // slots freed behind the cursor
}

function advanceCursor(cursor: number, sizeClass: number, density: Density): boolean {
  let extent = popRoomy(cursor, sizeClass);
  if (extent < 0 && !mayTakeFresh()) extent = findRoom(sizeClass, density, roomyCount(sizeClass));
  if (extent < 0) {
    extent = takeExtent(KIND_SLAB, density, sizeClass);
    if (extent < 0 && dropEmptyCursors()) extent = takeExtent(KIND_SLAB, density, sizeClass);
    if (extent >= 0) fenceBitmap(extent, sizeClass);
    else extent = findRoom(sizeClass, density, 1);
    if (extent < 0) return false;
  }
  moveCursor(cursor, sizeClass, extent);
  return true;
}

function moveCursor(cursor: number, sizeClass: number, extent: number): void {
  if (cursorExtent[cursor]! >= 0) leaveExtent(cursor);
  cursorExtent[cursor] = extent;
  cursorWord[cursor] = bitmapWord(extent);
  cursorEnd[cursor] = bitmapWord(extent) + ((slotCount[sizeClass]! + 31) >>> 5);
}

/** An extent with room that may be written to without being caught; -1 when none is known. */
function popRoomy(cursor: number, sizeClass: number): number {
  notePassed();
  const list = roomy[cursor]!;
  for (;;) {
    const extent = list.pop();
    if (extent === undefined) return -1;
    if (roomyCursor[extent] === cursor + 1) roomyCursor[extent] = 0;
    // One that a checkpoint has not reached yet is noted again when it is passed, and one that is being
    // emptied when that has ended.
    if (isAvoided(extent, cursor) || (cursor < SIZE_CLASSES && isClosed(extent))) continue;
    // The extent may have been given back, and even taken for something else, since it was noted.
    if (belongs(extent, sizeClass, cursor >= SIZE_CLASSES ? DENSE : 0)) return extent;
  }
}

function belongs(extent: number, sizeClass: number, density: Density): boolean {
  return (
    extentKind(extent) === KIND_SLAB &&
    extentSizeClass(extent) === sizeClass &&
    extentDensity(extent) === density &&
    extentUsed(extent) < slotCount[sizeClass]!
  );
}

function cursorOf(extent: number): number {
  const sizeClass = extentSizeClass(extent);
  return extentDensity(extent) === DENSE ? sizeClass + SIZE_CLASSES : sizeClass;
}

/** Whether objects of its class are allocated in this extent of slots next. */
export function isUnderCursor(extent: number): boolean {
  return cursorExtent[cursorOf(extent)] === extent;
}

/** Frees the extents that only their cursor keeps: for a full arena, and now and then, because a class
 *  that is not used any more would keep its last extent. False when there are none. */
export function dropEmptyCursors(): boolean {
  let dropped = false;
  for (let cursor = 0; cursor < CURSORS; cursor++) {
    const extent = cursorExtent[cursor]!;
    if (extent < 0 || extentUsed(extent) > 0) continue;
    cursorExtent[cursor] = -1;
    freeExtent(extent);
    dropped = true;
  }
  return dropped;
}

/** The last resort of a full arena, or of a checkpoint that may take no more fresh memory: an extent
 *  with so many free slots, wherever it is. */
function findRoom(sizeClass: number, density: Density, slots: number): number {
  for (let extent = 0; extent < extentCount; extent++) {
    if (!belongs(extent, sizeClass, density)) continue;
    if (slotCount[sizeClass]! - extentUsed(extent) < slots) continue;
    openExtent(extent);
    return extent;
  }
  return -1;
}

/** Sets the bits past the last slot, so that the cursor never hands them out. */
function fenceBitmap(extent: number, sizeClass: number): void {
  const slots = slotCount[sizeClass]!;
  if ((slots & 31) !== 0) {
    entryWindow(extent)[bitmapWord(extent) + (slots >>> 5)] = -1 << (slots & 31);
  }
}

/** Free slots that make an extent worth walking again: a 64th, so that every other word of its bitmap
 *  has one. Updates out of place leave few in each extent, but in all of them. */
function roomyCount(sizeClass: number): number {
  return Math.max(1, slotCount[sizeClass]! >>> 6);
}

/** Remembers an extent with room. One that a checkpoint has not reached is left for notePassed(), one
 *  that is being emptied for reopenExtent(). */
function noteRoom(extent: number, sizeClass: number, used: number): void {
  if (slotCount[sizeClass]! - used < roomyCount(sizeClass)) return;
  const cursor = cursorOf(extent);
  if (roomyCursor[extent] === cursor + 1 || isClosed(extent)) return;
  if (isAvoided(extent, cursor)) return;
  roomyCursor[extent] = cursor + 1;
  roomy[cursor]!.push(extent);
}

/** Frees what allocate(bytes, density) returned. `bytes` must take the same slot as it did then. */
export function free(ref: Ref, bytes: number, density: Density): void {
  if (bytes > SLAB_BYTES_MAX) {
    freePages(ref, Math.ceil(bytes / PAGE_BYTES));
    return;
  }
  const extent = ref >>> EXTENT_SHIFT;
  const sizeClass = classOfGranules[(bytes + 15) >>> 4]!;
  const slot = (((ref & EXTENT_MASK) + 0.5) * slotReciprocal[sizeClass]!) | 0;
  const words = wordWindows[extent >>> 9]!;
  const word = bitmapWord(extent) + (slot >>> 5);
  const bit = 1 << (slot & 31);
  const bits = words[word]!;
  if ((bits & bit) === 0 || extentSizeClass(extent) !== sizeClass) badFree(ref, bytes);
  words[word] = bits & ~bit;
  slabBytes[0]! -= slotGranules[sizeClass]! << 4;
  const used = addUsed(extent, -1);
  const cursor = density === DENSE ? sizeClass + SIZE_CLASSES : sizeClass;
  if (cursorExtent[cursor] === extent) return;
  if (used === 0) freeExtent(extent);
  else noteRoom(extent, sizeClass, used);
}

function badFree(ref: Ref, bytes: number): never {
  throw new Error(
    `heap corruption: free of ${bytes} bytes at ref ${ref >>> 0}, which is not in use`,
  );
}
