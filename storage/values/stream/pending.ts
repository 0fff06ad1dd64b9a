// Pending entries of consumer groups: what was delivered to a consumer and is not acknowledged. The group and
// its consumers (groups.ts) have a B+tree of them each, in the root block of the one and the block of the
// other at PENDING_WORD; both are called owners here.
//
//   tree item   | ms: high with its sign bit turned, low | Ref of the record |     ties ordered by sequence numbers
//   record      | deliveries: high, low | sequence: high, low | delivery time: high, low | consumer's block | 0 |
//
// Numbers are 64 bits wide; the time is milliseconds of Unix time. A record is dense metadata: it is small,
// written often, and must not move, since two trees refer to it.
//
// Cost of a pending entry: record 32, trees 2 x 12.6 to 18: 57 to 68 bytes. Redis takes about 90 (the record
// 24 in a slot of 32, two nodes of radix trees).
//
// Invariants: the record of an item in a consumer's tree is in the tree of the group, names that consumer, and
// is in no other consumer's tree; the group's tree owns it.
//
// Functions that need memory return false when the arena is full, and nothing has changed then. Called by the
// files of this folder and the commands of groups.
import { allocate, free } from '../../memory/allocator.js';
import { wordWindows } from '../../memory/arena.js';
import { DENSE } from '../../memory/extents.js';
import { NULL_REF, type Ref, WINDOW_MASK, WINDOW_SHIFT } from '../../memory/layout.js';
import * as btree from '../../structures/btree.js';
import { advance, type Cursor, seek, seekIndex } from '../../structures/btree_cursor.js';
import { TIES_BY_SEQUENCE } from '../../structures/btree_node.js';
import { SEQUENCE_PROBE, setSequenceProbe } from '../../structures/sequence_order.js';
import { StreamId, setId } from './stream_id.js';

export const RECORD_BYTES = 32;
/** Where the tree stands in the block of its owner. */
export const PENDING_WORD = 0;

const DELIVERIES_WORD = 0;
const SEQUENCE_WORD = 2;
const TIME_WORD = 4;
const CONSUMER_WORD = 6;
const RECORD_WORDS = RECORD_BYTES / 4;

/** Turns unsigned milliseconds into words that order as signed ones do. */
const SIGN = 0x80000000 | 0;
const WORD_VALUES = 4294967296;

const { item } = btree;

/** The pending entry that a look-up or a walk has found last. */
export const pending = { id: new StreamId(), record: NULL_REF as Ref };

/** Deliveries as an int64. */
export const deliveries = { high: 0, low: 0 };

export function createPendingTree(owner: Ref): void {
  btree.createTree(owner, PENDING_WORD, TIES_BY_SEQUENCE);
}

/** How many entries are pending for a group or a consumer. */
export function pendingCount(owner: Ref): number {
  return btree.count(owner, PENDING_WORD);
}

function recordIndex(record: Ref): number {
  return (record & WINDOW_MASK) << 2;
}

// --- records -------------------------------------------------------------------------------------

export function consumerOf(record: Ref): Ref {
  return wordWindows[record >>> WINDOW_SHIFT]![recordIndex(record) + CONSUMER_WORD]! as Ref;
}

/** When the entry was delivered last, in milliseconds of Unix time. */
export function deliveryMillis(record: Ref): number {
  return readMillis(record, TIME_WORD);
}

/** Fills `deliveries`. */
export function loadDeliveries(record: Ref): void {
  const words = wordWindows[record >>> WINDOW_SHIFT]!;
  const at = recordIndex(record) + DELIVERIES_WORD;
  deliveries.high = words[at]!;
  deliveries.low = words[at + 1]!;
}

/** Sets when and how often an entry was delivered. */
export function setDelivery(record: Ref, millis: number, high: number, low: number): void {
  writeMillis(record, TIME_WORD, millis);
  const words = wordWindows[record >>> WINDOW_SHIFT]!;
  const at = recordIndex(record) + DELIVERIES_WORD;
  words[at] = high;
  words[at + 1] = low;
}

