// Freeing a hash table with its entries in steps: for tables that nothing looks anything up in any more.
//
// A table that is being freed keeps its directory until the end. Root word 7 counts the places of the
// directory whose segments are gone; of the first segment behind them the slots that are freed are 0.
// Everything else of the table's invariants (hash_table.ts) need not hold any longer, so these functions
// and verifyFreeing() are the only ones that may see it, and a checkpoint may cut between two steps. A
// table that was copied in part (table_copy.ts) is freed here too: it has NULL_REF in places.
//
// Cost: what freeing an entry costs, mostly the cache miss on its header.
import { free } from '../memory/allocator.js';
import { wordWindows } from '../memory/arena.js';
import { DENSE } from '../memory/extents.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import type { Owners } from './entries.js';
import {
  BUCKET_SLOTS,
  BUCKET_WORDS,
  forgetFound,
  localDepth,
  rootIndex,
  rootWords,
  SEGMENT_BYTES,
  SEGMENT_WORDS,
  TABLE_COUNT,
  TABLE_DEPTH,
  TABLE_DIRECTORY,
} from './hash_table.js';

/** Root word: places of the directory whose segments are freed. 0 in a table in use. */
const TABLE_FREED = 7;

/**
 * Frees up to `limit` entries or segments of a table, entries by freeEntry(). Returns how many: fewer
 * than `limit` when the table is gone, directory and all.
 */
export function freeTableSome(table: Ref, limit: number, freeEntry: (ref: Ref) => void): number {
  const root = rootWords(table);
  const at = rootIndex(table);
  const directory = root[at + TABLE_DIRECTORY]! as Ref;
  if (directory === NULL_REF) return 0;
  forgetFound(); // the place of an entry that was found here may become another table's
  const depth = root[at + TABLE_DEPTH]!;
  const segments = wordWindows[directory >>> WINDOW_SHIFT]!;
  const first = (directory & WINDOW_MASK) << 2;
  let done = 0;
  while (root[at + TABLE_FREED]! < 1 << depth) {
    if (done === limit) return done;
    const segment = segments[first + root[at + TABLE_FREED]!]! as Ref;
    if (segment === NULL_REF) {
      root[at + TABLE_FREED] = root[at + TABLE_FREED]! + 1;
      continue;
    }
    const words = wordWindows[segment >>> WINDOW_SHIFT]!;
    const base = (segment & WINDOW_MASK) << 2;
    const freed = freeEntriesSome(words, base, limit - done, freeEntry);
    root[at + TABLE_COUNT] = root[at + TABLE_COUNT]! - freed;
    done += freed;
    if (done === limit) return done;
    const width = 1 << (depth - localDepth(words, base));
    free(segment, SEGMENT_BYTES, DENSE);
    root[at + TABLE_FREED] = root[at + TABLE_FREED]! + width;
    done++;
  }
  if (done === limit) return done;
  free(directory, 4 << depth, DENSE);
  root[at + TABLE_DIRECTORY] = NULL_REF;
  root[at + TABLE_FREED] = 0;
  return done;
}

/** Frees up to `limit` entries of a segment. Returns how many. */
function freeEntriesSome(
  words: Int32Array,
  base: number,
  limit: number,
  freeEntry: (ref: Ref) => void,
): number {
  let freed = 0;
  for (let bucket = base; bucket < base + SEGMENT_WORDS; bucket += BUCKET_WORDS) {
    for (let slot = bucket; slot < bucket + BUCKET_SLOTS; slot++) {
      const ref = words[slot]! as Ref;
      if (ref === NULL_REF) continue;
      if (freed === limit) return freed;
      words[slot] = NULL_REF;
      freeEntry(ref);
      freed++;
    }
  }
  return freed;
}

/** Shows what is left of a table to the walk over the heap; `visit` gets every entry. */
export function verifyFreeing(table: Ref, owners: Owners, visit: (ref: Ref) => void): void {
  const root = rootWords(table);
  const at = rootIndex(table);
  const directory = root[at + TABLE_DIRECTORY]! as Ref;
  if (directory === NULL_REF) return;
  const depth = root[at + TABLE_DEPTH]!;
  owners.ownsDense(directory, 4 << depth);
  const segments = wordWindows[directory >>> WINDOW_SHIFT]!;
  const first = (directory & WINDOW_MASK) << 2;
  let entries = 0;
  for (let place = root[at + TABLE_FREED]!; place < 1 << depth; ) {
    const segment = segments[first + place]! as Ref;
    owners.ownsDense(segment, SEGMENT_BYTES);
    const words = wordWindows[segment >>> WINDOW_SHIFT]!;
    const base = (segment & WINDOW_MASK) << 2;
    for (let bucket = base; bucket < base + SEGMENT_WORDS; bucket += BUCKET_WORDS) {
      for (let slot = bucket; slot < bucket + BUCKET_SLOTS; slot++) {
        const ref = words[slot]! as Ref;
        if (ref === NULL_REF) continue;
        entries++;
        visit(ref);
      }
    }
    place += 1 << (depth - localDepth(words, base));
  }
  if (entries !== root[at + TABLE_COUNT]!) {
    throw new Error(`table ${table}: ${entries} entries left, count ${root[at + TABLE_COUNT]}`);
  }
}
