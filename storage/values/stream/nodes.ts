// Nodes as objects: making them, adding entries, letting them grow, dropping them. The format is drawn in
// node_format.ts.
//
// A stream's first node grows by doubling; a later one begins with what the one before has used, so that a
// steady stream copies nothing. When a node takes no more it is cut to what it uses. While a checkpoint runs, a node
// in a page that is not copied yet is moved before it is written to (memory/placement.ts): 4 KiB once a
// checkpoint for the last node.
import { allocate, free, sameSlot, usableBytes } from '../../memory/allocator.js';
import { byteWindows } from '../../memory/arena.js';
import { copyBytes } from '../../memory/bytes.js';
import { DATA } from '../../memory/extents.js';
import {
  EXTENT_BYTES,
  EXTENTS_PER_WINDOW,
  METADATA_EXTENTS,
  NULL_REF,
  type Ref,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../../memory/layout.js';
import { mayWrite } from '../../memory/placement.js';
import {
  fileTail,
  loadTailId,
  nodeAt,
  setNodeAt,
  setTail,
  storeTailId,
  tailOf,
  treeNodes,
  unfileNode,
} from './block.js';
import {
  CAPACITY_WORD,
  DELETED_WORD,
  FIRST_HEAD_BYTES,
  FORM_NAMED,
  FORM_OWN,
  FORM_SHARED,
  FORM_SHIFT,
  FORM_SIZED,
  LIVE_WORD,
  NODE_HEAD_BYTES,
  nextInNode,
  nodeBase,
  nodeWords,
  openNode,
  readVarint,
  STEP_BOTH,
  STEP_MILLIS_MAX,
  STEP_NEXT,
  STEP_SEQUENCE,
  scanId,
  USED_WORD,
  varintBytes,
  varintEnd,
  wideBytes,
  writeVarint,
  writeWide,
} from './node_format.js';
import { StreamId, storeId } from './stream_id.js';

/** What a node holds at most, by configuration: stream-node-max-entries and -bytes, 0 for no limit. */
export const streamLimits = { nodeEntriesMax: 100, nodeBytesMax: 4096 };

/** And in any case, but for an entry that is larger alone: an entry is found by reading its node. */
const NODE_BYTES_MAX = 64 * 1024;

/** The largest object: one window less its metadata. */
const OBJECT_BYTES_MAX = (EXTENTS_PER_WINDOW - METADATA_EXTENTS) * EXTENT_BYTES;

/** Fields and values that are being added: they lie in bytes[offsets[i], + lengths[i]), from `first` on. */
export interface Pairs {
  bytes: Uint8Array;
  offsets: Int32Array;
  lengths: Int32Array;
  first: number;
  fields: number;
}

/** Bytes that a node may use by configuration. */
function bytesMax(): number {
  const { nodeBytesMax } = streamLimits;
  return nodeBytesMax === 0 || nodeBytesMax > NODE_BYTES_MAX ? NODE_BYTES_MAX : nodeBytesMax;
}

// --- adding an entry -----------------------------------------------------------------------------

/** How the entry that is being added is written. */
const writing = {
  form: FORM_SIZED,
  bytes: 0,
  step: STEP_NEXT,
  msHigh: 0,
  msLow: 0,
  seqHigh: 0,
  seqLow: 0,
};
const tailId = new StreamId();

/** Adds an entry behind the last one of the stream. False: the arena is full, and nothing has changed. */
export function appendToNodes(block: Ref, id: StreamId, pairs: Pairs): boolean {
  const tail = tailOf(block);
  if (tail === NULL_REF) return startNode(block, id, pairs);
  const words = nodeWords(tail);
  const base = nodeBase(tail);
  const used = words[base + USED_WORD]!;
  const entries = words[base + LIVE_WORD]! + words[base + DELETED_WORD]!;
  const { nodeEntriesMax } = streamLimits;
  if (nodeEntriesMax > 0 && entries >= nodeEntriesMax) return startNode(block, id, pairs);
  loadTailId(block, tailId);
  measureStep(tailId, id);
  measureBody(tail, pairs);
  const total = used + writing.bytes;
  if (total > bytesMax()) return startNode(block, id, pairs);
  const node = withRoom(block, tail, total);
  if (node === NULL_REF) return false;
  writeEntry(byteWindows[node >>> WINDOW_SHIFT]!, ((node & WINDOW_MASK) << 4) + used, pairs);
  const target = nodeWords(node);
  const at = nodeBase(node);
  target[at + USED_WORD] = total;
  target[at + LIVE_WORD] = target[at + LIVE_WORD]! + 1;
  storeTailId(block, id);
  return true;
}

/** Measures the step from one id to a later one. */
function measureStep(before: StreamId, id: StreamId): void {
  writing.bytes = 1;
  if (before.msLow === id.msLow && before.msHigh === id.msHigh) {
    const low = (id.seqLow >>> 0) - (before.seqLow >>> 0);
    writing.seqLow = low | 0;
    writing.seqHigh = (id.seqHigh - before.seqHigh - (low < 0 ? 1 : 0)) | 0;
    if (writing.seqLow === 1 && writing.seqHigh === 0) {
      writing.step = STEP_NEXT;
      return;
    }
    writing.step = STEP_SEQUENCE;
    writing.bytes += wideBytes(writing.seqHigh, writing.seqLow);
    return;
  }
  const low = (id.msLow >>> 0) - (before.msLow >>> 0);
  writing.msLow = low | 0;
  writing.msHigh = (id.msHigh - before.msHigh - (low < 0 ? 1 : 0)) | 0;
  writing.seqHigh = id.seqHigh;
  writing.seqLow = id.seqLow;
  const isShort = writing.msHigh === 0 && writing.msLow >>> 0 <= STEP_MILLIS_MAX;
  if (isShort && (id.seqHigh | id.seqLow) === 0) {
    writing.step = writing.msLow;
    return;
  }
  writing.step = STEP_BOTH;
  writing.bytes +=
    wideBytes(writing.msHigh, writing.msLow) + wideBytes(writing.seqHigh, writing.seqLow);
}

/** Chooses the form of an entry that comes to a node, and adds its bytes to those of the step. */
function measureBody(node: Ref, pairs: Pairs): void {
  const { bytes, offsets, lengths, first, fields } = pairs;
  const view = byteWindows[node >>> WINDOW_SHIFT]!;
  const names = ((node & WINDOW_MASK) << 4) + NODE_HEAD_BYTES;
  let form = FORM_SIZED;
  let valueBytes = 0;
  let lengthBytes = 0;
  if (readVarint(view, names) !== fields) form = FORM_OWN;
  let at = varintEnd;
  for (let i = first; form !== FORM_OWN && i < first + 2 * fields; i += 2) {
    const nameLength = readVarint(view, at);
    const sizedLength = readVarint(view, varintEnd);
    const name = varintEnd;
    if (nameLength !== lengths[i] || !sameBytes(view, name, bytes, offsets[i]!, nameLength)) {
      form = FORM_OWN;
      break;
    }
    const length = lengths[i + 1]!;
    if (length !== sizedLength) form = FORM_NAMED;
    valueBytes += length;
    lengthBytes += varintBytes(length);
    at = name + nameLength;
  }
  if (form === FORM_OWN) {
    writing.form = form;
    writing.bytes += ownBytes(pairs);
    return;
  }
  const bodyBytes = form === FORM_SIZED ? valueBytes : lengthBytes + valueBytes;
  const shortBytes = measureShared(view, names, at + FIRST_HEAD_BYTES, pairs);
  writing.form = shortBytes < bodyBytes ? FORM_SHARED : form;
  writing.bytes += shortBytes < bodyBytes ? shortBytes : bodyBytes;
}

/** How many bytes of each value are those of the first entry's. */
let sharedLengths = new Int32Array(64);
/** What lies behind the length of the body. */
let sharedBytes = 0;

/** Fills sharedLengths and returns what an entry would take that keeps only the bytes behind these. */
function measureShared(view: Uint8Array, names: number, firstAt: number, pairs: Pairs): number {
  const { bytes, offsets, lengths, first, fields } = pairs;
  if (fields > sharedLengths.length) sharedLengths = new Int32Array(2 * fields);
  let total = 0;
  let at = names + varintBytes(fields);
  let value = firstAt;
  for (let i = 0; i < fields; i++) {
    const nameLength = readVarint(view, at);
    const sizedLength = readVarint(view, varintEnd);
    at = varintEnd + nameLength;
    const length = lengths[first + 2 * i + 1]!;
    const offset = offsets[first + 2 * i + 1]!;
    const most = length < sizedLength ? length : sizedLength;
    let shared = 0;
    while (shared < most && view[value + shared] === bytes[offset + shared]) shared++;
    sharedLengths[i] = shared;
    total += varintBytes(shared) + varintBytes(length - shared) + length - shared;
    value += sizedLength;
  }
  sharedBytes = total;
  return varintBytes(total) + total;
}

/** Bytes of the body of an entry that has fields of its own. */
function ownBytes(pairs: Pairs): number {
  const { lengths, first, fields } = pairs;
  let bytes = varintBytes(fields);
  for (let i = first; i < first + 2 * fields; i++) {
    bytes += varintBytes(lengths[i]!) + lengths[i]!;
  }
  return bytes;
}

function sameBytes(
  view: Uint8Array,
  at: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) if (view[at + i] !== bytes[offset + i]) return false;
  return true;
}

