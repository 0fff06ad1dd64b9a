// A stream as a whole: what the keyspace asks of it (ValueType) and how a large one is freed in steps.
import { free, usableBytes } from '../../memory/allocator.js';
import { wordWindows } from '../../memory/arena.js';
import { DATA, DENSE } from '../../memory/extents.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../../memory/layout.js';
import { forEachLeft, takeLast } from '../../structures/btree_drain.js';
import { verifyTree, verifyTreeFreeing } from '../../structures/btree_verify.js';
import { INDEX_BYTES_PER_ENTRY, type Owners } from '../../structures/entries.js';
import { TYPE_STREAM } from '../../structures/entry.js';
import { relocateObject, work } from '../../structures/relocation.js';
import { FREED_AT_ONCE_MAX, registerRetired, retire } from '../retired.js';
import type { ValueType } from '../value_type.js';
import {
  createBlock,
  fileTail,
  groupsOf,
  loadFirstId,
  loadLastId,
  loadTailId,
  nodeAt,
  nodeCount,
  STREAM_BLOCK_BYTES,
  setGroups,
  setNodeAt,
  setTail,
  storeBlock,
  streamBlock,
  streamLength,
  TREE_WORD,
  tailOf,
  treeNodes,
} from './block.js';
import { groupRules } from './groups.js';
import {
  DELETED_WORD,
  LIVE_WORD,
  nextInNode,
  nodeBase,
  nodeWords,
  openNode,
  scan,
  scanId,
  sharesWithFirst,
} from './node_format.js';
import { capacityOf, copyNode, usedOf } from './nodes.js';
import { compareIds, copyId, ID_MIN, StreamId } from './stream_id.js';

/** Nodes that memoryBytes looks at before it extrapolates. */
const MEMORY_SAMPLE = 64;
/** Work of looking at a node that stays where it is: see relocation.ts. */
const NODE_COST = 128;

// --- freeing -------------------------------------------------------------------------------------

function freeStream(entry: Ref): void {
  const block = streamBlock(entry);
  const groups = groupsOf(block);
  const parts = groups === NULL_REF ? 0 : groupRules(groups).parts(groups);
  if (nodeCount(block) + parts > FREED_AT_ONCE_MAX) {
    retire(block, TYPE_STREAM);
    return;
  }
  freeSome(block, Number.POSITIVE_INFINITY);
  free(block, STREAM_BLOCK_BYTES, DENSE);
}

function freeSome(block: Ref, limit: number): number {
  let done = 0;
  const groups = groupsOf(block);
  if (groups !== NULL_REF) {
    done = groupRules(groups).freeSome(groups, limit);
    if (done === limit) return done;
    setGroups(block, NULL_REF);
  }
  while (done < limit) {
    let node = tailOf(block);
    if (node !== NULL_REF) setTail(block, NULL_REF);
    else node = takeLast(block, TREE_WORD) as Ref;
    if (node === NULL_REF) break;
    free(node, capacityOf(node), DATA);
    done++;
  }
  return done;
}

function verifyFreeing(block: Ref, owners: Owners): void {
  const groups = groupsOf(block);
  if (groups !== NULL_REF) groupRules(groups).verifyFreeing(groups, owners);
  const ownsNode = (node: Ref): void => owners.ownsData(node, capacityOf(node));
  if (tailOf(block) !== NULL_REF) ownsNode(tailOf(block));
  forEachLeft(block, TREE_WORD, (node) => ownsNode(node as Ref));
  verifyTreeFreeing(block, TREE_WORD, (ref, bytes) => owners.ownsDense(ref, bytes));
}

registerRetired(TYPE_STREAM, { blockBytes: STREAM_BLOCK_BYTES, freeSome, verify: verifyFreeing });

// --- copying -------------------------------------------------------------------------------------

function duplicateStream(target: Ref): boolean {
  const source = streamBlock(target);
  const block = duplicateBlock(source);
  if (block === NULL_REF) return false;
  storeBlock(target, block);
  return true;
}

function duplicateBlock(source: Ref): Ref {
  const block = createBlock();
  if (block === NULL_REF) return NULL_REF;
  if (duplicateNodes(source, block) && duplicateGroups(source, block)) return block;
  freeSome(block, Number.POSITIVE_INFINITY);
  free(block, STREAM_BLOCK_BYTES, DENSE);
  return NULL_REF;
}

/** Copies the nodes into an empty block, and then ids and counts. */
function duplicateNodes(source: Ref, block: Ref): boolean {
  const nodes = nodeCount(source);
  for (let i = 0; i < nodes; i++) {
    const node = nodeAt(source, i);
    const copy = copyNode(node, usedOf(node));
    if (copy === NULL_REF) return false;
    if (i > 0 && !fileTail(block)) {
      free(copy, capacityOf(copy), DATA);
      return false;
    }
    setTail(block, copy);
  }
  const from = wordWindows[source >>> WINDOW_SHIFT]!;
  const to = wordWindows[block >>> WINDOW_SHIFT]!;
  const sourceAt = (source & WINDOW_MASK) << 2;
  const targetAt = (block & WINDOW_MASK) << 2;
  const tail = tailOf(block);
  for (let word = 0; word < STREAM_BLOCK_BYTES / 4; word++) {
    if (word < TREE_WORD || word > TREE_WORD + 5) to[targetAt + word] = from[sourceAt + word]!;
  }
  setTail(block, tail);
  setGroups(block, NULL_REF);
  return true;
}

