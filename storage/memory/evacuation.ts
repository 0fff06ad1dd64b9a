// Which extents are being emptied, so that they become free: the state of compaction that the allocator
// knows. sparse_extents.ts chooses them, keyspace/compaction.ts moves what lies in them.
//
// An extent is closed while it is emptied: nothing new is put there, what is freed there leaves room that
// nobody takes. It opens again when it becomes free, when the pass ends, when a checkpoint begins (which
// needs the room), and when the arena is full (room in it is better than none).
//
// All of this is derived: after a restart every extent is open.
import { extentCount } from './arena.js';

/** 1 = closed. Read by hot loops; written here alone. */
export const closed = new Uint8Array(extentCount);
/** Objects in an extent when it could not be emptied, plus one; 0: it was not tried. */
const leftOver = new Int32Array(extentCount);
let closedCount = 0;

export function isClosed(extent: number): boolean {
  return closed[extent] !== 0;
}

/** How many extents are being emptied. */
export function closedExtents(): number {
  return closedCount;
}

export function closeExtent(extent: number): void {
  if (closed[extent] !== 0) return;
  closed[extent] = 1;
  closedCount++;
}

export function openExtent(extent: number): void {
  if (closed[extent] === 0) return;
  closed[extent] = 0;
  closedCount--;
}

/** Opens all extents: a checkpoint begins. */
export function openAllExtents(): void {
  if (closedCount > 0) closed.fill(0);
  closedCount = 0;
}

/** Notes that an extent has become free: whatever it is used for next has nothing to do with this. */
export function noteFreed(extent: number): void {
  openExtent(extent);
  leftOver[extent] = 0;
}

// What no walk finds (a value whose type has no way to be moved, the tail of a long run) keeps its extent
// sparse for good. Such an extent is not tried again and again.

/** Notes that a whole pass left so many objects in an extent. */
export function noteLeftOver(extent: number, used: number): void {
  leftOver[extent] = used + 1;
}

/** Whether a pass could not empty this extent, and most of what was left is there still. */
export function resisted(extent: number, used: number): boolean {
  return leftOver[extent] !== 0 && used >= leftOver[extent]! >>> 1;
}

/** Lets extents that could not be emptied be tried again. */
export function forgetLeftOvers(): void {
  leftOver.fill(0);
}

/** The heap is another one. */
export function resetEvacuation(): void {
  openAllExtents();
  forgetLeftOvers();
}
