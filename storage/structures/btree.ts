// The order-statistic B+tree: ordered items of three words in arena nodes (btree_node.ts has their
// layout and order), with rank and select in O(log n). It is a multiset: equal items may occur twice.
//
// The root is four words inside an object of the owner, `root` being the object and `rootWord` the
// index of the first word in it; four zero words are an empty tree whose ties are ordered as words:
//
//   | top node (0: empty) | height: levels, 0 when empty | count of items | order of ties |
//
// Invariants (verifyTree in btree_verify.ts checks them):
//   - every node has one owner: its parent, or the root. There are no links between leaves.
//   - all leaves lie at the same depth; no leaf is empty; an inner top node has at least two children.
//   - a node other than the top holds at least LEAF_ITEMS_MIN items or CHILDREN_MIN children, but for
//     the last leaf of the tree, which starts with one item so that ascending inserts fill all leaves.
//   - a separator equals the first item to its right, a count the items below it.
//
// Words go in as int32 (`x | 0`) and come out as int32: use `>>> 0` on w1 and w2 to see them unsigned.
// No function allocates JavaScript memory, and reads write nothing to the arena.
//
// Who may call: the owner of the root words, and nothing may run in between one call and its return.
import { allocate, free } from '../memory/allocator.js';
import { wordWindows } from '../memory/arena.js';
import { DENSE } from '../memory/extents.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import {
  CHILD_WORD,
  CHILDREN_MAX,
  CHILDREN_MIN,
  COUNT_WORD,
  childAt,
  compareItem,
  copyItem,
  countBelow,
  countUpTo,
  formatNode,
  HEIGHT_MAX,
  ITEM_WORD,
  ITEM_WORDS,
  insertChild,
  insertItem,
  insertOnlyChild,
  LEAF_ITEMS_MAX,
  LEAF_ITEMS_MIN,
  NODE_BYTES,
  nodeBase,
  nodeSize,
  nodeWords,
  removeChild,
  removeItem,
  setTies,
  shiftChildrenLeft,
  shiftChildrenRight,
  shiftItemsLeft,
  shiftItemsRight,
  subtreeCount,
  sumCounts,
} from './btree_node.js';

/** Words of a root. */
export const TREE_ROOT_WORDS = 4;
export const TREE_TOP_WORD = 0;
export const TREE_HEIGHT_WORD = 1;
export const TREE_COUNT_WORD = 2;
export const TREE_TIES_WORD = 3;

/** The most items a tree may hold: subtree counts are int32. */
const ITEMS_MAX = 0x7fffffff;

/** The item that first(), select() and the cursor found last. */
export const item = { w0: 0, w1: 0, w2: 0 };

const windows = wordWindows; // a constant of this module, which compiled code need not load

// The way from the top to the leaf of the operation at hand: node and child index by level. An entry
// is valid until that operation returns.
const pathNode = new Int32Array(HEIGHT_MAX);
const pathIndex = new Int32Array(HEIGHT_MAX);
/** The same of freeSome(), which may run while an insert waits for memory: see setReclaim. */
const freePath = new Int32Array(HEIGHT_MAX);
/** Nodes that an insert took before it changed anything: one a level and a new top. */
const reserve = new Int32Array(HEIGHT_MAX + 1);
let reserved = 0;
/** The separator on its way up from a split. */
const lifted = new Int32Array(ITEM_WORDS);
/** The separator between the halves of an inner node that is being split. */
const middle = new Int32Array(ITEM_WORDS);

/** Index in its window of the first root word. */
function rootIndex(root: Ref, rootWord: number): number {
  return ((root & WINDOW_MASK) << 2) + rootWord;
}

/** Makes an empty tree; `ties` is TIES_BY_WORD or another TIES_BY_*. Nothing is allocated. */
export function createTree(root: Ref, rootWord: number, ties: number): void {
  const words = windows[root >>> WINDOW_SHIFT]!;
  const at = rootIndex(root, rootWord);
  words.fill(0, at, at + TREE_ROOT_WORDS);
  words[at + TREE_TIES_WORD] = ties;
}

/** Number of items. */
export function count(root: Ref, rootWord: number): number {
  return windows[root >>> WINDOW_SHIFT]![rootIndex(root, rootWord) + TREE_COUNT_WORD]!;
}

/** Reads the item at words[at] into the registers. */
export function loadItem(words: Int32Array, at: number): void {
  item.w0 = words[at]!;
  item.w1 = words[at + 1]!;
  item.w2 = words[at + 2]!;
}

