// Objects above 32 KiB: runs of 4 KiB pages. Up to 512 pages lie inside one PAGES extent, whose
// bitmap has one bit per page. Longer runs take whole extents (kind RUN) and, for what is left over,
// the first pages of the extent behind them, which stays open for other runs:
//
//     | RUN, 512 pages | RUN, 512 pages | PAGES: tail of this run | other runs ... |
//
// Invariant: a RUN extent is full; its run's tail, if any, starts at page 0 of the next extent.
import { extentCount, wordWindows } from './arena.js';
import { isClosed, openExtent } from './evacuation.js';
import {
  addUsed,
  bitmapWord,
  DATA,
  type Density,
  extentDensity,
  extentKind,
  extentUsed,
  freeExtent,
  KIND_PAGES,
  KIND_RUN,
  retypeExtent,
  setRunLength,
  takeExtent,
  takeRun,
  usedExtentsEnd,
} from './extents.js';
import {
  EXTENT_MASK,
  EXTENT_SHIFT,
  EXTENTS_PER_WINDOW,
  METADATA_EXTENTS,
  NULL_REF,
  PAGES_PER_EXTENT,
  type Ref,
} from './layout.js';
import { isUnsettled, mayTakeFresh } from './settled.js';

const GRANULES_PER_PAGE_SHIFT = 8;
const PAGES_MAX = (EXTENTS_PER_WINDOW - METADATA_EXTENTS) * PAGES_PER_EXTENT;

/** Upper bound of the longest free run of an extent, or 0 when it is not an open PAGES extent. */
const longestFree = new Int16Array(extentCount);
/** Open PAGES extents, by density. */
const open: [number[], number[]] = [[], []];
const isOpen = new Uint8Array(extentCount);
let pageCount = 0;

/** Rebuilds the derived state from the extent table. */
export function attachPages(): void {
  longestFree.fill(0);
  isOpen.fill(0);
  open[0].length = 0;
  open[1].length = 0;
  pageCount = 0;
  for (let extent = 0; extent < usedExtentsEnd(); extent++) {
    const kind = extentKind(extent);
    if (kind === KIND_RUN) pageCount += PAGES_PER_EXTENT;
    if (kind !== KIND_PAGES) continue;
    pageCount += extentUsed(extent);
    noteOpen(extent);
  }
}

export function pagesInUse(): number {
  return pageCount;
}

/** A run of `pages` pages, page aligned; NULL_REF when there is none. */
export function allocatePages(pages: number, density: Density): Ref {
  if (pages > PAGES_MAX) return NULL_REF;
  const ref =
    pages < PAGES_PER_EXTENT ? allocateInside(pages, density) : allocateLong(pages, density);
  if (ref !== NULL_REF) pageCount += pages;
  return ref;
}

/** A run of pages of data, of less than an extent, that is moved out of an extent that is being emptied: not
 *  in such a one and not in a fresh one. NULL_REF when there is no other room. */
export function allocatePagesElsewhere(pages: number): Ref {
  const ref = allocateOpen(pages, DATA, true);
  if (ref !== NULL_REF) pageCount += pages;
  return ref;
}

function allocateInside(pages: number, density: Density): Ref {
  let ref = allocateOpen(pages, density, true);
  if (ref === NULL_REF && !mayTakeFresh()) ref = allocateOpen(pages, density, false);
  if (ref !== NULL_REF) return ref;
  const extent = takeExtent(KIND_PAGES, density, 0);
  // In a full arena, room that a checkpoint has not reached yet, or was to be left, is better than none.
  if (extent < 0) return allocateOpen(pages, density, false);
  mark(extent, 0, pages);
  noteOpen(extent);
  return pageRef(extent, 0);
}

/** A run in an open extent; NULL_REF when none has one. `sparing`: not in one that a checkpoint has not
 *  reached (placement.ts) or that is being emptied (evacuation.ts). */
