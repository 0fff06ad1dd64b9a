// Lists against plain arrays: seeded random operations, with the heap walk after each. LIST_SEED replays a
// run, LIST_OPERATIONS lengthens it.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const allocator = await openTestArena(128 * 1024 * 1024);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { freeRetired, hasRetired } = await import('../../storage/values/retired.js');
const { ListModel } = await import('./list_model.js');

const SEED = numberFromEnv('LIST_SEED', 20_260);
const OPERATIONS = numberFromEnv('LIST_OPERATIONS', 400);

const kinds: Readonly<Record<string, (random: Random) => Buffer>> = {
  'of one length': (random) => random.bytes(16),
  empty: () => Buffer.alloc(0),
  'of one byte': (random) => random.bytes(1),
  'of few lengths': (random) => random.bytes(random.pick([3, 3, 3, 3, 3, 3, 16, 0])),
  'of any length': (random) => random.bytes(random.below(40)),
  'around the bounds of the format': (random) =>
    Buffer.alloc(random.pick([252, 253, 254, 255, 2047, 2048, 2049, 1]), random.bytes(1)),
  'small and large': (random) =>
    Buffer.alloc(random.pick([1, 5, 9, 9, 9, 9, 100, 3000, 40_000]), random.bytes(1)),
  'half a node each': (random) => Buffer.alloc(2000 + random.below(48), random.bytes(1)),
};

for (const [kind, element] of Object.entries(kinds)) {
  for (const pushMax of [4, 3000]) {
    test(`elements ${kind}, up to ${pushMax} at a time`, () => {
      const random = new Random(SEED + pushMax);
      const model = new ListModel({
        random,
        keys: ['a', 'b', 'c'],
        element: () => element(random),
        pushMax: /large|bounds|half/.test(kind) ? Math.min(pushMax, 60) : pushMax,
        checkpoints: pushMax === 4,
      });
      for (let i = 0; i < OPERATIONS / (pushMax > 4 ? 5 : 1); i++) model.step();
      model.finish();
      expect(allocator.usedBytes()).toBeLessThan(100_000);
    });
  }
}

test('long lists, and what is cut off one, are freed in steps', () => {
  const random = new Random(SEED);
  const model = new ListModel({
    random,
    keys: ['a'],
    element: () => Buffer.alloc(random.pick([200, 200, 200, 5000]), random.bytes(1)),
    pushMax: 20_000,
  });
  model.grow('a', 20_000);
  const bytes = allocator.usedBytes();
  model.trim('a', 15_000);
  expect(hasRetired()).toBe(true);
  expect(allocator.usedBytes()).toBeGreaterThan(bytes * 0.9);
  for (let steps = 0; hasRetired(); steps++) {
    expect(freeRetired(200)).toBeLessThanOrEqual(201);
    if (steps % 10 === 0) verifyHeap();
    expect(steps).toBeLessThan(200);
  }
  expect(allocator.usedBytes()).toBeLessThan(bytes * 0.35);
  model.finish();
  expect(allocator.usedBytes()).toBeLessThan(100_000);
});
