// Proves a B+tree against the invariants of btree.ts and btree_node.ts, and shows every node to the
// walk over the heap. Reads only; called by verify and by the tests after each step.
import { extentCount } from '../memory/arena.js';
import { EXTENT_SHIFT, NULL_REF, type Ref } from '../memory/layout.js';
import { TREE_COUNT_WORD, TREE_HEIGHT_WORD, TREE_TIES_WORD, TREE_TOP_WORD } from './btree.js';
import {
  CHILDREN_MAX,
  CHILDREN_MIN,
  COUNT_WORD,
  childAt,
  compareItem,
  HEIGHT_MAX,
  ITEM_WORD,
  ITEM_WORDS,
  LEAF_ITEMS_MAX,
  LEAF_ITEMS_MIN,
  LEVEL_WORD,
  NODE_BYTES,
  nodeBase,
  nodeWords,
  setTies,
  TIES_BY_SEQUENCE,
  TIES_BY_WORD,
} from './btree_node.js';

/** Where in the tree a node stands: which of the exceptions to the minimal fill hold for it. */
interface Place {
  readonly isTop: boolean;
  readonly isLast: boolean;
}

interface Walk {
  readonly visitNode: (node: Ref, bytes: number) => void;
  /** Where the last item seen lies; words is empty before the first. */
  words: Int32Array;
  at: number;
}

/**
 * Checks order, separators, counts, fill and depth of a whole tree. visitNode is called once a node,
 * before the node is read, with its size in bytes; it may throw when the granules are not free to be
 * owned. Throws an Error that names the node, what was expected and what was found.
 */
export function verifyTree(
  root: Ref,
  rootWord: number,
  visitNode: (node: Ref, bytes: number) => void,
): void {
  const words = nodeWords(root);
  const at = nodeBase(root) + rootWord;
  const top = words[at + TREE_TOP_WORD]! as Ref;
  const height = words[at + TREE_HEIGHT_WORD]!;
  const count = words[at + TREE_COUNT_WORD]!;
  const ties = words[at + TREE_TIES_WORD]!;
  const isOrder = ties >= TIES_BY_WORD && ties <= TIES_BY_SEQUENCE;
  expect(isOrder, root, `an order of ties, found ${ties}`);
  setTies(ties);
  if (height === 0 || top === NULL_REF) {
    for (let word = 0; word < TREE_TIES_WORD; word++) {
      expect(words[at + word] === 0, root, `an empty tree has zero in root word ${word}`);
    }
    return;
  }
  expect(height > 0 && height <= HEIGHT_MAX, root, `height 1..${HEIGHT_MAX}, found ${height}`);
  const walk: Walk = { visitNode, words: new Int32Array(0), at: 0 };
  const found = verifyNode(walk, top, height - 1, { isTop: true, isLast: true });
  expect(found === count, root, `${count} items as the root says, found ${found}`);
}

/** Shows what freeSome() has left of a tree to the walk over the heap. */
export function verifyTreeFreeing(
  root: Ref,
  rootWord: number,
  visitNode: (node: Ref, bytes: number) => void,
): void {
  const words = nodeWords(root);
  const at = nodeBase(root) + rootWord;
  const height = words[at + TREE_HEIGHT_WORD]!;
  if (height > 0) visitSubtree(words[at + TREE_TOP_WORD]! as Ref, height - 1, visitNode);
}

function visitSubtree(
  node: Ref,
  level: number,
  visitNode: (node: Ref, bytes: number) => void,
): void {
  visitNode(node, NODE_BYTES);
  if (level === 0) return;
  const size = nodeWords(node)[nodeBase(node)]!;
  for (let i = 0; i < size; i++) visitSubtree(childAt(node, i), level - 1, visitNode);
}

/** Checks a subtree in order and returns its number of items. */
function verifyNode(walk: Walk, node: Ref, level: number, place: Place): number {
  const inside = node !== NULL_REF && node >>> EXTENT_SHIFT < extentCount;
  expect(inside, node, 'a ref into the arena');
  walk.visitNode(node, NODE_BYTES);
  const words = nodeWords(node);
  const base = nodeBase(node);
  const size = words[base]!;
  expect(words[base + LEVEL_WORD] === level, node, `level ${level}, found ${words[base + 1]}`);
  expect(words[base + 2] === 0 && words[base + 3] === 0, node, 'zeros in header words 2 and 3');
  if (level === 0) {
    const least = place.isTop || place.isLast ? 1 : LEAF_ITEMS_MIN;
    expect(size >= least && size <= LEAF_ITEMS_MAX, node, `${least} items or more, found ${size}`);
    verifyItems(walk, node, size);
    return size;
  }
  const least = place.isTop ? 2 : CHILDREN_MIN;
  expect(size >= least && size <= CHILDREN_MAX, node, `${least} children or more, found ${size}`);
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const isLast = place.isLast && i === size - 1;
    const separator = i === 0 ? -1 : base + ITEM_WORD + (i - 1) * ITEM_WORDS;
    const below = verifyChild(walk, node, i, separator, level - 1, isLast);
    const counted = words[base + COUNT_WORD + i];
    expect(counted === below, node, `count ${below} for child ${i}, found ${counted}`);
    sum += below;
  }
  return sum;
}

function verifyChild(
  walk: Walk,
  node: Ref,
  index: number,
  separator: number,
  level: number,
  isLast: boolean,
): number {
  const child = childAt(node, index);
  const below = verifyNode(walk, child, level, { isTop: false, isLast });
  if (separator < 0) return below;
  let leaf = child;
  for (let l = level; l > 0; l--) leaf = childAt(leaf, 0);
  const isExact = compareAt(nodeWords(node), separator, nodeWords(leaf), nodeBase(leaf)) === 0;
  expect(isExact, node, `separator ${index - 1} equals the first item to its right`);
  return below;
}

/** Order of the item or separator at words[at] against the first item of a leaf. */
function compareAt(words: Int32Array, at: number, leafWords: Int32Array, leafBase: number): number {
  const item = leafBase + ITEM_WORD;
  return compareItem(words, at, leafWords[item]!, leafWords[item + 1]!, leafWords[item + 2]!);
}

function verifyItems(walk: Walk, leaf: Ref, size: number): void {
  const words = nodeWords(leaf);
  const base = nodeBase(leaf);
  for (let i = 0; i < size; i++) {
    const at = base + ITEM_WORD + i * ITEM_WORDS;
    if (walk.words.length > 0) {
      const order = compareItem(walk.words, walk.at, words[at]!, words[at + 1]!, words[at + 2]!);
      expect(order <= 0, leaf, `item ${i} at or after the one before it in order`);
    }
    walk.words = words;
    walk.at = at;
  }
}

function expect(holds: boolean, node: Ref, expected: string): void {
  if (!holds) throw new Error(`heap corruption: B+tree at ref ${node >>> 0}: expected ${expected}`);
}
