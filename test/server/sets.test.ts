// Sets against plain JavaScript sets: seeded random commands, the heap proved after each, with thresholds
// so small that every conversion happens often. And what the model cannot say: that random members are
// equally likely, that an iteration misses nothing, and that large sets go in steps.
//
// SETS_SEED=n replays a run, SETS_OPERATIONS=n sets its length.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';
import type { Plain } from '../support/reply.js';

const allocator = await openTestArena(96 * 1024 * 1024);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { createHeap, flushHeap } = await import('../../storage/heap.js');
const { arena } = await import('../../storage/memory/arena.js');
const { describeExtents } = await import('../../storage/memory/extents.js');
const { databaseRoot } = await import('../../storage/memory/layout.js');
const { lookup } = await import('../../storage/keyspace/keyspace.js');
const { hashKey } = await import('../../storage/structures/key_hash.js');
const { setLimits, setTable } = await import('../../storage/values/set.js');
const { freeRetired, hasRetired } = await import('../../storage/values/retired.js');
const { runtime } = await import('../../server/runtime.js');
const seed = new Random(5);
createHeap(1, () => seed.uint32());
const { call } = await import('../support/run_command.js');

const SEED = numberFromEnv('SETS_SEED', 20_301);
const OPERATIONS = numberFromEnv('SETS_OPERATIONS', 2500);
const KEYS = ['a', 'b', 'c', 'd', 'key'.repeat(20)];

const asSet = (reply: Plain): Set<string> => new Set((reply as Plain[]).map(String));
const sorted = (items: Iterable<string>): string[] => [...items].sort();

class Model {
  readonly sets = new Map<string, Set<string>>();

  constructor(
    readonly random: Random,
    readonly range: number,
  ) {}

  /** A copy of what a key holds. */
  of(key: string): Set<string> {
    return new Set(this.sets.get(key) ?? []);
  }

  put(key: string, members: Iterable<string>): void {
    const set = new Set(members);
    if (set.size === 0) this.sets.delete(key);
    else this.sets.set(key, set);
  }

  member(): string {
    const { random, range } = this;
    if (random.chance(0.7)) return String(random.between(-range, range));
    return random.chance(0.1) ? `${random.below(9)}`.repeat(80) : `member:${random.below(range)}`;
  }

  step(): void {
    const { random } = this;
    const key = random.pick(KEYS);
    const roll = random.below(16);
    if (roll < 4) this.add(key);
    else if (roll < 6) this.remove(key);
    else if (roll < 8) this.take(key);
    else if (roll < 10) this.move(key, random.pick(KEYS));
    else if (roll < 14) this.combine(key, random.pick(KEYS), random.pick(KEYS));
    else this.handle(key, random.pick(KEYS));
  }

  private add(key: string): void {
    const members = Array.from({ length: this.random.between(1, 4) }, () => this.member());
    const set = this.of(key);
    const grown = new Set([...set, ...members]);
    expect(call('SADD', key, ...members)).toBe(grown.size - set.size);
    this.put(key, grown);
  }

  private remove(key: string): void {
    const set = this.of(key);
    const some = [this.member(), ...[...set].slice(0, this.random.below(set.size + 1))];
    const left = [...set].filter((member) => !some.includes(member));
    expect(call('SREM', key, ...some)).toBe(set.size - left.length);
    this.put(key, left);
  }

  /** SPOP and SRANDMEMBER. */
  private take(key: string): void {
    const { random } = this;
    const set = this.of(key);
    const count = random.between(-8, set.size + 2);
    const picked = (call('SRANDMEMBER', key, count) as Plain[]).map(String);
    const most = count < 0 && set.size > 0 ? -count : Math.min(count, set.size);
    expect(picked.length).toBe(Math.max(most, 0));
    if (count >= 0) expect(new Set(picked).size).toBe(picked.length);
    for (const member of picked) expect(set.has(member)).toBe(true);
    const single = call('SPOP', key);
    expect(single === null).toBe(set.size === 0);
    if (single !== null) expect(set.delete(String(single))).toBe(true);
    const wanted = random.below(set.size + 2);
    const popped = asSet(call('SPOP', key, wanted));
    expect(popped.size).toBe(Math.min(wanted, set.size));
    for (const member of popped) expect(set.delete(member)).toBe(true);
    this.put(key, set);
  }

  private move(key: string, other: string): void {
    const { random } = this;
    const set = this.of(key);
    const member = set.size > 0 && random.chance(0.7) ? random.pick([...set]) : this.member();
    expect(call('SMOVE', key, other, member)).toBe(set.has(member) ? 1 : 0);
    if (!set.has(member) || key === other) return;
    this.put(other, [...this.of(other), member]);
    this.put(
      key,
      [...set].filter((one) => one !== member),
    );
  }

