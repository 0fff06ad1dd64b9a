// The nodes of the order-statistic B+tree (btree.ts): their layout, the order of items, search
// inside a node, and the moves of items and children between two nodes. Nothing here knows of paths
// or of the tree's root. Called by the btree files alone.
//
// A node is one DENSE object of NODE_BYTES. Word by word (n = 84 items or 51 children at 1 KiB):
//
//   leaf    | size | level = 0 | 0 | 0 | item 0: w0 w1 w2 | item 1 | ...              | item n-1 |
//   inner   | size | level > 0 | 0 | 0 | n-1 separators of 3 words | n child refs | n item counts |
//
//   size        items of a leaf, children of an inner node; what lies behind them is undefined
//   level       0 for a leaf; children are one level lower
//   separator i the first item of the subtree of child i + 1, always exactly: so a word of an item
//               may be a ref to something that dies with the item
//   count i     items in the subtree of child i
//
// Order of items: signed w0, then unsigned w1, then the tie: unsigned w2, or the members or nodes of a stream
// that w2 refers to (member_order.ts, sequence_order.ts), as the tree's root says. Equal items are allowed.
//
// Cost: 12.6 bytes an item after ascending inserts, 18 after random ones, inner nodes included. An
// insert writes 500 bytes on average (half a leaf) and one count a level. Nodes of 2 and 4 KiB took
// the same time within the noise (1M items: 100 ns an ascending insert, 310 a random one, 180 for
// first and remove) and saved 2 to 6 % of the memory, but write two and four times as many bytes,
// select more slowly, and a small tree pays for a whole node.
import { wordWindows } from '../memory/arena.js';
import { type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../memory/layout.js';
import { compareMembers } from './member_order.js';
import { compareSequences } from './sequence_order.js';

export const NODE_BYTES = 1024;
const NODE_WORDS = NODE_BYTES / 4;
const HEADER_WORDS = 4;
export const ITEM_WORDS = 3;

export const LEAF_ITEMS_MAX = Math.floor((NODE_WORDS - HEADER_WORDS) / ITEM_WORDS);
export const CHILDREN_MAX = Math.floor((NODE_WORDS - HEADER_WORDS + ITEM_WORDS) / (ITEM_WORDS + 2));
/** A node with less takes from its neighbour or is merged with it; see btree.ts for who may. */
export const LEAF_ITEMS_MIN = Math.floor(LEAF_ITEMS_MAX / 3);
export const CHILDREN_MIN = Math.floor(CHILDREN_MAX / 3);
/** 2^31 items in the emptiest lawful nodes make 8 levels: 2 * 17^7 * 28 is more for 9. */
export const HEIGHT_MAX = 9;

// Word offsets inside a node.
export const LEVEL_WORD = 1;
/** The first item of a leaf, the first separator of an inner node. */
export const ITEM_WORD = HEADER_WORDS;
export const CHILD_WORD = ITEM_WORD + ITEM_WORDS * (CHILDREN_MAX - 1);
export const COUNT_WORD = CHILD_WORD + CHILDREN_MAX;

const windows = wordWindows; // a constant of this module, which compiled code need not load

/** The window of words that holds a node. */
export function nodeWords(node: Ref): Int32Array {
  return windows[node >>> WINDOW_SHIFT]!;
}
/** Index of a node's first word in nodeWords(node). */
export function nodeBase(node: Ref): number {
  return (node & WINDOW_MASK) << 2;
}
export function nodeSize(node: Ref): number {
  return nodeWords(node)[nodeBase(node)]!;
}
export function childAt(node: Ref, index: number): Ref {
  return nodeWords(node)[nodeBase(node) + CHILD_WORD + index]! as Ref;
}

/** Makes a fresh object an empty node. */
export function formatNode(node: Ref, level: number): void {
  const words = nodeWords(node);
  const base = nodeBase(node);
  words[base] = 0;
  words[base + LEVEL_WORD] = level;
  words[base + 2] = 0;
  words[base + 3] = 0;
}

// --- order ---------------------------------------------------------------------------------------

/** How ties are decided: unsigned w2, the members of the entries that w2 refers to, or the sequence numbers of
 *  the nodes of a stream. */
export const TIES_BY_WORD = 0;
export const TIES_BY_MEMBER = 1;
export const TIES_BY_SEQUENCE = 2;

/** That of the tree at hand. */
let ties = TIES_BY_WORD;

/** Called with the root's word at the start of everything that compares items of a tree. */
export function setTies(order: number): void {
  ties = order;
}

/** The order of two items that agree in w0 and w1: negative, 0 or positive. */
function compareTie(a: number, b: number): number {
  if (a === b) return 0;
  if (ties === TIES_BY_MEMBER) return compareMembers(a as Ref, b);
  if (ties === TIES_BY_SEQUENCE) return compareSequences(a as Ref, b);
  return a >>> 0 < b >>> 0 ? -1 : 1;
}

/** Order of the item at words[at] against (w0, w1, w2): negative, 0 or positive. */
export function compareItem(
  words: Int32Array,
  at: number,
  w0: number,
  w1: number,
  w2: number,
): number {
  const item0 = words[at]!;
  if (item0 !== w0) return item0 < w0 ? -1 : 1;
  const item1 = words[at + 1]!;
  if (item1 !== w1) return item1 >>> 0 < w1 >>> 0 ? -1 : 1;
  return compareTie(words[at + 2]!, w2);
}

/** How many of the `count` ordered items from words[first] on are at most (w0, w1, w2). */
export function countUpTo(
  words: Int32Array,
  first: number,
  count: number,
  w0: number,
  w1: number,
  w2: number,
): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareItem(words, first + middle * ITEM_WORDS, w0, w1, w2) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of the `count` ordered items from words[first] on are less than (w0, w1, w2). */
export function countBelow(
  words: Int32Array,
  first: number,
  count: number,
  w0: number,
  w1: number,
  w2: number,
): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareItem(words, first + middle * ITEM_WORDS, w0, w1, w2) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

// --- moves inside a node -------------------------------------------------------------------------

/** Moves `count` words inside a window; the ranges may overlap. */
function moveWords(words: Int32Array, target: number, source: number, count: number): void {
  // The call takes 30 ns whatever the count is; a loop takes as long for 8 words, 300 for a leaf.
  if (count > 0) words.copyWithin(target, source, source + count);
}

/** Copies words between two nodes. */
function copyWords(
  target: Int32Array,
  targetAt: number,
  source: Int32Array,
  sourceAt: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) target[targetAt + i] = source[sourceAt + i]!;
}