/** Writes the entry that was measured to view[start]. */
function writeEntry(view: Uint8Array, start: number, pairs: Pairs): void {
  const { bytes, offsets, lengths, first, fields } = pairs;
  const { form, step } = writing;
  let at = start;
  view[at++] = (form << FORM_SHIFT) | step;
  if (step === STEP_BOTH) at = writeWide(view, at, writing.msHigh, writing.msLow);
  if (step >= STEP_SEQUENCE) at = writeWide(view, at, writing.seqHigh, writing.seqLow);
  const end = first + 2 * fields;
  if (form === FORM_OWN) {
    at = writeVarint(view, at, fields);
    for (let i = first; i < end; i++) at = writeVarint(view, at, lengths[i]!);
    for (let i = first; i < end; i++) {
      copyBytes(view, at, bytes, offsets[i]!, lengths[i]!);
      at += lengths[i]!;
    }
    return;
  }
  if (form === FORM_SHARED) {
    writeShared(view, at, pairs);
    return;
  }
  if (form === FORM_NAMED) {
    for (let i = first + 1; i < end; i += 2) at = writeVarint(view, at, lengths[i]!);
  }
  for (let i = first + 1; i < end; i += 2) {
    copyBytes(view, at, bytes, offsets[i]!, lengths[i]!);
    at += lengths[i]!;
  }
}

