// The heap as a whole: formatting a fresh arena, taking over a restored one, emptying it. The root
// page is drawn in memory/layout.ts.
import { attachAllocator, releaseEverything } from './memory/allocator.js';
import { wordWindows } from './memory/arena.js';
import { attachExtents } from './memory/extents.js';
import {
  DATABASE_ROOT_WORDS,
  DATABASES_MAX,
  databaseRoot,
  EXTENT_BYTES,
  FEATURE_COLLECTIONS,
  FEATURE_STREAMS,
  FORMAT_VERSION,
  GRANULE_BYTES,
  MAGIC_0,
  MAGIC_1,
  PAGE_BYTES,
  ROOT_DATABASES,
  ROOT_EPOCH,
  ROOT_EXTENT_BYTES,
  ROOT_FEATURE_FLAGS,
  ROOT_FORMAT_VERSION,
  ROOT_GRANULE_BYTES,
  ROOT_MAGIC_0,
  ROOT_MAGIC_1,
  ROOT_PAGE_BYTES,
  ROOT_WINDOW_BYTES,
  WINDOW_BYTES,
} from './memory/layout.js';
import { createTable, forgetFound, freeTable, tableCount } from './structures/hash_table.js';
import { TABLE_SEED } from './structures/key_hash.js';
import { resetRetired } from './values/retired.js';

/** Gives the next 32-bit random number: seeds of new databases come from the caller. */
export type Random = () => number;

const root = wordWindows[0]!;

const FIXED_WORDS: readonly (readonly [word: number, value: number, name: string])[] = [
  [ROOT_MAGIC_0, MAGIC_0, 'magic'],
  [ROOT_MAGIC_1, MAGIC_1, 'magic'],
  [ROOT_FORMAT_VERSION, FORMAT_VERSION, 'format version'],
  [ROOT_GRANULE_BYTES, GRANULE_BYTES, 'granule size'],
  [ROOT_PAGE_BYTES, PAGE_BYTES, 'page size'],
  [ROOT_EXTENT_BYTES, EXTENT_BYTES, 'extent size'],
  [ROOT_WINDOW_BYTES, WINDOW_BYTES, 'window size'],
];

/** What this version writes, and all that it can read. */
const FEATURES = FEATURE_COLLECTIONS | FEATURE_STREAMS;

/** Whether the arena holds a heap; after a restore that failed it is all zero. */
export function isFormatted(): boolean {
  return root[ROOT_MAGIC_0] === MAGIC_0;
}

/** Formats an all-zero arena with empty databases. */
export function createHeap(databases: number, random: Random): void {
  for (const [word, value] of FIXED_WORDS) root[word] = value;
  root[ROOT_FEATURE_FLAGS] = FEATURES;
  root[ROOT_EPOCH] = 0;
  root[ROOT_DATABASES] = 0;
  attachAllocator();
  resetRetired();
  setDatabaseCount(databases, random);
  forgetFound();
}

/**
 * Takes over the heap that a restore put into the arena. Throws when its root page is of another
 * kind, or when it has keys in databases at or above `databases`.
 */
export function attachHeap(databases: number, random: Random): void {
  checkRootPage();
  root[ROOT_FEATURE_FLAGS] = FEATURES;
  attachAllocator();
  forgetFound();
  const saved = root[ROOT_DATABASES]!;
  for (let i = databases; i < saved; i++) {
    if (tableCount(databaseRoot(i)) === 0) {
      freeTable(databaseRoot(i)); // an emptied table keeps a segment
      continue;
    }
    throw new Error(
      `the checkpoint has keys in database ${i}, but 'databases' is ${databases}: ` +
        `start with 'databases ${saved}'`,
    );
  }
  setDatabaseCount(databases, random);
}

/**
 * Takes over the heap of an arena that is a file (arena_options.ts): to be walked, not changed. Writes
 * nothing and leaves the allocator alone. Throws when its root page is of another kind.
 */
export function attachHeapReadOnly(): void {
  checkRootPage();
  attachExtents();
  forgetFound();
}

function checkRootPage(): void {
  for (const [word, value, name] of FIXED_WORDS) {
    if (root[word] !== value) {
      throw new Error(`the root page's ${name} is ${root[word]}, expected ${value}`);
    }
  }
  const unknown = root[ROOT_FEATURE_FLAGS]! & ~FEATURES;
  if (unknown !== 0) {
    throw new Error(`the root page has the feature flags ${unknown}, which a newer version knows`);
  }
  const databases = root[ROOT_DATABASES]!;
  if (databases < 1 || databases > DATABASES_MAX) {
    throw new Error(`the root page counts ${databases} databases, expected 1 to ${DATABASES_MAX}`);
  }
}

function setDatabaseCount(databases: number, random: Random): void {
  for (let i = root[ROOT_DATABASES]!; i < databases; i++) {
    const database = databaseRoot(i);
    clearDatabaseRoot(i);
    createTable(database, random() | 0, random() | 0);
  }
  root[ROOT_DATABASES] = databases;
}

function clearDatabaseRoot(index: number): void {
  const first = databaseRoot(index) << 2;
  root.fill(0, first, first + DATABASE_ROOT_WORDS);
}

export function databaseCount(): number {
  return root[ROOT_DATABASES]!;
}

/** Number of the last checkpoint taken of this data set (unsigned 32 bits). */
export function epoch(): number {
  return root[ROOT_EPOCH]! >>> 0;
}
export function setEpoch(value: number): void {
  root[ROOT_EPOCH] = value;
}

/** Empties every database at once: all extents become free, whatever the number of keys. */
export function flushHeap(): void {
  releaseEverything();
  resetRetired();
  for (let i = 0; i < databaseCount(); i++) {
    const seed = (databaseRoot(i) << 2) + TABLE_SEED;
    const seed0 = root[seed]!;
    const seed1 = root[seed + 1]!;
    clearDatabaseRoot(i);
    createTable(databaseRoot(i), seed0, seed1);
  }
  forgetFound();
}
