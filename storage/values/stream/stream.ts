// Stream values: entries of fields and values under ascending ids, appended at the end, read by id, deleted
// anywhere, trimmed at the front. A dense root block (block.ts) with a B+tree of packed nodes (node_format.ts).
//
// Costs: an entry is added to the last node, which the root block refers to: no look-up. A range begins with one
// look-up in the tree (5M entries: three levels) and half a node that is passed over; deleting is the same. XTRIM
// drops whole nodes, and marks single entries in the first that stays.
//
// All functions take the root block of a stream (streamBlock()), which stays where it is as long as the key is
// there; so no entry needs to be made writable. Reading stands in walk.ts, the value as a whole in whole.ts.
// Functions that need memory return false when the arena is full, and nothing has changed then.
import { byteWindows } from '../../memory/arena.js';
import { NULL_REF, type Ref, WINDOW_SHIFT } from '../../memory/layout.js';
import { createEntry, freeShell } from '../../structures/entries.js';
import { TYPE_STREAM } from '../../structures/entry.js';
import {
  countEntry,
  createBlock,
  loadFirstId,
  nodeAt,
  nodeCount,
  nodeIndexOf,
  setStreamLength,
  storeBlock,
  storeFirstId,
  storeLastId,
  streamLength,
} from './block.js';
import {
  DELETED_WORD,
  HEAD_DELETED,
  LIVE_WORD,
  nextInNode,
  nodeBase,
  nodeWords,
  openNode,
  scan,
  scanId,
} from './node_format.js';
import { appendToNodes, dropNode, type Pairs, writableNode } from './nodes.js';
import { compareIds, ID_MIN, StreamId } from './stream_id.js';
import { findFirst } from './walk.js';

/** A stream without entries, in no database yet; NULL_REF when the arena is full. */
export function createStream(key: Uint8Array, start: number, length: number): Ref {
  const entry = createEntry(TYPE_STREAM, key, start, length, 0);
  if (entry === NULL_REF) return NULL_REF;
  const block = createBlock();
  if (block !== NULL_REF) {
    storeBlock(entry, block);
    return entry;
  }
  freeShell(entry);
  return NULL_REF;
}

/** Adds an entry. Its id is greater than the last one. False: the arena is full. */
export function addEntry(block: Ref, id: StreamId, pairs: Pairs): boolean {
  if (!appendToNodes(block, id, pairs)) return false;
  countEntry(block);
  storeLastId(block, id);
  if (streamLength(block) === 1) storeFirstId(block, id);
  return true;
}

// --- deleting ------------------------------------------------------------------------------------

const firstId = new StreamId();

/** Deletes the entry with this id; false when there is none. */
export function deleteEntry(block: Ref, id: StreamId): boolean {
  const index = nodeIndexOf(block, id);
  if (index < 0) return false;
  openNode(nodeAt(block, index));
  let order = -1;
  while (order < 0 && nextInNode()) order = compareIds(scanId, id);
  if (order !== 0 || scan.isDeleted) return false;
  const { at, start } = scan;
  const node = nodeAt(block, index);
  if (nodeWords(node)[nodeBase(node) + LIVE_WORD] === 1) {
    dropNode(block, index);
  } else {
    markDeleted(writableNode(block, index), at - start);
  }
  setStreamLength(block, streamLength(block) - 1);
  loadFirstId(block, firstId);
  if (compareIds(id, firstId) === 0) renewFirstId(block);
  return true;
}

/** Marks the entry that begins so many bytes behind the start of a node. */
function markDeleted(node: Ref, at: number): void {
  const words = nodeWords(node);
  const base = nodeBase(node);
  const view = byteWindows[node >>> WINDOW_SHIFT]!;
  view[(base << 2) + at] = view[(base << 2) + at]! | HEAD_DELETED;
  words[base + LIVE_WORD] = words[base + LIVE_WORD]! - 1;
  words[base + DELETED_WORD] = words[base + DELETED_WORD]! + 1;
}

/** Notes the first id anew: the first entry has gone. */
function renewFirstId(block: Ref): void {
  storeFirstId(block, findFirst(block) ? scanId : ID_MIN);
}

// --- trimming ------------------------------------------------------------------------------------

/** How far a stream is to be trimmed: as XTRIM's options say. */
export interface Trim {
  /** Whether entries below `minId` go; else the first ones beyond `lengthMax`. */
  byId: boolean;
  lengthMax: number;
  minId: StreamId;
  /** Only whole nodes go. */
  isApproximate: boolean;
  /** Most entries to delete, 0 for no limit: a node that would exceed it stays. */
  limit: number;
}

/**
 * Trims the front of a stream. Returns how many entries went. As Redis does it: whole nodes, and then, unless it is
 * approximate, the first entries of the node that stays.
 */
export function trimStream(block: Ref, trim: Trim): number {
  let deleted = 0;
  while (nodeCount(block) > 0) {
    const length = streamLength(block);
    if (!trim.byId && length <= trim.lengthMax) break;
    const node = nodeAt(block, 0);
    const entries = nodeWords(node)[nodeBase(node) + LIVE_WORD]!;
    if (trim.limit > 0 && deleted + entries > trim.limit) break;
    const goes = trim.byId
      ? endsBelow(block, node, trim.minId)
      : length - entries >= trim.lengthMax;
    if (!goes) {
      if (!trim.isApproximate) deleted += trimNode(block, trim);
      break;
    }
    dropNode(block, 0);
    setStreamLength(block, length - entries);
    deleted += entries;
  }
  if (deleted > 0) renewFirstId(block);
  return deleted;
}

/** Whether all entries of the first node, deleted ones too, have lower ids. */
function endsBelow(block: Ref, node: Ref, id: StreamId): boolean {
  if (nodeCount(block) > 1 && nodeIndexOf(block, id) > 0) return true;
  openNode(node);
  while (nextInNode()) if (compareIds(scanId, id) >= 0) return false;
  return true;
}

/** Marks entries of the first node as deleted. Returns how many. */
function trimNode(block: Ref, trim: Trim): number {
  const node = writableNode(block, 0);
  let length = streamLength(block);
  const before = length;
  openNode(node);
  while (nextInNode()) {
    if (trim.byId ? compareIds(scanId, trim.minId) >= 0 : length <= trim.lengthMax) break;
    if (scan.isDeleted) continue;
    markDeleted(node, scan.at - scan.start);
    length--;
  }
  setStreamLength(block, length);
  return before - length;
}