/** Writes what values have beside sharedLengths. */
function writeShared(view: Uint8Array, start: number, pairs: Pairs): void {
  const { bytes, offsets, lengths, first, fields } = pairs;
  let at = writeVarint(view, start, sharedBytes);
  for (let i = 0; i < fields; i++) {
    const shared = sharedLengths[i]!;
    const rest = lengths[first + 2 * i + 1]! - shared;
    at = writeVarint(view, at, shared);
    at = writeVarint(view, at, rest);
    if (rest > 0) copyBytes(view, at, bytes, offsets[first + 2 * i + 1]! + shared, rest);
    at += rest;
  }
}

/** Makes a node with one entry the last one. False: the arena is full, and nothing has changed. */
function startNode(block: Ref, id: StreamId, pairs: Pairs): boolean {
  const { bytes, offsets, lengths, first, fields } = pairs;
  let needed = NODE_HEAD_BYTES + varintBytes(fields);
  let valueBytes = 0;
  for (let i = first; i < first + 2 * fields; i += 2) {
    needed += varintBytes(lengths[i]!) + varintBytes(lengths[i + 1]!) + lengths[i]!;
    valueBytes += lengths[i + 1]!;
  }
  const names = needed;
  needed += FIRST_HEAD_BYTES + valueBytes;
  const tail = tailOf(block);
  if (tail !== NULL_REF) shrinkTail(block, tail);
  const node = createNode(Math.max(needed, usedByLast(block)));
  if (node === NULL_REF) return false;
  if (tail !== NULL_REF && !fileTail(block)) {
    free(node, capacityOf(node), DATA);
    return false;
  }
  const words = nodeWords(node);
  const base = nodeBase(node);
  storeId(id, words, base);
  words[base + USED_WORD] = needed;
  words[base + LIVE_WORD] = 1;
  words[base + DELETED_WORD] = 0;
  const view = byteWindows[node >>> WINDOW_SHIFT]!;
  const start = base << 2;
  let at = writeVarint(view, start + NODE_HEAD_BYTES, fields);
  for (let i = first; i < first + 2 * fields; i += 2) {
    at = writeVarint(view, at, lengths[i]!);
    at = writeVarint(view, at, lengths[i + 1]!);
    copyBytes(view, at, bytes, offsets[i]!, lengths[i]!);
    at += lengths[i]!;
  }
  writing.form = FORM_SIZED;
  writing.step = STEP_SEQUENCE; // as if the entry followed itself
  writing.seqHigh = 0;
  writing.seqLow = 0;
  writeEntry(view, start + names, pairs);
  setTail(block, node);
  storeTailId(block, id);
  return true;
}

