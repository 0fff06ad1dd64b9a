// The B+tree with nodes on both sides of the 32 GiB border, where refs become negative numbers. The
// arena below it is taken in runs that nobody touches, so the test costs no such memory.
import { expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { Random } from '../support/random.js';

const WINDOW_BYTES = 1024 * 1024 * 1024;
const allocator = await openTestArena(33 * WINDOW_BYTES);
const { DATA } = await import('../../storage/memory/extents.js');
const layout = await import('../../storage/memory/layout.js');
const tree = await import('../../storage/structures/btree.js');
const { advance, Cursor, seek } = await import('../../storage/structures/btree_cursor.js');
const { verifyTree } = await import('../../storage/structures/btree_verify.js');

const ROOT_WORD = layout.DATABASE_EXPIRY_WORD;
const root = layout.databaseRoot(0);
const EXTENTS_LEFT = 2; // below the border: room for about half of the items

function fillBelowBorder(): void {
  const perWindow = layout.EXTENTS_PER_WINDOW - layout.METADATA_EXTENTS;
  for (let window = 0; window < 32; window++) {
    const extents = window < 31 ? perWindow : perWindow - EXTENTS_LEFT;
    const run = allocator.allocate(extents * layout.EXTENT_BYTES, DATA);
    expect(run >>> layout.WINDOW_SHIFT).toBe(window);
  }
}

test('nodes may lie in several windows', () => {
  fillBelowBorder();
  const startBytes = allocator.usedBytes();
  const random = new Random(20251);
  const items = 500_000;
  const keys = new Int32Array(items);
  for (let i = 0; i < items; i++) {
    keys[i] = random.uint32();
    if (!tree.insert(root, ROOT_WORD, 0, keys[i]!, i)) throw new Error('the arena is full');
  }
  const nodesByWindow = new Map<number, number>();
  const verify = (): void => {
    nodesByWindow.clear();
    verifyTree(root, ROOT_WORD, (ref) => {
      const window = ref >>> layout.WINDOW_SHIFT;
      nodesByWindow.set(window, (nodesByWindow.get(window) ?? 0) + 1);
    });
  };
  verify();
  expect([...nodesByWindow.keys()].sort()).toEqual([31, 32]);
  expect(nodesByWindow.get(31)).toBeGreaterThan(1000);
  expect(nodesByWindow.get(32)).toBeGreaterThan(1000);

  const cursor = new Cursor();
  const sorted = Uint32Array.from(keys).sort();
  let index = 0;
  for (let found = seek(cursor, root, ROOT_WORD, 0, 0, 0); found; found = advance(cursor)) {
    if (tree.item.w1 >>> 0 !== sorted[index]) throw new Error(`item ${index} is out of order`);
    index++;
  }
  expect(index).toBe(items);
  for (let i = 0; i < items; i += 997) {
    expect(tree.select(root, ROOT_WORD, i)).toBe(true);
    expect(tree.rank(root, ROOT_WORD, 0, tree.item.w1, tree.item.w2)).toBe(i);
  }
  for (let i = 0; i < items; i++) {
    if (!tree.remove(root, ROOT_WORD, 0, keys[i]!, i)) throw new Error(`item ${i} is gone`);
    if (i % 100_000 === 0) verify();
  }
  expect(tree.count(root, ROOT_WORD)).toBe(0);
  expect(allocator.usedBytes()).toBe(startBytes);
});
