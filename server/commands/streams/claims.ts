// Handlers of XCLAIM and XAUTOCLAIM: giving pending entries to another consumer of their group. Entries that are
// gone from the stream are acknowledged on the way, as Redis does since 7.0.
//
// The consumer is made when it gets its first entry. Where memory ends on the way, what was claimed up to there
// is replied as if no more had been asked for; when that is nothing, the reply is an error.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { clock } from '../../../storage/structures/clock.js';
import {
  loadLastId as loadGroupId,
  storeLastId as storeGroupId,
} from '../../../storage/values/stream/group.js';
import {
  addPending,
  assignPending,
  deliveries,
  deliveryMillis,
  findPending,
  loadDeliveries,
  pending,
  pendingRank,
  removePending,
  selectPending,
  setDelivery,
} from '../../../storage/values/stream/pending.js';
import { compareIds, copyId, ID_MIN, StreamId } from '../../../storage/values/stream/stream_id.js';
import { findEntry } from '../../../storage/values/stream/walk.js';
import type { Client } from '../../client.js';
import { changes } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { replyOutOfMemory } from '../keys/keys_access.js';
import { expectGroup, found, makeConsumer } from './group_value.js';
import { isId, readId, readRangeStart, replyId } from './stream_ids.js';
import { replyEntry } from './stream_value.js';

/** What is asked of the running command; one object, reused. */
const claim = {
  minIdleMillis: 0,
  /** The time of delivery that claimed entries get. */
  millis: 0,
  /** What claimed entries get as their deliveries; negative high word: counted on. */
  deliveriesHigh: -1,
  deliveriesLow: -1,
  force: false,
  justId: false,
  /** The group's last id becomes this one, if it is greater. */
  lastId: new StreamId(),
  /** The consumer; NULL_REF: not looked up yet. */
  consumer: NULL_REF as Ref,
};
const id = new StreamId();
const groupId = new StreamId();

/** Reads argument i as a number of milliseconds. False: `error` was replied. */
function readNumber(i: number, error: string): boolean {
  if (parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!)) return true;
  replyError(error);
  return false;
}

function readMinIdle(command: string): boolean {
  if (!readNumber(4, errors.invalidMinIdle(command))) return false;
  claim.minIdleMillis = Math.max(0, int64ToNumber(int64.hi, int64.lo));
  claim.millis = clock.nowMillis;
  claim.deliveriesHigh = -1;
  claim.force = false;
  claim.justId = false;
  claim.consumer = NULL_REF;
  return true;
}

/** The consumer that claims, made when it is asked for first; NULL_REF: the arena is full. */
function claimant(group: Ref): Ref {
  if (claim.consumer === NULL_REF) claim.consumer = makeConsumer(group, 3);
  return claim.consumer;
}

/** Gives a pending entry to the consumer. False: the arena is full, and nothing has changed. */
function take(record: Ref, group: Ref, entry: StreamId): boolean {
  const consumer = claimant(group);
  if (consumer === NULL_REF || !assignPending(record, entry, consumer)) return false;
  loadDeliveries(record);
  let { high, low } = deliveries;
  if (claim.deliveriesHigh >= 0) {
    high = claim.deliveriesHigh;
    low = claim.deliveriesLow;
  } else if (!claim.justId) {
    low = (low + 1) | 0;
    if (low === 0) high = (high + 1) | 0;
  }
  setDelivery(record, claim.millis, high, low);
  return true;
}

// --- XCLAIM --------------------------------------------------------------------------------------

/**
 * XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count]
 * [FORCE] [JUSTID] [LASTID id]
 */
export function xclaim(client: Client): void {
  if (!expectGroup(client) || !readMinIdle('XCLAIM')) return;
  let end = 5;
  while (end < args.count && isId(end, id)) end++;
  if (!readClaimOptions(end)) return;
  const { stream, group } = found;
  loadGroupId(group, groupId);
  if (compareIds(claim.lastId, groupId) > 0) storeGroupId(group, claim.lastId);
  const mark = reply.deferArray();
  let claimed = 0;
  for (let i = 5; i < end; i++) {
    readId(i, id);
    const outcome = claimOne(stream, group);
    if (outcome < 0 && claimed === 0) {
      reply.abandon();
      replyOutOfMemory();
      return;
    }
    if (outcome < 0) break;
    claimed += outcome;
  }
  reply.settle(mark, claimed);
}

/** Claims the entry `id` and replies it. Returns how many were claimed, -1 when the arena is full. */
function claimOne(stream: Ref, group: Ref): number {
  let record = findPending(group, id);
  if (!findEntry(stream, id)) {
    if (record !== NULL_REF) {
      removePending(group, record, id);
      changes.sinceLastSave++;
    }
    return 0;
  }
  if (record === NULL_REF) {
    if (!claim.force) return 0;
    const consumer = claimant(group);
    if (consumer === NULL_REF || !addPending(group, consumer, id, claim.millis)) return -1;
    record = findPending(group, id);
  } else if (isTooFresh(record)) {
    return 0;
  }
  if (!take(record, group, id)) return -1;
  replyClaimed(stream, id);
  return 1;
}