/**
 * Records the way to the leaf that holds the last item of at most (w0, w1, w2), or the first leaf
 * when there is none. Since separators are exact, an equal item lies in no other leaf unless this one
 * holds it too.
 */
function descend(top: Ref, height: number, w0: number, w1: number, w2: number): Ref {
  let node = top;
  for (let level = height - 1; level > 0; level--) {
    const words = windows[node >>> WINDOW_SHIFT]!;
    const base = (node & WINDOW_MASK) << 2;
    const index = countUpTo(words, base + ITEM_WORD, words[base]! - 1, w0, w1, w2);
    pathNode[level] = node;
    pathIndex[level] = index;
    node = words[base + CHILD_WORD + index]! as Ref;
  }
  pathNode[0] = node;
  return node;
}

/** Adds `delta` to the counts on the path, from `level` up to the top. */
function addToPath(level: number, height: number, delta: number): void {
  for (let l = level; l < height; l++) {
    const node = pathNode[l]! as Ref;
    const words = windows[node >>> WINDOW_SHIFT]!;
    const at = ((node & WINDOW_MASK) << 2) + COUNT_WORD + pathIndex[l]!;
    words[at] = words[at]! + delta;
  }
}

// --- insert --------------------------------------------------------------------------------------

/** Adds an item. False when the arena (or the tree) is full: nothing has changed then. */
export function insert(root: Ref, rootWord: number, w0: number, w1: number, w2: number): boolean {
  const rootWords = windows[root >>> WINDOW_SHIFT]!;
  const rootAt = rootIndex(root, rootWord);
  const height = rootWords[rootAt + TREE_HEIGHT_WORD]!;
  const items = rootWords[rootAt + TREE_COUNT_WORD]!;
  if (items === ITEMS_MAX) return false;
  setTies(rootWords[rootAt + TREE_TIES_WORD]!);
  if (height === 0) {
    const leaf = allocate(NODE_BYTES, DENSE);
    if (leaf === NULL_REF) return false;
    formatNode(leaf, 0);
    insertItem(leaf, 0, w0, w1, w2);
    rootWords[rootAt + TREE_TOP_WORD] = leaf;
    rootWords[rootAt + TREE_HEIGHT_WORD] = 1;
  } else {
    const leaf = descend(rootWords[rootAt + TREE_TOP_WORD]! as Ref, height, w0, w1, w2);
    const words = windows[leaf >>> WINDOW_SHIFT]!;
    const base = (leaf & WINDOW_MASK) << 2;
    const size = words[base]!;
    const index = countUpTo(words, base + ITEM_WORD, size, w0, w1, w2);
    if (size < LEAF_ITEMS_MAX) {
      insertItem(leaf, index, w0, w1, w2);
      addToPath(1, height, 1);
    } else {
      if (!reserveNodes(height)) return false;
      const right = splitLeaf(leaf, index, height, w0, w1, w2);
      attachSplit(leaf, right, rootWords, rootAt, height);
    }
  }
  rootWords[rootAt + TREE_COUNT_WORD] = items + 1;
  return true;
}

/** Takes the nodes that splitting the full leaf of the path needs; false (none taken) if too few. */
function reserveNodes(height: number): boolean {
  let needed = 1;
  while (needed < height && nodeSize(pathNode[needed]! as Ref) === CHILDREN_MAX) needed++;
  if (needed === height) needed++; // the top is full too: a new one goes above it
  for (reserved = 0; reserved < needed; reserved++) {
    const node = allocate(NODE_BYTES, DENSE);
    if (node === NULL_REF) {
      while (reserved > 0) free(reserve[--reserved]! as Ref, NODE_BYTES, DENSE);
      return false;
    }
    reserve[reserved] = node;
  }
  return true;
}

function takeReserved(level: number): Ref {
  const node = reserve[--reserved]! as Ref;
  formatNode(node, level);
  return node;
}

/** True when the path runs along the right edge of the tree from `level` up. */
function isLastAbove(level: number, height: number): boolean {
  for (let l = level; l < height; l++) {
    if (pathIndex[l] !== nodeSize(pathNode[l]! as Ref) - 1) return false;
  }
  return true;
}

