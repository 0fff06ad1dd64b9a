// Random picks from a hash table, uniform over its entries.
//
// A random prefix chooses a place of the directory. Of the places that lead to one segment only the first is taken,
// so that all segments are equally likely; then a random slot is taken if there is an entry in it. That is two
// random words for an attempt, and about two attempts for a pick.
//
// In a table larger than the caches an attempt waits for its bucket, and a pick for its entry. So the words of
// many attempts are drawn ahead, and what they lead to is loaded together (look_ahead.ts): SPOP, one after the other. It
// is the random words that are kept and not the picks, so whatever changes in between, or if another table is
// asked for, every pick is as uniform as if its words had just been drawn.
import { wordWindows } from '../memory/arena.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import {
  BUCKET_SLOTS,
  BUCKET_WORDS,
  BUCKETS,
  directoryIndex,
  rootIndex,
  rootWords,
  TABLE_COUNT,
  TABLE_DEPTH,
  TABLE_DIRECTORY,
} from './hash_table.js';
import { AHEAD_MAX } from './key_hash.js';
import { lookAheadPlaces } from './look_ahead.js';

const ATTEMPTS = AHEAD_MAX;

/** Words of the attempts that are drawn: prefixes, and buckets with slots. Those from `next` on are left. */
const prefixes = new Int32Array(ATTEMPTS);
const picks = new Int32Array(ATTEMPTS);
let next = ATTEMPTS;

/** Of the attempts just drawn, the segment, and the word of the slot in it. */
const segments = new Int32Array(ATTEMPTS);
const slots = new Int32Array(ATTEMPTS);

/** A uniformly random entry; NULL_REF when the table is empty. `random()` returns a uniform 32-bit number. */
export function randomEntry(table: Ref, random: () => number): Ref {
  if (rootWords(table)[rootIndex(table) + TABLE_COUNT] === 0) return NULL_REF;
  for (;;) {
    if (next === ATTEMPTS) draw(table, random);
    const segment = segmentOf(table, prefixes[next]!);
    const slot = slotWord(picks[next]!);
    next++;
    if (segment === NULL_REF) continue;
    const ref = wordWindows[segment >>> WINDOW_SHIFT]![((segment & WINDOW_MASK) << 2) + slot]!;
    if (ref !== 0) return ref as Ref;
  }
}

/** Draws the words of attempts, and loads what these lead to in a table. */
function draw(table: Ref, random: () => number): void {
  for (let i = 0; i < ATTEMPTS; i++) {
    prefixes[i] = random();
    picks[i] = random();
    segments[i] = segmentOf(table, prefixes[i]!);
    slots[i] = slotWord(picks[i]!);
  }
  next = 0;
  lookAheadPlaces(table, segments, slots, ATTEMPTS);
}

/** The segment that a prefix leads to if it leads to the first of its places, else NULL_REF. */
function segmentOf(table: Ref, prefix: number): Ref {
  const root = rootWords(table);
  const at = rootIndex(table);
  const directory = root[at + TABLE_DIRECTORY]!;
  const words = wordWindows[directory >>> WINDOW_SHIFT]!;
  const place = directoryIndex(prefix, root[at + TABLE_DEPTH]!);
  const index = ((directory & WINDOW_MASK) << 2) + place;
  const segment = words[index]!;
  return (place > 0 && words[index - 1] === segment ? NULL_REF : segment) as Ref;
}

/** Word of a segment: bits 0..5 choose the bucket, the others a slot in it. */
function slotWord(pick: number): number {
  return (pick & (BUCKETS - 1)) * BUCKET_WORDS + ((pick >>> 6) % BUCKET_SLOTS);
}
