// The consumer groups of a stream in its payload (payload.ts), behind its entries:
//
//   groups     | count | group ... |
//   group      | name block | last id | entries read: int64 | consumers | pending |
//   consumers  | count | name block, seen: int64 ... |                      in the order of names
//   pending    | count | id, number of the consumer: count, delivery time: int64, deliveries: int64 ... |
//
// Ids are two int64, times milliseconds of Unix time. What no stream can have (a name twice, ids that do not
// ascend, a consumer that is not there) makes the payload a bad one.
import { NULL_REF, type Ref } from '../../memory/layout.js';
import { Cursor } from '../../structures/btree_cursor.js';
import { span } from '../../structures/entry.js';
import { groupsOf } from '../../values/stream/block.js';
import {
  consumerAt,
  consumerCount,
  createConsumer,
  createGroup,
  entriesRead,
  findConsumer,
  findGroup,
  groupAt,
  groupCount,
  loadEntriesRead,
  loadLastId,
  seenMillis,
  storeEntriesRead,
  storeLastId,
} from '../../values/stream/group.js';
import {
  addPending,
  consumerOf,
  deliveries,
  deliveryMillis,
  findPending,
  loadDeliveries,
  nextPending,
  pending,
  pendingCount,
  seekPending,
  setDelivery,
} from '../../values/stream/pending.js';
import { compareIds, copyId, ID_MIN, StreamId } from '../../values/stream/stream_id.js';
import type { PayloadReader, PayloadWriter } from './payload.js';
import { readId, writeId } from './stream_ids.js';

/** An empty name, an id, the entries read and two counts. */
const GROUP_BYTES_MIN = 1 + 16 + 8 + 1 + 1;
/** An empty name and a time. */
const CONSUMER_BYTES_MIN = 1 + 8;
/** An id, a number, a time and the deliveries. */
const PENDING_BYTES_MIN = 16 + 1 + 8 + 8;
const TWO_32 = 4294967296;

const id = new StreamId();
const previous = new StreamId();
const cursor = new Cursor();

function writeMillis(to: PayloadWriter, millis: number): void {
  const high = Math.floor(millis / TWO_32);
  to.int64(high, millis - high * TWO_32);
}

/** Writes the groups of a stream's root block. */
export function writeGroups(stream: Ref, to: PayloadWriter): void {
  const groups = groupsOf(stream);
  const count = groupCount(groups);
  to.count(count);
  for (let i = 0; i < count; i++) {
    const group = groupAt(groups, i);
    to.block(span.view, span.offset, span.length);
    loadLastId(group, id);
    writeId(to, id);
    loadEntriesRead(group);
    to.int64(entriesRead.high, entriesRead.low);
    writePending(group, to, writeConsumers(group, to));
  }
}

/** Writes the consumers of a group. Returns their numbers. */
function writeConsumers(group: Ref, to: PayloadWriter): Map<Ref, number> {
  const numbers = new Map<Ref, number>();
  const count = consumerCount(group);
  to.count(count);
  for (let i = 0; i < count; i++) {
    const consumer = consumerAt(group, i);
    numbers.set(consumer, i);
    to.block(span.view, span.offset, span.length);
    writeMillis(to, seenMillis(consumer));
  }
  return numbers;
}

function writePending(group: Ref, to: PayloadWriter, numbers: ReadonlyMap<Ref, number>): void {
  to.count(pendingCount(group));
  for (let found = seekPending(cursor, group, ID_MIN); found; found = nextPending(cursor)) {
    const { record } = pending;
    writeId(to, pending.id);
    to.count(numbers.get(consumerOf(record))!);
    writeMillis(to, deliveryMillis(record));
    loadDeliveries(record);
    to.int64(deliveries.high, deliveries.low);
  }
}

/** A time: an int64 that a double holds and no clock comes before. */
function readMillis(from: PayloadReader): number {
  from.int64();
  const millis = from.high * TWO_32 + (from.low >>> 0);
  if (millis >= 0 && Number.isSafeInteger(millis)) return millis;
  from.isBad = true;
  return 0;
}

/** Reads groups into a stream's root block that has none. False: the arena is full. */
export function readGroups(stream: Ref, from: PayloadReader): boolean {
  const count = from.count(GROUP_BYTES_MIN);
  if (count === 0) from.isBad = true; // without groups the payload has another form
  for (let i = 0; i < count && !from.isBad; i++) {
    from.block();
    const { bytes, offset, length } = from;
    if (findGroup(groupsOf(stream), bytes, offset, length) !== NULL_REF) from.isBad = true;
    if (from.isBad) return true;
    const group = createGroup(stream, bytes, offset, length);
    if (group === NULL_REF) return false;
    readId(from, id);
    storeLastId(group, id);
    from.int64();
    if (from.high < 0 && (from.high & from.low) !== -1) from.isBad = true;
    storeEntriesRead(group, from.high, from.low);
    const consumers = readConsumers(group, from);
    if (consumers === null || !readPending(group, from, consumers)) return false;
  }
  return true;
}

/** Reads the consumers of a group; null: the arena is full. */
function readConsumers(group: Ref, from: PayloadReader): Ref[] | null {
  const consumers: Ref[] = [];
  const count = from.count(CONSUMER_BYTES_MIN);
  for (let i = 0; i < count && !from.isBad; i++) {
    from.block();
    const { bytes, offset, length } = from;
    const millis = readMillis(from);
    if (findConsumer(group, bytes, offset, length) !== NULL_REF) from.isBad = true;
    if (from.isBad) break;
    const consumer = createConsumer(group, bytes, offset, length, millis);
    if (consumer === NULL_REF) return null;
    consumers.push(consumer);
  }
  return consumers;
}

/** Reads the pending entries of a group. False: the arena is full. */
function readPending(group: Ref, from: PayloadReader, consumers: readonly Ref[]): boolean {
  const count = from.count(PENDING_BYTES_MIN);
  for (let i = 0; i < count && !from.isBad; i++) {
    readId(from, id);
    const consumer = consumers[from.count(0)];
    const millis = readMillis(from);
    from.int64();
    if (consumer === undefined || (i > 0 && compareIds(id, previous) <= 0)) from.isBad = true;
    if (from.isBad || consumer === undefined) return true;
    if (!addPending(group, consumer, id, millis)) return false;
    setDelivery(findPending(group, id), millis, from.high, from.low);
    copyId(previous, id);
  }
  return true;
}
