// List values: a deque of packed nodes. The body of the entry is the descriptor of the only node, or the root
// block of a directory of descriptors once the list needs a second (list_node_format.ts, list_directory.ts).
//
// Costs: 1M lists of 20 elements of 16 bytes take 320 bytes each beside the entry (20 x 16, a slot of that
// size); a list of many small elements takes its bytes and 0.2 % for descriptors. Push and pop are O(1) at both
// ends, an index is found by adding up the counts of nodes, a change inside moves up to half a node.
//
// A long list, and what LTRIM cuts off one, is freed in steps (retired.ts).
//
// Who changes a list has made its entry writable (writableEntry). Functions that need memory return false when
// the arena is full, with no element changed. An emptied list owns nothing; its key must then be deleted.
import { wordWindows } from '../memory/arena.js';
import { NULL_REF, type Ref, ROOT_BLOCK_BYTES, WINDOW_SHIFT } from '../memory/layout.js';
import type { Owners } from '../structures/entries.js';
import {
  bodyWord,
  COLLECTION_LARGE,
  ENCODING_MASK,
  headerOf,
  setHeader,
  TYPE_LIST,
} from '../structures/entry.js';
import {
  addElements,
  becomeSmall,
  blockDescriptor,
  blockMemory,
  blockNodes,
  createBlock,
  directoryWords,
  dropLastNode,
  duplicateBlock,
  elementCount,
  freeBlock,
  insertDescriptor,
  LIST_COUNT_MAX,
  list,
  openList,
  removeDescriptors,
  verifyCount,
  verifyDirectory,
} from '../structures/list_directory.js';
import {
  DONE,
  dropFrom,
  insertInto,
  NO_ROOM,
  nodeLimit,
  overwriteAt,
  pushTo,
  removeAt,
  room,
  shrinkNode,
} from '../structures/list_node.js';
import {
  DESCRIPTOR_WORDS,
  locateAt,
  NODE_COUNT_MAX,
  nodeCount,
  nodeHead,
  nodeLarge,
  nodeTail,
  offsetBefore,
  offsetOf,
  usedInNode,
} from '../structures/list_node_format.js';
import {
  duplicateNode,
  freeNode,
  nodeMemory,
  relocateNode,
  splitNode,
  verifyNode,
} from '../structures/list_node_objects.js';
import { work } from '../structures/relocation.js';
import { cursor, enter, seek } from './list_cursor.js';
import { FREED_AT_ONCE_MAX, type RetiredForm, registerRetired, retire } from './retired.js';
import type { ValueType } from './value_type.js';

/** The second node of a list begins with a quarter of the largest object, the eighth with all of it: so a list
 *  of any length has little room in advance. */
const FULL_NODES_MIN = 8;

/** Makes a new entry, with an undefined body, an empty list. */
export function initializeList(entry: Ref): void {
  const words = wordWindows[entry >>> WINDOW_SHIFT]!;
  const at = bodyWord(entry, headerOf(entry));
  words.fill(0, at, at + DESCRIPTOR_WORDS);
}

/**
 * Sets how large the nodes of lists become, as list-max-listpack-size says: from -1 to -5 for 4, 8, 16, 32 or
 * 64 KiB (32 here), or a number of elements.
 */
export function setNodeLimit(size: number): void {
  const isCount = size >= 0;
  const kibibytes = 4 << (Math.min(-size, 4) - 1);
  nodeLimit.bytes = isCount ? 8192 : kibibytes * 1024;
  nodeLimit.count = isCount ? Math.min(Math.max(size, 1), NODE_COUNT_MAX) : NODE_COUNT_MAX;
}

export function listLength(entry: Ref): number {
  openList(entry);
  return elementCount();
}

/** Descriptor of the last node of the list in hand. */
function lastNode(): number {
  return list.first + (list.nodes - 1) * DESCRIPTOR_WORDS;
}

// --- ends ----------------------------------------------------------------------------------------

/** Adds bytes[start, start + length), which are not of this list, at an end. */
export function pushElement(
  entry: Ref,
  atFront: boolean,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  openList(entry);
  const d = atFront ? list.first : lastNode();
  const outcome = pushTo(list.words, d, atFront, bytes, start, length);
  if (outcome === DONE) {
    addElements(1);
    return true;
  }
  return outcome === NO_ROOM && addNode(atFront ? 0 : list.nodes, atFront, bytes, start, length);
}

/** Adds a node before node `index` of the list in hand, with one element. */
function addNode(
  index: number,
  atFront: boolean,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  if (elementCount() > LIST_COUNT_MAX - NODE_COUNT_MAX) return false;
  const d = insertDescriptor(index);
  if (d < 0) return false;
  const hint = room.hintBytes;
  const isEnd = index === 0 || index === list.nodes - 1;
  if (isEnd) room.hintBytes = Math.max(hint, (list.nodes * nodeLimit.bytes) / FULL_NODES_MIN);
  const outcome = pushTo(list.words, d, atFront, bytes, start, length);
  room.hintBytes = hint;
  if (outcome === DONE) {
    addElements(1);
    return true;
  }
  removeNodes(index, 1);
  return false;
}

