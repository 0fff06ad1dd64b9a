// String commands in an arena that is full again and again: what is refused has changed nothing, what
// is not has its effect, and the heap is sound throughout. The handlers run here without a server.
//
// STRINGS_SEED=n replays a run, STRINGS_OPERATIONS=n sets its length.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';
import type { Arg } from '../support/raw_client.js';

const { ARENA_BYTES_MIN } = await import('../../storage/memory/layout.js');
await openTestArena(ARENA_BYTES_MIN);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { createHeap } = await import('../../storage/heap.js');
const { run } = await import('../support/run_command.js');

const SEED = numberFromEnv('STRINGS_SEED', 20_261);
const OPERATIONS = numberFromEnv('STRINGS_OPERATIONS', 6000);
const STEPS_PER_VERIFY = 200;
const KEYS = 400;

createHeap(1, () => 5);

/** What the keys should hold; a command changes it only when it is not refused. */
const model = new Map<string, Buffer>();

function heldBy(key: string): Buffer {
  return model.get(key) ?? Buffer.alloc(0);
}

function patched(old: Buffer, offset: number, bytes: Buffer): Buffer {
  const result = Buffer.alloc(Math.max(old.length, offset + bytes.length));
  old.copy(result);
  bytes.copy(result, offset);
  return result;
}

/** A random command with the values that its keys have afterwards (null: none). */
function draw(random: Random): [command: Arg[], after: [string, Buffer | null][]] {
  const key = `key:${random.below(KEYS)}`;
  const other = `key:${random.below(KEYS)}`;
  const size = random.chance(0.1)
    ? random.below(900_000)
    : random.below(random.pick([9, 90, 5000]));
  const value = Buffer.alloc(size, random.pick(['x', '7', '\0']));
  const old = heldBy(key);
  switch (random.below(9)) {
    case 0:
      return [['SET', key, value], [[key, value]]];
    case 1:
      return [['APPEND', key, value], [[key, Buffer.concat([old, value])]]];
    case 2: {
      const offset = random.below(random.chance(0.1) ? 2_000_000 : 6000);
      const after = size === 0 ? old : patched(old, offset, value);
      return [['SETRANGE', key, offset, value], size === 0 ? [] : [[key, after]]];
    }
    case 3: {
      const third = `key:${random.below(KEYS)}`;
      const after = new Map([
        [key, value],
        [other, Buffer.from('17')],
        [third, value],
      ]);
      return [['MSET', key, value, other, 17, third, value], [...after]]; // prettier-ignore
    }
    case 4: {
      if (model.has(key) || model.has(other)) return [['MSETNX', key, value, other, 5], []];
      const after = new Map([
        [key, value],
        [other, Buffer.from('5')],
      ]);
      return [['MSETNX', key, value, other, 5], [...after]]; // prettier-ignore
    }
    case 5: {
      const second = heldBy(other);
      const after = Buffer.alloc(Math.max(old.length, second.length));
      for (let i = 0; i < after.length; i++) after[i] = (old[i] ?? 0) | (second[i] ?? 0);
      return [['BITOP', 'OR', key, key, other], [[key, after.length > 0 ? after : null]]];
    }
    case 6: {
      const offset = random.below(random.chance(0.2) ? 3_000_000 : 4000);
      const byte = (old[offset] ?? 0) | 0x80;
      return [['SETBIT', key, offset * 8, 1], [[key, patched(old, offset, Buffer.from([byte]))]]];
    }
    case 7:
      return [['GETDEL', key], [[key, null]]];
    default:
      return [['GETEX', key, ...random.pick([['EX', 1000], ['PERSIST']])], []];
  }
}

test('what is refused changes nothing', () => {
  const random = new Random(SEED);
  let refused = 0;
  let done = 0;
  for (let step = 1; step <= OPERATIONS; step++) {
    const [command, after] = draw(random);
    const answer = run(...command);
    const where = `step ${step}, ${String(command[0])} ${String(command[1])}`;
    if (answer.type === 'error') {
      expect(answer.text, where).toMatch(/^OOM /);
      refused++;
    } else {
      done++;
      for (const [key, value] of after) {
        if (value === null) model.delete(key);
        else model.set(key, value);
      }
    }
    for (const [key] of after) {
      const got = run('GET', key);
      const expected = model.get(key);
      if (expected === undefined) expect(got.type, where).toBe('null');
      else if (!Buffer.from(got.text, 'latin1').equals(expected))
        throw new Error(`${where}: ${key}`);
    }
    if (step % STEPS_PER_VERIFY === 0) verifyHeap();
    // A full arena stays full: make room now and then.
    if (refused % 50 === 49) {
      refused++;
      for (const key of [...model.keys()].filter(() => random.chance(0.5))) {
        run('GETDEL', key);
        model.delete(key);
      }
    }
  }
  expect(verifyHeap().keys).toBe(model.size);
  expect(refused).toBeGreaterThan(OPERATIONS / 50);
  expect(done).toBeGreaterThan(OPERATIONS / 4);
});
