// Iteration over a B+tree (btree.ts): upwards from a lower bound, or from an item by number both ways.
//
//   for (let found = seek(cursor, root, rootWord, w0, w1, w2); found; found = advance(cursor)) {
//     ... item.w0, item.w1, item.w2 ...
//   }
//
// A cursor remembers its way through the tree, so advance() costs one item, and it holds no memory of
// the arena. It is valid until the tree changes: after an insert or a remove, seek again (from the
// item reached, or the one after it in order). advance() throws when the tree has another count, top
// or height than at seek(); a change that leaves all three alone it cannot see.
//
// Make a cursor once and use it again; two loops at a time take two cursors.
import { NULL_REF, type Ref } from '../memory/layout.js';
import {
  loadItem,
  TREE_COUNT_WORD,
  TREE_HEIGHT_WORD,
  TREE_TIES_WORD,
  TREE_TOP_WORD,
} from './btree.js';
import {
  CHILD_WORD,
  COUNT_WORD,
  childAt,
  countBelow,
  HEIGHT_MAX,
  ITEM_WORD,
  ITEM_WORDS,
  nodeBase,
  nodeSize,
  nodeWords,
  setTies,
} from './btree_node.js';

/** A place in a tree. The fields belong to this file. */
export class Cursor {
  root: Ref = NULL_REF;
  rootWord = 0;
  top = 0;
  height = 0;
  count = 0;
  /** Node and child (at level 0: item) index by level. */
  readonly nodes = new Int32Array(HEIGHT_MAX);
  readonly indexes = new Int32Array(HEIGHT_MAX);
}

function rootWordAt(cursor: Cursor, word: number): number {
  return nodeWords(cursor.root)[nodeBase(cursor.root) + cursor.rootWord + word]!;
}

function attach(cursor: Cursor, root: Ref, rootWord: number): void {
  cursor.root = root;
  cursor.rootWord = rootWord;
  cursor.top = rootWordAt(cursor, TREE_TOP_WORD);
  cursor.height = rootWordAt(cursor, TREE_HEIGHT_WORD);
  cursor.count = rootWordAt(cursor, TREE_COUNT_WORD);
}

/** Moves to item number `index` (from 0, an integer) and fills `item`; false when there is none. */
export function seekIndex(cursor: Cursor, root: Ref, rootWord: number, index: number): boolean {
  attach(cursor, root, rootWord);
  if (index < 0 || index >= cursor.count) {
    cursor.height = 0;
    return false;
  }
  let node = cursor.top as Ref;
  let left = index | 0;
  let total = cursor.count | 0;
  for (let level = cursor.height - 1; level > 0; level--) {
    const words = nodeWords(node);
    const base = nodeBase(node);
    const counts = base + COUNT_WORD;
    let child = 0;
    if (left < total >> 1) {
      while (left >= words[counts + child]!) left -= words[counts + child++]!;
    } else {
      // From the last child down: `total` becomes the items before `child`.
      child = words[base]! - 1;
      total -= words[counts + child]!;
      while (left < total) total -= words[counts + --child]!;
      left -= total;
    }
    total = words[counts + child]!;
    cursor.nodes[level] = node;
    cursor.indexes[level] = child;
    node = words[base + CHILD_WORD + child]! as Ref;
  }
  cursor.nodes[0] = node;
  cursor.indexes[0] = left;
  return settle(cursor);
}

/** Moves to the first item of at least (w0, w1, w2) and fills `item`; false when there is none. */
export function seek(
  cursor: Cursor,
  root: Ref,
  rootWord: number,
  w0: number,
  w1: number,
  w2: number,
): boolean {
  attach(cursor, root, rootWord);
  if (cursor.height === 0) return false;
  setTies(rootWordAt(cursor, TREE_TIES_WORD));
  let node = cursor.top as Ref;
  for (let level = cursor.height - 1; level >= 0; level--) {
    const words = nodeWords(node);
    const base = nodeBase(node);
    const entries = level === 0 ? words[base]! : words[base]! - 1;
    const index = countBelow(words, base + ITEM_WORD, entries, w0, w1, w2);
    cursor.nodes[level] = node;
    cursor.indexes[level] = index;
    if (level > 0) node = words[base + CHILD_WORD + index]! as Ref;
  }
  return settle(cursor);
}

