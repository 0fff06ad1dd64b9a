// What SCAN promises: an element that is there throughout an iteration is returned, whatever the
// table does meanwhile; an iteration ends; a table at rest gives each element once. TABLE_SEED
// replays a run.
import { afterEach, describe, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const allocator = await openTestArena(128 * 1024 * 1024);
const walk = await import('../../storage/structures/table_walk.js');
const { BUCKETS } = await import('../../storage/structures/hash_table.js');
const { keyOf, TableFixture } = await import('./table_fixture.js');

const SEED = numberFromEnv('TABLE_SEED', 20_253);
const fixture = new TableFixture();
const emptyBytes = allocator.usedBytes();

afterEach(() => {
  fixture.clear();
  expect(allocator.usedBytes(), 'nothing is left behind').toBe(emptyBytes);
});

/** One step; adds the keys it returned to `found`. */
function step(cursor: number, count: number, found: string[]): number {
  const next = walk.scanStep(fixture.table, cursor, count);
  expect(Number.isInteger(next) && next >= 0 && next < walk.CURSORS).toBe(true);
  for (let i = 0; i < walk.scanned.count; i++) found.push(keyOf(walk.scanned.refs[i] as never));
  return next;
}

/** A whole iteration; `between` runs between two steps and gets the cursor. */
function iterate(
  count: () => number,
  between: (cursor: number) => void = () => {},
  stepsMax = 1_000_000,
): string[] {
  const found: string[] = [];
  let cursor = 0;
  for (let steps = 0; steps < stepsMax; steps++) {
    cursor = step(cursor, count(), found);
    if (cursor === 0) return found;
    between(cursor);
  }
  throw new Error(`the iteration did not end in ${stepsMax} steps`);
}

function fill(prefix: string, count: number): string[] {
  const keys = Array.from({ length: count }, (_, i) => `${prefix}:${i}`);
  for (const key of keys) fixture.add(key);
  return keys;
}

function expectAll(steady: readonly string[], found: readonly string[]): void {
  const seen = new Set(found);
  expect(steady.filter((key) => !seen.has(key))).toEqual([]);
}

describe('a table at rest', () => {
  test('an empty one ends at once', () => {
    expect(iterate(() => 10)).toEqual([]);
  });

  test.each([
    1, 11, 600, 2000, 30_000,
  ])('%i elements come once each, whatever the count', (size) => {
    const keys = fill('key', size).sort();
    for (const count of [1, 2, 10, 333, 1_000_000]) {
      if (size > 10_000 && count < 10) continue;
      expect(iterate(() => count).sort()).toEqual(keys);
    }
  });

  test('elements that a full bucket passed on come once each', () => {
    const keys: string[] = [];
    for (let i = 0; keys.length < 300; i++) {
      if ((fixture.hash(`k${i}`) & (BUCKETS - 1)) >= 61) keys.push(`k${i}`);
    }
    for (const key of keys) fixture.add(key);
    expect(iterate(() => 1).sort()).toEqual(keys.sort());
  });

  test('a step over a nearly empty table visits a bounded number of buckets', () => {
    // Elements of two far segments; those between them are empty but too uneven in depth to merge.
    const crowd = fill('key', 30_000).filter((key) => fixture.hash(key) >>> 30 !== 0);
    for (const key of crowd) fixture.remove(key);
    for (const key of [...fixture.model.keys()].slice(5)) fixture.remove(key);
    let steps = 0;
    const found = iterate(
      () => 1,
      () => steps++,
    );
    expect(found.length).toBe(5);
    expect(steps).toBeGreaterThanOrEqual((fixture.segments * BUCKETS) / 10 - 1);
  });
});

describe('a table that changes', () => {
  test('a merge during the walk passes nothing over', () => {
    // The walk stops inside the lower of two segments; both then merge, so that elements of the upper
    // one come to lie before the place where the walk goes on.
    for (let stop = 1; stop < BUCKETS; stop += 3) {
      const steady = fill('steady', 100);
      const others = fill('other', 700);
      expect(fixture.segments).toBe(2);
      const found: string[] = [];
      let cursor = 0;
      do cursor = step(cursor, 1, found);
      while (cursor !== 0 && (cursor & (BUCKETS - 1)) < stop);
      for (const key of others) fixture.remove(key);
      expect(fixture.segments).toBe(1);
      while (cursor !== 0) cursor = step(cursor, 1, found);
      expectAll(steady, found);
      expect(found.filter((key) => key.startsWith('steady')).length).toBe(steady.length);
      fixture.clear();
    }
  });

  test('a split during the walk passes nothing over', () => {
    for (let stop = 1; stop < BUCKETS; stop += 3) {
      const steady = fill('steady', 400);
      const found: string[] = [];
      let cursor = 0;
      do cursor = step(cursor, 1, found);
      while ((cursor & (BUCKETS - 1)) < stop);
      fill('other', 3000);
      expect(fixture.segments).toBeGreaterThan(3);
      while (cursor !== 0) cursor = step(cursor, 1, found);
      expectAll(steady, found);
      fixture.clear();
    }
  });

  test('a table that was emptied and filled ends the walk', () => {
    const random = new Random(SEED);
    fill('first', 5000);
    let emptied = false;
    const found = iterate(
      () => 10,
      () => {
        if (emptied || !random.chance(0.02)) return;
        fixture.clear();
        fill('second', 3000);
        emptied = true;
      },
    );
    expect(emptied).toBe(true);
    expect(found.some((key) => key.startsWith('second'))).toBe(true);
  });

  test.each([1, 2, 3, 4, 5, 6])('random growth and shrinkage, run %i', (run) => {
    const random = new Random(SEED + run);
    const steady = fill('steady', random.between(1, 1500));
    let others: string[] = [];
    let serial = 0;
    const grow = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const key = `other:${serial++}`;
        fixture.add(key);
        others.push(key);
      }
    };
    const shrink = (count: number): void => {
      for (let i = 0; i < count && others.length > 0; i++) {
        const at = random.below(others.length);
        fixture.remove(others[at]!);
        others[at] = others[others.length - 1]!;
        others.pop();
      }
    };
    for (let iteration = 0; iteration < 8; iteration++) {
      let target = random.between(0, 20_000);
      const found = iterate(
        () => random.pick([1, 5, 20, 100]),
        () => {
          if (random.chance(0.01)) target = random.between(0, 20_000);
          if (random.chance(0.002)) {
            shrink(others.length);
            others = [];
          }
          if (others.length < target) grow(Math.min(200, target - others.length));
          else shrink(Math.min(200, others.length - target));
          if (random.chance(0.1)) fixture.replace(random.pick(steady));
        },
      );
      expectAll(steady, found);
      const known = new Set([...steady, ...Array.from({ length: serial }, (_, i) => `other:${i}`)]);
      expect(found.every((key) => known.has(key))).toBe(true);
      fixture.verify();
    }
  });
});

