// Values of all types above 32 GiB, where Refs are negative numbers: large strings that nobody writes to take
// all that lies below.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const GIB = 1024 * 1024 * 1024;
const allocator = await openTestArena(35 * GIB);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { attachHeap, createHeap } = await import('../../storage/heap.js');
const compaction = await import('../../storage/keyspace/compaction.js');
const keyspace = await import('../../storage/keyspace/keyspace.js');
const { DATA, describeExtents } = await import('../../storage/memory/extents.js');
const { databaseRoot, EXTENT_BYTES } = await import('../../storage/memory/layout.js');
const { setClock } = await import('../../storage/structures/clock.js');
const { createEntry } = await import('../../storage/structures/entries.js');
const { STRING_LARGE, TYPE_STRING } = await import('../../storage/structures/entry.js');
const retired = await import('../../storage/values/retired.js');
const { storeLarge, STRING_BYTES_MAX } = await import('../../storage/values/string.js');
const { CheckpointSteps } = await import('./checkpoint_steps.js');
const { CollectionsModel, DATABASES } = await import('./collections_model.js');
const { bytesOf } = await import('./table_fixture.js');

const SEED = numberFromEnv('COLLECTIONS_SEED', 61_803);
const OPERATIONS = numberFromEnv('COLLECTIONS_OPERATIONS', 900);
/** The database that owns what lies below; the model knows the others. */
const BELOW = DATABASES;

/** Takes `capacity` bytes with a string that has none of them. Returns whether it lies below 32 GiB. */
function takeBelow(name: string, capacity: number): boolean {
  const object = allocator.allocate(capacity, DATA);
  const key = bytesOf(name);
  const ref = createEntry(TYPE_STRING | STRING_LARGE, key, 0, key.length, 0);
  storeLarge(ref, object, 0, capacity);
  expect(keyspace.addEntry(databaseRoot(BELOW), ref)).toBe(true);
  return object > 0;
}

test('all types where Refs are negative', () => {
  const random = new Random(SEED);
  const model = new CollectionsModel(random);
  const checkpoint = new CheckpointSteps(random.fork());
  setClock(1_700_000_000_000);
  createHeap(DATABASES + 1, () => random.uint32());
  for (let i = 0; i < 32; i++) takeBelow(`window:${i}`, STRING_BYTES_MAX);
  for (let i = 0; takeBelow(`extent:${i}`, EXTENT_BYTES); i++);
  for (let i = 0; i < OPERATIONS; i++) {
    model.step();
    checkpoint.step();
    if (random.chance(0.2)) retired.freeRetired(random.pick([1, 7, 100, 1000]));
    if (random.chance(0.1)) compaction.beginCompaction(0, 0);
    if (random.chance(0.5)) compaction.compactStep(DATABASES, random.pick([1, 2000, 100_000]));
    if (i % 300 !== 299) continue;
    checkpoint.end();
    attachHeap(DATABASES + 1, () => random.uint32());
    verifyHeap();
    model.verify();
  }
  expect(model.refused).toBe(0);
  const above = describeExtents().subarray((32 * GIB) / EXTENT_BYTES);
  expect(above.filter((kind) => kind > 0).length).toBeGreaterThan(10);
}, 120_000);