function duplicateGroups(source: Ref, block: Ref): boolean {
  const groups = groupsOf(source);
  if (groups === NULL_REF) return true;
  setGroups(block, groupRules(groups).duplicate(groups));
  return groupsOf(block) !== NULL_REF;
}

// --- proving -------------------------------------------------------------------------------------

const before = new StreamId();
const bound = new StreamId();

function verifyStream(entry: Ref, owners: Owners): void {
  const block = streamBlock(entry);
  owners.ownsDense(block, STREAM_BLOCK_BYTES);
  verifyTree(block, TREE_WORD, (ref, bytes) => owners.ownsDense(ref, bytes));
  const nodes = nodeCount(block);
  expect(nodes > 0 || treeNodes(block) === 0, block, 'a last node behind those of the tree');
  const first = new StreamId();
  let length = 0;
  for (let i = 0; i < nodes; i++) {
    const node = nodeAt(block, i);
    owners.ownsData(node, capacityOf(node));
    const live = verifyNode(block, node, i === 0);
    if (length === 0 && live > 0) copyId(first, firstLive(node));
    length += live;
  }
  expect(length === streamLength(block), block, `${streamLength(block)} entries, found ${length}`);
  loadFirstId(block, bound);
  expect(compareIds(bound, first) === 0, block, 'the id of the first entry');
  if (nodes > 0) {
    loadTailId(block, bound);
    expect(compareIds(bound, before) === 0, block, 'the id of the last entry of the last node');
    loadLastId(block, bound);
    expect(compareIds(bound, before) >= 0, block, 'no entry behind the last id');
  }
  const groups = groupsOf(block);
  if (groups !== NULL_REF) groupRules(groups).verify(groups, owners, block);
}

/** Proves a node; leaves the id of its last entry in `before`. Returns how many entries are there. */
function verifyNode(block: Ref, node: Ref, isFirst: boolean): number {
  const words = nodeWords(node);
  const base = nodeBase(node);
  const used = usedOf(node);
  expect(used <= capacityOf(node), block, `${used} bytes in a node of ${capacityOf(node)}`);
  let live = 0;
  let deleted = 0;
  openNode(node);
  while (nextInNode()) {
    const ascends = (isFirst && live + deleted === 0) || compareIds(scanId, before) > 0;
    expect(ascends, block, 'ascending ids');
    copyId(before, scanId);
    expect(sharesWithFirst(), block, 'values that share what the first ones have');
    if (scan.isDeleted) deleted++;
    else live++;
  }
  expect(scan.next === scan.end, block, 'entries that end where the node says');
  expect(live === words[base + LIVE_WORD], block, `as many entries in a node as it says: ${live}`);
  expect(deleted === words[base + DELETED_WORD], block, `as many deleted: ${deleted}`);
  expect(live + deleted > 0, block, 'a node with entries');
  return live;
}

function firstLive(node: Ref): StreamId {
  openNode(node);
  while (nextInNode()) if (!scan.isDeleted) return scanId;
  return ID_MIN;
}

function expect(holds: boolean, block: Ref, expected: string): void {
  if (!holds) throw new Error(`heap corruption: stream ${block >>> 0}: expected ${expected}`);
}

// --- size and place ------------------------------------------------------------------------------

/** Exact up to some nodes, then by the mean of these. */
function streamMemory(entry: Ref): number {
  const block = streamBlock(entry);
  const nodes = nodeCount(block);
  const sample = Math.min(nodes, MEMORY_SAMPLE);
  let bytes = 0;
  for (let i = 0; i < sample; i++) {
    bytes += capacityOf(nodeAt(block, Math.floor((i * nodes) / sample)));
  }
  const groups = groupsOf(block);
  return (
    usableBytes(STREAM_BLOCK_BYTES) +
    (sample > 0 ? Math.round((bytes / sample) * nodes) : 0) +
    treeNodes(block) * INDEX_BYTES_PER_ENTRY +
    (groups === NULL_REF ? 0 : groupRules(groups).memoryBytes(groups))
  );
}

/** The cursor is the number of the next node. The root block is dense and stays. */
function relocateStream(entry: Ref, cursor: number): number {
  const block = streamBlock(entry);
  const nodes = nodeCount(block);
  for (let i = cursor; i < nodes; i++) {
    if (work.left <= 0 && i > cursor) return i;
    const node = nodeAt(block, i);
    const target = relocateObject(node, capacityOf(node), usedOf(node));
    if (target !== node) setNodeAt(block, i, target);
    work.left -= NODE_COST;
  }
  return 0;
}

export const streamValue: ValueType = {
  free: freeStream,
  duplicate: duplicateStream,
  verify: verifyStream,
  memoryBytes: streamMemory,
  relocate: relocateStream,
};
