// The hash table against a Map: seeded random operations with verifyTable after each batch, entries
// that collide, growth to many segments and back. TABLE_SEED replays a run.
import { afterEach, describe, expect, test } from 'vitest';
import type { Ref } from '../../storage/memory/layout.js';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const allocator = await openTestArena(128 * 1024 * 1024);
const { NULL_REF } = await import('../../storage/memory/layout.js');
const { byteWindows } = await import('../../storage/memory/arena.js');
const { describeExtents } = await import('../../storage/memory/extents.js');
const { WINDOW_MASK, WINDOW_SHIFT } = await import('../../storage/memory/layout.js');
const hashTable = await import('../../storage/structures/hash_table.js');
const { forEachSegment } = await import('../../storage/structures/table_walk.js');
const { randomEntry } = await import('../../storage/structures/random_entry.js');
const { keyOf, TableFixture } = await import('./table_fixture.js');

const SEED = numberFromEnv('TABLE_SEED', 20_252);
const BUCKETS = hashTable.BUCKETS;

const fixture = new TableFixture();
const emptyBytes = allocator.usedBytes();

afterEach(() => {
  fixture.clear();
  expect(allocator.usedBytes(), 'nothing is left behind').toBe(emptyBytes);
});

/** Keys for whose hash `wanted` is true. */
function keysWith(count: number, wanted: (hash: number) => boolean): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    const key = `k${i}`;
    if (wanted(fixture.hash(key))) keys.push(key);
  }
  return keys;
}

/** Adds, replaces and removes at random; `growth` is the share of additions. */
function churn(random: Random, operations: number, names: number, growth: number): void {
  for (let i = 0; i < operations; i++) {
    const key = `key:${random.below(names)}`;
    const ref = fixture.find(key);
    expect(ref).toBe(fixture.model.get(key) ?? NULL_REF);
    if (ref === NULL_REF) {
      if (random.chance(growth)) fixture.add(key);
    } else if (random.chance(growth)) {
      if (random.chance(0.3)) fixture.replace(key);
    } else {
      fixture.remove(key);
    }
  }
}

describe('a table holds what was put into it', () => {
  test('an empty one answers, and one entry comes and goes', () => {
    expect(fixture.find('a')).toBe(NULL_REF);
    expect(hashTable.tableCount(fixture.table)).toBe(0);
    fixture.verify();
    fixture.add('a');
    fixture.add('');
    fixture.verify();
    expect(fixture.find('b')).toBe(NULL_REF);
    fixture.remove('a');
    fixture.remove('');
    fixture.verify();
    expect(fixture.find('a')).toBe(NULL_REF);
  });

  test.each([10, 700, 5000, 40_000])('random operations on %i names', (names) => {
    const random = new Random(SEED + names);
    for (let round = 0; round < 12; round++) {
      churn(random, 3000, names, random.pick([0.1, 0.5, 0.9]));
      fixture.verify();
    }
  });
});

describe('entries that collide', () => {
  test.each([0, 17, 62, 63])('hundreds with home bucket %i of one segment', (home) => {
    const random = new Random(SEED + home);
    const keys = keysWith(500, (hash) => (hash & (BUCKETS - 1)) === home);
    for (const key of keys) fixture.add(key);
    expect(fixture.segments).toBe(1);
    fixture.verify();
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 60; i++) {
        const key = random.pick(keys);
        if (fixture.model.has(key)) fixture.remove(key);
        else fixture.add(key);
      }
      fixture.verify();
    }
    for (const key of random.shuffle([...fixture.model.keys()])) fixture.remove(key);
    fixture.verify();
  });

  test('the same fingerprint and bucket, split again and again', () => {
    const keys = keysWith(700, (hash) => (hash & 0xfff) === 0x2a5);
    for (const key of keys) fixture.add(key);
    fixture.verify();
    expect(fixture.segments).toBeGreaterThan(1);
    for (const key of keys.slice(10)) fixture.remove(key);
    fixture.verify();
  });

  test('the same prefix: one segment splits, the others stay', () => {
    const keys = keysWith(2000, (hash) => hash >>> 27 === 21);
    for (const key of keys) fixture.add(key);
    fixture.verify();
    expect(fixture.depth).toBeGreaterThan(5);
    expect(fixture.segments).toBeLessThan(20);
    for (const key of keys) fixture.remove(key);
    fixture.verify();
    expect(fixture.depth).toBe(0);
  });

  test('equal hashes', () => {
    const firstOf = new Map<number, string>();
    const pairs: [string, string][] = [];
    for (let i = 0; pairs.length < 12; i++) {
      const key = `pair${i}`;
      const hash = fixture.hash(key);
      const other = firstOf.get(hash);
      if (other === undefined) firstOf.set(hash, key);
      else pairs.push([other, key]);
    }
    for (const [a, b] of pairs) {
      fixture.add(a);
      fixture.add(b);
    }
    for (let i = 0; i < 3000; i++) fixture.add(`other${i}`);
    fixture.verify();
    for (const [a, b] of pairs) {
      const hash = fixture.hash(a);
      const found = hashTable.findByHash(fixture.table, hash, (ref) => keyOf(ref) === b);
      expect(found).toBe(fixture.model.get(b));
      expect(hashTable.findByHash(fixture.table, hash, () => false)).toBe(NULL_REF);
      fixture.remove(a);
      expect(fixture.find(b)).toBe(fixture.model.get(b));
      expect(hashTable.findByHash(fixture.table, hash, () => true)).toBe(fixture.model.get(b));
    }
    fixture.verify();
  });
});