/** Splits a full leaf and puts the item in. Returns the new right leaf; its separator is lifted. */
function splitLeaf(
  leaf: Ref,
  index: number,
  height: number,
  w0: number,
  w1: number,
  w2: number,
): Ref {
  const right = takeReserved(0);
  const isAppend = index === LEAF_ITEMS_MAX && isLastAbove(1, height);
  const kept = isAppend ? LEAF_ITEMS_MAX : LEAF_ITEMS_MAX >>> 1;
  shiftItemsRight(leaf, right, LEAF_ITEMS_MAX - kept);
  if (index > kept || isAppend) insertItem(right, index - kept, w0, w1, w2);
  else insertItem(leaf, index, w0, w1, w2);
  copyItem(lifted, 0, nodeWords(right), nodeBase(right) + ITEM_WORD);
  return right;
}

/** Hangs the new right half of a split leaf into the tree, splitting parents that are full. */
function attachSplit(
  leftLeaf: Ref,
  rightLeaf: Ref,
  rootWords: Int32Array,
  rootAt: number,
  height: number,
): void {
  let left = leftLeaf;
  let right = rightLeaf;
  for (let level = 1; level < height; level++) {
    const parent = pathNode[level]! as Ref;
    const index = pathIndex[level]!;
    nodeWords(parent)[nodeBase(parent) + COUNT_WORD + index] = subtreeCount(left);
    if (nodeSize(parent) < CHILDREN_MAX) {
      insertChild(parent, index + 1, right, subtreeCount(right), lifted, 0);
      addToPath(level + 1, height, 1);
      return;
    }
    left = parent;
    right = splitInner(parent, index + 1, right, level, height);
  }
  const top = takeReserved(height);
  insertOnlyChild(top, left, subtreeCount(left));
  insertChild(top, 1, right, subtreeCount(right), lifted, 0);
  rootWords[rootAt + TREE_TOP_WORD] = top;
  rootWords[rootAt + TREE_HEIGHT_WORD] = height + 1;
}

/**
 * Splits a full inner node and puts `child`, with the lifted separator before it, in as child
 * `index`. Returns the new right node; the separator between the two halves is lifted.
 */
function splitInner(node: Ref, index: number, child: Ref, level: number, height: number): Ref {
  const right = takeReserved(level);
  const isAppend = isLastAbove(level, height);
  const kept = isAppend ? CHILDREN_MAX - CHILDREN_MIN : CHILDREN_MAX >>> 1;
  shiftChildrenRight(node, right, CHILDREN_MAX - kept, middle, 0);
  if (index > kept) insertChild(right, index - kept, child, subtreeCount(child), lifted, 0);
  else insertChild(node, index, child, subtreeCount(child), lifted, 0);
  copyItem(lifted, 0, middle, 0);
  return right;
}

// --- remove --------------------------------------------------------------------------------------

/** Removes one instance of an item. False when there is none. */
export function remove(root: Ref, rootWord: number, w0: number, w1: number, w2: number): boolean {
  const rootWords = windows[root >>> WINDOW_SHIFT]!;
  const rootAt = rootIndex(root, rootWord);
  const height = rootWords[rootAt + TREE_HEIGHT_WORD]!;
  if (height === 0) return false;
  setTies(rootWords[rootAt + TREE_TIES_WORD]!);
  const leaf = descend(rootWords[rootAt + TREE_TOP_WORD]! as Ref, height, w0, w1, w2);
  const words = windows[leaf >>> WINDOW_SHIFT]!;
  const base = (leaf & WINDOW_MASK) << 2;
  const size = words[base]!;
  const index = countUpTo(words, base + ITEM_WORD, size, w0, w1, w2) - 1;
  if (index < 0) return false;
  if (compareItem(words, base + ITEM_WORD + index * ITEM_WORDS, w0, w1, w2) !== 0) return false;
  removeFromPath(rootWords, rootAt, height, index);
  return true;
}

/** Removes item number `index`, which must be there, and fills `item` with it; compares nothing. */
export function removeAt(root: Ref, rootWord: number, index: number): void {
  const rootWords = windows[root >>> WINDOW_SHIFT]!;
  const rootAt = rootIndex(root, rootWord);
  const height = rootWords[rootAt + TREE_HEIGHT_WORD]!;
  if (!(index >= 0 && index < rootWords[rootAt + TREE_COUNT_WORD]!)) {
    throw new RangeError(`no item ${index} in a tree of ${rootWords[rootAt + TREE_COUNT_WORD]}`);
  }
  const left = descendTo(rootWords[rootAt + TREE_TOP_WORD]! as Ref, height, index);
  const leaf = pathNode[0]! as Ref;
  loadItem(nodeWords(leaf), nodeBase(leaf) + ITEM_WORD + left * ITEM_WORDS);
  removeFromPath(rootWords, rootAt, height, left);
}