/** Moves to the next item and fills `item`; false at the end (and from then on). */
export function advance(cursor: Cursor): boolean {
  if (cursor.height === 0) return false;
  expectUnchanged(cursor);
  cursor.indexes[0] = cursor.indexes[0]! + 1;
  return settle(cursor);
}

/**
 * Copies the third words of up to `count` items, from the one that the cursor is at on, upwards or
 * downwards, and moves behind them. Returns how many there were; 0 at the end (and from then on). A leaf
 * is read in one loop, so this is the fast way to walk.
 */
export function takeThirdWords(
  cursor: Cursor,
  target: Int32Array,
  count: number,
  backward: boolean,
): number {
  if (cursor.height === 0) return 0;
  expectUnchanged(cursor);
  let taken = 0;
  while (taken < count) {
    const leaf = cursor.nodes[0]! as Ref;
    const words = nodeWords(leaf);
    const base = nodeBase(leaf);
    const size = words[base]!;
    let index = cursor.indexes[0]!;
    const step = backward ? -1 : 1;
    while (taken < count && index >= 0 && index < size) {
      target[taken++] = words[base + ITEM_WORD + index * ITEM_WORDS + 2]!;
      index += step;
    }
    cursor.indexes[0] = index;
    if (index >= 0 && index < size) continue;
    if (backward ? !enterPreviousLeaf(cursor) : !enterNextLeaf(cursor)) {
      cursor.height = 0;
      break;
    }
    if (backward) cursor.indexes[0] = cursor.indexes[0]! - 1;
  }
  return taken;
}

function expectUnchanged(cursor: Cursor): void {
  if (
    rootWordAt(cursor, TREE_COUNT_WORD) !== cursor.count ||
    rootWordAt(cursor, TREE_TOP_WORD) !== cursor.top ||
    rootWordAt(cursor, TREE_HEIGHT_WORD) !== cursor.height
  ) {
    throw new Error('cursor advanced over a tree that changed since seek(): seek again');
  }
}

/** Goes on to the next leaf when this one has no item at the index, then fills `item`. */
function settle(cursor: Cursor): boolean {
  const leaf = cursor.nodes[0]! as Ref;
  const index = cursor.indexes[0]!;
  if (index === nodeSize(leaf) && !enterNextLeaf(cursor)) {
    cursor.height = 0; // the end
    return false;
  }
  const node = cursor.nodes[0]! as Ref;
  loadItem(nodeWords(node), nodeBase(node) + ITEM_WORD + cursor.indexes[0]! * ITEM_WORDS);
  return true;
}

function enterNextLeaf(cursor: Cursor): boolean {
  let level = 1;
  while (level < cursor.height && isLastChild(cursor, level)) level++;
  if (level >= cursor.height) return false;
  cursor.indexes[level] = cursor.indexes[level]! + 1;
  for (; level > 0; level--) {
    cursor.nodes[level - 1] = childAt(cursor.nodes[level]! as Ref, cursor.indexes[level]!);
    cursor.indexes[level - 1] = 0;
  }
  return true;
}

function isLastChild(cursor: Cursor, level: number): boolean {
  return cursor.indexes[level] === nodeSize(cursor.nodes[level]! as Ref) - 1;
}

/** Goes to the leaf before, behind its last item. */
function enterPreviousLeaf(cursor: Cursor): boolean {
  let level = 1;
  while (level < cursor.height && cursor.indexes[level] === 0) level++;
  if (level >= cursor.height) return false;
  cursor.indexes[level] = cursor.indexes[level]! - 1;
  for (; level > 0; level--) {
    const child = childAt(cursor.nodes[level]! as Ref, cursor.indexes[level]!);
    cursor.nodes[level - 1] = child;
    cursor.indexes[level - 1] = level > 1 ? nodeSize(child) - 1 : nodeSize(child);
  }
  return true;
}
