// Sorted set values: members with scores, ordered by score, members of equal scores by their bytes. Two
// forms, told apart by the encoding bits of the key's header:
//
//   PACKED   all in one object (sorted_set_packed.ts): small sets of short members
//   TREE     an element table and a B+tree (sorted_set_tree.ts); there is no way back to PACKED
//
// How one asks, whatever the form:
//   - a member: locateMember(), then, for the same member, putMember(), removeLocated(), rankOfLocated();
//   - a range: its ends are ranks (ranksBelow(), ranksBefore()), and then startWalk(), nextMember() for
//     each, or removeRanks().
// One member is located and one walk under way at a time. A change of a set ends what was located in
// it and the walk over it, but not the walk over another set.
//
// Before a set that is in a database is changed, its entry must be made writable (entry_table.ts):
// the body of a packed set changes with it. A set without members is for the caller to delete.

import { byteWindows, wordWindows } from '../memory/arena.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { Cursor, seekIndex, takeThirdWords } from '../structures/btree_cursor.js';
import { createEntry, freeShell, type Owners } from '../structures/entries.js';
import {
  ENCODING_MASK,
  headerOf,
  locateKey,
  setHeader,
  span,
  TYPE_SORTED_SET,
} from '../structures/entry.js';
import { tableCount } from '../structures/hash_table.js';
import { findElement } from './element_table.js';
import {
  createPairs,
  dropNegativeZeros,
  duplicatePairs,
  findPair,
  firstPair,
  freePairs,
  insertPair,
  nextPair,
  packed,
  pairCount,
  pairsBefore,
  pairsBelow,
  pairsMemory,
  readPair,
  relocatePairs,
  removePairs,
  rescorePair,
  verifyPairs,
} from './sorted_set_packed.js';
import {
  blockOf,
  createTreeForm,
  dropElement,
  dropRanks,
  duplicateTreeForm,
  elementRank,
  elementScore,
  elementsBefore,
  elementsBelow,
  freeTreeForm,
  insertElement,
  lookAheadAt,
  relocateTreeForm,
  rescoreElement,
  storeBlock,
  TREE_WORD,
  treeFormMemory,
  verifyTreeForm,
} from './sorted_set_tree.js';
import type { ValueType } from './value_type.js';

export const SORTED_SET_PACKED = 0 << 3;
export const SORTED_SET_TREE = 1 << 3;

/**
 * Beyond the first two a packed set becomes a tree: zset-max-listpack-entries and -value. As in Redis, a
 * packed set does not know -0: a score of -0 is put as 0, but into a result on its way to its end.
 */
export const sortedSetLimits = {
  packedMembersMax: 128,
  packedMemberBytesMax: 64,
  keepsNegativeZero: false,
};

/** What locateMember() found last: `score` holds when the member is there. */
export const located = { score: 0, found: false, element: NULL_REF };

export function isSortedSetTree(ref: Ref): boolean {
  return (headerOf(ref) & ENCODING_MASK) === SORTED_SET_TREE;
}

/** A sorted set without members, in no database yet; NULL_REF when the arena is full. */
export function createSortedSet(key: Uint8Array, start: number, length: number): Ref {
  const ref = createEntry(TYPE_SORTED_SET | SORTED_SET_PACKED, key, start, length, 0);
  if (ref !== NULL_REF) createPairs(ref);
  return ref;
}

/** Frees a set that is in no database. */
export function freeSortedSet(ref: Ref): void {
  freeBody(ref);
  freeShell(ref);
}

/** Number of members. */
export function cardinality(ref: Ref): number {
  return isSortedSetTree(ref) ? tableCount(blockOf(ref)) : pairCount(ref);
}

// --- one member ----------------------------------------------------------------------------------

/** Looks for a member; fills `located`. False when it is not there. */
export function locateMember(ref: Ref, bytes: Uint8Array, offset: number, length: number): boolean {
  if (isSortedSetTree(ref)) {
    const element = findElement(blockOf(ref), bytes, offset, length);
    located.element = element;
    located.found = element !== NULL_REF;
    if (located.found) located.score = elementScore(element);
  } else {
    located.found = findPair(ref, bytes, offset, length);
    located.score = packed.score;
  }
  return located.found;
}

/**
 * Gives the member that locateMember() was asked for a score, adding it when it was not there. The bytes
 * are its name again, outside of this set. False: the arena is full, and nothing has changed.
 */
