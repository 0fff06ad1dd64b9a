// The B+tree against a sorted array: every answer after seeded random operations, and verifyTree
// after each batch. BTREE_SEED replays a run, BTREE_OPERATIONS lengthens it.
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const allocator = await openTestArena(64 * 1024 * 1024);
const { DENSE } = await import('../../storage/memory/extents.js');
const { NULL_REF, WINDOW_MASK, WINDOW_SHIFT } = await import('../../storage/memory/layout.js');
const { wordWindows } = await import('../../storage/memory/arena.js');
const tree = await import('../../storage/structures/btree.js');
const node = await import('../../storage/structures/btree_node.js');
const { advance, Cursor, seek } = await import('../../storage/structures/btree_cursor.js');
const { verifyTree } = await import('../../storage/structures/btree_verify.js');

const SEED = numberFromEnv('BTREE_SEED', 20250);
const OPERATIONS = numberFromEnv('BTREE_OPERATIONS', 100_000);
const ROOT_WORD = 3; // any word will do
const INT_MIN = -0x80000000;
const INT_MAX = 0x7fffffff;

type Item = readonly [number, number, number];

const root = allocator.allocate(32, DENSE);
const emptyBytes = allocator.usedBytes();
const rootWords = wordWindows[root >>> WINDOW_SHIFT]!;
const rootAt = ((root & WINDOW_MASK) << 2) + ROOT_WORD;

function compare(a: Item, b: Item): number {
  return a[0] - b[0] || (a[1] >>> 0) - (b[1] >>> 0) || (a[2] >>> 0) - (b[2] >>> 0);
}

/** The reference: a sorted array. */
class Model {
  readonly items: Item[] = [];

  below(item: Item): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.items[middle]!, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  has(item: Item): boolean {
    const at = this.items[this.below(item)];
    return at !== undefined && compare(at, item) === 0;
  }
  insert(item: Item): void {
    this.items.splice(this.below(item), 0, item);
  }
  remove(item: Item): boolean {
    if (!this.has(item)) return false;
    this.items.splice(this.below(item), 1);
    return true;
  }
}

function insert(item: Item): boolean {
  return tree.insert(root, ROOT_WORD, item[0], item[1], item[2]);
}
function remove(item: Item): boolean {
  return tree.remove(root, ROOT_WORD, item[0], item[1], item[2]);
}
function contains(item: Item): boolean {
  return tree.contains(root, ROOT_WORD, item[0], item[1], item[2]);
}
function rank(item: Item): number {
  return tree.rank(root, ROOT_WORD, item[0], item[1], item[2]);
}
function registers(): Item {
  return [tree.item.w0, tree.item.w1, tree.item.w2];
}
function from(item: Item): Item[] {
  const cursor = new Cursor();
  const items: Item[] = [];
  let found = seek(cursor, root, ROOT_WORD, item[0], item[1], item[2]);
  for (; found; found = advance(cursor)) items.push(registers());
  expect(advance(cursor)).toBe(false);
  return items;
}

/** Nodes seen by verifyTree, after checking that the allocator counts the same bytes. */
function verify(): number {
  const seen = new Set<number>();
  let bytes = 0;
  verifyTree(root, ROOT_WORD, (ref, nodeBytes) => {
    if (seen.has(ref)) throw new Error(`node ${ref} has two owners`);
    seen.add(ref);
    bytes += allocator.usableBytes(nodeBytes);
  });
  expect(allocator.usedBytes() - emptyBytes).toBe(bytes);
  return seen.size;
}

function expectSame(model: Model): void {
  verify();
  expect(tree.count(root, ROOT_WORD)).toBe(model.items.length);
  expect(from([INT_MIN, 0, 0])).toEqual(model.items);
}

/** Random items that collide often, lie at the borders of int32, or anywhere. */
function randomItem(random: Random): Item {
  const edges = [INT_MIN, INT_MIN + 1, -1, 0, 1, INT_MAX - 1, INT_MAX];
  switch (random.below(3)) {
    case 0:
      return [random.pick(edges), random.pick(edges), random.pick(edges)];
    case 1:
      return [random.between(-2, 2), random.between(-40, 40), random.between(-1, 1)];
    default:
      return [random.uint32() | 0, random.uint32() | 0, random.uint32() | 0];
  }
}

