// Compaction: after random deletes objects are moved together, and extents become free; whatever goes on
// meanwhile, every value stays what it is. COMPACTION_SEED replays a run, COMPACTION_OPERATIONS lengthens it.
import { beforeEach, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const MIB = 1024 * 1024;
const ARENA_BYTES = 128 * MIB;
const allocator = await openTestArena(ARENA_BYTES);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { createHeap, flushHeap } = await import('../../storage/heap.js');
const { setClock } = await import('../../storage/structures/clock.js');
const compaction = await import('../../storage/keyspace/compaction.js');
const { setExpiryMillis } = await import('../../storage/structures/entries.js');
const keyspace = await import('../../storage/keyspace/keyspace.js');
const strings = await import('../../storage/keyspace/string_keys.js');
const { closedExtents, forgetLeftOvers } = await import('../../storage/memory/evacuation.js');
const { describeExtents, freeExtentCount } = await import('../../storage/memory/extents.js');
const { extentCount } = await import('../../storage/memory/arena.js');
const { databaseRoot, EXTENT_BYTES, NULL_REF } = await import('../../storage/memory/layout.js');
const { ACCESS_SHIFT, headerOf, span } = await import('../../storage/structures/entry.js');
const { relocated } = await import('../../storage/structures/relocation.js');
const { locateString, stringValue } = await import('../../storage/values/string.js');
const { KeyspaceModel } = await import('./keyspace_model.js');
const { bytesOf } = await import('./table_fixture.js');

const SEED = numberFromEnv('COMPACTION_SEED', 40_404);
const OPERATIONS = numberFromEnv('COMPACTION_OPERATIONS', 500);
const START_MILLIS = 1_700_000_000_000;
const DATABASES = 3;
/** Of values, each in a class of its own. */
const SIZES = [30, 60, 120, 250, 500, 1000];

beforeEach(() => {
  setClock(START_MILLIS);
  flushHeap();
});
createHeap(DATABASES, () => SEED);

/** What the heap must hold: a value by its length and first byte, by database and key. */
const expected = new Map<string, Uint8Array>();
beforeEach(() => expected.clear());

function put(database: number, key: string, value: Uint8Array): boolean {
  const bytes = bytesOf(key);
  const root = databaseRoot(database);
  const { EXPIRY_CLEAR } = strings;
  if (!strings.putString(root, bytes, 0, bytes.length, value, 0, value.length, EXPIRY_CLEAR)) {
    return false;
  }
  expected.set(`${database}/${key}`, value);
  return true;
}

function remove(database: number, key: string): void {
  const bytes = bytesOf(key);
  expect(keyspace.deleteKey(databaseRoot(database), bytes, 0, bytes.length)).toBe(true);
  expected.delete(`${database}/${key}`);
}

function lookup(name: string): number {
  const slash = name.indexOf('/');
  const bytes = bytesOf(name.slice(slash + 1));
  return keyspace.lookup(databaseRoot(Number(name.slice(0, slash))), bytes, 0, bytes.length);
}

function verifyValues(): void {
  let keys = 0;
  for (let i = 0; i < DATABASES; i++) keys += keyspace.keyCount(databaseRoot(i));
  expect(keys).toBe(expected.size);
  for (const [name, value] of expected) {
    const ref = lookup(name) as never;
    if (ref === NULL_REF) throw new Error(`'${name.slice(0, 20)}' is gone`);
    locateString(ref, headerOf(ref));
    const stored = span.view.subarray(span.offset, span.offset + span.length);
    if (Buffer.compare(stored, value) !== 0) throw new Error(`'${name}' has another value`);
  }
  verifyHeap();
}

/** Sets so many keys in turn in all databases and deletes a random share of them. */
function churn(
  random: Random,
  count: number,
  share: number,
  length: () => number,
  key = (i: number) => `key:${i}`,
): void {
  for (let i = 0; i < count; i++) {
    const value = new Uint8Array(length()).fill(1 + (i % 250));
    if (!put(i % DATABASES, key(i), value)) throw new Error('the arena is full');
  }
  const order = random.shuffle(Array.from({ length: count }, (_, i) => i));
  for (const i of order.slice(0, count * share)) remove(i % DATABASES, key(i));
}

const usedExtents = (): number => extentCount - freeExtentCount();

/** A whole pass in steps of so many bytes, a walk of the heap after each. Returns the steps. */
function compact(bytes: number): number {
  expect(compaction.beginCompaction(0, 0)).toBeGreaterThan(0);
  let steps = 1;
  for (; compaction.compactStep(DATABASES, bytes); steps++) verifyHeap();
  expect(compaction.isCompacting()).toBe(false);
  expect(closedExtents()).toBe(0);
  return steps;
}

/** What is in use may be above the bytes in use by so many extents: one for each class, at its cursor. */
function expectDense(spare: number): void {
  const needed = Math.ceil(allocator.usedBytes() / EXTENT_BYTES);
  expect(usedExtents()).toBeLessThanOrEqual(4 + needed + spare);
}

test.each([
  ['entries of one size', 100_000, 0.6, () => 60, 4],
  ['entries of many sizes', 90_000, 0.7, (random: Random) => random.pick(SIZES), 10],
  ['values in objects of their own', 3000, 0.6, () => 20_000, 6],
  ['values of whole pages', 600, 0.7, () => 100_000, 14],
  ['values of a quarter of an extent', 150, 0.7, () => 500_000, 8],
])('%s', (_, count, share, length, spare) => {
  const random = new Random(SEED);
  churn(random, count, share, () => length(random));
  const before = usedExtents();
  expect(before * EXTENT_BYTES).toBeGreaterThan(1.5 * allocator.usedBytes());
  const steps = compact(3_000_000);
  expect(steps).toBeGreaterThan(1);
  verifyValues();
  allocator.dropEmptyCursors();
  expectDense(spare);
  expect(usedExtents()).toBeLessThan(0.75 * before);
  expect(compaction.beginCompaction(20, 4 * MIB), 'nothing is left to do').toBe(0);
});

test('long keys are moved with their entries', () => {
  const random = new Random(SEED + 1);
  const key = (i: number): string => `${i}:`.padEnd(6000, 'k');
  churn(random, 4000, 0.6, () => 10, key);
  const before = usedExtents();
  compact(500_000);
  verifyValues();
  expect(usedExtents()).toBeLessThan(0.7 * before);
});

test('a table that splits and merges between the steps is walked whole', () => {
  const random = new Random(SEED + 2);
  churn(random, 120_000, 0.6, () => 60);
  const before = usedExtents();
  expect(compaction.beginCompaction(0, 0)).toBeGreaterThan(0);
  const refused = relocated.refused;
  let more = 0;
  for (let step = 0; compaction.compactStep(DATABASES, 40_000); step++) {
    // Waves of many small keys in a class of their own, that come and go.
    const growing = step % 60 < 30;
    for (let i = 0; i < 600; i++) {
      if (growing) put(0, `more:${more++}`, new Uint8Array(2).fill(7));
      else if (more > 0) remove(0, `more:${--more}`);
    }
    if (step % 60 === 0) verifyHeap();
  }
  while (more > 0) remove(0, `more:${--more}`);
  expect(relocated.refused).toBe(refused);
  verifyValues();
  allocator.dropEmptyCursors();
  expect(usedExtents()).toBeLessThan(0.6 * before);
});

test('expiry and access time stay as they are, and keys expire as they should', () => {
  const random = new Random(SEED + 3);
  for (let i = 0; i < 60_000; i++) {
    const key = bytesOf(`key:${i}`);
    const value = bytesOf('some value'.padEnd(60, 'v'));
    setExpiryMillis(START_MILLIS + 1000 + i);
    const root = databaseRoot(0);
    const { EXPIRY_SET } = strings;
    strings.putString(root, key, 0, key.length, value, 0, value.length, EXPIRY_SET);
  }
  for (const i of random.shuffle(Array.from({ length: 60_000 }, (_, n) => n)).slice(0, 35_000)) {
    const key = bytesOf(`key:${i}`);
    keyspace.deleteKey(databaseRoot(0), key, 0, key.length);
  }
  setClock(START_MILLIS + 500);
  const seconds = START_MILLIS / 1000;
  compact(1_000_000);
  for (let i = 0; i < 60_000; i += 7) {
    const ref = lookup(`0/key:${i}`) as never;
    if (ref === NULL_REF) continue;
    expect(headerOf(ref) >>> ACCESS_SHIFT).toBe(seconds & 0xffffff);
  }
  setClock(START_MILLIS + 1000 + 60_000);
  while (keyspace.deleteExpired(databaseRoot(0), 1000) > 0) {}
  expect(keyspace.keyCount(databaseRoot(0))).toBe(0);
  verifyHeap();
});

test('a checkpoint that begins in the middle ends the pass; the room is used again', () => {
  const random = new Random(SEED + 4);
  churn(random, 90_000, 0.6, () => 60);
  const before = usedExtents();
  expect(compaction.beginCompaction(0, 0)).toBeGreaterThan(0);
  for (let i = 0; i < 10; i++) expect(compaction.compactStep(DATABASES, 100_000)).toBe(true);
  expect(closedExtents()).toBeGreaterThan(0);
  allocator.avoidPendingExtents(describeExtents(), () => 0);
  expect(closedExtents()).toBe(0);
  expect(compaction.compactStep(DATABASES)).toBe(false);
  expect(compaction.isCompacting()).toBe(false);
  expect(compaction.beginCompaction(0, 0), 'not while it runs').toBe(0);
  allocator.useAllExtents();
  verifyValues();
  // As many keys as were deleted find room in the extents that are there.
  for (let i = 0; i < 50_000; i++) put(0, `new:${i}`, new Uint8Array(60).fill(9));
  expect(usedExtents()).toBeLessThanOrEqual(before + 1);
  verifyValues();
});

test('what cannot be moved is not tried again and again', () => {
  const random = new Random(SEED + 5);
  churn(random, 3000, 0.6, () => 20_000);
  const { relocate } = stringValue as { relocate?: unknown };
  try {
    (stringValue as { relocate?: unknown }).relocate = undefined;
    // Each pass tries extents that the passes before did not.
    let passes = 0;
    for (; compaction.beginCompaction(0, 0) > 0; passes++) {
      while (compaction.compactStep(DATABASES)) verifyHeap();
    }
    expect(passes).toBeGreaterThan(0);
    expect(passes).toBeLessThan(6);
    verifyValues();
  } finally {
    (stringValue as { relocate?: unknown }).relocate = relocate;
  }
  forgetLeftOvers();
  const before = usedExtents();
  compact(1_000_000);
  expect(usedExtents()).toBeLessThan(0.8 * before);
  verifyValues();
});

test('values above 1 MiB and the tails of long runs stay where they are', () => {
  const random = new Random(SEED + 6);
  const lengths = [1_200_000, 2_300_000, 60_000];
  churn(random, 60, 0.6, () => random.pick(lengths));
  if (compaction.beginCompaction(0, 0) > 0)
    while (compaction.compactStep(DATABASES, 1)) verifyHeap();
  verifyValues();
});

test('a full arena: closed extents give their room to new objects', () => {
  const random = new Random(SEED + 7);
  let count = 0;
  while (put(count % DATABASES, `key:${count}`, new Uint8Array(1900).fill(3))) count++;
  for (let i = 0; i < count; i++) if (random.chance(0.5)) remove(i % DATABASES, `key:${i}`);
  expect(compaction.beginCompaction(0, 0)).toBeGreaterThan(0);
  compaction.compactStep(DATABASES, 200_000);
  let more = 0;
  while (put(0, `more:${more}`, new Uint8Array(1900).fill(4))) more++;
  verifyValues();
  expect(more).toBeGreaterThan(0.4 * count);
  while (compaction.compactStep(DATABASES, 2_000_000)) verifyHeap();
  verifyValues();
});

test('a full arena: what is moved together makes room for other sizes', () => {
  const random = new Random(SEED + 8);
  let count = 0;
  while (put(count % DATABASES, `key:${count}`, new Uint8Array(1900).fill(3))) count++;
  for (let i = 0; i < count; i++) if (random.chance(0.5)) remove(i % DATABASES, `key:${i}`);
  const large = new Uint8Array(20_000).fill(5);
  let without = 0;
  while (put(0, `large:${without}`, large)) without++;
  compact(3_000_000);
  let more = 0;
  while (put(0, `larger:${more}`, large)) more++;
  expect(more).toBeGreaterThan(1000);
  verifyValues();
});

test.each([
  ['entries', (random: Random) => random.between(1500, 2000)],
  ['objects of many sizes', (random: Random) => random.pick([20_000, 31_000, 50_000, 120_000])],
  ['large values', (random: Random) => random.pick([300_000, 700_000, 1_040_000, 2_500_000])],
])('random operations between the steps: %s', (_, length) => {
  const random = new Random(SEED + 9);
  const keys = Array.from({ length: 4000 }, (_, i) => `key:${i}`);
  const model = new KeyspaceModel({
    random,
    keys: length(random) > 200_000 ? keys.slice(0, 40) : keys,
    valueLength: () => length(random),
    mayBeFull: true,
    checkpoints: true,
    compaction: true,
  });
  const count = length(random) > 200_000 ? 60 : length(random) > 2000 ? 1200 : 6000;
  for (let i = 0; i < OPERATIONS; i++) {
    if (i % 125 === 0) model.fill(count);
    model.step();
    if (i % 100 === 0) model.verifyAll();
  }
  model.verifyAll();
  expect(model.passes).toBeGreaterThan(0);
  expect(model.steps).toBeGreaterThan(10);
  model.finish();
});
