// Consumer groups of a stream, found by name, and their consumers.
//
//   groups      a root block | tree of groups: 4 words | 0 ... |
//   group       entry: name | root block Ref | 0 | 0 | 0 |
//     root block  | tree of pending entries: 4 | tree of consumers: 4 | last delivered id: 4 | entries read: 2 |
//                 | being freed: 1 | 0 | retired.ts |
//   consumer    entry: name | block Ref | 0 | 0 | 0 |
//     block       | tree of pending entries: 4 | seen: 2 | entry Ref | 0 |
//
// Groups and consumers are entries (structures/entry.ts) in trees ordered by name, as Redis lists them. What
// changes lies in blocks, dense metadata that stays where it is; the entries hold the names and are never written
// to again. So a block is the handle of a group or consumer, and pending records refer to consumers' blocks.
// The way back from a consumer to its name is the one Ref here that owns nothing: it holds because these entries
// stay where they are (a stream's relocate() moves its nodes alone).
//
//   entries read  int64, -1 when it is not known; how many entries the stream had given out up to the last
//                 delivered id
//   seen          when the consumer was last named by a command, in milliseconds of Unix time
//
// Cost: a group 1.2 KiB with its first consumer, a consumer 90 bytes, and 1 KiB once entries are pending for it
// (nodes of its tree); entries as in pending.ts.
//
// The stream's root block refers to the root block of the groups, NULL_REF when there are none (block.ts). Functions
// that need memory return NULL_REF when the arena is full, and nothing has changed then.
import { allocate, free } from '../../memory/allocator.js';
import { wordWindows } from '../../memory/arena.js';
import { DENSE } from '../../memory/extents.js';
import {
  NULL_REF,
  type Ref,
  ROOT_BLOCK_BYTES,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../../memory/layout.js';
import * as btree from '../../structures/btree.js';
import { TIES_BY_MEMBER } from '../../structures/btree_node.js';
import { createEntry, freeShell } from '../../structures/entries.js';
import {
  bodyWord,
  COLLECTION_LARGE,
  headerOf,
  keyEquals,
  locateKey,
  TYPE_STREAM,
} from '../../structures/entry.js';
import { PROBE, setProbe } from '../../structures/member_order.js';
import { groupsOf, setGroups } from './block.js';
import { createPendingTree, readMillis, removeAllPending, writeMillis } from './pending.js';
import { loadId, type StreamId, storeId } from './stream_id.js';

/** The tree of groups in their root block. */
export const GROUPS_WORD = 0;
/** In the root block of a group. */
export const CONSUMERS_WORD = 4;
const LAST_ID_WORD = 8;
const READ_WORD = 12;
/** Of groups and of a group that are freed in steps: what has left its tree already (group_rules.ts). */
export const FREEING_WORD = 14;

export const CONSUMER_BYTES = 32;
const SEEN_WORD = 4;
const NAME_WORD = 6;

const { item } = btree;

/** Entries read as an int64. */
export const entriesRead = { high: 0, low: 0 };

function blockIndex(block: Ref): number {
  return (block & WINDOW_MASK) << 2;
}

// --- things with names ---------------------------------------------------------------------------

/** The block of a group's or a consumer's entry. */
export function blockOf(entry: Ref): Ref {
  return wordWindows[entry >>> WINDOW_SHIFT]![bodyWord(entry, headerOf(entry))]! as Ref;
}

/** A block of zeros; NULL_REF when the arena is full. */
function createBlock(bytes: number): Ref {
  const block = allocate(bytes, DENSE);
  if (block === NULL_REF) return NULL_REF;
  const at = blockIndex(block);
  wordWindows[block >>> WINDOW_SHIFT]!.fill(0, at, at + bytes / 4);
  return block;
}

/** Enters a block with a new name into a tree. Returns the entry; NULL_REF when the arena is full. */
function enterBlock(
  owner: Ref,
  treeWord: number,
  block: Ref,
  bytes: Uint8Array,
  offset: number,
  length: number,
): Ref {
  const entry = createEntry(TYPE_STREAM | COLLECTION_LARGE, bytes, offset, length, 0);
  if (entry === NULL_REF) return NULL_REF;
  const words = wordWindows[entry >>> WINDOW_SHIFT]!;
  const at = bodyWord(entry, headerOf(entry));
  words[at] = block;
  words.fill(0, at + 1, at + 4);
  if (btree.insert(owner, treeWord, 0, 0, entry)) return entry;
  freeShell(entry);
  return NULL_REF;
}

/** The entry with a name, or NULL_REF. */
function findEntry(
  owner: Ref,
  treeWord: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): Ref {
  setProbe(bytes, offset, length);
  const index = btree.rank(owner, treeWord, 0, 0, PROBE);
  if (!btree.select(owner, treeWord, index)) return NULL_REF;
  const entry = item.w2 as Ref;
  return keyEquals(entry, bytes, offset, length) ? entry : NULL_REF;
}

// --- groups --------------------------------------------------------------------------------------

/** A root block without groups; NULL_REF when the arena is full. */
export function createGroups(): Ref {
  const groups = createBlock(ROOT_BLOCK_BYTES);
  if (groups !== NULL_REF) btree.createTree(groups, GROUPS_WORD, TIES_BY_MEMBER);
  return groups;
}

/** How many groups there are; `groups` may be NULL_REF. */
export function groupCount(groups: Ref): number {
  return groups === NULL_REF ? 0 : btree.count(groups, GROUPS_WORD);
}

/** Group number `index` in the order of names, its name in `span`. */
export function groupAt(groups: Ref, index: number): Ref {
  btree.select(groups, GROUPS_WORD, index);
  const entry = item.w2 as Ref;
  locateKey(entry);
  return blockOf(entry);
}

/** The group with a name, or NULL_REF; `groups` may be NULL_REF. */
export function findGroup(groups: Ref, bytes: Uint8Array, offset: number, length: number): Ref {
  if (groups === NULL_REF) return NULL_REF;
  const entry = findEntry(groups, GROUPS_WORD, bytes, offset, length);
  return entry === NULL_REF ? NULL_REF : blockOf(entry);
}

/** Adds a group to a stream whose name is not there: see addGroup(). */
export function createGroup(stream: Ref, bytes: Uint8Array, offset: number, length: number): Ref {
  const before = groupsOf(stream);
  const groups = before === NULL_REF ? createGroups() : before;
  if (groups === NULL_REF) return NULL_REF;
  const group = addGroup(groups, bytes, offset, length);
  if (group !== NULL_REF) setGroups(stream, groups);
  else if (before === NULL_REF) free(groups, ROOT_BLOCK_BYTES, DENSE);
  return group;
}

/** Adds a group to a root block: nothing delivered, entries read 0. */
export function addGroup(groups: Ref, bytes: Uint8Array, offset: number, length: number): Ref {
  const group = createBlock(ROOT_BLOCK_BYTES);
  if (group === NULL_REF) return NULL_REF;
  createPendingTree(group);
  btree.createTree(group, CONSUMERS_WORD, TIES_BY_MEMBER);
  if (enterBlock(groups, GROUPS_WORD, group, bytes, offset, length) !== NULL_REF) return group;
  free(group, ROOT_BLOCK_BYTES, DENSE);
  return NULL_REF;
}

/**
 * Takes a group, which is there, out of a stream, and frees its name. What it holds is the caller's to free
 * (freeGroup in group_rules.ts).
 */
export function unlinkGroup(stream: Ref, bytes: Uint8Array, offset: number, length: number): void {
  const groups = groupsOf(stream);
  const entry = findEntry(groups, GROUPS_WORD, bytes, offset, length);
  btree.remove(groups, GROUPS_WORD, 0, 0, entry);
  freeShell(entry);
  if (groupCount(groups) > 0) return;
  free(groups, ROOT_BLOCK_BYTES, DENSE);
  setGroups(stream, NULL_REF);
}

export function loadLastId(group: Ref, id: StreamId): void {
  loadId(id, wordWindows[group >>> WINDOW_SHIFT]!, blockIndex(group) + LAST_ID_WORD);
}
export function storeLastId(group: Ref, id: StreamId): void {
  storeId(id, wordWindows[group >>> WINDOW_SHIFT]!, blockIndex(group) + LAST_ID_WORD);
}

/** Fills `entriesRead`. */
export function loadEntriesRead(group: Ref): void {
  const words = wordWindows[group >>> WINDOW_SHIFT]!;
  entriesRead.high = words[blockIndex(group) + READ_WORD]!;
  entriesRead.low = words[blockIndex(group) + READ_WORD + 1]!;
}
export function storeEntriesRead(group: Ref, high: number, low: number): void {
  const words = wordWindows[group >>> WINDOW_SHIFT]!;
  words[blockIndex(group) + READ_WORD] = high;
  words[blockIndex(group) + READ_WORD + 1] = low;
}

// --- consumers -----------------------------------------------------------------------------------

export function consumerCount(group: Ref): number {
  return btree.count(group, CONSUMERS_WORD);
}

/** Consumer number `index` in the order of names, its name in `span`. */
export function consumerAt(group: Ref, index: number): Ref {
  btree.select(group, CONSUMERS_WORD, index);
  const entry = item.w2 as Ref;
  locateKey(entry);
  return blockOf(entry);
}

/** The consumer with a name, or NULL_REF. */
export function findConsumer(group: Ref, bytes: Uint8Array, offset: number, length: number): Ref {
  const entry = findEntry(group, CONSUMERS_WORD, bytes, offset, length);
  return entry === NULL_REF ? NULL_REF : blockOf(entry);
}

/** Adds a consumer whose name is not there, seen at a time. */
export function createConsumer(
  group: Ref,
  bytes: Uint8Array,
  offset: number,
  length: number,
  millis: number,
): Ref {
  const block = createBlock(CONSUMER_BYTES);
  if (block === NULL_REF) return NULL_REF;
  createPendingTree(block);
  writeMillis(block, SEEN_WORD, millis);
  const entry = enterBlock(group, CONSUMERS_WORD, block, bytes, offset, length);
  if (entry === NULL_REF) {
    free(block, CONSUMER_BYTES, DENSE);
    return NULL_REF;
  }
  wordWindows[block >>> WINDOW_SHIFT]![blockIndex(block) + NAME_WORD] = entry;
  return block;
}

/** Removes a consumer with all that is pending for it, which takes 0.3 us an entry. */
export function deleteConsumer(group: Ref, consumer: Ref): void {
  removeAllPending(group, consumer);
  const entry = nameEntry(consumer);
  btree.remove(group, CONSUMERS_WORD, 0, 0, entry);
  freeConsumer(entry);
}

/** Frees the entry and the block of a consumer whose tree is empty. */
export function freeConsumer(entry: Ref): void {
  const block = blockOf(entry);
  freeShell(entry);
  free(block, CONSUMER_BYTES, DENSE);
}

export function nameEntry(consumer: Ref): Ref {
  return wordWindows[consumer >>> WINDOW_SHIFT]![blockIndex(consumer) + NAME_WORD]! as Ref;
}

/** Fills `span` with the name of a consumer. */
export function locateConsumerName(consumer: Ref): void {
  locateKey(nameEntry(consumer));
}

/** When a command last named the consumer, in milliseconds of Unix time. */
export function seenMillis(consumer: Ref): number {
  return readMillis(consumer, SEEN_WORD);
}
export function noteSeen(consumer: Ref, millis: number): void {
  writeMillis(consumer, SEEN_WORD, millis);
}