/** Records the way to the leaf of item number `index`, which must be there. Returns its index in the leaf. */
function descendTo(top: Ref, height: number, index: number): number {
  let node = top;
  let left = index | 0;
  for (let level = height - 1; level > 0; level--) {
    const words = windows[node >>> WINDOW_SHIFT]!;
    const base = (node & WINDOW_MASK) << 2;
    let child = 0;
    while (left >= words[base + COUNT_WORD + child]!) left -= words[base + COUNT_WORD + child++]!;
    pathNode[level] = node;
    pathIndex[level] = child;
    node = words[base + CHILD_WORD + child]! as Ref;
  }
  pathNode[0] = node;
  return left;
}

/**
 * Gives item number `index`, which must be there, another third word of the same order: what it refers to
 * has moved.
 */
export function replaceThirdWord(root: Ref, rootWord: number, index: number, word: number): void {
  const rootWords = windows[root >>> WINDOW_SHIFT]!;
  const rootAt = rootIndex(root, rootWord);
  const height = rootWords[rootAt + TREE_HEIGHT_WORD]!;
  const left = descendTo(rootWords[rootAt + TREE_TOP_WORD]! as Ref, height, index);
  const leaf = pathNode[0]! as Ref;
  nodeWords(leaf)[nodeBase(leaf) + ITEM_WORD + left * ITEM_WORDS + 2] = word;
  if (left === 0) replaceSeparator(leaf, height);
}

/** Removes item `index` of the leaf that the path leads to. */
function removeFromPath(
  rootWords: Int32Array,
  rootAt: number,
  height: number,
  index: number,
): void {
  const leaf = pathNode[0]! as Ref;
  const size = nodeSize(leaf);
  removeItem(leaf, index);
  addToPath(1, height, -1);
  rootWords[rootAt + TREE_COUNT_WORD] = rootWords[rootAt + TREE_COUNT_WORD]! - 1;
  if (index === 0 && size > 1) replaceSeparator(leaf, height);
  if (size <= LEAF_ITEMS_MIN) refill(rootWords, rootAt, height);
}

/** Makes the separator before a leaf, if it has one, equal to its first item again. */
function replaceSeparator(leaf: Ref, height: number): void {
  for (let level = 1; level < height; level++) {
    const index = pathIndex[level]!;
    if (index === 0) continue;
    const node = pathNode[level]! as Ref;
    const separator = nodeBase(node) + ITEM_WORD + (index - 1) * ITEM_WORDS;
    copyItem(nodeWords(node), separator, nodeWords(leaf), nodeBase(leaf) + ITEM_WORD);
    return;
  }
}

/** Refills the leaf of the path and each parent that lost a child by it; may lower the tree. */
function refill(rootWords: Int32Array, rootAt: number, height: number): void {
  for (let level = 1; level < height; level++) {
    const parent = pathNode[level]! as Ref;
    const index = pathIndex[level]!;
    const merged = level === 1 ? refillLeaf(parent, index) : refillInner(parent, index);
    if (!merged || nodeSize(parent) >= CHILDREN_MIN) return;
  }
  const top = pathNode[height - 1]! as Ref;
  if (nodeSize(top) > 1) return;
  if (height === 1) {
    if (nodeSize(top) === 1) return;
    rootWords[rootAt + TREE_TOP_WORD] = NULL_REF;
  } else {
    rootWords[rootAt + TREE_TOP_WORD] = childAt(top, 0);
  }
  rootWords[rootAt + TREE_HEIGHT_WORD] = height - 1;
  free(top, NODE_BYTES, DENSE);
}

