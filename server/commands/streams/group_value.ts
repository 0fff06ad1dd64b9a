// What the commands of consumer groups share: reaching a group and a consumer by their names, and Redis's count
// of the entries that a group has read and those that it lags behind.
//
// That count is a guess where entries in the middle were deleted: Redis tells it only while it can be right. The
// rules are those of Redis 7.0 (`entries-read` and `lag` in XINFO's documentation).
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64FromNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { clock } from '../../../storage/structures/clock.js';
import {
  added,
  groupsOf,
  loadDeletedId,
  loadEntriesAdded,
  loadFirstId,
  loadLastId,
  streamBlock,
  streamLength,
} from '../../../storage/values/stream/block.js';
import {
  createConsumer,
  entriesRead,
  findConsumer,
  findGroup,
  loadEntriesRead,
  loadLastId as loadGroupId,
  noteSeen,
} from '../../../storage/values/stream/group.js';
import { compareIds, isZeroId, StreamId } from '../../../storage/values/stream/stream_id.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { readKey } from '../keys/keys_access.js';
import { expectStream } from './stream_value.js';

/** The stream and the group that expectGroup() has found. */
export const found = { stream: NULL_REF as Ref, group: NULL_REF as Ref };

/** The group of a stream that argument i names, or NULL_REF. */
export function groupNamed(stream: Ref, i: number): Ref {
  return findGroup(groupsOf(stream), args.buffer, args.offsets[i]!, args.lengths[i]!);
}

/** The consumer that argument i names, or NULL_REF. */
export function consumerNamed(group: Ref, i: number): Ref {
  return findConsumer(group, args.buffer, args.offsets[i]!, args.lengths[i]!);
}

/** The consumer that argument i names, made if need be, and seen now; NULL_REF: the arena is full. */
export function makeConsumer(group: Ref, i: number): Ref {
  const consumer = consumerNamed(group, i);
  if (consumer === NULL_REF) return newConsumer(group, i);
  noteSeen(consumer, clock.nowMillis);
  return consumer;
}

/** A new consumer of the name in argument i; NULL_REF: the arena is full. */
export function newConsumer(group: Ref, i: number): Ref {
  return createConsumer(group, args.buffer, args.offsets[i]!, args.lengths[i]!, clock.nowMillis);
}

/** Fills `found` from the key in argument 1 and the group in argument 2. False: an error was replied. */
export function expectGroup(client: Client): boolean {
  const ref = readKey(client, 1);
  if (ref !== NULL_REF) {
    if (!expectStream(ref)) return false;
    found.stream = streamBlock(ref);
    found.group = groupNamed(found.stream, 2);
    if (found.group !== NULL_REF) return true;
  }
  replyError(errors.noGroup(args.latin1(1), args.latin1(2)));
  return false;
}

// --- entries read --------------------------------------------------------------------------------

const edge = new StreamId();
const deleted = new StreamId();
const groupId = new StreamId();

/** Whether an entry may be missing behind an id: XDEL has deleted one there that is not at the front. */
export function hasGapsBehind(stream: Ref, id: StreamId): boolean {
  loadDeletedId(stream, deleted);
  if (streamLength(stream) === 0 || isZeroId(deleted)) return false;
  loadFirstId(stream, edge);
  if (compareIds(edge, deleted) > 0) return false;
  return compareIds(id, deleted) <= 0;
}

/** Fills `int64` with how many entries the stream was given up to an id. False: nobody knows. */
export function countUpTo(stream: Ref, id: StreamId): boolean {
  loadEntriesAdded(stream);
  int64.hi = added.high;
  int64.lo = added.low;
  if ((added.high | added.low) === 0) return true;
  const length = streamLength(stream);
  loadLastId(stream, edge);
  const order = compareIds(id, edge);
  if (order > 0) return false;
  if (order === 0 || length === 0) return true;
  loadFirstId(stream, edge);
  loadDeletedId(stream, deleted);
  if (!isZeroId(deleted) && compareIds(deleted, edge) >= 0) return false;
  const atFirst = compareIds(id, edge);
  if (atFirst > 0) return false;
  int64FromNumber(atFirst < 0 ? length : length - 1);
  subtractFromAdded(int64.hi, int64.lo);
  return true;
}

/** Fills `int64` with `added` less a number; wraps around as Redis's counters do. */
function subtractFromAdded(high: number, low: number): void {
  const borrow = added.low >>> 0 < low >>> 0 ? 1 : 0;
  int64.hi = (added.high - high - borrow) | 0;
  int64.lo = (added.low - low) | 0;
}

/** Replies how many entries the group has not read yet; null when nobody knows. */
export function replyLag(stream: Ref, group: Ref): void {
  loadGroupId(group, groupId);
  loadEntriesRead(group);
  loadEntriesAdded(stream);
  if ((added.high | added.low) === 0) {
    reply.integer(0);
    return;
  }
  if ((entriesRead.high & entriesRead.low) !== -1 && !hasGapsBehind(stream, groupId)) {
    int64.hi = entriesRead.high;
    int64.lo = entriesRead.low;
  } else if (!countUpTo(stream, groupId)) {
    reply.null();
    return;
  }
  subtractFromAdded(int64.hi, int64.lo);
  reply.integer64(int64.hi, int64.lo);
}

/** Replies how many entries a group has read; null when nobody knows. */
export function replyEntriesRead(group: Ref): void {
  loadEntriesRead(group);
  if ((entriesRead.high & entriesRead.low) === -1) reply.null();
  else reply.integer64(entriesRead.high, entriesRead.low);
}