/** Fills `span` with the first or last element. */
export function locateEnd(entry: Ref, atFront: boolean): void {
  openList(entry);
  const { words } = list;
  const d = atFront ? list.first : lastNode();
  locateAt(words, d, atFront ? nodeHead(words, d) : offsetBefore(words, d, nodeTail(words, d)));
}

/** Removes elements from an end; all of them leave a list that owns nothing. */
export function dropElements(entry: Ref, atFront: boolean, elements: number): void {
  openList(entry);
  let left = elements;
  let nodes = 0;
  let d = atFront ? list.first : lastNode();
  const step = atFront ? DESCRIPTOR_WORDS : -DESCRIPTOR_WORDS;
  for (; nodes < list.nodes && nodeCount(list.words, d) <= left; nodes++, d += step) {
    left -= nodeCount(list.words, d);
  }
  addElements(-elements);
  if (left > 0) {
    dropFrom(list.words, d, atFront, left);
    shrinkNode(list.words, d);
  }
  if (nodes === 0) return;
  const index = atFront ? 0 : list.nodes - nodes;
  freeNodes(list.first + index * DESCRIPTOR_WORDS, nodes);
  removeNodes(index, nodes);
}

/** Frees `nodes` nodes of the list in hand, descriptors from `d` on: many of them in steps, if there is memory for
 *  a root block that keeps them until then. */
function freeNodes(d: number, nodes: number): void {
  const { words } = list;
  if (partsOf(words, d, nodes) > FREED_AT_ONCE_MAX) {
    const block = createBlock(words, d, nodes, nodes, 0);
    if (block !== NULL_REF) {
      retire(block, TYPE_LIST);
      return;
    }
  }
  for (let i = 0; i < nodes; i++) freeNode(words, d + i * DESCRIPTOR_WORDS);
}

/** How many objects nodes and their elements are. */
function partsOf(words: Int32Array, d: number, nodes: number): number {
  let parts = nodes;
  for (let i = 0; i < nodes; i++) parts += nodeLarge(words, d + i * DESCRIPTOR_WORDS);
  return parts;
}

/** Takes out nodes [index, index + nodes) of the list in hand, freed already. */
function removeNodes(index: number, nodes: number): void {
  if (nodes === list.nodes) {
    const { entry } = list;
    if (list.block !== NULL_REF) freeBlock(list.block);
    setHeader(entry, headerOf(entry) & ~ENCODING_MASK);
    initializeList(entry);
    openList(entry);
    return;
  }
  removeDescriptors(index, nodes);
  // One full node keeps its directory, so that a list of that size does not go back and forth.
  if (list.nodes === 1 && usedInNode(list.words, list.first) <= nodeLimit.bytes / 2) becomeSmall();
}

// --- inside --------------------------------------------------------------------------------------

/** Adds an element before the one under the cursor, or behind it. The cursor is invalid then. */
export function insertElement(
  behind: boolean,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  const { node } = cursor;
  const position = behind ? cursor.position + 1 : cursor.position;
  const outcome = insertInto(list.words, cursor.descriptor, position, bytes, start, length);
  if (outcome === DONE) {
    addElements(1);
    return true;
  }
  if (outcome !== NO_ROOM) return false;
  const count = nodeCount(list.words, cursor.descriptor);
  if (position > 0 && position < count && !splitAt(node, position)) return false;
  return insertBetween(position === 0 ? node : node + 1, bytes, start, length);
}

/** Makes two nodes of one, the second beginning with the element at `position`. */
function splitAt(node: number, position: number): boolean {
  const target = insertDescriptor(node + 1);
  if (target < 0) return false;
  const d = target - DESCRIPTOR_WORDS;
  if (splitNode(list.words, d, target, position, offsetOf(list.words, d, position))) return true;
  removeNodes(node + 1, 1);
  return false;
}

/** Adds an element before node `index` (0..nodes): to a neighbour that has room, or as a node of its own. */
function insertBetween(index: number, bytes: Uint8Array, start: number, length: number): boolean {
  for (const atFront of [false, true]) {
    const neighbour = atFront ? index : index - 1;
    if (neighbour < 0 || neighbour >= list.nodes) continue;
    const d = list.first + neighbour * DESCRIPTOR_WORDS;
    const outcome = pushTo(list.words, d, atFront, bytes, start, length);
    if (outcome === DONE) addElements(1);
    if (outcome !== NO_ROOM) return outcome === DONE;
  }
  return addNode(index, false, bytes, start, length);
}

/**
 * Removes the element under the cursor, which is then on the one that followed, or behind the last. Of the last
 * element: the list owns nothing then.
 */
export function removeElement(): void {
  const { words } = list;
  const d = cursor.descriptor;
  cursor.offset = removeAt(words, d, cursor.offset);
  addElements(-1);
  const count = nodeCount(words, d);
  if (count === 0) {
    freeNode(words, d);
    removeNodes(cursor.node, 1);
    if (elementCount() > 0) enter(cursor.node);
    return;
  }
  shrinkInPlace(d);
  if (cursor.position === count) enter(cursor.node + 1);
}