/** Puts an item before item `index` of a leaf that has room. */
export function insertItem(leaf: Ref, index: number, w0: number, w1: number, w2: number): void {
  const words = nodeWords(leaf);
  const base = nodeBase(leaf);
  const size = words[base]!;
  const at = base + ITEM_WORD + index * ITEM_WORDS;
  moveWords(words, at + ITEM_WORDS, at, (size - index) * ITEM_WORDS);
  words[at] = w0;
  words[at + 1] = w1;
  words[at + 2] = w2;
  words[base] = size + 1;
}

/** Takes item `index` out of a leaf. */
export function removeItem(leaf: Ref, index: number): void {
  const words = nodeWords(leaf);
  const base = nodeBase(leaf);
  const size = words[base]! - 1;
  const at = base + ITEM_WORD + index * ITEM_WORDS;
  moveWords(words, at, at + ITEM_WORDS, (size - index) * ITEM_WORDS);
  words[base] = size;
}

/** Copies an item or a separator. */
export function copyItem(
  target: Int32Array,
  targetAt: number,
  source: Int32Array,
  sourceAt: number,
): void {
  target[targetAt] = source[sourceAt]!;
  target[targetAt + 1] = source[sourceAt + 1]!;
  target[targetAt + 2] = source[sourceAt + 2]!;
}

/**
 * Puts a child behind child `index` - 1 (index is at least 1) of an inner node that has room. The
 * separator between the two is the item at separatorWords[separatorAt].
 */
export function insertChild(
  node: Ref,
  index: number,
  child: Ref,
  count: number,
  separatorWords: Int32Array,
  separatorAt: number,
): void {
  const words = nodeWords(node);
  const base = nodeBase(node);
  const behind = words[base]! - index;
  const separator = base + ITEM_WORD + (index - 1) * ITEM_WORDS;
  moveWords(words, separator + ITEM_WORDS, separator, behind * ITEM_WORDS);
  copyItem(words, separator, separatorWords, separatorAt);
  const ref = base + CHILD_WORD + index;
  moveWords(words, ref + 1, ref, behind);
  words[ref] = child;
  const counter = base + COUNT_WORD + index;
  moveWords(words, counter + 1, counter, behind);
  words[counter] = count;
  words[base] = words[base]! + 1;
}

/** Takes child `index` (at least 1) and the separator before it out of an inner node. */
export function removeChild(node: Ref, index: number): void {
  const words = nodeWords(node);
  const base = nodeBase(node);
  const size = words[base]! - 1;
  const behind = size - index;
  const separator = base + ITEM_WORD + (index - 1) * ITEM_WORDS;
  moveWords(words, separator, separator + ITEM_WORDS, behind * ITEM_WORDS);
  moveWords(words, base + CHILD_WORD + index, base + CHILD_WORD + index + 1, behind);
  moveWords(words, base + COUNT_WORD + index, base + COUNT_WORD + index + 1, behind);
  words[base] = size;
}

/** Makes an empty inner node the parent of one child. */
export function insertOnlyChild(node: Ref, child: Ref, count: number): void {
  const words = nodeWords(node);
  const base = nodeBase(node);
  words[base + CHILD_WORD] = child;
  words[base + COUNT_WORD] = count;
  words[base] = 1;
}

/** Items in the subtree of a node. */
export function subtreeCount(node: Ref): number {
  const words = nodeWords(node);
  const base = nodeBase(node);
  const size = words[base]!;
  if (words[base + LEVEL_WORD] === 0) return size;
  return sumCounts(words, base, size);
}