/** Fills up leaf `index` of a parent from a neighbour. True when the two became one. */
function refillLeaf(parent: Ref, index: number): boolean {
  const first = index === 0 ? 0 : index - 1;
  const left = childAt(parent, first);
  const right = childAt(parent, first + 1);
  const leftSize = nodeSize(left);
  const rightSize = nodeSize(right);
  const words = nodeWords(parent);
  const counter = nodeBase(parent) + COUNT_WORD + first;
  if (leftSize + rightSize <= LEAF_ITEMS_MAX) {
    shiftItemsLeft(left, right, rightSize);
    words[counter] = leftSize + rightSize;
    removeChild(parent, first + 1);
    free(right, NODE_BYTES, DENSE);
    return true;
  }
  const half = (leftSize + rightSize) >>> 1;
  if (leftSize > half) shiftItemsRight(left, right, leftSize - half);
  else shiftItemsLeft(left, right, half - leftSize);
  words[counter] = half;
  words[counter + 1] = leftSize + rightSize - half;
  const separator = nodeBase(parent) + ITEM_WORD + first * ITEM_WORDS;
  copyItem(words, separator, nodeWords(right), nodeBase(right) + ITEM_WORD);
  return false;
}

/** Fills up inner node `index` of a parent from a neighbour. True when the two became one. */
function refillInner(parent: Ref, index: number): boolean {
  const first = index === 0 ? 0 : index - 1;
  const left = childAt(parent, first);
  const right = childAt(parent, first + 1);
  const leftSize = nodeSize(left);
  const rightSize = nodeSize(right);
  const words = nodeWords(parent);
  const separator = nodeBase(parent) + ITEM_WORD + first * ITEM_WORDS;
  const counter = nodeBase(parent) + COUNT_WORD + first;
  if (leftSize + rightSize <= CHILDREN_MAX) {
    shiftChildrenLeft(left, right, rightSize, words, separator);
    words[counter] = subtreeCount(left);
    removeChild(parent, first + 1);
    free(right, NODE_BYTES, DENSE);
    return true;
  }
  const half = (leftSize + rightSize) >>> 1;
  if (leftSize > half) shiftChildrenRight(left, right, leftSize - half, words, separator);
  else shiftChildrenLeft(left, right, half - leftSize, words, separator);
  words[counter] = subtreeCount(left);
  words[counter + 1] = subtreeCount(right);
  return false;
}

/** Frees every node and leaves an empty tree. */
export function freeAll(root: Ref, rootWord: number): void {
  freeSome(root, rootWord, Number.POSITIVE_INFINITY);
}

/**
 * Frees up to `limit` nodes of a tree that nothing else uses any more, from its end on. Returns how many:
 * fewer than `limit` when the tree is empty. In between, sizes and children of the nodes hold, but none of
 * the other invariants.
 */
export function freeSome(root: Ref, rootWord: number, limit: number): number {
  const rootWords = windows[root >>> WINDOW_SHIFT]!;
  const rootAt = rootIndex(root, rootWord);
  const height = rootWords[rootAt + TREE_HEIGHT_WORD]!;
  let done = 0;
  if (height === 0) return done;
  let level = height - 1;
  freePath[level] = rootWords[rootAt + TREE_TOP_WORD]!;
  while (done < limit) {
    const node = freePath[level]! as Ref;
    const size = nodeSize(node);
    if (level > 0 && size > 0) {
      freePath[--level] = childAt(node, size - 1);
      continue;
    }
    free(node, NODE_BYTES, DENSE);
    done++;
    if (++level === height) {
      for (let word = 0; word < TREE_ROOT_WORDS; word++) rootWords[rootAt + word] = 0;
      break;
    }
    const parent = freePath[level]! as Ref;
    nodeWords(parent)[nodeBase(parent)] = nodeSize(parent) - 1;
  }
  return done;
}

// --- reads ---------------------------------------------------------------------------------------

/**
 * Gives an item another third word that stands for the same in the order: where what it refers to lies now. False:
 * there is no such item.
 */
export function replaceThird(
  root: Ref,
  rootWord: number,
  w0: number,
  w1: number,
  w2: number,
  third: number,
): boolean {
  const rootWords = windows[root >>> WINDOW_SHIFT]!;
  const rootAt = rootIndex(root, rootWord);
  const height = rootWords[rootAt + TREE_HEIGHT_WORD]!;
  if (height === 0) return false;
  setTies(rootWords[rootAt + TREE_TIES_WORD]!);
  const leaf = descend(rootWords[rootAt + TREE_TOP_WORD]! as Ref, height, w0, w1, w2);
  const size = nodeSize(leaf);
  const items = nodeBase(leaf) + ITEM_WORD;
  const index = countUpTo(nodeWords(leaf), items, size, w0, w1, w2) - 1;
  if (index < 0 || !replaceIn(leaf, index, w2, third)) return false;
  // Where it is the first of a subtree, the separator before that is a copy of it.
  for (let level = 1; level < height; level++) {
    if (pathIndex[level]! > 0) replaceIn(pathNode[level]! as Ref, pathIndex[level]! - 1, w2, third);
  }
  return true;
}