// --- objects -------------------------------------------------------------------------------------

/** A node with room for so many bytes, of which only the capacity is written. NULL_REF: the arena is full. */
function createNode(bytes: number): Ref {
  if (bytes > OBJECT_BYTES_MAX) return NULL_REF;
  const capacity = usableBytes(bytes);
  const node = allocate(capacity, DATA);
  if (node !== NULL_REF) nodeWords(node)[nodeBase(node) + CAPACITY_WORD] = capacity;
  return node;
}

export function capacityOf(node: Ref): number {
  return nodeWords(node)[nodeBase(node) + CAPACITY_WORD]!;
}
export function usedOf(node: Ref): number {
  return nodeWords(node)[nodeBase(node) + USED_WORD]!;
}

/** What the node before the next one uses; 0 when that is the stream's first, or beyond the limit. */
function usedByLast(block: Ref): number {
  const tail = tailOf(block);
  if (tail === NULL_REF) return 0;
  const used = usedOf(tail);
  return used <= bytesMax() ? used : 0;
}

/** A copy of a node in an object of `bytes`; NULL_REF: the arena is full. */
export function copyNode(node: Ref, bytes: number): Ref {
  const copy = createNode(bytes);
  if (copy === NULL_REF) return NULL_REF;
  const capacity = capacityOf(copy);
  const source = byteWindows[node >>> WINDOW_SHIFT]!;
  const target = byteWindows[copy >>> WINDOW_SHIFT]!;
  copyBytes(target, (copy & WINDOW_MASK) << 4, source, (node & WINDOW_MASK) << 4, usedOf(node));
  nodeWords(copy)[nodeBase(copy) + CAPACITY_WORD] = capacity;
  return copy;
}

/** The last node with room for `total` bytes, where it may be written to. NULL_REF: the arena is full. */
function withRoom(block: Ref, tail: Ref, total: number): Ref {
  const capacity = capacityOf(tail);
  if (total <= capacity) {
    if (mayWrite(tail, capacity)) return tail;
    const copy = moveTail(block, tail, capacity);
    return copy === NULL_REF ? tail : copy;
  }
  const limit = bytesMax();
  const grown = capacity < limit >>> 1 ? 2 * capacity : capacity + (capacity >>> 3);
  return moveTail(block, tail, Math.max(total, Math.min(grown, limit)));
}

function moveTail(block: Ref, tail: Ref, bytes: number): Ref {
  const copy = copyNode(tail, bytes);
  if (copy === NULL_REF) return NULL_REF;
  setTail(block, copy);
  free(tail, capacityOf(tail), DATA);
  return copy;
}

/** Cuts the last node, which takes no more entries, to what it uses, if there is memory for that. */
function shrinkTail(block: Ref, tail: Ref): void {
  const used = usedOf(tail);
  if (!sameSlot(used, capacityOf(tail))) moveTail(block, tail, used);
}

/** Node number `index` in a place where it may be written to: it may have moved. */
export function writableNode(block: Ref, index: number): Ref {
  const node = nodeAt(block, index);
  const capacity = capacityOf(node);
  if (mayWrite(node, capacity)) return node;
  const copy = copyNode(node, capacity);
  if (copy === NULL_REF) return node;
  setNodeAt(block, index, copy);
  free(node, capacity, DATA);
  return copy;
}

/** Frees a node and takes it out of the stream. Its entries are the caller's to count. */
export function dropNode(block: Ref, index: number): void {
  const node = nodeAt(block, index);
  const nodes = treeNodes(block);
  if (index < nodes) {
    unfileNode(block, index);
  } else if (nodes === 0) {
    setTail(block, NULL_REF);
  } else {
    const last = nodeAt(block, nodes - 1);
    unfileNode(block, nodes - 1);
    setTail(block, last);
    openNode(last);
    while (nextInNode());
    storeTailId(block, scanId);
  }
  free(node, capacityOf(node), DATA);
}
