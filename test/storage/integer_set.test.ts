// The integer set against a sorted array of bigints: seeded random changes, the set proved after each.
// INTEGER_SET_SEED replays a run, INTEGER_SET_OPERATIONS lengthens it.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const { ARENA_BYTES_MIN } = await import('../../storage/memory/layout.js');
const allocator = await openTestArena(ARENA_BYTES_MIN);
const { arena } = await import('../../storage/memory/arena.js');
const { DATA, describeExtents } = await import('../../storage/memory/extents.js');
const { NULL_REF } = await import('../../storage/memory/layout.js');
const integers = await import('../../storage/structures/integer_set.js');

const SEED = numberFromEnv('INTEGER_SET_SEED', 20_291);
const OPERATIONS = numberFromEnv('INTEGER_SET_OPERATIONS', 4000);
const ROOT_WORD = 2;

type Owner = ReturnType<typeof newSet>;

function newSet() {
  const owner = allocator.allocate(32, DATA);
  integers.createIntegers(owner, ROOT_WORD);
  return owner;
}

const highOf = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));
const lowOf = (value: bigint): number => Number(BigInt.asIntN(32, value));

function find(owner: Owner, value: bigint): number {
  return integers.findInteger(owner, ROOT_WORD, highOf(value), lowOf(value));
}

function valuesOf(owner: Owner): bigint[] {
  return Array.from({ length: integers.integerCount(owner, ROOT_WORD) }, (_, i) => {
    integers.loadIntegerAt(owner, ROOT_WORD, i);
    return (BigInt(integers.loaded.high) << 32n) | BigInt(integers.loaded.low >>> 0);
  });
}

/** Proves the set; returns the bytes that it takes. */
function verify(owner: Owner): number {
  let bytes = 0;
  integers.verifyIntegers(owner, ROOT_WORD, {
    ownsData: (_, size) => {
      bytes += allocator.usableBytes(size);
    },
    ownsDense: () => {
      throw new Error('an integer set has no dense objects');
    },
  });
  expect(bytes).toBe(integers.integersMemory(owner, ROOT_WORD));
  return bytes;
}

/** Integers of up to so many bits, many of them near the borders of widths. */
function draw(random: Random, bits: number): bigint {
  if (random.chance(0.3)) {
    const border = 1n << BigInt(random.pick([7, 8, 15, 16, 23, 31, 32, 39, 47, 55, 63]));
    const value = random.pick([border, -border]) + BigInt(random.between(-2, 2));
    if (BigInt.asIntN(bits, value) === value) return value;
  }
  const value = (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
  return BigInt.asIntN(random.between(2, bits), value);
}

/** Inserts or removes a value on both sides. */
function toggle(owner: Owner, model: bigint[], value: bigint): void {
  const expected = model.filter((other) => other < value).length;
  const index = find(owner, value);
  if (model[expected] === value) {
    expect(index).toBe(expected);
    integers.removeIntegerAt(owner, ROOT_WORD, index);
    model.splice(expected, 1);
  } else {
    expect(index).toBe(-1 - expected);
    const at = -1 - index;
    const inserted = integers.insertInteger(owner, ROOT_WORD, at, highOf(value), lowOf(value));
    expect(inserted).toBe(true);
    model.splice(expected, 0, value);
  }
}

test.each([
  [16, 600],
  [24, 100],
  [32, 600],
  [40, 60],
  [64, 300],
])('random changes, integers of %i bits', (bits, countMax) => {
  const random = new Random(SEED + bits);
  const owner = newSet();
  const others = allocator.usedBytes();
  const model: bigint[] = [];
  const pageStates = new Uint8Array(arena.pageStates);
  let running = false;
  for (let i = 0; i < OPERATIONS; i++) {
    if (random.chance(0.01)) {
      if (running) allocator.useAllExtents();
      else {
        allocator.avoidPendingExtents(describeExtents(), () => 1e9);
        pageStates.fill(0);
        allocator.noteCut((i % 60) + 2); // every page is pending
      }
      running = !running;
    }
    const goesDown = model.length >= countMax || (i % 1000 > 700 && model.length > 0);
    toggle(owner, model, goesDown ? random.pick(model) : draw(random, bits));
    const bytes = verify(owner);
    expect(allocator.usedBytes() - others).toBe(bytes);
    if (i % 50 === 0) expect(valuesOf(owner)).toEqual(model);
    if (i % 500 === 250) {
      const copy = allocator.allocate(32, DATA);
      copyRoot(copy, owner);
      expect(integers.duplicateIntegers(copy, ROOT_WORD)).toBe(true);
      expect(valuesOf(copy)).toEqual(model);
      integers.freeIntegers(copy, ROOT_WORD);
      allocator.free(copy, 32, DATA);
    }
  }
  if (running) allocator.useAllExtents();
  for (const value of [...model]) toggle(owner, model, value);
  expect(verify(owner)).toBe(0);
  expect(allocator.usedBytes()).toBe(others);
});

function copyRoot(target: Owner, source: Owner): void {
  for (let word = 0; word < 8; word++) words[target * 4 + word] = words[source * 4 + word]!;
}

const words = (await import('../../storage/memory/arena.js')).wordWindows[0]!;

test('a full arena: inserting is refused and changes nothing, removing works', () => {
  const owner = newSet();
  const model: bigint[] = [];
  for (let i = 0n; i < 400n; i++) toggle(owner, model, i * 3n);
  const filler: Owner[] = [];
  for (let size = 32_768; size >= 16; size /= 2) {
    for (;;) {
      const ref = allocator.allocate(size, DATA);
      if (ref === NULL_REF) break;
      filler.push(ref);
    }
  }
  const before = integers.integersMemory(owner, ROOT_WORD);
  let refused = 0;
  for (let i = 0n; i < 400n; i++) {
    const value = i * 3n + 1n;
    const index = -1 - find(owner, value);
    if (integers.insertInteger(owner, ROOT_WORD, index, highOf(value), lowOf(value))) {
      model.splice(index, 0, value);
    } else {
      refused++;
    }
    verify(owner);
  }
  expect(refused).toBeGreaterThan(0);
  expect(integers.insertInteger(owner, ROOT_WORD, 0, -0x80000000, 0)).toBe(false);
  expect(integers.integersMemory(owner, ROOT_WORD)).toBe(before);
  expect(valuesOf(owner)).toEqual(model);
  for (const value of [...model]) toggle(owner, model, value);
  expect(verify(owner)).toBe(0);
});
