// Sorted sets against plain maps: seeded random operations with a walk of the whole heap after each one, in
// both forms and where sets change from one to the other. SORTED_SET_SEED replays a run,
// SORTED_SET_OPERATIONS lengthens it.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';
import type { SortedSetOptions } from './sorted_set_model.js';

const allocator = await openTestArena(64 * 1024 * 1024);
const { SortedSetModel } = await import('./sorted_set_model.js');
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { createHeap, flushHeap } = await import('../../storage/heap.js');
const { addEntry, copyEntry, deleteEntry } = await import('../../storage/keyspace/keyspace.js');
const { databaseRoot } = await import('../../storage/memory/layout.js');
const { freeRetired, hasRetired } = await import('../../storage/values/retired.js');
const scores = await import('../../storage/structures/score_bits.js');
const sets = await import('../../storage/values/sorted_set.js');
const { bytesOf } = await import('./table_fixture.js');

const SEED = numberFromEnv('SORTED_SET_SEED', 20_255);
const OPERATIONS = numberFromEnv('SORTED_SET_OPERATIONS', 1500);

const KEYS = ['z1', 'z2', 'a longer key', 'x'.repeat(5000)];
const EDGE_SCORES = [0, 1, -1, 0.5, Infinity, -Infinity, 5e-324, -5e-324, 1.7e308, -1.7e308];

function run(
  random: Random,
  options: Partial<SortedSetOptions>,
): InstanceType<typeof SortedSetModel> {
  const model = new SortedSetModel({
    random,
    keys: KEYS,
    member: () => `member:${random.below(60)}`,
    score: () => (random.chance(0.3) ? random.pick(EDGE_SCORES) : random.between(-5, 5)),
    packedMembersMax: 8,
    packedMemberBytesMax: 64,
    ...options,
  });
  for (let i = 0; i < OPERATIONS; i++) {
    model.step();
    if (i % 100 === 0) model.verifyAll();
  }
  model.verifyAll();
  model.finish();
  verifyHeap();
  expect(allocator.usedBytes()).toBe(0);
  return model;
}

test('packed sets that become trees', () => {
  run(new Random(SEED), {});
});

test('packed sets only', () => {
  run(new Random(SEED + 1), { packedMembersMax: 1000 });
});

test('trees only, with members that collide in their beginnings', () => {
  const random = new Random(SEED + 2);
  const stems = ['', 'a', 'ab', 'abc', 'abcd', 'abcde', '\x00', 'a\x00', '\xff', 'abcd\xff'];
  run(random, {
    packedMembersMax: 0,
    member: () => random.pick(stems) + random.pick(stems) + (random.chance(0.3) ? 'z' : ''),
    score: () => random.pick([0, 0, 0, 1]),
  });
});

test('members of every length', () => {
  const random = new Random(SEED + 3);
  const lengths = [0, 1, 63, 64, 65, 253, 254, 300, 4095, 4096, 70_000];
  run(random, {
    member: () => `${random.below(3)}`.padEnd(random.pick(lengths), 'x'),
    packedMemberBytesMax: 100_000,
    score: () => random.between(0, 2),
  });
});

test('while checkpoints run', () => {
  run(new Random(SEED + 4), { checkpoints: true });
  run(new Random(SEED + 5), { checkpoints: true, packedMembersMax: 0 });
});

test('large trees of equal scores, and what is freed in steps', () => {
  const random = new Random(SEED + 6);
  createHeap(1, () => random.uint32());
  sets.sortedSetLimits.packedMembersMax = 128;
  const database = databaseRoot(0);
  const key = bytesOf('large');
  const members = random.shuffle(Array.from({ length: 20_000 }, (_, i) => `element:${i * 7}`));
  const ref = sets.createSortedSet(key, 0, key.length);
  for (const member of members) {
    const bytes = bytesOf(member);
    sets.locateMember(ref, bytes, 0, bytes.length);
    sets.putMember(ref, bytes, 0, bytes.length, 0);
  }
  expect(addEntry(database, ref)).toBe(true);
  verifyHeap();
  const ordered = members.slice().sort();
  for (const rank of [0, 1, 777, 19_999]) {
    const bytes = bytesOf(ordered[rank]!);
    expect(sets.locateMember(ref, bytes, 0, bytes.length)).toBe(true);
    expect(sets.rankOfLocated(ref)).toBe(rank);
    expect(sets.ranksBefore(ref, bytes, 0, bytes.length, true)).toBe(rank + 1);
  }
  const other = bytesOf('other');
  expect(copyEntry(ref, database, other, 0, other.length)).toBe(true);
  verifyHeap();
  sets.removeRanks(ref, 100, 19_900);
  expect(sets.cardinality(ref)).toBe(200);
  verifyHeap();
  deleteEntry(database, ref);
  flushHeap();
  expect(allocator.usedBytes()).toBe(0);

  const again = sets.createSortedSet(key, 0, key.length);
  for (const member of members.slice(0, 3000)) {
    const bytes = bytesOf(member);
    sets.locateMember(again, bytes, 0, bytes.length);
    sets.putMember(again, bytes, 0, bytes.length, random.between(-9, 9));
  }
  addEntry(database, again);
  deleteEntry(database, again);
  expect(hasRetired()).toBe(true);
  for (let steps = 0; hasRetired(); steps++) {
    freeRetired(50);
    if (steps % 7 === 0) verifyHeap();
  }
  verifyHeap();
  flushHeap();
});

test('the words of scores order as the scores do', () => {
  const random = new Random(SEED + 7);
  const all = [...EDGE_SCORES, ...Array.from({ length: 500 }, () => random.between(-9, 9) / 8)];
  for (const a of all) {
    for (const b of all) {
      scores.orderWords(a);
      const { high, low } = scores.scoreWords;
      scores.orderWords(b);
      const other = scores.scoreWords;
      const order = high - other.high || (low >>> 0) - (other.low >>> 0);
      expect(Math.sign(order)).toBe(a < b ? -1 : a > b ? 1 : 0);
    }
    scores.rawWords(a);
    expect(scores.scoreOfWords(scores.scoreWords.high, scores.scoreWords.low)).toBe(a);
  }
  scores.orderWords(-0);
  expect([scores.scoreWords.high, scores.scoreWords.low]).toEqual([0, 0]);
});
