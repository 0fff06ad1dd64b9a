// The root block of a stream: one dense object that the key's body refers to.
//
//   body          | root block Ref | 0 | 0 | 0 |
//   words 0..3    last id: of the last entry that was added, or what XSETID said
//   words 4..7    greatest id that XDEL has deleted, 0-0 for none
//   words 8..11   id of the first entry, 0-0 when there is none
//   words 12..15  B+tree of the nodes but for the last: ms of the first entry, Ref of the node
//   words 16..17  retired.ts, when the stream is freed in steps
//   words 18..19  entries: low, high
//   words 20..21  entries ever added: low, high
//   word 22       the last node, 0: no nodes
//   word 23       what the consumer groups own (groups.ts), 0: no groups
//   words 24..27  id of the last entry of the last node, there or deleted; undefined without nodes
//   words 28..31  0
//
// Invariants (verify in whole.ts): nodes and entries ascend; the tree has nodes only where there is a last node;
// what is written for most requests is this block and the last node, which is why that is no item of the tree.
// A node whose entries are all deleted is dropped, but for one that XTRIM has emptied entry by entry: it stays
// as in Redis until it is trimmed away.
//
// Who may call: the files of this folder, commands that read ids and counts, and the consumer groups.
import { allocate } from '../../memory/allocator.js';
import { wordWindows } from '../../memory/arena.js';
import { DENSE } from '../../memory/extents.js';
import {
  BLOCK_OWN_WORD,
  NULL_REF,
  type Ref,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../../memory/layout.js';
import * as btree from '../../structures/btree.js';
import { TIES_BY_SEQUENCE } from '../../structures/btree_node.js';
import { bodyWord, headerOf } from '../../structures/entry.js';
import { AFTER_SEQUENCE_PROBE, setSequenceProbe } from '../../structures/sequence_order.js';
import { compareIds, loadId, StreamId, storeId } from './stream_id.js';

export const STREAM_BLOCK_BYTES = 128;

const LAST_ID_WORD = 0;
const DELETED_ID_WORD = 4;
const FIRST_ID_WORD = 8;
export const TREE_WORD = BLOCK_OWN_WORD;
const LENGTH_WORD = 18;
const ADDED_WORD = 20;
const TAIL_WORD = 22;
const GROUPS_WORD = 23;
const TAIL_ID_WORD = 24;

const TWO_32 = 4294967296;

/** The first id of a node that is being looked at. */
const probe = new StreamId();

function wordsOf(block: Ref): Int32Array {
  return wordWindows[block >>> WINDOW_SHIFT]!;
}
function baseOf(block: Ref): number {
  return (block & WINDOW_MASK) << 2;
}

/** A block of a stream without entries; NULL_REF when the arena is full. */
export function createBlock(): Ref {
  const block = allocate(STREAM_BLOCK_BYTES, DENSE);
  if (block === NULL_REF) return NULL_REF;
  const words = wordsOf(block);
  const base = baseOf(block);
  words.fill(0, base, base + STREAM_BLOCK_BYTES / 4);
  btree.createTree(block, TREE_WORD, TIES_BY_SEQUENCE);
  return block;
}

/** The root block of an entry's stream: what all functions on streams take. Valid as long as the key is. */
export function streamBlock(entry: Ref): Ref {
  return wordWindows[entry >>> WINDOW_SHIFT]![bodyWord(entry, headerOf(entry))]! as Ref;
}

/** Makes a block the whole body of an entry. */
export function storeBlock(entry: Ref, block: Ref): void {
  const words = wordWindows[entry >>> WINDOW_SHIFT]!;
  const at = bodyWord(entry, headerOf(entry));
  words[at] = block;
  words.fill(0, at + 1, at + 4);
}

// --- ids and counts ------------------------------------------------------------------------------

export function loadLastId(block: Ref, id: StreamId): void {
  loadId(id, wordsOf(block), baseOf(block) + LAST_ID_WORD);
}
export function storeLastId(block: Ref, id: StreamId): void {
  storeId(id, wordsOf(block), baseOf(block) + LAST_ID_WORD);
}

export function loadDeletedId(block: Ref, id: StreamId): void {
  loadId(id, wordsOf(block), baseOf(block) + DELETED_ID_WORD);
}
export function storeDeletedId(block: Ref, id: StreamId): void {
  storeId(id, wordsOf(block), baseOf(block) + DELETED_ID_WORD);
}

/** 0-0 when the stream has no entries. */
export function loadFirstId(block: Ref, id: StreamId): void {
  loadId(id, wordsOf(block), baseOf(block) + FIRST_ID_WORD);
}
export function storeFirstId(block: Ref, id: StreamId): void {
  storeId(id, wordsOf(block), baseOf(block) + FIRST_ID_WORD);
}

/** Number of entries. */
export function streamLength(block: Ref): number {
  return loadCount(block, LENGTH_WORD);
}
export function setStreamLength(block: Ref, length: number): void {
  storeCount(block, LENGTH_WORD, length);
}

/** Entries ever added, as a double: exact below 2^53. */
export function entriesAdded(block: Ref): number {
  return loadCount(block, ADDED_WORD);
}

/** All 64 bits of entriesAdded(): filled by loadEntriesAdded(). */
export const added = { high: 0, low: 0 };

export function loadEntriesAdded(block: Ref): void {
  const words = wordsOf(block);
  const at = baseOf(block) + ADDED_WORD;
  added.low = words[at]!;
  added.high = words[at + 1]!;
}
export function setEntriesAdded(block: Ref, high: number, low: number): void {
  const words = wordsOf(block);
  const at = baseOf(block) + ADDED_WORD;
  words[at] = low;
  words[at + 1] = high;
}

/** What the consumer groups own, NULL_REF: there are none. */
export function groupsOf(block: Ref): Ref {
  return wordsOf(block)[baseOf(block) + GROUPS_WORD]! as Ref;
}
export function setGroups(block: Ref, groups: Ref): void {
  wordsOf(block)[baseOf(block) + GROUPS_WORD] = groups;
}

/** Counts an entry that was just added. */
export function countEntry(block: Ref): void {
  const words = wordsOf(block);
  const at = baseOf(block);
  const length = (words[at + LENGTH_WORD]! + 1) | 0;
  words[at + LENGTH_WORD] = length;
  if (length === 0) words[at + LENGTH_WORD + 1] = words[at + LENGTH_WORD + 1]! + 1;
  const everAdded = (words[at + ADDED_WORD]! + 1) | 0;
  words[at + ADDED_WORD] = everAdded;
  if (everAdded === 0) words[at + ADDED_WORD + 1] = words[at + ADDED_WORD + 1]! + 1;
}

function loadCount(block: Ref, word: number): number {
  const words = wordsOf(block);
  const at = baseOf(block) + word;
  return words[at + 1]! * TWO_32 + (words[at]! >>> 0);
}

function storeCount(block: Ref, word: number, count: number): void {
  const words = wordsOf(block);
  const at = baseOf(block) + word;
  words[at] = count | 0;
  words[at + 1] = Math.floor(count / TWO_32);
}

// --- nodes ---------------------------------------------------------------------------------------

/** The last node; NULL_REF when there are none. */
export function tailOf(block: Ref): Ref {
  return wordsOf(block)[baseOf(block) + TAIL_WORD]! as Ref;
}
export function setTail(block: Ref, node: Ref): void {
  wordsOf(block)[baseOf(block) + TAIL_WORD] = node;
}

/** The id that the next entry of the last node follows. */
export function loadTailId(block: Ref, id: StreamId): void {
  loadId(id, wordsOf(block), baseOf(block) + TAIL_ID_WORD);
}
export function storeTailId(block: Ref, id: StreamId): void {
  storeId(id, wordsOf(block), baseOf(block) + TAIL_ID_WORD);
}

/** Nodes in the tree: all but the last one. In order, node `index` of these is the last. */
export function treeNodes(block: Ref): number {
  return btree.count(block, TREE_WORD);
}

/** Number of nodes. */
export function nodeCount(block: Ref): number {
  return tailOf(block) === NULL_REF ? 0 : treeNodes(block) + 1;
}

/** Node number `index`, which must be there. */
export function nodeAt(block: Ref, index: number): Ref {
  if (index === treeNodes(block)) return tailOf(block);
  btree.select(block, TREE_WORD, index);
  return btree.item.w2 as Ref;
}

/** The number of the node in which an id is or would be: the last one that begins with it or before. -1: the id
 *  comes before all nodes. */
export function nodeIndexOf(block: Ref, id: StreamId): number {
  setSequenceProbe(id.seqHigh, id.seqLow);
  const ms = orderedMillis(id.msHigh);
  const before = btree.rank(block, TREE_WORD, ms, id.msLow, AFTER_SEQUENCE_PROBE);
  const nodes = treeNodes(block);
  if (before < nodes || tailOf(block) === NULL_REF) return before - 1;
  return beginsBehind(tailOf(block), id) ? before - 1 : before;
}

function beginsBehind(node: Ref, id: StreamId): boolean {
  loadId(probe, wordWindows[node >>> WINDOW_SHIFT]!, (node & WINDOW_MASK) << 2);
  return compareIds(probe, id) > 0;
}

/** Puts the last node into the tree, so that another one can take its place. False: the arena is full. */
export function fileTail(block: Ref): boolean {
  const node = tailOf(block);
  const words = wordsOf(node);
  const base = baseOf(node);
  return btree.insert(block, TREE_WORD, orderedMillis(words[base]!), words[base + 1]!, node);
}

/** Takes a node out of the tree. */
export function unfileNode(block: Ref, index: number): void {
  btree.removeAt(block, TREE_WORD, index);
}

/** Notes that node number `index` lies at another place. */
export function setNodeAt(block: Ref, index: number, node: Ref): void {
  if (index === treeNodes(block)) setTail(block, node);
  else btree.replaceThirdWord(block, TREE_WORD, index, node);
}

/** The upper word of an unsigned time as the tree orders it, which compares signed words first. */
function orderedMillis(msHigh: number): number {
  return msHigh ^ 0x80000000;
}
