// Which extents are worth emptying. After random deletes the extents of a size class are all part full,
// and their free slots are of use to that class alone; moved together, the objects leave whole extents
// to others and to the kernel.
//
// Per class (slabs of a size; extents of pages) the emptiest extents are taken first, as many as the
// objects in them find room for in the extents that stay. So nothing is moved into fresh memory, and
// nothing twice. What it gains is known before anything is done: the number of these extents.
//
// Not taken: dense metadata, the extent under a class's cursor, the tail of a run of extents (the whole
// run would have to move), and what could not be emptied before.
//
// Cost: 2 words read per extent in use, 10 us per GiB of heap; sorting, when it is worth while, as much
// again.
import { isUnderCursor } from './allocator.js';
import { extentCount } from './arena.js';
import { closeExtent, resisted } from './evacuation.js';
import {
  DATA,
  extentDensity,
  extentKind,
  extentSizeClass,
  extentUsed,
  KIND_FREE,
  KIND_METADATA,
  KIND_PAGES,
  KIND_RUN,
  KIND_SLAB,
  usedExtentsEnd,
} from './extents.js';
import { EXTENT_BYTES, PAGES_PER_EXTENT } from './layout.js';
import { SIZE_CLASSES, slotCount } from './size_classes.js';

/** Extents of pages count as one more class. */
const PAGES_CLASS = SIZE_CLASSES;
/** Of the room that is free, what is counted on: some goes to new objects meanwhile, and a few slots in an
 *  extent are not looked for (allocator.ts). Runs of pages need theirs side by side. */
const SLOTS_SHARE = 15 / 16;
const PAGES_SHARE = 3 / 4;

/** A candidate as one number that sorts by class, then by objects in it: class, used, extent. */
const USED_UNIT = 2 ** 16;
const CLASS_UNIT = USED_UNIT * 2 ** 18;
const candidates = new Float64Array(extentCount);

/** Free slots and slots in use by candidates, by class. */
const freeSlots = new Float64Array(SIZE_CLASSES + 1);

/** The extents chosen last, and what they are in percent of the others in use. */
export const sparse = { extents: [] as number[], percent: 0 };

/**
 * Closes the extents that are worth emptying and lists them in `sparse`. Returns false, with nothing
 * closed, when they are less than that many bytes, or percent of what would stay in use.
 */
export function closeSparseExtents(percentMin: number, bytesMin: number): boolean {
  sparse.extents.length = 0;
  freeSlots.fill(0);
  const { count, inUse } = listCandidates();
  let most = 0;
  for (let one = 0; one <= PAGES_CLASS; one++) most += Math.floor(freeSlots[one]! / slotsOf(one));
  if (!isWorthIt(most, inUse, percentMin, bytesMin)) return false;
  choose(candidates.subarray(0, count).sort());
  if (!isWorthIt(sparse.extents.length, inUse, percentMin, bytesMin)) return false;
  for (const extent of sparse.extents) closeExtent(extent);
  return true;
}

function isWorthIt(gain: number, inUse: number, percentMin: number, bytesMin: number): boolean {
  sparse.percent = (100 * gain) / Math.max(1, inUse - gain);
  return gain > 0 && gain * EXTENT_BYTES >= bytesMin && sparse.percent >= percentMin;
}

function slotsOf(sizeClass: number): number {
  return sizeClass === PAGES_CLASS ? PAGES_PER_EXTENT : slotCount[sizeClass]!;
}

function listCandidates(): { count: number; inUse: number } {
  const end = usedExtentsEnd();
  let count = 0;
  let inUse = 0;
  let previous = KIND_FREE;
  for (let extent = 0; extent < end; extent++) {
    const kind = extentKind(extent);
    const isTail = previous === KIND_RUN;
    previous = kind;
    if (kind === KIND_FREE || kind === KIND_METADATA) continue;
    inUse++;
    if ((kind !== KIND_SLAB && kind !== KIND_PAGES) || extentDensity(extent) !== DATA) continue;
    const sizeClass = kind === KIND_PAGES ? PAGES_CLASS : extentSizeClass(extent);
    const used = extentUsed(extent);
    freeSlots[sizeClass]! += slotsOf(sizeClass) - used;
    if (isTail || used === 0 || used === slotsOf(sizeClass) || resisted(extent, used)) continue;
    if (kind === KIND_SLAB && isUnderCursor(extent)) continue;
    candidates[count++] = sizeClass * CLASS_UNIT + used * USED_UNIT + extent;
  }
  return { count, inUse };
}

/** Chooses of each class as many as find room elsewhere, the emptiest first. */
function choose(sorted: Float64Array): void {
  let sizeClass = -1;
  let room = 0;
  let moving = 0;
  let isOpen = false;
  for (const candidate of sorted) {
    const own = Math.floor(candidate / CLASS_UNIT);
    if (own !== sizeClass) {
      sizeClass = own;
      room = freeSlots[own]!;
      moving = 0;
      isOpen = true;
    }
    if (!isOpen) continue;
    const used = Math.floor((candidate % CLASS_UNIT) / USED_UNIT);
    room -= slotsOf(own) - used;
    moving += used;
    isOpen = moving <= room * (own === PAGES_CLASS ? PAGES_SHARE : SLOTS_SHARE);
    if (isOpen) sparse.extents.push(candidate % USED_UNIT);
  }
}
