// Compaction: objects are moved together, so that extents which random deletes left part full become
// free, for objects of other sizes and for the kernel.
//
//   choose   extents that are worth emptying, if there are enough of them    memory/sparse_extents.ts
//   walk     all tables for entries in these extents, moving them             structures/relocation.ts
//   again    if many are not empty then: this time reading every entry, for long keys and what values own
//   end      what is left is opened again; what resisted is not tried soon
//
// Goes on in steps between commands; the server says how often (server/defragmentation.ts). Objects have
// no back references, so the owners are found by walking the tables: one walk serves all extents of all
// databases. The first reads the table's own memory only, 9 bytes an entry; an entry that is moved costs
// 400 ns, nearly all of it waiting for memory. The second one reads every entry, 50 ns each.
//
// Not while a checkpoint runs (moving would dirty pages it has not copied; its beginning ends the pass) nor
// while a lazy restore fills the arena. Nothing of it is durable: between two steps the heap is whole,
// and a checkpoint, a crash or a restart finds every object in its place.
import { reopenExtent } from '../memory/allocator.js';
import { closedExtents, isClosed, noteLeftOver, openAllExtents } from '../memory/evacuation.js';
import { extentUsed, isFilling } from '../memory/extents.js';
import { databaseRoot, NULL_REF, type Ref } from '../memory/layout.js';
import { isRunActive } from '../memory/settled.js';
import { closeSparseExtents, sparse } from '../memory/sparse_extents.js';
import { forgetFound } from '../structures/hash_table.js';
import { relocateEntry, relocateTable, work } from '../structures/relocation.js';
import { valueTypeOf } from '../values/value_types.js';

/** Work of one step: about 40 us, or one object that is larger. */
const STEP_BYTES = 64 * 1024;
/** Entries are read when more than this share of the chosen extents was not emptied without that. */
const UNREAD_SHARE = 1 / 8;

let compacting = false;
/** Where the walk is: a database and a cursor in its table. */
let database = 0;
let cursor = 0;
/** An entry whose value is moved in pieces, and the next one. */
let unfinished = NULL_REF;
let valueCursor = 0;

export function isCompacting(): boolean {
  return compacting;
}

/**
 * Begins a pass when the extents that it can free are so many bytes, and so many percent of those that
 * stay. Returns that percentage; 0 when there is nothing worth doing, or it must not be done now.
 */
export function beginCompaction(percentMin: number, bytesMin: number): number {
  if (compacting || mustWait() || !closeSparseExtents(percentMin, bytesMin)) return 0;
  compacting = true;
  beginWalk(false);
  return sparse.percent;
}

/**
 * Goes on with the pass over so many databases: for `bytes` of work (structures/relocation.ts), and at least
 * one object. Returns false when the pass has ended.
 */
export function compactStep(databases: number, bytes = STEP_BYTES): boolean {
  if (!compacting) return false;
  if (mustWait()) {
    openAllExtents();
    compacting = false;
    return false;
  }
  work.left = bytes;
  while (work.left > 0 && closedExtents() > 0) {
    if (database < databases) walk();
    else if (!work.readsAll && closedExtents() > sparse.extents.length * UNREAD_SHARE) {
      beginWalk(true);
    } else break;
  }
  forgetFound();
  if (work.left <= 0 && closedExtents() > 0) return true;
  endPass();
  return false;
}

/** Ends a pass before it is done. */
export function stopCompaction(): void {
  if (!compacting) return;
  compacting = false;
  for (const extent of sparse.extents) if (isClosed(extent)) reopenExtent(extent);
}

function mustWait(): boolean {
  return isRunActive() || isFilling();
}

function beginWalk(readsAll: boolean): void {
  work.readsAll = readsAll;
  database = 0;
  cursor = 0;
  unfinished = NULL_REF;
}

function walk(): void {
  cursor = relocateTable(databaseRoot(database), cursor, visit);
  if (cursor === 0) database++;
}

function visit(ref: Ref): Ref {
  const target = relocateEntry(ref);
  if (!work.readsAll) return target;
  const type = valueTypeOf(target);
  if (type.relocate === undefined) return target;
  valueCursor = type.relocate(target, ref === unfinished ? valueCursor : 0);
  work.isUnfinished = valueCursor !== 0;
  unfinished = work.isUnfinished ? target : NULL_REF;
  return target;
}

/** All was walked: what is left in an extent is not found by walking. */
function endPass(): void {
  compacting = false;
  for (const extent of sparse.extents) {
    if (!isClosed(extent)) continue;
    noteLeftOver(extent, extentUsed(extent));
    reopenExtent(extent);
  }
}