function allocateOpen(pages: number, density: Density, sparing: boolean): Ref {
  const list = open[density];
  for (let i = list.length - 1; i >= 0; i--) {
    const extent = list[i]!;
    if (longestFree[extent]! < pages) continue;
    if (sparing && (isClosed(extent) || isUnsettled(extent))) continue;
    const first = findClear(extent, pages);
    if (first < 0) continue;
    openExtent(extent);
    mark(extent, first, pages);
    if (extentUsed(extent) === PAGES_PER_EXTENT) {
      list.splice(i, 1);
      isOpen[extent] = 0;
    }
    return pageRef(extent, first);
  }
  return NULL_REF;
}

function allocateLong(pages: number, density: Density): Ref {
  const tail = pages % PAGES_PER_EXTENT;
  const whole = (pages - tail) / PAGES_PER_EXTENT;
  const first = takeRun(tail > 0 ? whole + 1 : whole, density);
  if (first < 0) return NULL_REF;
  if (tail > 0) {
    setRunLength(first, whole);
    retypeExtent(first + whole, KIND_PAGES, density);
    mark(first + whole, 0, tail);
    noteOpen(first + whole);
  }
  return pageRef(first, 0);
}

/** Frees a run of `pages` pages. */
export function freePages(ref: Ref, pages: number): void {
  pageCount -= pages;
  let extent = ref >>> EXTENT_SHIFT;
  let left = pages;
  for (; left >= PAGES_PER_EXTENT; left -= PAGES_PER_EXTENT) {
    if (extentKind(extent) !== KIND_RUN) badFree(ref, pages);
    freeExtent(extent++);
  }
  if (left === 0) return;
  const first = pages === left ? (ref & EXTENT_MASK) >>> GRANULES_PER_PAGE_SHIFT : 0;
  if (extentKind(extent) !== KIND_PAGES) badFree(ref, pages);
  clear(extent, first, left, ref, pages);
  if (extentUsed(extent) === 0) {
    dropOpen(extent);
    freeExtent(extent);
  } else {
    noteOpen(extent);
  }
}

function noteOpen(extent: number): void {
  if (extentUsed(extent) === PAGES_PER_EXTENT) return;
  longestFree[extent] = PAGES_PER_EXTENT - extentUsed(extent);
  if (isOpen[extent] === 1) return;
  isOpen[extent] = 1;
  open[extentDensity(extent)].push(extent);
}

function dropOpen(extent: number): void {
  longestFree[extent] = 0;
  if (isOpen[extent] === 0) return;
  isOpen[extent] = 0;
  const list = open[extentDensity(extent)];
  list.splice(list.indexOf(extent), 1);
}

function pageRef(extent: number, page: number): Ref {
  return ((extent << EXTENT_SHIFT) | (page << GRANULES_PER_PAGE_SHIFT)) as Ref;
}

function isPageUsed(words: Int32Array, base: number, page: number): boolean {
  return (words[base + (page >>> 5)]! & (1 << (page & 31))) !== 0;
}

/** First page of a clear run of `pages`; -1 and a corrected longestFree when there is none. */
function findClear(extent: number, pages: number): number {
  const words = wordWindows[extent >>> 9]!;
  const base = bitmapWord(extent);
  let length = 0;
  let longest = 0;
  for (let page = 0; page < PAGES_PER_EXTENT; page++) {
    length = isPageUsed(words, base, page) ? 0 : length + 1;
    if (length === pages) return page - pages + 1;
    if (length > longest) longest = length;
  }
  longestFree[extent] = longest;
  return -1;
}

function mark(extent: number, first: number, pages: number): void {
  const words = wordWindows[extent >>> 9]!;
  const base = bitmapWord(extent);
  for (let page = first; page < first + pages; page++) {
    words[base + (page >>> 5)] = words[base + (page >>> 5)]! | (1 << (page & 31));
  }
  addUsed(extent, pages);
}

function clear(extent: number, first: number, pages: number, ref: Ref, total: number): void {
  const words = wordWindows[extent >>> 9]!;
  const base = bitmapWord(extent);
  for (let page = first; page < first + pages; page++) {
    if (!isPageUsed(words, base, page)) badFree(ref, total);
    words[base + (page >>> 5)] = words[base + (page >>> 5)]! & ~(1 << (page & 31));
  }
  addUsed(extent, -pages);
}

function badFree(ref: Ref, pages: number): never {
  throw new Error(`heap corruption: free of ${pages} pages at ref ${ref >>> 0}, not in use`);
}