describe('growing and shrinking', () => {
  test('to 110,000 entries and back to one segment', () => {
    const random = new Random(SEED);
    const keys = Array.from({ length: 110_000 }, (_, i) => `entry:${i}`);
    for (const key of keys) fixture.add(key);
    fixture.verify();
    const full = fixture.segments;
    const fill = keys.length / (full * BUCKETS * hashTable.BUCKET_SLOTS);
    expect(fill).toBeGreaterThan(0.5);
    expect(hashTable.tableBytes(fixture.table) / keys.length).toBeLessThan(11);
    random.shuffle(keys);
    let previous = full;
    while (keys.length > 0) {
      for (const key of keys.splice(-22_000)) fixture.remove(key);
      fixture.verify();
      expect(fixture.segments).toBeLessThanOrEqual(previous);
      previous = fixture.segments;
      // Half empty at worst: merging keeps up with the removals.
      const needed = keys.length / (BUCKETS * hashTable.BUCKET_SLOTS);
      expect(fixture.segments).toBeLessThan(Math.max(needed * 8, 4));
    }
    expect(fixture.segments).toBe(1);
    expect(fixture.depth).toBe(0);
  });

  test('entries that leave in the order of their hash', () => {
    for (let i = 0; i < 20_000; i++) fixture.add(`entry:${i}`);
    const byHash = [...fixture.model.keys()].sort(
      (a, b) => (fixture.hash(a) >>> 0) - (fixture.hash(b) >>> 0),
    );
    for (const key of byHash.slice(0, 19_990)) fixture.remove(key);
    fixture.verify();
    expect(fixture.segments).toBeLessThan(40);
    for (const key of byHash.slice(19_990)) fixture.remove(key);
    expect(fixture.segments).toBeLessThan(40);
    fixture.verify();
  });

  test('a table that hovers around a split does not split and merge at each step', () => {
    const keys = Array.from({ length: 661 }, (_, i) => `entry:${i}`);
    for (const key of keys) fixture.add(key);
    const { segments } = fixture;
    for (let round = 0; round < 50; round++) {
      for (const key of keys.slice(-40)) fixture.remove(key);
      expect(fixture.segments).toBe(segments);
      for (const key of keys.slice(-40)) fixture.add(key);
      expect(fixture.segments).toBe(segments);
    }
    fixture.verify();
  });
});

describe('randomEntry', () => {
  /** Chi-square of the counts against equal ones, in standard deviations from its mean. */
  function deviation(counts: readonly number[], draws: number): number {
    const expected = draws / counts.length;
    const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    const freedom = counts.length - 1;
    return (chi - freedom) / Math.sqrt(2 * freedom);
  }

  test.each([1, 3, 600, 900, 5000])('picks each of %i entries equally often', (entries) => {
    const random = new Random(SEED + entries);
    for (let i = 0; i < entries; i++) fixture.add(`entry:${i}`);
    expectUniform(random, 40 * entries + 1000);
  });

  test('also where segments differ in depth and fill', () => {
    const random = new Random(SEED);
    // One part of the hash space is crowded, so its segments are deeper.
    for (const key of keysWith(1500, (hash) => hash >>> 28 === 3)) fixture.add(key);
    for (const key of keysWith(300, (hash) => hash >>> 28 !== 3)) fixture.add(key);
    fixture.verify();
    expect(fixture.segments).toBeGreaterThan(5);
    expectUniform(random, 60_000);
  });

  function expectUniform(random: Random, draws: number): void {
    const counts = new Map([...fixture.model.values()].map((ref) => [ref as number, 0]));
    for (let i = 0; i < draws; i++) {
      const ref = randomEntry(fixture.table, () => random.uint32());
      counts.set(ref, counts.get(ref)! + 1);
    }
    expect(counts.size).toBe(fixture.model.size);
    if (counts.size > 1) expect(Math.abs(deviation([...counts.values()], draws))).toBeLessThan(5);
  }

  test('of an empty table is null', () => {
    expect(randomEntry(fixture.table, () => 0)).toBe(NULL_REF);
    fixture.add('a');
    fixture.remove('a');
    expect(randomEntry(fixture.table, () => 0)).toBe(NULL_REF);
  });
});

describe('while a checkpoint runs', () => {
  /** No page state bears it: all pages of the run are pending. */
  const EPOCH = 64;

  function segments(): Ref[] {
    const refs: Ref[] = [];
    forEachSegment(fixture.table, (_words, _base, segment) => refs.push(segment));
    return refs;
  }

  function bytesAt(segment: Ref): Buffer {
    const start = (segment & WINDOW_MASK) << 4;
    const bytes = byteWindows[segment >>> WINDOW_SHIFT]!;
    return Buffer.from(bytes.slice(start, start + hashTable.SEGMENT_BYTES));
  }

  test.each([1e9, 0])('segments that are not copied yet stay as they are, bound %d', (bound) => {
    const random = new Random(SEED + 7);
    churn(random, 40_000, 30_000, 0.9);
    const used = allocator.usedBytes();
    allocator.avoidPendingExtents(describeExtents(), () => bound);
    const before = segments();
    churn(random, 1000, 30_000, 0.5);
    expect(segments(), 'until the cut they are written to').toEqual(before);
    allocator.noteCut(EPOCH);
    const images = before.map(bytesAt);
    churn(random, 40_000, 30_000, 0.5);
    fixture.verify();
    const unchanged = before.filter((segment, i) => bytesAt(segment).equals(images[i]!)).length;
    // With no room for copies writes go where they went, and are caught.
    expect(unchanged).toBe(bound > 0 ? before.length : 0);
    if (bound > 0) for (const segment of segments()) expect(before).not.toContain(segment);
    allocator.useAllExtents();
    const moved = segments();
    churn(random, 2000, 30_000, 1);
    expect(segments()).toEqual(expect.arrayContaining(moved));
    fixture.verify();
    expect(allocator.usedBytes()).toBeLessThan(used * 1.5);
  });
});