function isTooFresh(record: Ref): boolean {
  if (claim.minIdleMillis === 0) return false;
  return clock.nowMillis - deliveryMillis(record) < claim.minIdleMillis;
}

/** Replies an entry that is there: its id alone, or with its fields. */
function replyClaimed(stream: Ref, entry: StreamId): void {
  changes.sinceLastSave++;
  if (claim.justId) {
    replyId(entry);
    return;
  }
  findEntry(stream, entry);
  replyEntry();
}

/** Reads the options from argument `first` on. False: an error was replied. */
function readClaimOptions(first: number): boolean {
  copyId(claim.lastId, ID_MIN);
  let millis = -1;
  for (let i = first; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (args.equals(i, 'force')) {
      claim.force = true;
    } else if (args.equals(i, 'justid')) {
      claim.justId = true;
    } else if (hasMore && args.equals(i, 'idle')) {
      if (!readNumber(++i, errors.invalidClaimOption('IDLE'))) return false;
      millis = clock.nowMillis - int64ToNumber(int64.hi, int64.lo);
    } else if (hasMore && args.equals(i, 'time')) {
      if (!readNumber(++i, errors.invalidClaimOption('TIME'))) return false;
      millis = int64ToNumber(int64.hi, int64.lo);
    } else if (hasMore && args.equals(i, 'retrycount')) {
      if (!readNumber(++i, errors.invalidClaimOption('RETRYCOUNT'))) return false;
      claim.deliveriesHigh = int64.hi;
      claim.deliveriesLow = int64.lo;
    } else if (hasMore && args.equals(i, 'lastid')) {
      if (!readId(++i, claim.lastId)) return false;
    } else {
      replyError(errors.unknownClaimOption(args.latin1(i)));
      return false;
    }
  }
  if (millis >= 0 && millis <= clock.nowMillis) claim.millis = millis;
  return true;
}

// --- XAUTOCLAIM ----------------------------------------------------------------------------------

const COUNT_DEFAULT = 100;
/** Pending entries that are looked at for each one that may be claimed. */
const ATTEMPTS_FACTOR = 10;
/** Redis takes what a 64-bit long can count as bytes of ids. */
const COUNT_MAX = 2 ** 63 / 16;

/** Redis has no memory for the ids of so many; here it is a limit. */
const COUNT_TOO_HIGH = 2 ** 40;

/** XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID] */
export function xautoclaim(client: Client): void {
  if (!readMinIdle('XAUTOCLAIM') || !readRangeStart(5, id)) return;
  const count = readAutoOptions();
  if (count === 0 || !expectGroup(client)) return;
  if (count >= COUNT_TOO_HIGH) replyError(errors.CLAIM_COUNT_TOO_HIGH);
  else claimFrom(found.stream, found.group, count);
}

/** Reads COUNT and JUSTID. Returns the count; 0: an error was replied. */
function readAutoOptions(): number {
  let count = COUNT_DEFAULT;
  for (let i = 6; i < args.count; i++) {
    if (args.equals(i, 'count') && i + 1 < args.count) {
      if (!readNumber(++i, errors.CLAIM_COUNT)) return 0;
      count = int64ToNumber(int64.hi, int64.lo);
      if (count >= 1 && count <= COUNT_MAX) continue;
      replyError(errors.CLAIM_COUNT);
      return 0;
    }
    if (!args.equals(i, 'justid')) {
      replyError(errors.SYNTAX_ERROR);
      return 0;
    }
    claim.justId = true;
  }
  return count;
}

/** Claims from the id in `id` on. The reply begins with where the next call goes on, so it is written in the end. */
function claimFrom(stream: Ref, group: Ref, count: number): void {
  const claimed: StreamId[] = [];
  const gone: StreamId[] = [];
  let index = pendingRank(group, id);
  let attempts = count * ATTEMPTS_FACTOR;
  while (attempts-- > 0 && claimed.length + gone.length < count && selectPending(group, index)) {
    const { record } = pending;
    copyId(id, pending.id);
    if (!findEntry(stream, id)) {
      removePending(group, record, id);
      gone.push(cloneId(id));
    } else if (isTooFresh(record)) {
      index++;
    } else if (take(record, group, id)) {
      claimed.push(cloneId(id));
      index++;
    } else if (claimed.length + gone.length > 0) {
      break;
    } else {
      replyOutOfMemory();
      return;
    }
  }
  changes.sinceLastSave += gone.length;
  reply.array(3);
  replyId(selectPending(group, index) ? pending.id : ID_MIN);
  reply.array(claimed.length);
  for (const entry of claimed) replyClaimed(stream, entry);
  reply.array(gone.length);
  for (const entry of gone) replyId(entry);
}

function cloneId(source: StreamId): StreamId {
  const clone = new StreamId();
  copyId(clone, source);
  return clone;
}