beforeEach(() => {
  tree.freeAll(root, ROOT_WORD);
  rootWords.fill(0, rootAt, rootAt + tree.TREE_ROOT_WORDS);
  expect(allocator.usedBytes()).toBe(emptyBytes);
});

describe('an empty tree', () => {
  test('finds nothing and takes no memory', () => {
    expect(tree.count(root, ROOT_WORD)).toBe(0);
    expect(tree.first(root, ROOT_WORD)).toBe(false);
    expect(tree.select(root, ROOT_WORD, 0)).toBe(false);
    expect(contains([0, 0, 0])).toBe(false);
    expect(remove([0, 0, 0])).toBe(false);
    expect(rank([INT_MAX, -1, -1])).toBe(0);
    expect(from([INT_MIN, 0, 0])).toEqual([]);
    expect(verify()).toBe(0);
  });

  test('is what stays after the last remove', () => {
    expect(insert([7, 8, 9])).toBe(true);
    expect(verify()).toBe(1);
    expect(remove([7, 8, 9])).toBe(true);
    expect(verify()).toBe(0);
    expect(rootWords.subarray(rootAt, rootAt + tree.TREE_ROOT_WORDS)).toEqual(new Int32Array(4));
  });
});

describe('order', () => {
  test('is signed in the first word, unsigned in the others', () => {
    const ordered: Item[] = [];
    for (const w0 of [INT_MIN, -1, 0, 1, INT_MAX]) {
      for (const w1 of [0, 1, INT_MAX, INT_MIN, -1]) {
        for (const w2 of [0, 1, INT_MAX, INT_MIN, -1]) ordered.push([w0, w1, w2]);
      }
    }
    for (const item of new Random(SEED).shuffle([...ordered])) insert(item);
    expect(from([INT_MIN, 0, 0])).toEqual(ordered);
    ordered.forEach((item, index) => {
      expect(rank(item)).toBe(index);
      expect(tree.select(root, ROOT_WORD, index)).toBe(true);
      expect(registers()).toEqual(item);
    });
    expect(tree.select(root, ROOT_WORD, ordered.length)).toBe(false);
    expect(tree.select(root, ROOT_WORD, -1)).toBe(false);
    verify();
  });

  test('equal items are kept as often as they were inserted', () => {
    const times = node.LEAF_ITEMS_MAX * 40;
    for (let i = 0; i < times; i++) {
      insert([1, 2, 3]);
      insert([1, 2, i & 1 ? 2 : 4]);
    }
    verify();
    expect(rank([1, 2, 3])).toBe(times / 2);
    expect(rank([1, 2, 4])).toBe(times + times / 2);
    for (let i = 0; i < times; i++) expect(remove([1, 2, 3])).toBe(true);
    expect(remove([1, 2, 3])).toBe(false);
    expect(contains([1, 2, 3])).toBe(false);
    expect(tree.count(root, ROOT_WORD)).toBe(times);
    verify();
  });
});