  /** The algebra, replied and stored. */
  private combine(key: string, first: string, second: string): void {
    const { random } = this;
    const left = [...this.of(first)];
    const right = this.of(second);
    const common = left.filter((member) => right.has(member));
    expect(call('SINTERCARD', 2, first, second)).toBe(common.length);
    const [name, result] = random.pick([
      ['SUNION', new Set([...left, ...right])],
      ['SINTER', new Set(common)],
      ['SDIFF', new Set(left.filter((member) => !right.has(member)))],
    ] as const);
    expect(sorted(asSet(call(name, first, second)))).toEqual(sorted(result));
    expect(call(`${name}STORE`, key, first, second)).toBe(result.size);
    this.put(key, result);
  }

  /** What all types of keys have in common. */
  private handle(key: string, other: string): void {
    const set = this.of(key);
    if (set.size === 0) return;
    switch (this.random.below(5)) {
      case 0:
        if (key === other) return;
        expect(call('COPY', key, other, 'REPLACE')).toBe(1);
        this.put(other, set);
        return;
      case 1:
        call('RENAME', key, other);
        this.sets.delete(key);
        this.put(other, set);
        return;
      case 2:
        call('EXPIRE', key, 1000);
        return;
      case 3:
        call('PERSIST', key);
        return;
      default:
        call('DEL', key);
        this.sets.delete(key);
    }
  }

  verify(): void {
    for (const key of KEYS) {
      const set = this.of(key);
      expect(sorted((call('SMEMBERS', key) as Plain[]).map(String))).toEqual(sorted(set));
      expect(call('SCARD', key)).toBe(set.size);
      const scanned = call('SSCAN', key, 0, 'COUNT', 100_000) as [string, Plain[]];
      expect(sorted(scanned[1].map(String))).toEqual(sorted(set));
      for (const member of set) expect(call('SISMEMBER', key, member)).toBe(1);
      expect(call('SISMEMBER', key, 'nobody')).toBe(0);
    }
  }
}

test.each([
  ['conversions at every step', 8, 6, 12, false],
  ['sets as large as the limits', 512, 128, 300, false],
  ['while a checkpoint runs', 20, 12, 30, true],
])('random commands: %s', (_, integersMax, packedMax, range, checkpoints) => {
  flushHeap();
  runtime.config.setMaxIntsetEntries = integersMax;
  Object.assign(setLimits, { packedMax, packedBytesMax: 64 });
  const random = new Random(SEED + range);
  const model = new Model(random, range);
  const pageStates = new Uint8Array(arena.pageStates);
  let running = false;
  for (let step = 0; step < OPERATIONS; step++) {
    if (checkpoints && random.chance(0.05)) {
      if (running) allocator.useAllExtents();
      else {
        allocator.avoidPendingExtents(describeExtents(), () => 1e9);
        pageStates.fill(0);
        allocator.noteCut((step % 60) + 2); // every page is pending
      }
      running = !running;
    }
    model.step();
    if (random.chance(0.02)) runtime.config.setMaxIntsetEntries = random.below(integersMax) + 1;
    verifyHeap();
    if (step % 25 === 0) model.verify();
  }
  if (running) allocator.useAllExtents();
  for (const key of KEYS) call('DEL', key);
  while (freeRetired(1000) > 0) {}
  expect(verifyHeap().usedBytes).toBe(allocator.usedBytes());
  Object.assign(setLimits, { packedMax: 128, packedBytesMax: 64 });
  runtime.config.setMaxIntsetEntries = 512;
});

/** The sum over all members of (times seen - expected)^2 / expected. */
function chiSquare(counts: ReadonlyMap<string, number>, members: number, draws: number): number {
  const expected = draws / members;
  let sum = (members - counts.size) * expected;
  for (const count of counts.values()) sum += (count - expected) ** 2 / expected;
  return sum;
}

/** What chi square exceeds with a probability of 10^-6 (Wilson and Hilferty, 1931). */
function chiSquareBound(freedom: number): number {
  const part = 2 / (9 * freedom);
  return freedom * (1 - part + 4.75 * Math.sqrt(part)) ** 3;
}

/** A large set whose table is skewed: of one half of the hashes only every 40th is left. */
function makeSkewed(members: number): void {
  flushHeap();
  for (let i = 0; i < members; i += 100) {
    call('SADD', 'skewed', ...Array.from({ length: 100 }, (_, k) => `member:${i + k}`));
  }
  const database = databaseRoot(0);
  const key = new Uint8Array(Buffer.from('skewed'));
  const table = setTable(lookup(database, key, 0, key.length));
  for (let i = 0; i < members; i++) {
    const bytes = new Uint8Array(Buffer.from(`member:${i}`));
    if (hashKey(table, bytes, 0, bytes.length) < 0 && i % 40 > 0)
      call('SREM', 'skewed', bytes.length === 0 ? '' : Buffer.from(bytes));
  }
}

