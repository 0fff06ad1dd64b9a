// What is freed in steps: the large values of keys that are gone, and databases that were flushed. A value
// of a million elements takes 100 ms to free; so it is unlinked from its key at once, and its memory
// follows a few hundred elements at a time, between commands.
//
//   root page   first retired root block | how many, databases too      (memory/layout.ts)
//   root block  ... | next | form | 0 | 0                     of a large collection, ROOT_BLOCK_BYTES or more
//   retired databases   64 database roots in the metadata; one without a table is free
//
// All of it is durable: a checkpoint and `verify` see who owns the memory, and after a restart freeing goes
// on where it was. Nothing is allocated to retire a value, so deleting works in a full arena too, and
// there the allocator waits for this memory before it gives up.
//
// A retired value is nobody's any more: nothing is looked up in it, so its form may leave it in any state
// between two steps that its own verify() knows. Forms are registered by the types, one for each way
// in which a large value lies in a root block.
import { free, setReclaim } from '../memory/allocator.js';
import { wordWindows } from '../memory/arena.js';
import { DENSE } from '../memory/extents.js';
import {
  BLOCK_FORM_WORD,
  BLOCK_NEXT_WORD,
  DATABASE_ROOT_WORDS,
  GRANULE_BYTES,
  NULL_REF,
  RETIRED_DATABASES_MAX,
  RETIRED_DATABASES_REF,
  type Ref,
  ROOT_BLOCK_BYTES,
  ROOT_RETIRED,
  ROOT_RETIRED_COUNT,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../memory/layout.js';
import type { Owners } from '../structures/entries.js';
import { span } from '../structures/entry.js';
import {
  createTable,
  forgetFound,
  TABLE_COUNT,
  TABLE_DIRECTORY,
} from '../structures/hash_table.js';
import { TABLE_SEED } from '../structures/key_hash.js';

/** Values with more elements than this are freed in steps; freeing so many takes some 30 us. */
export const FREED_AT_ONCE_MAX = 256;
/** What a full arena frees between two attempts to allocate. */
const RECLAIM_PARTS = 1024;

export interface RetiredForm {
  /** Size of its root blocks where that is not ROOT_BLOCK_BYTES. */
  readonly blockBytes?: number;
  /**
   * Frees up to `limit` parts (elements, nodes) of the value in a root block, not the block itself.
   * Returns how many: fewer than `limit` when nothing is left.
   */
  freeSome(block: Ref, limit: number): number;
  /** Shows what is left to the walk over the heap, but for the block itself. */
  verify(block: Ref, owners: Owners): void;
}

/** Values freed since the start, keys of flushed databases too; the server reports and resets it. */
export const retiredCounters = { freed: 0 };

const root = wordWindows[0]!;
const forms: RetiredForm[] = [];

/** The form of flushed databases; those of values are the numbers of their types (entry.ts). */
export const DATABASE_FORM = 0;

/** Tells how values of a form are freed. Once, when the module of the type is loaded. */
export function registerRetired(form: number, rules: RetiredForm): void {
  if (forms[form] !== undefined) throw new Error(`retired form ${form} is taken`);
  forms[form] = rules;
}

function formOf(form: number): RetiredForm {
  const rules = forms[form];
  if (rules === undefined) throw new Error(`heap corruption: retired form ${form} is not known`);
  return rules;
}

/** Whether anything waits to be freed. */
export function hasRetired(): boolean {
  return root[ROOT_RETIRED_COUNT] !== 0;
}

/** How many values wait to be freed, the keys of flushed databases counted one by one. */
export function retiredCount(): number {
  let count = root[ROOT_RETIRED_COUNT]!;
  for (let place = 0; count > 0 && place < RETIRED_DATABASES_MAX; place++) {
    if (isTaken(place)) count += (root[placeWord(place) + TABLE_COUNT]! >>> 0) - 1;
  }
  return count;
}

/** Forgets all that is retired: the heap is being emptied, or is new. */
export function resetRetired(): void {
  root[ROOT_RETIRED] = NULL_REF;
  root[ROOT_RETIRED_COUNT] = 0;
  root.fill(0, placeWord(0), placeWord(RETIRED_DATABASES_MAX));
}

// --- retiring ------------------------------------------------------------------------------------

/** Hands the value in a root block over to be freed in steps. Whoever owned the block forgets it. */
export function retire(block: Ref, form: number): void {
  const words = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = (block & WINDOW_MASK) << 2;
  words[at + BLOCK_NEXT_WORD] = root[ROOT_RETIRED]!;
  words[at + BLOCK_FORM_WORD] = form;
  root[ROOT_RETIRED] = block;
  addCount(1);
  forgetFound();
}

/** Hands all keys of a database over and leaves it empty. */
export function retireDatabase(database: Ref): void {
  const source = (database & WINDOW_MASK) << 2;
  if (root[source + TABLE_DIRECTORY] === NULL_REF) return;
  let place = freePlace();
  for (; place < 0; place = freePlace()) freeDatabaseSome(0, RECLAIM_PARTS);
  const target = placeWord(place);
  root.copyWithin(target, source, source + DATABASE_ROOT_WORDS);
  const seed0 = root[source + TABLE_SEED]!;
  const seed1 = root[source + TABLE_SEED + 1]!;
  root.fill(0, source, source + DATABASE_ROOT_WORDS);
  createTable(database, seed0, seed1);
  addCount(1);
  forgetFound();
}

function addCount(delta: number): void {
  root[ROOT_RETIRED_COUNT] = root[ROOT_RETIRED_COUNT]! + delta;
}

function placeRef(place: number): Ref {
  return (RETIRED_DATABASES_REF + place * ((DATABASE_ROOT_WORDS * 4) / GRANULE_BYTES)) as Ref;
}
function placeWord(place: number): number {
  return placeRef(place) << 2;
}
/** A place is taken as long as its table is there: the table goes last. */
function isTaken(place: number): boolean {
  return root[placeWord(place) + TABLE_DIRECTORY] !== NULL_REF;
}

function freePlace(): number {
  for (let place = 0; place < RETIRED_DATABASES_MAX; place++) if (!isTaken(place)) return place;
  return -1;
}

// --- freeing -------------------------------------------------------------------------------------

/**
 * Frees up to `limit` parts of what waits. Returns how many, at least one when there is anything. A part
 * takes 0.1 us, and up to 30 where databases hold collections that are freed at once.
 */
export function freeRetired(limit: number): number {
  let done = 0;
  while (done < limit && root[ROOT_RETIRED] !== NULL_REF) done += freeBlockSome(limit - done);
  for (let place = 0; done < limit && hasRetired() && place < RETIRED_DATABASES_MAX; place++) {
    if (isTaken(place)) done += freeDatabaseSome(place, limit - done);
  }
  return done;
}

/** Frees parts of the first block in the list, and the block behind its last one. */
function freeBlockSome(limit: number): number {
  const block = root[ROOT_RETIRED]! as Ref;
  const words = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = (block & WINDOW_MASK) << 2;
  const form = formOf(words[at + BLOCK_FORM_WORD]!);
  const done = form.freeSome(block, limit);
  if (done === limit) return done;
  root[ROOT_RETIRED] = words[at + BLOCK_NEXT_WORD]!;
  addCount(-1);
  retiredCounters.freed++;
  free(block, form.blockBytes ?? ROOT_BLOCK_BYTES, DENSE);
  return done + 1;
}

function freeDatabaseSome(place: number, limit: number): number {
  const keys = placeWord(place) + TABLE_COUNT;
  const before = root[keys]!;
  const done = formOf(DATABASE_FORM).freeSome(placeRef(place), limit);
  retiredCounters.freed += before - root[keys]!;
  if (done === limit) return done;
  root.fill(0, placeWord(place), placeWord(place + 1));
  addCount(-1);
  return done + 1;
}

// Whoever allocates may still need what it has in `span`, which freeing long keys uses too.
setReclaim(() => {
  const { view, offset, length } = span;
  const freed = freeRetired(RECLAIM_PARTS);
  span.view = view;
  span.offset = offset;
  span.length = length;
  return freed > 0;
});

/** Shows everything that waits to be freed to the walk over the heap. */
export function verifyRetired(owners: Owners): void {
  let count = 0;
  for (let block = root[ROOT_RETIRED]! as Ref; block !== NULL_REF; ) {
    count++;
    const words = wordWindows[block >>> WINDOW_SHIFT]!;
    const at = (block & WINDOW_MASK) << 2;
    const form = formOf(words[at + BLOCK_FORM_WORD]!);
    owners.ownsDense(block, form.blockBytes ?? ROOT_BLOCK_BYTES);
    form.verify(block, owners);
    block = words[at + BLOCK_NEXT_WORD]! as Ref;
  }
  for (let place = 0; place < RETIRED_DATABASES_MAX; place++) {
    if (!isTaken(place)) continue;
    count++;
    formOf(DATABASE_FORM).verify(placeRef(place), owners);
  }
  if (count !== root[ROOT_RETIRED_COUNT]) {
    throw new Error(
      `${count} values are retired, the root page counts ${root[ROOT_RETIRED_COUNT]}`,
    );
  }
}
