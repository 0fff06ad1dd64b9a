// Handlers of XACK and XPENDING: entries that were delivered to consumers of a group and are not acknowledged.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { Cursor } from '../../../storage/structures/btree_cursor.js';
import { clock } from '../../../storage/structures/clock.js';
import { span } from '../../../storage/structures/entry.js';
import { streamBlock } from '../../../storage/values/stream/block.js';
import {
  consumerAt,
  consumerCount,
  locateConsumerName,
} from '../../../storage/values/stream/group.js';
import {
  consumerOf,
  deliveries,
  deliveryMillis,
  findPending,
  loadDeliveries,
  nextPending,
  pending,
  pendingCount,
  removePending,
  seekPending,
  selectPending,
} from '../../../storage/values/stream/pending.js';
import { compareIds, StreamId } from '../../../storage/values/stream/stream_id.js';
import type { Client } from '../../client.js';
import { changes } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { readKey } from '../keys/keys_access.js';
import { consumerNamed, expectGroup, found, groupNamed } from './group_value.js';
import { readId, readRangeEnd, readRangeStart, replyId } from './stream_ids.js';
import { expectStream } from './stream_value.js';

const id = new StreamId();
const cursor = new Cursor();

/** XACK key group id [id ...]: how many entries were pending. */
export function xack(client: Client): void {
  const ref = readKey(client, 1);
  if (ref !== NULL_REF && !expectStream(ref)) return;
  const group = ref === NULL_REF ? NULL_REF : groupNamed(streamBlock(ref), 2);
  if (group === NULL_REF) {
    reply.integer(0);
    return;
  }
  for (let i = 3; i < args.count; i++) if (!readId(i, id)) return;
  let acknowledged = 0;
  for (let i = 3; i < args.count; i++) {
    readId(i, id);
    const record = findPending(group, id);
    if (record === NULL_REF) continue;
    removePending(group, record, id);
    acknowledged++;
  }
  changes.sinceLastSave += acknowledged;
  reply.integer(acknowledged);
}

// --- XPENDING ------------------------------------------------------------------------------------

/** The range of the running XPENDING; one object, reused. */
const range = {
  idleMillis: 0,
  from: new StreamId(),
  to: new StreamId(),
  count: 0,
  /** Argument of the consumer's name; -1: all consumers. */
  consumer: -1,
};

/** XPENDING key group [[IDLE min-idle-time] start end count [consumer]] */
export function xpending(client: Client): void {
  const { count } = args;
  if (count !== 3 && (count < 6 || count > 9)) {
    replyError(errors.SYNTAX_ERROR);
    return;
  }
  if (count > 3 && !readPendingRange()) return;
  if (!expectGroup(client)) return;
  if (count === 3) replySummary(found.group);
  else replyRecords(found.group);
}

/** Reads arguments 3 and following into `range`. False: an error was replied. */
function readPendingRange(): boolean {
  let at = 3;
  range.idleMillis = 0;
  if (args.equals(3, 'idle')) {
    if (!readInt64(4)) return false;
    range.idleMillis = int64ToNumber(int64.hi, int64.lo);
    if (args.count < 8) {
      replyError(errors.SYNTAX_ERROR);
      return false;
    }
    at = 5;
  }
  if (!readInt64(at + 2)) return false;
  range.count = Math.max(0, int64ToNumber(int64.hi, int64.lo));
  range.consumer = at + 3 < args.count ? at + 3 : -1;
  return readRangeStart(at, range.from) && readRangeEnd(at + 1, range.to);
}

/** How many entries are pending, the first and the last id, and how many for each consumer. */
function replySummary(group: Ref): void {
  const count = pendingCount(group);
  reply.array(4);
  reply.integer(count);
  if (count === 0) {
    reply.null();
    reply.null();
    reply.nullArray();
    return;
  }
  selectPending(group, 0);
  replyId(pending.id);
  selectPending(group, count - 1);
  replyId(pending.id);
  const consumers = consumerCount(group);
  let busy = 0;
  for (let i = 0; i < consumers; i++) if (pendingCount(consumerAt(group, i)) > 0) busy++;
  reply.array(busy);
  for (let i = 0; i < consumers; i++) {
    const consumer = consumerAt(group, i);
    if (pendingCount(consumer) === 0) continue;
    reply.array(2);
    reply.bulk(span.view, span.offset, span.length);
    reply.bulkLatin1(String(pendingCount(consumer)));
  }
}

/** The entries of `range`: id, consumer, milliseconds since the last delivery, deliveries. */
function replyRecords(group: Ref): void {
  const owner = range.consumer < 0 ? group : consumerNamed(group, range.consumer);
  if (owner === NULL_REF || range.count === 0) {
    reply.emptyArray();
    return;
  }
  const mark = reply.deferArray();
  let replied = 0;
  let isThere = seekPending(cursor, owner, range.from);
  while (isThere && replied < range.count && compareIds(pending.id, range.to) <= 0) {
    const idle = clock.nowMillis - deliveryMillis(pending.record);
    if (range.idleMillis === 0 || idle >= range.idleMillis) {
      replied++;
      replyRecord(Math.max(0, idle));
    }
    isThere = nextPending(cursor);
  }
  reply.settle(mark, replied);
}

function replyRecord(idleMillis: number): void {
  const { record } = pending;
  reply.array(4);
  replyId(pending.id);
  locateConsumerName(consumerOf(record));
  reply.bulk(span.view, span.offset, span.length);
  reply.integer(idleMillis);
  loadDeliveries(record);
  reply.integer64(deliveries.high, deliveries.low);
}