export function putMember(
  ref: Ref,
  bytes: Uint8Array,
  offset: number,
  length: number,
  score: number,
): boolean {
  if (isSortedSetTree(ref)) {
    if (located.found) return rescoreElement(blockOf(ref), located.element, score);
    return insertElement(blockOf(ref), score, bytes, offset, length);
  }
  if (located.found) {
    rescorePair(ref, packedScore(score), bytes, offset, length);
    return true;
  }
  const { packedMembersMax, packedMemberBytesMax } = sortedSetLimits;
  if (pairCount(ref) < packedMembersMax && length <= packedMemberBytesMax) {
    return insertPair(ref, packedScore(score), bytes, offset, length);
  }
  if (!convertToTree(ref)) return false;
  findElement(blockOf(ref), bytes, offset, length);
  return insertElement(blockOf(ref), score, bytes, offset, length);
}

function packedScore(score: number): number {
  return sortedSetLimits.keepsNegativeZero ? score : score + 0;
}

/** Ends the making of a result that was kept with -0: a packed one forgets it now. */
export function settleZeros(ref: Ref): void {
  if (!isSortedSetTree(ref)) dropNegativeZeros(ref);
}

/** Tells that the first (or last) member is about to be taken, as the next ones may be: see lookAheadAt(). */
export function lookAheadAtEnd(ref: Ref, last: boolean): void {
  if (isSortedSetTree(ref)) lookAheadAt(blockOf(ref), last ? cardinality(ref) - 1 : 0, last);
}

/** Removes the member that locateMember() has found. */
export function removeLocated(ref: Ref): void {
  if (isSortedSetTree(ref)) dropElement(blockOf(ref), located.element);
  else removePairs(ref, packed.place, 1);
}

/** How many members come before the one that locateMember() has found. */
export function rankOfLocated(ref: Ref): number {
  if (isSortedSetTree(ref)) return elementRank(blockOf(ref), located.element);
  const { place } = packed;
  for (let found = firstPair(ref); found && packed.place < place; found = nextPair(ref));
  return packed.rank;
}

/** Makes a packed set a tree. False: the arena is full, and it is packed as before. */
function convertToTree(ref: Ref): boolean {
  const block = createTreeForm();
  if (block === NULL_REF) return false;
  for (let found = firstPair(ref); found; found = nextPair(ref)) {
    const { view, offset, length, score } = packed;
    findElement(block, view, offset, length);
    if (insertElement(block, score, view, offset, length)) continue;
    freeTreeForm(block);
    return false;
  }
  freePairs(ref);
  storeBlock(ref, block);
  setHeader(ref, headerOf(ref) | SORTED_SET_TREE);
  return true;
}

// --- ranges --------------------------------------------------------------------------------------

/** How many members have a score below `score`, or with `inclusive` at most that. */
export function ranksBelow(ref: Ref, score: number, inclusive: boolean): number {
  if (isSortedSetTree(ref)) return elementsBelow(blockOf(ref), score, inclusive);
  return pairsBelow(ref, score, inclusive);
}

/**
 * How many members come before the one with these bytes, or with `inclusive` up to it. For sets whose
 * scores are all equal; where they are not, those above the lowest score come after every member.
 */
export function ranksBefore(
  ref: Ref,
  bytes: Uint8Array,
  offset: number,
  length: number,
  inclusive: boolean,
): number {
  if (isSortedSetTree(ref)) return elementsBefore(blockOf(ref), bytes, offset, length, inclusive);
  if (!firstPair(ref)) return 0;
  return pairsBefore(ref, packed.score, bytes, offset, length, inclusive);
}

/** Removes the members of ranks [start, end). */
export function removeRanks(ref: Ref, start: number, end: number): void {
  if (end <= start) return;
  if (isSortedSetTree(ref)) {
    dropRanks(blockOf(ref), start, end);
    return;
  }
  listPlaces(ref);
  removePairs(ref, places[start]!, end - start);
}

// --- walks ---------------------------------------------------------------------------------------

/** The member that nextMember() has come to. */
export const walked = { view: byteWindows[0]!, offset: 0, length: 0, element: NULL_REF, score: 0 };

/** Elements of a tree that a walk loads together. */
const BATCH = 16;

const cursor = new Cursor();
const batch = new Int32Array(BATCH);
let batchAt = 0;
let batchEnd = 0;
/** Where touchElements() leaves what it has loaded, so that the loads are made. */
const loaded = new Int32Array(1);