describe('against a sorted array', () => {
  test(`${OPERATIONS} mixed operations, growing and shrinking (BTREE_SEED=${SEED})`, () => {
    const random = new Random(SEED);
    const model = new Model();
    let inserting = 0.7;
    for (let step = 1; step <= OPERATIONS; step++) {
      const known = model.items.length > 0 && random.chance(0.5);
      const item = known ? random.pick(model.items) : randomItem(random);
      if (random.chance(inserting)) {
        expect(insert(item)).toBe(true);
        model.insert(item);
      } else {
        expect(remove(item)).toBe(model.remove(item));
      }
      const probe = randomItem(random);
      if (contains(probe) !== model.has(probe)) throw new Error(`contains ${probe} at ${step}`);
      if (rank(probe) !== model.below(probe)) throw new Error(`rank of ${probe} at step ${step}`);
      const index = random.below(model.items.length + 1);
      const selected = tree.select(root, ROOT_WORD, index) ? registers() : undefined;
      expect(selected).toEqual(model.items[index]);
      if (step % 1000 === 0) verify();
      if (step % 10_000 === 0) {
        expectSame(model);
        expect(from(probe)).toEqual(model.items.slice(model.below(probe)));
        inserting = inserting > 0.5 ? 0.2 : 0.7;
      }
    }
    for (const item of random.shuffle([...model.items])) expect(remove(item)).toBe(true);
    expect(verify()).toBe(0);
  });

  test('any short sequence of operations', () => {
    const word = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom(INT_MIN, INT_MAX));
    const step = fc.tuple(
      fc.boolean(),
      fc.tuple(word, word, word),
      fc.integer({ min: 1, max: 99 }),
    );
    const run = (steps: [boolean, Item, number][]): void => {
      tree.freeAll(root, ROOT_WORD);
      const model = new Model();
      for (const [inserts, item, times] of steps) {
        for (let i = 0; i < times; i++) {
          const stepped: Item = [item[0], item[1], (item[2] + i) | 0];
          if (inserts) {
            insert(stepped);
            model.insert(stepped);
          } else {
            expect(remove(stepped)).toBe(model.remove(stepped));
          }
        }
        expectSame(model);
      }
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 30 }), run), { seed: SEED, numRuns: 60 });
  });
});

describe('large trees', () => {
  const items = 200_000;

  test('ascending inserts leave the leaves full', () => {
    for (let i = 0; i < items; i++) insert([i >> 16, i << 16, i]);
    const nodes = verify();
    const full = Math.ceil(items / node.LEAF_ITEMS_MAX);
    expect(nodes).toBeLessThan(full * 1.05);
    expect(rootWords[rootAt + tree.TREE_HEIGHT_WORD]).toBeGreaterThanOrEqual(3);
  });

  test('descending inserts, then taking the first again and again', () => {
    for (let i = items - 1; i >= 0; i--) insert([-1, i, ~i]);
    verify();
    for (let i = 0; i < items; i++) {
      expect(tree.first(root, ROOT_WORD)).toBe(true);
      if (tree.item.w1 !== i || tree.item.w2 !== ~i) throw new Error(`first is not ${i}`);
      remove([tree.item.w0, tree.item.w1, tree.item.w2]);
      if (i % 20_000 === 0) verify();
    }
    expect(verify()).toBe(0);
  });

  test('removing from both ends, and in random order, gives all memory back', () => {
    const random = new Random(SEED + 1);
    const order: number[] = [];
    for (let i = 0; i < items; i++) order.push(Math.imul(i, 0x9e3779b1));
    for (const word of order) insert([word >> 30, word, word]);
    verify();
    for (let left = items; left > items / 2; left--) {
      const index = left > (items / 4) * 3 ? left - 1 : 0; // the end first, then the front
      expect(tree.select(root, ROOT_WORD, index)).toBe(true);
      expect(remove(registers())).toBe(true);
      if (left % 10_000 === 0) verify();
    }
    let left = items / 2;
    for (const word of random.shuffle(order)) {
      if (!remove([word >> 30, word, word])) continue;
      left--;
      if (left % 10_000 === 0) verify();
    }
    expect(left).toBe(0);
    expect(verify()).toBe(0);
  });

  test('freeAll gives all memory back', () => {
    for (let i = 0; i < items; i++) insert([0, Math.imul(i, 0x9e3779b1), i]);
    tree.freeAll(root, ROOT_WORD);
    expect(verify()).toBe(0);
  });
});

