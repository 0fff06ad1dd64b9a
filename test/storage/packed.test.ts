// The packed list against an array of byte strings: seeded random changes, the list proved after each.
// PACKED_SEED replays a run, PACKED_OPERATIONS lengthens it.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const allocator = await openTestArena(64 * 1024 * 1024);
const { arena } = await import('../../storage/memory/arena.js');
const { DATA, describeExtents } = await import('../../storage/memory/extents.js');
const { NULL_REF } = await import('../../storage/memory/layout.js');
const packed = await import('../../storage/structures/packed.js');
const { span } = await import('../../storage/structures/entry.js');

const SEED = numberFromEnv('PACKED_SEED', 31_337);
const OPERATIONS = numberFromEnv('PACKED_OPERATIONS', 6000);
const ROOT_WORD = 2;
const LENGTHS = [0, 1, 2, 7, 16, 60, 252, 253, 254, 255, 256, 3000, 65_535, 65_536, 70_000];

function newList() {
  const owner = allocator.allocate(32, DATA);
  packed.createPacked(owner, ROOT_WORD);
  return owner;
}

function elementsOf(owner: ReturnType<typeof newList>): Buffer[] {
  const view = packed.packedView(owner, ROOT_WORD);
  const start = packed.packedStart(owner, ROOT_WORD);
  const found: Buffer[] = [];
  for (let at = start; at < start + packed.packedEnd(owner, ROOT_WORD); ) {
    const next = packed.readElement(view, at);
    expect(packed.skipElement(view, at)).toBe(next);
    at = next;
    found.push(Buffer.from(span.view.slice(span.offset, span.offset + span.length)));
  }
  return found;
}

/** Places of all elements and of the end. */
function placesOf(owner: ReturnType<typeof newList>): number[] {
  const view = packed.packedView(owner, ROOT_WORD);
  const start = packed.packedStart(owner, ROOT_WORD);
  const end = packed.packedEnd(owner, ROOT_WORD);
  const places = [0];
  while (places.at(-1)! < end)
    places.push(packed.skipElement(view, start + places.at(-1)!) - start);
  return places;
}

test.each([1, 2, 3])('random changes, run %i', (run) => {
  const random = new Random(SEED + run);
  const owner = newList();
  const owned = allocator.usedBytes();
  let model: Buffer[] = [];
  let running = false;
  const pageStates = new Uint8Array(arena.pageStates);
  const lengths = run === 1 ? [0, 1, 2, 7, 16, 60] : LENGTHS;
  const countMax = run === 1 ? 300 : 30;
  for (let i = 0; i < OPERATIONS; i++) {
    if (run === 3 && random.chance(0.02)) {
      if (running) allocator.useAllExtents();
      else {
        allocator.avoidPendingExtents(describeExtents(), () => 1e9);
        pageStates.fill(0);
        allocator.noteCut((i % 60) + 2); // every page is pending
      }
      running = !running;
    }
    const bytes = random.bytes(random.pick(lengths));
    const places = placesOf(owner);
    const index = random.below(model.length + 1);
    const roll = random.below(100);
    if (roll < 45 && model.length < countMax) {
      expect(packed.insertPacked(owner, ROOT_WORD, places[index]!, bytes, 0, bytes.length)).toBe(
        true,
      );
      model.splice(index, 0, bytes);
    } else if (roll < 70 && index < model.length) {
      expect(packed.replacePacked(owner, ROOT_WORD, places[index]!, bytes, 0, bytes.length)).toBe(
        true,
      );
      model[index] = bytes;
    } else if (roll < 96) {
      const count = Math.min(random.below(4), model.length - index);
      packed.removePacked(owner, ROOT_WORD, places[index]!, count);
      model.splice(index, count);
    } else if (roll < 97) {
      packed.freePacked(owner, ROOT_WORD);
      model = [];
    }
    expect(elementsOf(owner).every((element, j) => element.equals(model[j]!))).toBe(true);
    expect(packed.packedCount(owner, ROOT_WORD)).toBe(model.length);
    packed.verifyPacked(owner, ROOT_WORD, { ownsData: () => {}, ownsDense: () => {} });
    expect(allocator.usedBytes() - owned).toBe(packed.packedMemory(owner, ROOT_WORD));
    findEach(owner, model, random);
  }
  packed.freePacked(owner, ROOT_WORD);
  expect(allocator.usedBytes()).toBe(owned);
  if (running) allocator.useAllExtents();
});

/** Looks for some that are there and some that are not, among all and among every other one. */
function findEach(owner: ReturnType<typeof newList>, model: Buffer[], random: Random): void {
  const places = placesOf(owner);
  const wanted = random.chance(0.5) && model.length > 0 ? random.pick(model) : random.bytes(5);
  for (const stride of [1, 2]) {
    if (model.length % stride !== 0) continue;
    const first = random.chance(0.5) ? 0 : Math.min(stride, model.length);
    const expected = model.findIndex(
      (element, i) => i >= first && i % stride === 0 && element.equals(wanted),
    );
    const place = packed.findPacked(
      owner,
      ROOT_WORD,
      places[first]!,
      stride,
      wanted,
      0,
      wanted.length,
    );
    expect(place).toBe(expected < 0 ? -1 : places[expected]);
  }
}

test('a copy has an object of its own', () => {
  const owner = newList();
  const word = new Uint8Array(Buffer.from('element'));
  for (let i = 0; i < 20; i++) packed.insertPacked(owner, ROOT_WORD, 0, word, 0, word.length);
  const before = allocator.usedBytes();
  const copy = newList();
  const words = new Int32Array(arena.windows[0]!);
  words.copyWithin((copy << 2) + ROOT_WORD, (owner << 2) + ROOT_WORD, (owner << 2) + ROOT_WORD + 4);
  expect(packed.duplicatePacked(copy, ROOT_WORD)).toBe(true);
  packed.removePacked(owner, ROOT_WORD, 0, 19);
  expect(elementsOf(copy).length).toBe(20);
  expect(elementsOf(owner).length).toBe(1);
  packed.freePacked(copy, ROOT_WORD);
  packed.freePacked(owner, ROOT_WORD);
  expect(allocator.usedBytes()).toBeLessThan(before);
});

test('a full arena: growing is refused, shrinking and removing are not', () => {
  const owner = newList();
  const block = new Uint8Array(20_000).fill(7);
  while (packed.insertPacked(owner, ROOT_WORD, 0, block, 0, 1000)) {
    if (packed.packedCount(owner, ROOT_WORD) === 30) break;
  }
  const hogs = [];
  for (let bytes = 1024 * 1024; bytes >= 16; bytes >>= 1) {
    for (let ref = allocator.allocate(bytes, DATA); ref !== NULL_REF; ) {
      hogs.push([ref, bytes] as const);
      ref = allocator.allocate(bytes, DATA);
    }
  }
  const before = elementsOf(owner);
  expect(packed.insertPacked(owner, ROOT_WORD, 0, block, 0, 20_000)).toBe(false);
  expect(packed.replacePacked(owner, ROOT_WORD, 0, block, 0, 20_000)).toBe(false);
  expect(elementsOf(owner)).toEqual(before);
  expect(packed.replacePacked(owner, ROOT_WORD, 0, block, 0, 1)).toBe(true);
  packed.removePacked(owner, ROOT_WORD, 0, 25);
  expect(elementsOf(owner)).toEqual(before.slice(25));
  for (const [ref, bytes] of hogs) allocator.free(ref, bytes, DATA);
});