/** Replaces the third word of item or separator `index`, if it is `w2`. */
function replaceIn(node: Ref, index: number, w2: number, third: number): boolean {
  const words = nodeWords(node);
  const at = nodeBase(node) + ITEM_WORD + index * ITEM_WORDS + 2;
  if (words[at] !== w2) return false;
  words[at] = third;
  return true;
}

/** True when the tree holds at least one instance of the item. */
export function contains(root: Ref, rootWord: number, w0: number, w1: number, w2: number): boolean {
  const rootWords = windows[root >>> WINDOW_SHIFT]!;
  const rootAt = rootIndex(root, rootWord);
  const height = rootWords[rootAt + TREE_HEIGHT_WORD]!;
  if (height === 0) return false;
  setTies(rootWords[rootAt + TREE_TIES_WORD]!);
  const leaf = descend(rootWords[rootAt + TREE_TOP_WORD]! as Ref, height, w0, w1, w2);
  const words = windows[leaf >>> WINDOW_SHIFT]!;
  const base = (leaf & WINDOW_MASK) << 2;
  const index = countUpTo(words, base + ITEM_WORD, words[base]!, w0, w1, w2) - 1;
  if (index < 0) return false;
  return compareItem(words, base + ITEM_WORD + index * ITEM_WORDS, w0, w1, w2) === 0;
}

/** Fills `item` with the smallest item; false when the tree is empty. */
export function first(root: Ref, rootWord: number): boolean {
  const rootWords = windows[root >>> WINDOW_SHIFT]!;
  const rootAt = rootIndex(root, rootWord);
  const height = rootWords[rootAt + TREE_HEIGHT_WORD]!;
  if (height === 0) return false;
  let node = rootWords[rootAt + TREE_TOP_WORD]! as Ref;
  for (let level = height - 1; level > 0; level--) node = childAt(node, 0);
  loadItem(nodeWords(node), nodeBase(node) + ITEM_WORD);
  return true;
}

/** Number of items less than (w0, w1, w2): the index of its first instance if there is one. */
export function rank(root: Ref, rootWord: number, w0: number, w1: number, w2: number): number {
  const rootWords = windows[root >>> WINDOW_SHIFT]!;
  const rootAt = rootIndex(root, rootWord);
  const height = rootWords[rootAt + TREE_HEIGHT_WORD]!;
  if (height === 0) return 0;
  setTies(rootWords[rootAt + TREE_TIES_WORD]!);
  let node = rootWords[rootAt + TREE_TOP_WORD]! as Ref;
  let below = 0;
  for (let level = height - 1; level > 0; level--) {
    const words = windows[node >>> WINDOW_SHIFT]!;
    const base = (node & WINDOW_MASK) << 2;
    const index = countBelow(words, base + ITEM_WORD, words[base]! - 1, w0, w1, w2);
    below = (below + sumCounts(words, base, index)) | 0;
    node = words[base + CHILD_WORD + index]! as Ref;
  }
  const words = windows[node >>> WINDOW_SHIFT]!;
  const base = (node & WINDOW_MASK) << 2;
  return below + countBelow(words, base + ITEM_WORD, words[base]!, w0, w1, w2);
}

/** Fills `item` with item number `index` (from 0, an integer); false when there is none. */
export function select(root: Ref, rootWord: number, index: number): boolean {
  const rootWords = windows[root >>> WINDOW_SHIFT]!;
  const rootAt = rootIndex(root, rootWord);
  if (index < 0 || index >= rootWords[rootAt + TREE_COUNT_WORD]!) return false;
  let node = rootWords[rootAt + TREE_TOP_WORD]! as Ref;
  let left = index | 0;
  for (let level = rootWords[rootAt + TREE_HEIGHT_WORD]! - 1; level > 0; level--) {
    const words = windows[node >>> WINDOW_SHIFT]!;
    const base = (node & WINDOW_MASK) << 2;
    let child = 0;
    while (left >= words[base + COUNT_WORD + child]!) left -= words[base + COUNT_WORD + child++]!;
    node = words[base + CHILD_WORD + child]! as Ref;
  }
  loadItem(nodeWords(node), nodeBase(node) + ITEM_WORD + left * ITEM_WORDS);
  return true;
}