describe('a cursor', () => {
  test('starts at the lower bound, also between leaves', () => {
    for (let i = 0; i < 5000; i++) insert([0, i * 2, 0]);
    const cursor = new Cursor();
    for (let i = 0; i < 5000; i++) {
      expect(seek(cursor, root, ROOT_WORD, 0, i * 2 - 1, 0)).toBe(i > 0); // -1 is the largest word
      if (i > 0) expect(registers()).toEqual([0, i * 2, 0]);
      expect(seek(cursor, root, ROOT_WORD, 0, i * 2, 0)).toBe(true);
      expect(registers()).toEqual([0, i * 2, 0]);
    }
    expect(seek(cursor, root, ROOT_WORD, 0, 9998, 1)).toBe(false);
    expect(advance(cursor)).toBe(false);
  });

  test('refuses to go on over a tree that changed', () => {
    for (let i = 0; i < 500; i++) insert([0, i, 0]);
    const cursor = new Cursor();
    seek(cursor, root, ROOT_WORD, 0, 100, 0);
    remove([0, 100, 0]);
    expect(() => advance(cursor)).toThrow('changed since seek()');
    expect(seek(cursor, root, ROOT_WORD, 0, 100, 0)).toBe(true);
    expect(registers()).toEqual([0, 101, 0]);
  });
});

describe('a full arena', () => {
  const hoard: (typeof root)[] = [];

  function takeEverything(): void {
    for (;;) {
      const ref = allocator.allocate(node.NODE_BYTES, DENSE);
      if (ref === NULL_REF) return;
      hoard.push(ref);
    }
  }
  function giveBackOne(): void {
    allocator.free(hoard.pop()!, node.NODE_BYTES, DENSE);
  }

  /** Inserts with no node to spare, then one, then two ...; returns how many the insert took. */
  function insertWithLeastMemory(item: Item, items: number): number {
    for (let spare = 0; ; spare++) {
      const before = allocator.usedBytes();
      if (insert(item)) {
        expect(allocator.usedBytes() - before).toBe(spare * node.NODE_BYTES);
        return spare;
      }
      expect(allocator.usedBytes()).toBe(before);
      expect(contains(item)).toBe(false);
      expect(tree.count(root, ROOT_WORD)).toBe(items);
      verifyTree(root, ROOT_WORD, () => {});
      giveBackOne();
    }
  }

  test('refuses an insert and leaves the tree as it was, whichever node is missing', () => {
    const random = new Random(SEED + 2);
    const items: Item[] = [];
    const splitsByNodes = [0, 0, 0, 0];
    takeEverything();
    for (let step = 0; step < 60_000; step++) {
      const item: Item = [0, step < 30_000 ? step : random.uint32() | 0, step];
      const nodes = insertWithLeastMemory(item, step);
      splitsByNodes[nodes]!++;
      items.push(item);
    }
    expect(splitsByNodes[1]).toBeGreaterThan(500);
    expect(splitsByNodes[2]).toBeGreaterThan(5); // a leaf and its parent
    expect(splitsByNodes[3]).toBeGreaterThan(0); // and a new top
    expect(from([INT_MIN, 0, 0])).toEqual(items.sort(compare));
    while (hoard.length > 0) giveBackOne();
    verify();
  });
});

describe('verifyTree', () => {
  const spoil = (word: number, value: number, message: string): void => {
    const kept = rootWords[word]!;
    rootWords[word] = value;
    expect(() => verifyTree(root, ROOT_WORD, () => {})).toThrow(message);
    rootWords[word] = kept;
    verify();
  };

  test('finds wrong counts, sizes, levels, order, separators and refs', () => {
    for (let i = 0; i < 1000; i++) insert([0, Math.imul(i, 0x9e3779b1), i]);
    const top = rootWords[rootAt] as typeof root;
    const base = node.nodeBase(top);
    const child = node.nodeBase(node.childAt(top, 1));
    spoil(rootAt + tree.TREE_COUNT_WORD, 999, '999 items as the root says, found 1000');
    spoil(rootAt + tree.TREE_HEIGHT_WORD, 3, 'level 2, found 1');
    spoil(rootAt + 3, 3, 'an order of ties, found 3');
    spoil(base + node.COUNT_WORD, 1, 'for child 0, found 1');
    spoil(base, 1, '2 children or more, found 1');
    spoil(base + node.ITEM_WORD + 1, 0, 'separator 0 equals the first item');
    spoil(base + node.CHILD_WORD, 0, 'a ref into the arena');
    spoil(base + node.CHILD_WORD, -1, 'a ref into the arena');
    spoil(child, 2, 'items or more, found 2');
    spoil(child + node.ITEM_WORD + 4, -1, 'in order');
  });
});