/** Counts one more delivery, at a time. */
export function countDelivery(record: Ref, millis: number): void {
  loadDeliveries(record);
  const low = (deliveries.low + 1) | 0;
  setDelivery(record, millis, low === 0 ? (deliveries.high + 1) | 0 : deliveries.high, low);
}

/** A time in two words of a block or a record, exact as the clock's times are. */
export function readMillis(block: Ref, word: number): number {
  const words = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = recordIndex(block) + word;
  return words[at]! * WORD_VALUES + (words[at + 1]! >>> 0);
}
export function writeMillis(block: Ref, word: number, millis: number): void {
  const words = wordWindows[block >>> WINDOW_SHIFT]!;
  const at = recordIndex(block) + word;
  const high = Math.floor(millis / WORD_VALUES);
  words[at] = high;
  words[at + 1] = (millis - high * WORD_VALUES) | 0;
}

// --- look-ups and walks --------------------------------------------------------------------------

/** Fills `pending` from the item that was found. */
function loadPending(): void {
  const record = item.w2 as Ref;
  const words = wordWindows[record >>> WINDOW_SHIFT]!;
  const at = recordIndex(record) + SEQUENCE_WORD;
  setId(pending.id, item.w0 ^ SIGN, item.w1, words[at]!, words[at + 1]!);
  pending.record = record;
}

/** The record of the entry with this id, or NULL_REF. */
export function findPending(owner: Ref, id: StreamId): Ref {
  setSequenceProbe(id.seqHigh, id.seqLow);
  const rank = btree.rank(owner, PENDING_WORD, id.msHigh ^ SIGN, id.msLow, SEQUENCE_PROBE);
  if (!btree.select(owner, PENDING_WORD, rank)) return NULL_REF;
  if (item.w0 !== (id.msHigh ^ SIGN) || item.w1 !== id.msLow) return NULL_REF;
  const record = item.w2 as Ref;
  const words = wordWindows[record >>> WINDOW_SHIFT]!;
  const at = recordIndex(record) + SEQUENCE_WORD;
  return words[at] === id.seqHigh && words[at + 1] === id.seqLow ? record : NULL_REF;
}

/** How many pending entries have lower ids. */
export function pendingRank(owner: Ref, id: StreamId): number {
  setSequenceProbe(id.seqHigh, id.seqLow);
  return btree.rank(owner, PENDING_WORD, id.msHigh ^ SIGN, id.msLow, SEQUENCE_PROBE);
}

/** Fills `pending` with number `index` in the order of ids; false when there is none. */
export function selectPending(owner: Ref, index: number): boolean {
  const found = btree.select(owner, PENDING_WORD, index);
  if (found) loadPending();
  return found;
}

/** Moves a cursor to the first pending entry of at least this id and fills `pending`; false when there is none. */
export function seekPending(cursor: Cursor, owner: Ref, id: StreamId): boolean {
  setSequenceProbe(id.seqHigh, id.seqLow);
  const found = seek(cursor, owner, PENDING_WORD, id.msHigh ^ SIGN, id.msLow, SEQUENCE_PROBE);
  if (found) loadPending();
  return found;
}

/** Moves on to the next one. Entries must not come or go meanwhile; what a record says may change. */
export function nextPending(cursor: Cursor): boolean {
  const found = advance(cursor);
  if (found) loadPending();
  return found;
}

// --- changes -------------------------------------------------------------------------------------

/** Adds an entry that is not pending in the group, as delivered once to a consumer. */
export function addPending(group: Ref, consumer: Ref, id: StreamId, millis: number): boolean {
  const record = createRecord(consumer, id.seqHigh, id.seqLow);
  if (record === NULL_REF) return false;
  setDelivery(record, millis, 0, 1);
  if (linkRecord(group, consumer, id.msHigh ^ SIGN, id.msLow, record)) return true;
  free(record, RECORD_BYTES, DENSE);
  return false;
}

