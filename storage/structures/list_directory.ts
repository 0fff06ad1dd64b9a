// The nodes of a list that has more than one: their descriptors side by side, in order.
//
//   body         | root block Ref | 0 | 0 | 0 |
//   root block   | directory Ref | capacity | first | nodes | count | 0 ... | retired.ts      (layout.ts)
//   directory    | free | descriptor | descriptor | ... | free |
//                0      first                             capacity            of 16 bytes each
//
// An element is found by adding counts up, 256 nodes to a page, without a look at the nodes. A descriptor
// stands for up to 8 KiB: the directory takes 0.2 % of the list. It doubles when it is full: a list of 4 GiB copies
// 8 MiB then. Block and directory are dense metadata (where each push lands), so a checkpoint copies
// them first.
//
// A list of one node has its descriptor in the entry's body and neither block nor directory. `list` tells where
// the descriptors of the list in hand are; what changes their number sets it anew. Functions that need memory
// return -1 or false when the arena is full, and nothing has changed then.
import { allocate, free } from '../memory/allocator.js';
import { wordWindows } from '../memory/arena.js';
import { DENSE } from '../memory/extents.js';
import {
  NULL_REF,
  type Ref,
  ROOT_BLOCK_BYTES,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../memory/layout.js';
import type { Owners } from './entries.js';
import { bodyWord, COLLECTION_LARGE, ENCODING_MASK, headerOf, setHeader } from './entry.js';
import { DESCRIPTOR_WORDS, nodeCount } from './list_node_format.js';

// Words of the root block.
const DIRECTORY = 0;
const CAPACITY = 1;
const FIRST = 2;
const NODES = 3;
const COUNT = 4;

const CAPACITY_MIN = 8; // 128 bytes
const DESCRIPTOR_BYTES = DESCRIPTOR_WORDS * 4;

/** Most elements of a list. */
export const LIST_COUNT_MAX = 0xffffffff;

/** The list in hand. */
export const list = {
  entry: NULL_REF,
  /** Its descriptors: `nodes` of them from words[first] on. */
  words: wordWindows[0]!,
  first: 0,
  nodes: 0,
  /** Its root block, blockWords[blockAt] the first word; NULL_REF: the descriptor is the entry's body. */
  block: NULL_REF,
  blockWords: wordWindows[0]!,
  blockAt: 0,
};

/** Makes the list of an entry the one in hand. */
export function openList(entry: Ref): void {
  const header = headerOf(entry);
  const words = wordWindows[entry >>> WINDOW_SHIFT]!;
  const at = bodyWord(entry, header);
  list.entry = entry;
  if ((header & ENCODING_MASK) === COLLECTION_LARGE) {
    openBlock(words[at]! as Ref);
    return;
  }
  list.words = words;
  list.first = at;
  list.nodes = 1;
  list.block = NULL_REF;
}

function openBlock(block: Ref): void {
  const words = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = (block & WINDOW_MASK) << 2;
  list.block = block;
  list.blockWords = words;
  list.blockAt = at;
  const directory = words[at + DIRECTORY]!;
  list.words = wordWindows[directory >>> WINDOW_SHIFT]!;
  list.first = descriptorAt(directory, words[at + FIRST]!);
  list.nodes = words[at + NODES]!;
}

/** Index, in the words of its window, of a directory's descriptor. */
function descriptorAt(directory: number, index: number): number {
  return ((directory & WINDOW_MASK) << 2) + index * DESCRIPTOR_WORDS;
}

/** Number of elements of the list in hand. */
export function elementCount(): number {
  if (list.block === NULL_REF) return nodeCount(list.words, list.first);
  return list.blockWords[list.blockAt + COUNT]! >>> 0;
}

/** Notes that elements came to the list in hand, or went. A single node counts for itself. */
export function addElements(delta: number): void {
  if (list.block === NULL_REF) return;
  const at = list.blockAt + COUNT;
  list.blockWords[at] = list.blockWords[at]! + delta;
}

// --- more and fewer nodes ------------------------------------------------------------------------

/**
 * Opens a gap for one more node before node `index` (0..nodes) of the list in hand, whose entry may be written
 * to. Returns its descriptor, all zero; -1 when the arena is full.
 */
export function insertDescriptor(index: number): number {
  if (list.block === NULL_REF && !becomeLarge()) return -1;
  const { words, first, nodes, blockWords, blockAt } = list;
  const start = blockWords[blockAt + FIRST]!;
  const gap = first + index * DESCRIPTOR_WORDS;
  if (index * 2 < nodes) {
    if (start === 0) return insertElsewhere(index);
    words.copyWithin(first - DESCRIPTOR_WORDS, first, gap);
    return noteDescriptor(start - 1, index);
  }
  if (start + nodes === blockWords[blockAt + CAPACITY]) return insertElsewhere(index);
  words.copyWithin(gap + DESCRIPTOR_WORDS, gap, first + nodes * DESCRIPTOR_WORDS);
  return noteDescriptor(start, index);
}

/** The gap for node `index` is open and the first descriptor is number `start`: counts and clears it. */
function noteDescriptor(start: number, index: number): number {
  const { words, blockWords, blockAt } = list;
  list.nodes++;
  list.first = descriptorAt(blockWords[blockAt + DIRECTORY]!, start);
  blockWords[blockAt + FIRST] = start;
  blockWords[blockAt + NODES] = list.nodes;
  const d = list.first + index * DESCRIPTOR_WORDS;
  words.fill(0, d, d + DESCRIPTOR_WORDS);
  return d;
}

/** Moves the descriptors to the middle of another directory, with the gap in between; it is larger unless half
 *  of the old one is free at the other end. */
function insertElsewhere(index: number): number {
  const { words, first, nodes, blockWords, blockAt } = list;
  const capacity = blockWords[blockAt + CAPACITY]!;
  const larger = nodes > capacity >>> 1 ? capacity * 2 : capacity;
  const directory = allocate(larger * DESCRIPTOR_BYTES, DENSE);
  if (directory === NULL_REF) return -1;
  const to = wordWindows[directory >>> WINDOW_SHIFT]!;
  const start = (larger - nodes) >>> 1;
  const gap = first + index * DESCRIPTOR_WORDS;
  to.set(words.subarray(first, gap), descriptorAt(directory, start));
  const end = first + nodes * DESCRIPTOR_WORDS;
  to.set(words.subarray(gap, end), descriptorAt(directory, start + index + 1));
  free(blockWords[blockAt + DIRECTORY]! as Ref, capacity * DESCRIPTOR_BYTES, DENSE);
  blockWords[blockAt + DIRECTORY] = directory;
  blockWords[blockAt + CAPACITY] = larger;
  list.words = to;
  return noteDescriptor(start, index);
}

/** A root block with a directory that holds `nodes` descriptors from words[from] on; NULL_REF: no memory. */
export function createBlock(
  words: Int32Array,
  from: number,
  nodes: number,
  capacity: number,
  count: number,
): Ref {
  const block = allocate(ROOT_BLOCK_BYTES, DENSE);
  if (block === NULL_REF) return NULL_REF;
  const directory = allocate(capacity * DESCRIPTOR_BYTES, DENSE);
  if (directory === NULL_REF) {
    free(block, ROOT_BLOCK_BYTES, DENSE);
    return NULL_REF;
  }
  const first = (capacity - nodes) >>> 1;
  const descriptors = words.subarray(from, from + nodes * DESCRIPTOR_WORDS);
  wordWindows[directory >>> WINDOW_SHIFT]!.set(descriptors, descriptorAt(directory, first));
  const blockWords = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = (block & WINDOW_MASK) << 2;
  blockWords.fill(0, at, at + ROOT_BLOCK_BYTES / 4);
  blockWords[at + DIRECTORY] = directory;
  blockWords[at + CAPACITY] = capacity;
  blockWords[at + FIRST] = first;
  blockWords[at + NODES] = nodes;
  blockWords[at + COUNT] = count;
  return block;
}

/** Moves the descriptor in the body to a directory. */
function becomeLarge(): boolean {
  const { entry, words, first } = list;
  const block = createBlock(words, first, 1, CAPACITY_MIN, nodeCount(words, first));
  if (block === NULL_REF) return false;
  words.fill(0, first, first + DESCRIPTOR_WORDS);
  words[first] = block;
  setHeader(entry, headerOf(entry) | COLLECTION_LARGE);
  openBlock(block);
  return true;
}

/** Takes the descriptors of nodes [index, index + nodes), fewer than all, out of the list in hand: what they
 *  stood for is freed or another's. */
export function removeDescriptors(index: number, nodes: number): void {
  const { words, first, blockWords, blockAt } = list;
  const left = list.nodes - nodes;
  const gap = first + index * DESCRIPTOR_WORDS;
  const gapEnd = gap + nodes * DESCRIPTOR_WORDS;
  if (index * 2 < left) {
    words.copyWithin(first + nodes * DESCRIPTOR_WORDS, first, gap);
    blockWords[blockAt + FIRST] = blockWords[blockAt + FIRST]! + nodes;
    list.first = first + nodes * DESCRIPTOR_WORDS;
  } else {
    words.copyWithin(gap, gapEnd, first + list.nodes * DESCRIPTOR_WORDS);
  }
  blockWords[blockAt + NODES] = left;
  list.nodes = left;
}

/** Puts the descriptor of the only node that is left back into the body of the list in hand. */
export function becomeSmall(): void {
  const { words, first, entry } = list;
  const body = wordWindows[entry >>> WINDOW_SHIFT]!;
  const at = bodyWord(entry, headerOf(entry));
  for (let i = 0; i < DESCRIPTOR_WORDS; i++) body[at + i] = words[first + i]!;
  setHeader(entry, headerOf(entry) & ~ENCODING_MASK);
  freeBlock(list.block);
  openList(entry);
}

/** Gives the list in hand, whose body is a clone of another's, a block and a directory of its own. */
export function duplicateBlock(): boolean {
  const { entry, words, first, nodes } = list;
  const block = createBlock(words, first, nodes, nodes, elementCount());
  if (block === NULL_REF) return false;
  wordWindows[entry >>> WINDOW_SHIFT]![bodyWord(entry, headerOf(entry))] = block;
  openBlock(block);
  return true;
}

/** Bytes of the directory and the block of the list in hand. */
export function blockMemory(): number {
  return ROOT_BLOCK_BYTES + list.blockWords[list.blockAt + CAPACITY]! * DESCRIPTOR_BYTES;
}

// --- lists that are freed in steps, and verify ---------------------------------------------------
// Nothing here touches the list in hand: a full arena frees while another list is at work.

/** The words of a block's directory. */
export function directoryWords(block: Ref): Int32Array {
  const directory = wordWindows[block >>> WINDOW_SHIFT]![(block & WINDOW_MASK) << 2]!;
  return wordWindows[directory >>> WINDOW_SHIFT]!;
}

/** Number of nodes of a block. */
export function blockNodes(block: Ref): number {
  return wordWindows[block >>> WINDOW_SHIFT]![((block & WINDOW_MASK) << 2) + NODES]!;
}

/** Descriptor of a node of a block, in directoryWords(). */
export function blockDescriptor(block: Ref, node: number): number {
  const words = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = (block & WINDOW_MASK) << 2;
  return descriptorAt(words[at + DIRECTORY]!, words[at + FIRST]! + node);
}

/** Frees a block with its directory; its nodes are freed already. */
export function freeBlock(block: Ref): void {
  const words = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = (block & WINDOW_MASK) << 2;
  free(words[at + DIRECTORY]! as Ref, words[at + CAPACITY]! * DESCRIPTOR_BYTES, DENSE);
  free(block, ROOT_BLOCK_BYTES, DENSE);
}

/** Forgets the last node of a block, freed already. With the last of all the directory is freed. */
export function dropLastNode(block: Ref): void {
  const words = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = (block & WINDOW_MASK) << 2;
  words[at + NODES] = words[at + NODES]! - 1;
  if (words[at + NODES]! > 0) return;
  free(words[at + DIRECTORY]! as Ref, words[at + CAPACITY]! * DESCRIPTOR_BYTES, DENSE);
  words[at + DIRECTORY] = NULL_REF;
}

/** Shows a block's directory, if it still has one; throws when the block does not fit it. */
export function verifyDirectory(block: Ref, owners: Owners): void {
  const words = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = (block & WINDOW_MASK) << 2;
  const directory = words[at + DIRECTORY]! as Ref;
  const capacity = words[at + CAPACITY]!;
  const first = words[at + FIRST]!;
  const nodes = words[at + NODES]!;
  if (
    first < 0 ||
    nodes < 0 ||
    first + nodes > capacity ||
    (directory === NULL_REF) !== (nodes === 0)
  ) {
    throw new Error(`list ${block >>> 0}: nodes ${first}..${first + nodes} of ${capacity}`);
  }
  if (nodes > 0) owners.ownsDense(directory, capacity * DESCRIPTOR_BYTES);
}

/** Throws when the count in a block is not the sum of its nodes. */
export function verifyCount(block: Ref): void {
  const words = directoryWords(block);
  let count = 0;
  for (let i = 0; i < blockNodes(block); i++) count += nodeCount(words, blockDescriptor(block, i));
  const noted = wordWindows[block >>> WINDOW_SHIFT]![((block & WINDOW_MASK) << 2) + COUNT]! >>> 0;
  if (count !== noted) {
    throw new Error(`list ${block >>> 0}: ${count} elements, its root says ${noted}`);
  }
}
