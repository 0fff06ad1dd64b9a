// Set commands in an arena that is full again and again: what is refused has changed nothing, and the
// heap is sound throughout. SETS_SEED=n replays a run, SETS_OPERATIONS=n sets its length.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';
import type { Arg } from '../support/raw_client.js';

const { ARENA_BYTES_MIN } = await import('../../storage/memory/layout.js');
await openTestArena(ARENA_BYTES_MIN);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { createHeap } = await import('../../storage/heap.js');
const seed = new Random(6);
createHeap(1, () => seed.uint32());
const { call, run } = await import('../support/run_command.js');

const SEED = numberFromEnv('SETS_SEED', 20_302);
const OPERATIONS = numberFromEnv('SETS_OPERATIONS', 3000);
const KEYS = Array.from({ length: 40 }, (_, i) => `key:${i}`);

const membersOf = (key: string): string => (call('SMEMBERS', key) as string[]).sort().join();

function draw(random: Random): Arg[] {
  const key = random.pick(KEYS);
  const others = [random.pick(KEYS), random.pick(KEYS)];
  const count = random.pick([1, 3, 30, 500]);
  const size = random.pick([1, 10, 60, 100, 2000]);
  switch (random.below(8)) {
    case 0:
      return ['SUNIONSTORE', key, ...others];
    case 1:
      return ['SINTERSTORE', key, ...others];
    case 2:
      return ['SDIFFSTORE', key, ...others];
    case 3:
      return ['SMOVE', key, others[0]!, `${random.below(40)}`];
    case 4:
      return ['COPY', key, others[0]!, 'REPLACE'];
    case 5:
      return ['SADD', key, ...Array.from({ length: count }, () => random.below(2000))];
    default:
      return [
        'SADD',
        key,
        ...Array.from({ length: count }, () => `${random.below(2000)}`.padEnd(size, 'x')),
      ];
  }
}

test('what is refused changes nothing', () => {
  const random = new Random(SEED);
  let refused = 0;
  for (let step = 1; step <= OPERATIONS; step++) {
    const command = draw(random);
    const keys = command
      .slice(1, 3)
      .map(String)
      .filter((key) => KEYS.includes(key));
    const before = keys.map(membersOf);
    const answer = run(...command);
    if (
      answer.type === 'error' &&
      answer.text !== 'ERR source and destination objects are the same'
    ) {
      expect(answer.text).toMatch(/^OOM /);
      expect(keys.map(membersOf), `step ${step}, ${String(command[0])}`).toEqual(before);
      refused++;
      if (refused % 20 === 0) call('DEL', ...KEYS.filter(() => random.chance(0.4)), 'nokey');
    }
    if (step % 100 === 0) verifyHeap();
  }
  expect(refused).toBeGreaterThan(20);
  call('DEL', ...KEYS);
  verifyHeap();
});
