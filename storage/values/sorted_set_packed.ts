// The packed form of sorted sets: a packed list (structures/packed.ts) of pairs in the order of scores,
// members of equal scores in the order of their bytes.
//
//   body   the root of the list
//   list   | member 0 | score 0 | member 1 | score 1 | ...      a score: 8 bytes, a double's bits
//
// Cost: 10 bytes beside the member's own. Everything walks from the start, some 10 ns a pair; the
// configuration bounds how many there are (sorted_set.ts). A place of a pair is that of its member.
// Called by sorted_set.ts alone.
import { byteWindows } from '../memory/arena.js';
import { sourceView } from '../memory/bytes.js';
import type { Ref } from '../memory/layout.js';
import type { Owners } from '../structures/entries.js';
import { bodyOffset, headerOf, span } from '../structures/entry.js';
import { compareBytes } from '../structures/member_order.js';
import * as list from '../structures/packed.js';

const SCORE_BYTES = 8;
const SCORE_ELEMENT_BYTES = list.elementBytes(SCORE_BYTES);

/** The pair that was read last. `next` is the place behind it, `rank` its number from the first one on. */
export const packed = {
  view: byteWindows[0]!,
  place: 0,
  offset: 0,
  length: 0,
  score: 0,
  next: 0,
  rank: 0,
};

/** Word of an entry in which the root of its list begins. */
function rootWord(ref: Ref): number {
  return bodyOffset(headerOf(ref)) >>> 2;
}

export function createPairs(ref: Ref): void {
  list.createPacked(ref, rootWord(ref));
}

export function pairCount(ref: Ref): number {
  return list.packedCount(ref, rootWord(ref)) >>> 1;
}

// --- reading -------------------------------------------------------------------------------------

/** Fills `packed` with the pair at a place, but for its rank. */
export function readPair(ref: Ref, place: number): void {
  const word = rootWord(ref);
  const view = list.packedView(ref, word);
  const start = list.packedStart(ref, word);
  const score = list.readElement(view, start + place);
  packed.view = view;
  packed.place = place;
  packed.offset = span.offset;
  packed.length = span.length;
  packed.score = sourceView(view).getFloat64(score + 1, true);
  packed.next = score + SCORE_ELEMENT_BYTES - start;
}

/** Moves to the first pair; false when there is none. */
export function firstPair(ref: Ref): boolean {
  packed.rank = 0;
  packed.place = 0;
  if (pairCount(ref) === 0) return false;
  readPair(ref, 0);
  return true;
}

/** Moves to the pair behind the one that was read last; false, and behind them all, when there is none. */
export function nextPair(ref: Ref): boolean {
  packed.rank++;
  packed.place = packed.next;
  if (packed.rank >= pairCount(ref)) return false;
  readPair(ref, packed.next);
  return true;
}

/** Moves to the pair of a member; false when it is not there. Its rank is not known then. */
export function findPair(ref: Ref, bytes: Uint8Array, offset: number, length: number): boolean {
  const place = list.findPacked(ref, rootWord(ref), 0, 2, bytes, offset, length);
  if (place < 0) return false;
  readPair(ref, place);
  return true;
}

/** How many scores are below `score`, or with `inclusive` at most that. */
export function pairsBelow(ref: Ref, score: number, inclusive: boolean): number {
  let found = firstPair(ref);
  while (found && (packed.score < score || (inclusive && packed.score === score))) {
    found = nextPair(ref);
  }
  return packed.rank;
}

/** How many pairs come before (score, member), or with `inclusive` up to it. `packed.place` is the place of
 *  the one that follows them, or behind all. */
export function pairsBefore(
  ref: Ref,
  score: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  inclusive: boolean,
): number {
  for (let found = firstPair(ref); found; found = nextPair(ref)) {
    if (packed.score < score) continue;
    if (packed.score > score) break;
    const { view, offset: at } = packed;
    const order = compareBytes(view, at, packed.length, bytes, offset, length);
    if (order > 0 || (order === 0 && !inclusive)) break;
  }
  return packed.rank;
}