const counted = (replies: Iterable<Plain>): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const reply of replies) counts.set(String(reply), (counts.get(String(reply)) ?? 0) + 1);
  return counts;
};

test.each([
  [
    'a large table',
    () => {
      flushHeap();
      call('SADD', 'skewed', ...Array.from({ length: 4000 }, (_, i) => `m${i}`));
    },
  ], // prettier-ignore
  ['a skewed table', () => makeSkewed(12_000)],
  [
    'a packed set',
    () => {
      flushHeap();
      call('SADD', 'skewed', ...Array.from({ length: 100 }, (_, i) => `m${i}`));
    },
  ], // prettier-ignore
  [
    'integers',
    () => {
      flushHeap();
      call('SADD', 'skewed', ...Array.from({ length: 300 }, (_, i) => i));
    },
  ], // prettier-ignore
])('random members are equally likely: %s', (_, make) => {
  make();
  const members = call('SCARD', 'skewed') as number;
  const draws = members * 40;
  const bound = chiSquareBound(members - 1);
  const singles = Array.from({ length: draws }, () => call('SRANDMEMBER', 'skewed'));
  expect(chiSquare(counted(singles), members, draws)).toBeLessThan(bound);
  const repeated = call('SRANDMEMBER', 'skewed', -draws) as Plain[];
  expect(chiSquare(counted(repeated), members, draws)).toBeLessThan(bound);
  // Half of the members by a walk, a tenth by single draws; different ones vary less than free draws.
  for (const share of [2, 10]) {
    const some: Plain[] = [];
    for (let i = 0; i < 20 * share; i++) {
      some.push(...(call('SRANDMEMBER', 'skewed', Math.floor(members / share)) as Plain[]));
    }
    expect(chiSquare(counted(some), members, some.length)).toBeLessThan(bound);
  }
  const popped: Plain[] = [];
  for (let i = 0; i < 40; i++) {
    call('COPY', 'skewed', 'copy', 'REPLACE');
    popped.push(...(call('SPOP', 'copy', Math.floor(members / 4)) as Plain[]));
  }
  expect(chiSquare(counted(popped), members, popped.length)).toBeLessThan(bound);
});

test('an iteration returns all members that are there throughout', () => {
  flushHeap();
  const random = new Random(SEED + 9);
  const steady = Array.from({ length: 3000 }, (_, i) => `steady:${i}`);
  call('SADD', 's', ...steady);
  let serial = 0;
  const churn = (): void => {
    for (let i = 0; i < 40; i++) {
      if (random.chance(0.7)) call('SADD', 's', `new:${serial++}`);
      else call('SREM', 's', `new:${random.below(serial + 1)}`);
    }
  };
  for (let round = 0; round < 4; round++) {
    const found = new Set<string>();
    let cursor = '0';
    do {
      const [next, some] = call('SSCAN', 's', cursor, 'COUNT', 20) as [string, Plain[]];
      for (const member of some) found.add(String(member));
      cursor = next;
      churn();
    } while (cursor !== '0');
    expect(steady.filter((member) => !found.has(member))).toEqual([]);
    if (round === 1) for (let i = 0; i < serial; i++) call('SREM', 's', `new:${i}`);
  }
  verifyHeap();
});

test('large sets are freed in steps: deleted, popped, overwritten', () => {
  flushHeap();
  const fill = (): void => {
    for (let i = 0; i < 20_000; i += 1000) {
      call('SADD', 's', ...Array.from({ length: 1000 }, (_, k) => `member:${i + k}`));
    }
  };
  for (const command of [
    ['DEL', 's'],
    ['UNLINK', 's'],
    ['SET', 's', 'text'],
    ['SPOP', 's', 100_000],
    ['SDIFFSTORE', 's', 's', 's'],
  ] as [string, ...string[]][]) {
    call('DEL', 's');
    while (freeRetired(1000) > 0) {}
    fill();
    const used = allocator.usedBytes();
    call(...command);
    expect(hasRetired(), command.join(' ')).toBe(true);
    expect(allocator.usedBytes()).toBeGreaterThan(used * 0.9);
    freeRetired(500);
    verifyHeap();
    while (freeRetired(1000) > 0) {}
    verifyHeap();
    expect(allocator.usedBytes()).toBeLessThan(used * 0.1);
  }
});

test('twenty integers below eight million take a slot of 64 bytes beside their key', () => {
  flushHeap();
  call('SADD', 'k', ...Array.from({ length: 20 }, (_, i) => (i * 400_009) % 8_000_000));
  const one = allocator.usedBytes();
  call('SADD', 'm', ...Array.from({ length: 20 }, (_, i) => (i * 400_009) % 8_000_000));
  expect(allocator.usedBytes() - one).toBe(64 + 32);
});