describe('cursors', () => {
  test('any number ends and returns only what is there', () => {
    const random = new Random(SEED);
    fill('key', 5000);
    for (let i = 0; i < 300; i++) {
      const found: string[] = [];
      let cursor = Math.floor((random.uint32() / 2 ** 32) * walk.CURSORS);
      if (random.chance(0.2)) cursor = random.pick([1, 63, 2 ** 32 - 1, 2 ** 32, walk.CURSORS - 1]);
      for (let steps = 0; cursor !== 0; steps++) {
        cursor = step(cursor, 500, found);
        expect(steps).toBeLessThan(5000);
      }
      expect(found.every((key) => fixture.model.has(key))).toBe(true);
    }
  });

  test('the walk goes on from a cursor after others used theirs', () => {
    const keys = fill('key', 3000).sort();
    const found: string[][] = [[], [], []];
    const cursors = [0, 0, 0];
    const running = new Set([0, 1, 2]);
    while (running.size > 0) {
      for (const i of [...running]) {
        cursors[i] = step(cursors[i]!, 3 + i * 7, found[i]!);
        if (cursors[i] === 0) running.delete(i);
      }
    }
    for (const one of found) expect(one.sort()).toEqual(keys);
  });
});

describe('whole walks', () => {
  test('forEachEntry and forEachSegment visit everything once', () => {
    const keys = fill('key', 10_000).sort();
    const visited: string[] = [];
    walk.forEachEntry(fixture.table, (ref) => visited.push(keyOf(ref)));
    expect(visited.sort()).toEqual(keys);
    const segments: number[] = [];
    walk.forEachSegment(fixture.table, (_words, _base, segment) => segments.push(segment));
    expect(new Set(segments).size).toBe(segments.length);
    expect(segments.length).toBe(fixture.segments);
  });

  test('of an empty table visit nothing', () => {
    walk.forEachEntry(fixture.table, () => expect.unreachable());
    walk.forEachSegment(fixture.table, () => expect.unreachable());
  });
});
