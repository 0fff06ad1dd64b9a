// Values of all types together in a small arena that is full now and then, while checkpoints begin and end,
// objects are moved together, what was deleted is freed in steps, and the process starts anew. After every
// few operations the heap is proved and everything compared with the model. COLLECTIONS_SEED replays a
// run, COLLECTIONS_OPERATIONS lengthens it.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

await openTestArena(48 * 1024 * 1024);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { attachHeap, createHeap } = await import('../../storage/heap.js');
const compaction = await import('../../storage/keyspace/compaction.js');
const { setClock } = await import('../../storage/structures/clock.js');
const retired = await import('../../storage/values/retired.js');
const { CheckpointSteps } = await import('./checkpoint_steps.js');
const { CollectionsModel, DATABASES } = await import('./collections_model.js');

const SEED = numberFromEnv('COLLECTIONS_SEED', 2);
const OPERATIONS = numberFromEnv('COLLECTIONS_OPERATIONS', 3000);
/** What fills the arena, the largest first: then no kind of object finds room. */
const BALLAST = [400_000, 30_000, 5000, 2000, 900, 300, 100];

test('all types in a full arena, with checkpoints, compaction and freeing in steps', () => {
  const random = new Random(SEED);
  const model = new CollectionsModel(random);
  const checkpoint = new CheckpointSteps(random.fork());
  setClock(1_700_000_000_000);
  createHeap(DATABASES, () => random.uint32());
  let ballast: string[] = [];
  let moved = 0;
  for (let i = 0; i < OPERATIONS; i++) {
    model.step();
    checkpoint.step();
    if (random.chance(0.2)) retired.freeRetired(random.pick([1, 7, 100, 1000]));
    if (random.chance(0.1) && compaction.beginCompaction(0, 0) > 0) moved++;
    if (random.chance(0.5)) compaction.compactStep(DATABASES, random.pick([1, 2000, 100_000]));
    if (i % 300 === 100) {
      for (const length of BALLAST) {
        for (let n = 0; model.setString(0, `ballast:${length}:${n}`, 'b'.repeat(length)); n++) {
          ballast.push(`ballast:${length}:${n}`);
        }
      }
    } else if (i % 300 > 200 && ballast.length > 0) {
      ballast = random.shuffle(ballast);
      for (const name of ballast.splice(0, 40 + (ballast.length >>> 4))) {
        for (let db = 0; db < DATABASES; db++) model.remove(db, name);
      }
    }
    if (i % 500 === 450) {
      checkpoint.end();
      compaction.stopCompaction();
      attachHeap(DATABASES, () => random.uint32());
    }
    if (i % 23 > 0 && i < OPERATIONS - 1) continue;
    verifyHeap();
    model.verify();
  }
  expect(model.refused).toBeGreaterThan(OPERATIONS / 20);
  expect(moved).toBeGreaterThan(0);
  checkpoint.end();
});