/** Items in the first `children` subtrees of the inner node at words[base]. */
export function sumCounts(words: Int32Array, base: number, children: number): number {
  const first = base + COUNT_WORD;
  let sum = 0;
  for (let i = 0; i < children; i++) sum = (sum + words[first + i]!) | 0;
  return sum;
}

// --- moves between neighbours --------------------------------------------------------------------

/** Moves the last `count` items of a leaf to the front of its right neighbour. */
export function shiftItemsRight(left: Ref, right: Ref, count: number): void {
  const source = nodeWords(left);
  const sourceBase = nodeBase(left);
  const target = nodeWords(right);
  const targetBase = nodeBase(right);
  const kept = source[sourceBase]! - count;
  const first = targetBase + ITEM_WORD;
  const moved = count * ITEM_WORDS;
  moveWords(target, first + moved, first, target[targetBase]! * ITEM_WORDS);
  copyWords(target, first, source, sourceBase + ITEM_WORD + kept * ITEM_WORDS, moved);
  source[sourceBase] = kept;
  target[targetBase] = target[targetBase]! + count;
}

/** Moves the first `count` items of a leaf to the end of its left neighbour. */
export function shiftItemsLeft(left: Ref, right: Ref, count: number): void {
  const source = nodeWords(right);
  const sourceBase = nodeBase(right);
  const target = nodeWords(left);
  const targetBase = nodeBase(left);
  const kept = source[sourceBase]! - count;
  const first = sourceBase + ITEM_WORD;
  const moved = count * ITEM_WORDS;
  const end = targetBase + ITEM_WORD + target[targetBase]! * ITEM_WORDS;
  copyWords(target, end, source, first, moved);
  moveWords(source, first, first + moved, kept * ITEM_WORDS);
  source[sourceBase] = kept;
  target[targetBase] = target[targetBase]! + count;
}

/**
 * Moves the last `count` children of an inner node to the front of its right neighbour. The item at
 * separatorWords[separatorAt] separates the two nodes: it is read when the neighbour has children,
 * and replaced by the new separator.
 */
export function shiftChildrenRight(
  left: Ref,
  right: Ref,
  count: number,
  separatorWords: Int32Array,
  separatorAt: number,
): void {
  const source = nodeWords(left);
  const sourceBase = nodeBase(left);
  const target = nodeWords(right);
  const targetBase = nodeBase(right);
  const kept = source[sourceBase]! - count;
  const size = target[targetBase]!;
  const items = targetBase + ITEM_WORD;
  if (size > 0) {
    moveWords(target, items + count * ITEM_WORDS, items, (size - 1) * ITEM_WORDS);
    copyItem(target, items + (count - 1) * ITEM_WORDS, separatorWords, separatorAt);
  }
  // The separator before the first moved child goes up, those between the moved ones go along.
  const lifted = sourceBase + ITEM_WORD + (kept - 1) * ITEM_WORDS;
  copyItem(separatorWords, separatorAt, source, lifted);
  copyWords(target, items, source, lifted + ITEM_WORDS, (count - 1) * ITEM_WORDS);
  for (let word = CHILD_WORD; word <= COUNT_WORD; word += COUNT_WORD - CHILD_WORD) {
    moveWords(target, targetBase + word + count, targetBase + word, size);
    copyWords(target, targetBase + word, source, sourceBase + word + kept, count);
  }
  source[sourceBase] = kept;
  target[targetBase] = size + count;
}

/**
 * Moves the first `count` children of an inner node to the end of its left neighbour, which has
 * some. The item at separatorWords[separatorAt] separates the two nodes; it is replaced by the new
 * separator unless the right node is empty now.
 */
export function shiftChildrenLeft(
  left: Ref,
  right: Ref,
  count: number,
  separatorWords: Int32Array,
  separatorAt: number,
): void {
  const source = nodeWords(right);
  const sourceBase = nodeBase(right);
  const target = nodeWords(left);
  const targetBase = nodeBase(left);
  const kept = source[sourceBase]! - count;
  const size = target[targetBase]!;
  const items = sourceBase + ITEM_WORD;
  const end = targetBase + ITEM_WORD + (size - 1) * ITEM_WORDS;
  copyItem(target, end, separatorWords, separatorAt);
  copyWords(target, end + ITEM_WORDS, source, items, (count - 1) * ITEM_WORDS);
  if (kept > 0) {
    copyItem(separatorWords, separatorAt, source, items + (count - 1) * ITEM_WORDS);
    moveWords(source, items, items + count * ITEM_WORDS, (kept - 1) * ITEM_WORDS);
  }
  for (let word = CHILD_WORD; word <= COUNT_WORD; word += COUNT_WORD - CHILD_WORD) {
    copyWords(target, targetBase + word + size, source, sourceBase + word, count);
    moveWords(source, sourceBase + word, sourceBase + word + count, kept);
  }
  source[sourceBase] = kept;
  target[targetBase] = size + count;
}