// --- changing ------------------------------------------------------------------------------------

function pairBytes(length: number): number {
  return list.elementBytes(length) + SCORE_ELEMENT_BYTES;
}

/** Writes a pair where there is room for it; the bytes lie outside of the list, or in their own place. */
function writePair(
  ref: Ref,
  place: number,
  score: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): void {
  const word = rootWord(ref);
  const view = list.packedView(ref, word);
  const at = list.packedStart(ref, word) + place;
  const to = list.writeElement(view, at, bytes, offset, length);
  view[to] = SCORE_BYTES;
  sourceView(view).setFloat64(to + 1, score, true);
}

/** Adds a member that is not there. False: the arena is full, and nothing has changed. */
export function insertPair(
  ref: Ref,
  score: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  pairsBefore(ref, score, bytes, offset, length, false);
  const { place } = packed;
  if (!list.splicePacked(ref, rootWord(ref), place, 0, pairBytes(length), 2)) return false;
  writePair(ref, place, score, bytes, offset, length);
  return true;
}

/** Gives the pair that findPair() has found another score; the bytes are its member, outside of the list. */
export function rescorePair(
  ref: Ref,
  score: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): void {
  const from = packed.place;
  const word = rootWord(ref);
  const size = pairBytes(length);
  list.splicePacked(ref, word, 0, 0, 0, 0); // moves the list away from a checkpoint that will read it
  pairsBefore(ref, score, bytes, offset, length, false);
  const view = list.packedView(ref, word);
  const start = list.packedStart(ref, word);
  let to = packed.place;
  if (to > from) {
    to -= size;
    view.copyWithin(start + from, start + from + size, start + to + size);
  } else {
    view.copyWithin(start + to + size, start + to, start + from);
  }
  writePair(ref, to, score, bytes, offset, length);
}

/** Makes every score of -0 a 0. */
export function dropNegativeZeros(ref: Ref): void {
  for (let found = firstPair(ref); found; found = nextPair(ref)) {
    if (packed.score !== 0) continue;
    sourceView(packed.view).setFloat64(packed.offset + packed.length + 1, 0, true);
  }
}

/** Removes `count` pairs from a place on. */
export function removePairs(ref: Ref, place: number, count: number): void {
  list.removePacked(ref, rootWord(ref), place, 2 * count);
}

// --- the value as a whole ------------------------------------------------------------------------

export function freePairs(ref: Ref): void {
  list.freePacked(ref, rootWord(ref));
}

/** Gives a bytewise clone its own list. False: the arena is full, and it owns nothing. */
export function duplicatePairs(ref: Ref): boolean {
  return list.duplicatePacked(ref, rootWord(ref));
}

export function pairsMemory(ref: Ref): number {
  return list.packedMemory(ref, rootWord(ref));
}

/** Moves the list out of an extent that is being emptied. */
export function relocatePairs(ref: Ref): void {
  list.relocatePacked(ref, rootWord(ref));
}

/** Proves the list and its order, and shows its object. */
export function verifyPairs(ref: Ref, owners: Owners): void {
  list.verifyPacked(ref, rootWord(ref), owners);
  const elements = list.packedCount(ref, rootWord(ref));
  if (elements === 0 || elements % 2 !== 0) {
    throw new Error(`sorted set ${ref >>> 0}: ${elements} elements, expected pairs`);
  }
  firstPair(ref);
  for (;;) {
    const { view, offset, length, score } = packed;
    if (!nextPair(ref)) return;
    const ordered =
      score < packed.score ||
      (score === packed.score &&
        compareBytes(view, offset, length, packed.view, packed.offset, packed.length) < 0);
    if (!ordered) throw new Error(`sorted set ${ref >>> 0}: pair ${packed.rank} is out of order`);
  }
}