function createRecord(consumer: Ref, seqHigh: number, seqLow: number): Ref {
  const record = allocate(RECORD_BYTES, DENSE);
  if (record === NULL_REF) return NULL_REF;
  const words = wordWindows[record >>> WINDOW_SHIFT]!;
  const at = recordIndex(record);
  words.fill(0, at, at + RECORD_WORDS);
  words[at + SEQUENCE_WORD] = seqHigh;
  words[at + SEQUENCE_WORD + 1] = seqLow;
  words[at + CONSUMER_WORD] = consumer;
  return record;
}

function linkRecord(group: Ref, consumer: Ref, w0: number, w1: number, record: Ref): boolean {
  if (!btree.insert(group, PENDING_WORD, w0, w1, record)) return false;
  if (btree.insert(consumer, PENDING_WORD, w0, w1, record)) return true;
  btree.remove(group, PENDING_WORD, w0, w1, record);
  return false;
}

/** Gives a pending entry to a consumer of its group. */
export function assignPending(record: Ref, id: StreamId, consumer: Ref): boolean {
  const before = consumerOf(record);
  if (before === consumer) return true;
  const w0 = id.msHigh ^ SIGN;
  if (!btree.insert(consumer, PENDING_WORD, w0, id.msLow, record)) return false;
  btree.remove(before, PENDING_WORD, w0, id.msLow, record);
  wordWindows[record >>> WINDOW_SHIFT]![recordIndex(record) + CONSUMER_WORD] = consumer;
  return true;
}

/** Takes a pending entry out: it is acknowledged, or gone from the stream. */
export function removePending(group: Ref, record: Ref, id: StreamId): void {
  const w0 = id.msHigh ^ SIGN;
  btree.remove(group, PENDING_WORD, w0, id.msLow, record);
  btree.remove(consumerOf(record), PENDING_WORD, w0, id.msLow, record);
  free(record, RECORD_BYTES, DENSE);
}

/** Takes out all pending entries of a consumer. Takes 0.3 us for each. */
export function removeAllPending(group: Ref, consumer: Ref): void {
  for (let left = pendingCount(consumer); left > 0; left--) {
    btree.removeAt(consumer, PENDING_WORD, left - 1);
    const { w0, w1, w2 } = item;
    btree.remove(group, PENDING_WORD, w0, w1, w2);
    free(w2 as Ref, RECORD_BYTES, DENSE);
  }
}

/**
 * Copies all pending entries of a group; `copyOf` gives a consumer's copy. False: the arena is full, and the copies
 * made so far are in the tree of the target.
 */
export function copyPending(
  cursor: Cursor,
  source: Ref,
  target: Ref,
  copyOf: (consumer: Ref) => Ref,
): boolean {
  let found = seekIndex(cursor, source, PENDING_WORD, 0);
  for (; found; found = advance(cursor)) {
    const { w0, w1 } = item;
    const record = item.w2 as Ref;
    const words = wordWindows[record >>> WINDOW_SHIFT]!;
    const at = recordIndex(record);
    const consumer = copyOf(consumerOf(record));
    const copy = createRecord(consumer, words[at + SEQUENCE_WORD]!, words[at + SEQUENCE_WORD + 1]!);
    if (copy === NULL_REF) return false;
    loadDeliveries(record);
    setDelivery(copy, deliveryMillis(record), deliveries.high, deliveries.low);
    if (linkRecord(target, consumer, w0, w1, copy)) continue;
    free(copy, RECORD_BYTES, DENSE);
    return false;
  }
  return true;
}

/** Whether a consumer's tree has this record under the id in `pending`. */
export function hasPending(consumer: Ref, record: Ref): boolean {
  return btree.contains(consumer, PENDING_WORD, pending.id.msHigh ^ SIGN, pending.id.msLow, record);
}
