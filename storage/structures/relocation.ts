// Moving objects out of extents that are being emptied (memory/evacuation.ts): entries with their long
// keys, and walking a table for them. What a value owns is moved by its type (values/value_types.ts).
//
// Every object has one owner, so moving one is copying its bytes, changing one Ref and freeing the old
// place. Nothing else knows where an entry lies: the expiry index holds hashes, look-ups hold Refs only
// until the next change. An object that finds no room elsewhere stays, and its extent opens again.
//
// A walk goes through a table in the order of hash prefixes, and inside a segment slot by slot, not by home
// bucket as SCAN does: no entry needs to be read to know that it may stay. Its cursor:
//
//   | depth: 5 | prefix: 26 | place: 10 | + 1     41 bits, so a double holds it; 0 is start and end
//
//   prefix, depth   of the segment; those before it are done
//   place           | bucket: 6 | slot: 4 | of the next entry
//
// Entries keep their places but when a segment splits or merges; its depth tells that, and it is then
// walked from its beginning. So every entry that is there throughout is visited at least once.
//
// Work is counted in bytes, so that a step of it takes about as long whatever is moved: `work.left` is set
// by the caller, and a walk stops when it is used up.
import { allocateElsewhere, free, reopenExtent } from '../memory/allocator.js';
import { byteWindows, wordWindows } from '../memory/arena.js';
import { copyBytes } from '../memory/bytes.js';
import { closed, noteLeftOver } from '../memory/evacuation.js';
import { DATA, extentUsed } from '../memory/extents.js';
import { EXTENT_SHIFT, NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { entryBytes, FLAG_LONG_KEY, headerOf, keyOffset } from './entry.js';
import {
  BUCKET_SLOTS,
  BUCKET_WORDS,
  localDepth,
  rootIndex,
  rootWords,
  SEGMENT_WORDS,
  segmentFor,
  TABLE_DIRECTORY,
} from './hash_table.js';

/** Larger objects are not moved: copying one would take longer than a step may. */
const MOVE_BYTES_MAX = 1024 * 1024;

/** What is done beside copying, as bytes: an object that is moved, one that is read, a group of slots. */
const MOVE_COST = 512;
const READ_COST = 128;
const GROUP_COST = 128;

/** Places of a segment that are loaded ahead together: eight buckets, 60 entries on average. */
const GROUP_WORDS = 8 * BUCKET_WORDS;
const NEXT_LINE_WORDS = 16;

const PLACES = SEGMENT_WORDS;
const HASHES = 2 ** 32;
/** A prefix is a multiple of this. */
const PREFIX_UNIT = 64;
const PREFIXES = HASHES / PREFIX_UNIT;

export const work = {
  /** Bytes of work until the walk is to stop. */
  left: 0,
  /** Whether entries are read that lie in no extent to be emptied, for what they own. */
  readsAll: false,
  /** Set by a visit that has more to do: the walk stops at this entry. */
  isUnfinished: false,
};

/** Since the start or the last reset: objects moved, objects that found no room, and entries seen. */
export const relocated = { objects: 0, bytes: 0, refused: 0, entriesMoved: 0, entriesKept: 0 };

/** CONFIG RESETSTAT. */
export function resetRelocated(): void {
  for (const name of Object.keys(relocated) as (keyof typeof relocated)[]) relocated[name] = 0;
}

/** Where the loaded words go, so that no compiler finds the loads useless. */
const loaded = new Int32Array(1);

/**
 * Moves an object of data out of an extent that is being emptied. `bytes`: what free() needs; `live`: how
 * many of them are worth copying. Returns where it lies now; the caller changes its owner.
 */
export function relocateObject(ref: Ref, bytes: number, live: number): Ref {
  if (closed[ref >>> EXTENT_SHIFT] === 0) return ref;
  const target = copyElsewhere(ref, bytes, live);
  if (target !== ref) free(ref, bytes, DATA);
  return target;
}

/** relocateObject() that leaves the old place for the caller to free. */
function copyElsewhere(ref: Ref, bytes: number, live: number): Ref {
  const target = bytes > MOVE_BYTES_MAX ? NULL_REF : allocateElsewhere(bytes);
  if (target === NULL_REF) {
    refuse(ref >>> EXTENT_SHIFT, bytes);
    return ref;
  }
  const from = byteWindows[ref >>> WINDOW_SHIFT]!;
  const to = byteWindows[target >>> WINDOW_SHIFT]!;
  copyBytes(to, (target & WINDOW_MASK) << 4, from, (ref & WINDOW_MASK) << 4, live);
  work.left -= MOVE_COST + live;
  relocated.objects++;
  relocated.bytes += live;
  return target;
}

/** An object cannot be moved: its extent will not become free now, so the room in it serves the others. */
function refuse(extent: number, bytes: number): void {
  relocated.refused++;
  if (bytes > MOVE_BYTES_MAX) noteLeftOver(extent, extentUsed(extent));
  reopenExtent(extent);
}

/** Moves an entry of the keyspace and its long key; what its body owns stays. Returns where it lies now. */
export function relocateEntry(ref: Ref): Ref {
  const target = relocateElement(ref, null);
  if (target === ref) relocated.entriesKept++;
  else relocated.entriesMoved++;
  return target;
}

/** Tells whoever refers to an entry, beside its table, that it has moved: both places hold it meanwhile. */
export type Moved = (ref: Ref, target: Ref) => void;

/** relocateEntry() of an element of a value, with what is done when it moves. */
export function relocateElement(ref: Ref, moved: Moved | null): Ref {
  let target = ref;
  if (closed[ref >>> EXTENT_SHIFT] !== 0) {
    const bytes = entryBytes(ref);
    target = copyElsewhere(ref, bytes, bytes);
    if (target !== ref) {
      if (moved !== null) moved(ref, target);
      free(ref, bytes, DATA);
    }
  }
  if (work.readsAll) {
    work.left -= READ_COST;
    if ((headerOf(target) & FLAG_LONG_KEY) !== 0) relocateLongKey(target);
  }
  return target;
}

function relocateLongKey(ref: Ref): void {
  const words = wordWindows[ref >>> WINDOW_SHIFT]!;
  const at = ((ref & WINDOW_MASK) << 2) + (keyOffset(headerOf(ref)) >>> 2);
  const key = words[at]! as Ref;
  const bytes = words[at + 1]! >>> 0;
  const target = relocateObject(key, bytes, bytes);
  if (target !== key) words[at] = target;
}

/**
 * Walks a table from `cursor` on and calls visit() for each entry that lies in an extent to be emptied, or
 * for all (work.readsAll); visit() moves it and returns where it lies. Stops when work.left is used up.
 * Returns the next cursor, 0 at the end.
 */
export function relocateTable(table: Ref, cursor: number, visit: (ref: Ref) => Ref): number {
  const root = rootWords(table);
  const at = rootIndex(table);
  if (root[at + TABLE_DIRECTORY] === 0) return 0;
  const position = Math.max(0, cursor - 1);
  let place = position % PLACES;
  let start = (Math.floor(position / PLACES) % PREFIXES) * PREFIX_UNIT;
  let depth = Math.floor(position / PLACES / PREFIXES);
  for (;;) {
    const segment = segmentFor(root, at, start | 0);
    const words = wordWindows[segment >>> WINDOW_SHIFT]!;
    const base = (segment & WINDOW_MASK) << 2;
    const local = localDepth(words, base);
    const hashes = 2 ** (32 - local);
    if (local !== depth) {
      depth = local;
      place = 0;
      start -= start % hashes;
    }
    while (place < PLACES) {
      if (work.left <= 0) return (depth * PREFIXES + start / PREFIX_UNIT) * PLACES + place + 1;
      place = relocateGroup(words, base, place, visit);
    }
    start += hashes;
    if (start === HASHES) return 0;
    place = 0;
  }
}

/** Visits the entries from a place to the end of its group, one at least. Returns the next place to visit. */
function relocateGroup(
  words: Int32Array,
  base: number,
  place: number,
  visit: (ref: Ref) => Ref,
): number {
  const all = work.readsAll;
  const end = place - (place % GROUP_WORDS) + GROUP_WORDS;
  work.left -= GROUP_COST;
  loaded[0] = loadGroup(words, base + place, base + end, all);
  for (let next = place; next < end; next++) {
    if (next % BUCKET_WORDS >= BUCKET_SLOTS) continue;
    const ref = words[base + next]! as Ref;
    if (ref === NULL_REF) continue;
    if (!all && closed[ref >>> EXTENT_SHIFT] === 0) {
      relocated.entriesKept++;
      continue;
    }
    if (work.left <= 0 && next > place) return next;
    const target = visit(ref);
    if (target !== ref) words[base + next] = target;
    if (work.isUnfinished) {
      work.isUnfinished = false;
      return next;
    }
  }
  return end;
}

/** Loads the first two cache lines of the entries that will be visited, all at once: see look_ahead.ts. */
function loadGroup(words: Int32Array, from: number, end: number, all: boolean): number {
  let sum = 0;
  for (let first = from - (from % BUCKET_WORDS); first < end; first += BUCKET_WORDS) {
    for (let index = first; index < first + BUCKET_SLOTS; index++) {
      const ref = words[index]!;
      if (ref === NULL_REF || (!all && closed[ref >>> EXTENT_SHIFT] === 0)) continue;
      const target = wordWindows[ref >>> WINDOW_SHIFT]!;
      const word = Math.min((ref & WINDOW_MASK) << 2, target.length - 1 - NEXT_LINE_WORDS);
      sum ^= target[word]! ^ target[word + NEXT_LINE_WORDS]!;
    }
  }
  return sum;
}