let walkedSet = NULL_REF;
let isTreeWalk = false;
let isBackward = false;
let walkRank = 0;
let walkLeft = 0;

/** The places of a packed set's pairs. */
let places = new Int32Array(256);

function listPlaces(ref: Ref): void {
  const count = pairCount(ref);
  if (count > places.length) places = new Int32Array(2 * count);
  let i = 0;
  for (let found = firstPair(ref); found; found = nextPair(ref)) places[i++] = packed.place;
}

/** Begins a walk over `count` members from the one of this rank on, upwards or downwards. */
export function startWalk(ref: Ref, rank: number, count: number, backward: boolean): void {
  walkedSet = ref;
  isTreeWalk = isSortedSetTree(ref);
  isBackward = backward;
  walkRank = rank;
  walkLeft = count;
  batchAt = 0;
  batchEnd = 0;
  if (!isTreeWalk) listPlaces(ref);
  else if (count > 0) seekIndex(cursor, blockOf(ref), TREE_WORD, rank);
}

/** Goes to the next member of the walk and fills `walked`; false behind the last one. */
export function nextMember(): boolean {
  if (!isTreeWalk) return nextPackedMember();
  if (batchAt === batchEnd) {
    batchAt = 0;
    batchEnd =
      walkLeft > 0 ? takeThirdWords(cursor, batch, Math.min(BATCH, walkLeft), isBackward) : 0;
    if (batchEnd === 0) return false;
    walkLeft -= batchEnd;
    touchElements();
  }
  walkElement(batch[batchAt++]! as Ref);
  return true;
}

/**
 * Loads the first line of each element of the batch. They lie anywhere in the heap, so each is a cache
 * miss; in a loop as tight as this the processor has them all under way at once (look_ahead.ts).
 */
function touchElements(): void {
  let sum = 0;
  for (let i = 0; i < batchEnd; i++) {
    const ref = batch[i]!;
    sum ^= wordWindows[ref >>> WINDOW_SHIFT]![(ref & WINDOW_MASK) << 2]!;
  }
  loaded[0] = sum;
}

/** Fills `walked` from an element of the table that scannedTable() gave. */
export function walkElement(element: Ref): void {
  locateKey(element);
  if (walked.view !== span.view) walked.view = span.view;
  walked.offset = span.offset;
  walked.length = span.length;
  walked.element = element;
}

/** Score of the member that the walk has come to; before the set changes. */
export function walkedScore(): number {
  return walked.element === NULL_REF ? walked.score : elementScore(walked.element);
}

function nextPackedMember(): boolean {
  if (walkLeft <= 0 || walkRank < 0 || walkRank >= pairCount(walkedSet)) return false;
  readPair(walkedSet, places[walkRank]!);
  walked.view = packed.view;
  walked.offset = packed.offset;
  walked.length = packed.length;
  walked.element = NULL_REF;
  walked.score = packed.score;
  walkRank += isBackward ? -1 : 1;
  walkLeft--;
  return true;
}

/** The table whose scan steps go over the members (table_walk.ts), or NULL_REF: walk over them. */
export function scannedTable(ref: Ref): Ref {
  return isSortedSetTree(ref) ? blockOf(ref) : NULL_REF;
}

// --- the value as a whole ------------------------------------------------------------------------

function freeBody(ref: Ref): void {
  if (isSortedSetTree(ref)) freeTreeForm(blockOf(ref));
  else freePairs(ref);
}

function duplicateBody(target: Ref): boolean {
  if (!isSortedSetTree(target)) return duplicatePairs(target);
  const block = duplicateTreeForm(blockOf(target));
  if (block !== NULL_REF) storeBlock(target, block);
  return block !== NULL_REF;
}

function verifyBody(ref: Ref, owners: Owners): void {
  if (isSortedSetTree(ref)) verifyTreeForm(blockOf(ref), owners);
  else verifyPairs(ref, owners);
}

function bodyMemory(ref: Ref): number {
  return isSortedSetTree(ref) ? treeFormMemory(blockOf(ref)) : pairsMemory(ref);
}

function relocateBody(ref: Ref, pieceCursor: number): number {
  if (isSortedSetTree(ref)) return relocateTreeForm(blockOf(ref), pieceCursor);
  relocatePairs(ref);
  return 0;
}

export const sortedSetValue: ValueType = {
  free: freeBody,
  duplicate: duplicateBody,
  verify: verifyBody,
  memoryBytes: bodyMemory,
  relocate: relocateBody,
};
