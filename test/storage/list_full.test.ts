// Lists in the smallest arena that there is: what finds it full is refused and changes nothing.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const { ARENA_BYTES_MIN } = await import('../../storage/memory/layout.js');
await openTestArena(ARENA_BYTES_MIN);
const { ListModel } = await import('./list_model.js');

const SEED = numberFromEnv('LIST_SEED', 20_261);
const OPERATIONS = numberFromEnv('LIST_OPERATIONS', 400);

test('a full arena refuses and keeps every element', () => {
  const random = new Random(SEED);
  const sizes = [10, 10, 200, 1500, 2048, 2049, 30_000, 400_000];
  const model = new ListModel({
    random,
    keys: ['a', 'b', 'c', 'd', 'e', 'f'],
    element: () => Buffer.alloc(random.pick(sizes), random.bytes(1)),
    pushMax: 60,
    mayBeFull: true,
    checkpoints: true,
  });
  for (let i = 0; i < OPERATIONS; i++) model.step();
  expect(model.refused).toBeGreaterThan(OPERATIONS / 100);
  model.finish();
});