/** shrinkNode() under the cursor, whose offset moves with the elements. */
function shrinkInPlace(d: number): void {
  const head = nodeHead(list.words, d);
  shrinkNode(list.words, d);
  cursor.offset += nodeHead(list.words, d) - head;
}

/** Replaces the element under the cursor, which is invalid then. */
export function setElement(bytes: Uint8Array, start: number, length: number): boolean {
  const { entry, words } = list;
  const { index } = cursor;
  if (overwriteAt(words, cursor.descriptor, cursor.offset, bytes, start, length)) return true;
  if (!insertElement(false, bytes, start, length)) return false;
  seek(entry, index + 1);
  removeElement();
  return true;
}

// --- what the keyspace asks ----------------------------------------------------------------------

/** Leaves the list in hand alone: a full arena frees flushed databases while another list is at work. */
function freeList(entry: Ref): void {
  const header = headerOf(entry);
  const body = wordWindows[entry >>> WINDOW_SHIFT]!;
  const at = bodyWord(entry, header);
  if ((header & ENCODING_MASK) !== COLLECTION_LARGE) {
    freeNode(body, at);
    return;
  }
  const block = body[at]! as Ref;
  const words = directoryWords(block);
  const first = blockDescriptor(block, 0);
  const nodes = blockNodes(block);
  if (partsOf(words, first, nodes) > FREED_AT_ONCE_MAX) {
    retire(block, TYPE_LIST);
    return;
  }
  for (let i = 0; i < nodes; i++) freeNode(words, first + i * DESCRIPTOR_WORDS);
  freeBlock(block);
}

function duplicateList(target: Ref): boolean {
  openList(target);
  if (list.block !== NULL_REF && !duplicateBlock()) return false;
  const { words, first, nodes } = list;
  for (let i = 0; i < nodes; i++) {
    if (duplicateNode(words, first + i * DESCRIPTOR_WORDS)) continue;
    for (let j = 0; j < i; j++) freeNode(words, first + j * DESCRIPTOR_WORDS);
    if (list.block !== NULL_REF) freeBlock(list.block);
    return false;
  }
  return true;
}

function verifyList(entry: Ref, owners: Owners): void {
  openList(entry);
  const { block, words, first, nodes } = list;
  if (block === NULL_REF) {
    verifyNode(words, first, owners);
    return;
  }
  if (nodes === 0) throw new Error(`list ${block >>> 0}: a list must not be empty`);
  owners.ownsDense(block, ROOT_BLOCK_BYTES);
  retiredList.verify(block, owners);
  verifyCount(block);
}

function listMemory(entry: Ref): number {
  openList(entry);
  let bytes = list.block === NULL_REF ? 0 : blockMemory();
  for (let i = 0; i < list.nodes; i++) {
    bytes += nodeMemory(list.words, list.first + i * DESCRIPTOR_WORDS);
  }
  return bytes;
}

/** A place in a list whose nodes are being moved: | node | element: 16 |. */
const PLACES = NODE_COUNT_MAX + 1;

function relocateList(entry: Ref, place: number): number {
  const header = headerOf(entry);
  const body = wordWindows[entry >>> WINDOW_SHIFT]!;
  const at = bodyWord(entry, header);
  if ((header & ENCODING_MASK) !== COLLECTION_LARGE) return relocateNode(body, at, place);
  const block = body[at]! as Ref;
  const words = directoryWords(block);
  const first = Math.floor(place / PLACES);
  let element = place % PLACES;
  for (let node = first; node < blockNodes(block); node++) {
    if (work.left <= 0 && node > first) return node * PLACES;
    element = relocateNode(words, blockDescriptor(block, node), element);
    if (element > 0) return node * PLACES + element;
  }
  return 0;
}

export const listValue: ValueType = {
  free: freeList,
  duplicate: duplicateList,
  verify: verifyList,
  memoryBytes: listMemory,
  relocate: relocateList,
};

/** Frees nodes from the last one on; of a node with large elements these first. */
function freeListSome(block: Ref, limit: number): number {
  let done = 0;
  while (done < limit && blockNodes(block) > 0) {
    const words = directoryWords(block);
    const d = blockDescriptor(block, blockNodes(block) - 1);
    done += freeNodeSome(words, d, limit - done);
    if (done === limit) break;
    freeNode(words, d);
    dropLastNode(block);
    done++;
  }
  return done;
}

/** Frees up to `limit` elements of a node that has large ones, all but the first. Returns how many. */
function freeNodeSome(words: Int32Array, d: number, limit: number): number {
  if (nodeLarge(words, d) < 2) return 0;
  const elements = Math.min(nodeCount(words, d) - 1, limit);
  dropFrom(words, d, false, elements);
  return elements;
}

const retiredList: RetiredForm = {
  freeSome: freeListSome,
  verify(block, owners) {
    verifyDirectory(block, owners);
    const words = directoryWords(block);
    for (let i = 0; i < blockNodes(block); i++) {
      verifyNode(words, blockDescriptor(block, i), owners);
    }
  },
};

registerRetired(TYPE_LIST, retiredList);
