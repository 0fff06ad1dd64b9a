// Handlers of XREADGROUP: entries of streams for a consumer of a group, new ones (`>`) or those that are pending
// for it, and waiting for new ones.
//
// New entries are noted as pending before they are replied, which may need memory. Where that ends on the way, those
// are delivered that could be noted, as if COUNT had asked for no more; when none could, the reply is an error.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { Cursor } from '../../../storage/structures/btree_cursor.js';
import { clock } from '../../../storage/structures/clock.js';
import { TYPE_STREAM } from '../../../storage/structures/entry.js';
import {
  added,
  loadEntriesAdded,
  loadLastId,
  streamBlock,
} from '../../../storage/values/stream/block.js';
import {
  entriesRead,
  loadEntriesRead,
  loadLastId as loadGroupId,
  storeEntriesRead,
  storeLastId as storeGroupId,
} from '../../../storage/values/stream/group.js';
import { scanId } from '../../../storage/values/stream/node_format.js';
import {
  addPending,
  assignPending,
  countDelivery,
  findPending,
  nextPending,
  pending,
  pendingCount,
  pendingRank,
  seekPending,
  selectPending,
  setDelivery,
} from '../../../storage/values/stream/pending.js';
import {
  compareIds,
  copyId,
  ID_MAX,
  incrementId,
  StreamId,
} from '../../../storage/values/stream/stream_id.js';
import { findEntry, nextEntry, startWalk } from '../../../storage/values/stream/walk.js';
import { mayBlock, waitForKeys } from '../../blocking/block.js';
import type { Client } from '../../client.js';
import { changes } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { readKey, replyOutOfMemory } from '../keys/keys_access.js';
import { countUpTo, groupNamed, hasGapsBehind, makeConsumer } from './group_value.js';
import { isSign, readId, replyId } from './stream_ids.js';
import { reading, readWait, replyMapHeader, replyStreamName } from './stream_reading.js';
import { expectStream, replyEntry } from './stream_value.js';

const DOLLAR = 0x24;
const GREATER = 0x3e;

/** The options of a request, with the arguments of names and keys. */
interface Options {
  /** Argument of the group's name, which that of the consumer follows; -1: none. */
  group: number;
  /** Most entries of each stream. */
  count: number;
  noAck: boolean;
  /** Time to wait in milliseconds, 0 for no limit; -1: the client does not wait. */
  blockMillis: number;
  /** The first key, and how many there are; their ids follow them. */
  firstKey: number;
  streams: number;
}

/** The options of the running request. */
const options: Options = {
  group: -1,
  count: 0,
  noAck: false,
  blockMillis: -1,
  firstKey: 0,
  streams: 0,
};

/** What is read of one stream. */
class GroupRead {
  key = 0;
  stream = NULL_REF as Ref;
  group = NULL_REF as Ref;
  consumer = NULL_REF as Ref;
  /** Whether it is the consumer's pending entries that are asked for. */
  isHistory = false;
  /** Behind this id; in the end the first id to be replied. */
  readonly from = new StreamId();
  /** The walk stands at the only entry to be replied. */
  isAtEntry = false;
  /** Entries to be replied; -1: the stream is left out. */
  entries = -1;
}

/** One for each stream of the request that had most; used again. */
const reads: GroupRead[] = [];

function readAt(index: number): GroupRead {
  while (reads.length <= index) reads.push(new GroupRead());
  return reads[index]!;
}

/** XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...] */
export function xreadgroup(client: Client): void {
  if (!readOptions()) return;
  const { firstKey, streams } = options;
  for (let i = 0; i < streams; i++) {
    if (!readStream(client, readAt(i), firstKey + i, firstKey + streams + i)) return;
  }
  const served = streams === 1 ? serveOne(reads[0]!) : serveAll(streams);
  if (served < 0) replyOutOfMemory();
  else if (served > 0) changes.sinceLastSave += served;
  else if (options.blockMillis >= 0 && mayBlock(client)) wait(client);
  else reply.nullArray();
}

/** Reads what stands before the keys. False: an error was replied. */
function readOptions(): boolean {
  options.group = -1;
  options.count = Number.POSITIVE_INFINITY;
  options.noAck = false;
  options.blockMillis = -1;
  for (let i = 1; i < args.count; i++) {
    const more = args.count - 1 - i;
    if (more > 0 && args.equals(i, 'streams')) return takeStreams(i + 1);
    if (more > 0 && args.equals(i, 'count')) {
      if (!readInt64(++i)) return false;
      const count = int64ToNumber(int64.hi, int64.lo);
      options.count = count <= 0 ? Number.POSITIVE_INFINITY : count;
    } else if (more > 0 && args.equals(i, 'block')) {
      if (!readWait(++i)) return false;
      options.blockMillis = reading.waitMillis;
    } else if (more > 1 && args.equals(i, 'group')) {
      options.group = i + 1;
      i += 2;
    } else if (args.equals(i, 'noack')) {
      options.noAck = true;
    } else {
      break;
    }
  }
  replyError(errors.SYNTAX_ERROR);
  return false;
}

function takeStreams(first: number): boolean {
  const words = args.count - first;
  options.firstKey = first;
  options.streams = words / 2;
  if (words % 2 === 0 && options.group >= 0) return true;
  // Redis speaks of XREAD here, too.
  const isBalanced = words % 2 === 0;
  replyError(isBalanced ? errors.XREADGROUP_NO_GROUP : errors.unbalancedStreams('XREAD', '$'));
  return false;
}

/** Finds one stream, its group and the id to read from. False: an error was replied. */
function readStream(client: Client, read: GroupRead, key: number, idAt: number): boolean {
  const ref = readKey(client, key);
  if (ref !== NULL_REF && !expectStream(ref)) return false;
  const stream = ref === NULL_REF ? NULL_REF : streamBlock(ref);
  const group = stream === NULL_REF ? NULL_REF : groupNamed(stream, options.group);
  if (group === NULL_REF) {
    replyError(errors.noGroupToRead(args.latin1(key), args.latin1(options.group)));
    return false;
  }
  read.key = key;
  read.stream = stream;
  read.group = group;
  if (isSign(idAt, DOLLAR)) {
    replyError(errors.XREADGROUP_DOLLAR);
    return false;
  }
  if (isSign(idAt, GREATER)) copyId(read.from, ID_MAX);
  else if (!readId(idAt, read.from)) return false;
  read.isHistory = compareIds(read.from, ID_MAX) !== 0;
  return true;
}

// --- delivering ----------------------------------------------------------------------------------

const lastId = new StreamId();
const newest = new StreamId();
const cursor = new Cursor();

/** Replies what is there of the only stream. Returns 1, 0 with nothing written, or -1: the arena is full. */
function serveOne(read: GroupRead): number {
  if (!deliver(read, options)) return -1;
  if (read.entries < 0) return 0;
  replyMapHeader(1);
  replyStream(read);
  return 1;
}

/** The same of several streams, one after the other: the next may be the same one. Returns how many. */
function serveAll(streams: number): number {
  const mark = reply.protocol === 3 ? reply.deferMap() : reply.deferArray();
  let served = 0;
  let failed = false;
  for (let i = 0; i < streams; i++) {
    const read = reads[i]!;
    if (!deliver(read, options)) {
      failed = true;
    } else if (read.entries >= 0) {
      replyStream(read);
      served++;
    }
  }
  if (served > 0) reply.settle(mark, served);
  else reply.abandon();
  return served === 0 && failed ? -1 : served;
}

/** Notes what is there as delivered. False: there is something, but no memory. */
function deliver(read: GroupRead, own: Readonly<Options>): boolean {
  read.entries = -1;
  read.isAtEntry = false;
  if (!read.isHistory && !hasNew(read)) return true;
  read.consumer = makeConsumer(read.group, own.group + 1);
  if (read.consumer === NULL_REF) return false;
  if (read.isHistory) prepareHistory(read, own.count);
  else deliverNew(read, own.count, own.noAck);
  return read.entries >= 0;
}

/** Whether the stream has entries behind what its group was given; then read.from is the first id of these. */
function hasNew(read: GroupRead): boolean {
  loadLastId(read.stream, lastId);
  loadGroupId(read.group, read.from);
  if (compareIds(lastId, read.from) <= 0) return false;
  incrementId(read.from);
  return hasEntriesFrom(read); // the last one may have been deleted
}

/** Whether there are entries from read.from on; the walk is at the first one then. */
function hasEntriesFrom(read: GroupRead): boolean {
  startWalk(read.stream, read.from, ID_MAX, false);
  return nextEntry();
}

/** Counts what will be replied of the consumer's pending entries. */
function prepareHistory(read: GroupRead, count: number): void {
  incrementId(read.from);
  const left = pendingCount(read.consumer) - pendingRank(read.consumer, read.from);
  read.entries = Math.min(left, count);
}

/** Notes new entries as delivered, from the one on that hasEntriesFrom() has come to. read.entries stays -1 when
 *  there is no memory for the first. */
function deliverNew(read: GroupRead, count: number, noAck: boolean): void {
  const { stream, group, consumer } = read;
  const known = pendingCount(group);
  if (known > 0) {
    selectPending(group, known - 1);
    copyId(newest, pending.id);
  }
  let entries = 0;
  do {
    const isNew = known === 0 || compareIds(scanId, newest) > 0;
    if (!noAck && !notePending(group, consumer, isNew)) break;
    copyId(lastId, scanId);
    entries++;
    advanceGroup(stream, group);
  } while (entries < count && nextEntry());
  if (entries === 0) return;
  storeGroupId(group, lastId);
  read.entries = entries;
  read.isAtEntry = count === 1;
}

/** Notes the entry at `scanId` as pending for a consumer. `isNew`: it is not pending yet. */
function notePending(group: Ref, consumer: Ref, isNew: boolean): boolean {
  const record = isNew ? NULL_REF : findPending(group, scanId);
  if (record === NULL_REF) return addPending(group, consumer, scanId, clock.nowMillis);
  if (!assignPending(record, scanId, consumer)) return false;
  setDelivery(record, clock.nowMillis, 0, 1);
  return true;
}

/** Counts the entry `lastId`, which is behind what the group was given, as read. */
function advanceGroup(stream: Ref, group: Ref): void {
  loadEntriesRead(group);
  if ((entriesRead.high & entriesRead.low) !== -1 && !hasGapsBehind(stream, lastId)) {
    const low = (entriesRead.low + 1) | 0;
    storeEntriesRead(group, low === 0 ? (entriesRead.high + 1) | 0 : entriesRead.high, low);
    return;
  }
  loadEntriesAdded(stream);
  if ((added.high | added.low) === 0) return;
  if (countUpTo(stream, lastId)) storeEntriesRead(group, int64.hi, int64.lo);
  else storeEntriesRead(group, -1, -1);
}

// --- replies -------------------------------------------------------------------------------------

function replyStream(read: GroupRead): void {
  replyStreamName(read.key);
  reply.array(read.entries);
  if (read.isHistory) {
    replyHistory(read);
    return;
  }
  if (read.isAtEntry) {
    replyEntry();
    return;
  }
  startWalk(read.stream, read.from, ID_MAX, false);
  for (let i = 0; i < read.entries; i++) {
    nextEntry();
    replyEntry();
  }
}

/** Replies pending entries, each as delivered once more; those that are gone from the stream without fields. */
function replyHistory(read: GroupRead): void {
  seekPending(cursor, read.consumer, read.from);
  for (let i = 0; i < read.entries; i++) {
    if (findEntry(read.stream, pending.id)) {
      replyEntry();
      countDelivery(pending.record, clock.nowMillis);
    } else {
      reply.array(2);
      replyId(pending.id);
      reply.nullArray();
    }
    nextPending(cursor);
  }
}

// --- waiting -------------------------------------------------------------------------------------

/** Waits until one of the streams has new entries. */
function wait(client: Client): void {
  const { firstKey, streams, blockMillis } = options;
  const keys = Array.from({ length: streams }, (_, i) => firstKey + i);
  const own = { ...options };
  waitForKeys(
    client,
    TYPE_STREAM,
    keys,
    blockMillis,
    (_served, key, ref) => serve(own, key, streamBlock(ref)),
    () => reply.nullArray(),
    () => replyError(errors.UNBLOCKED_NO_KEY),
  );
}

/** Serves a client that has waited: from one stream, new entries of the group as it stands now. */
function serve(own: Readonly<Options>, key: number, stream: Ref): boolean {
  const read = readAt(0);
  read.key = key;
  read.stream = stream;
  read.group = groupNamed(stream, own.group);
  read.isHistory = false;
  if (read.group === NULL_REF) {
    replyError(errors.NO_GROUP_ANY_MORE);
    return true;
  }
  loadLastId(stream, lastId);
  loadGroupId(read.group, read.from);
  if (compareIds(lastId, read.from) <= 0) return false;
  incrementId(read.from);
  read.entries = -1;
  read.isAtEntry = false;
  read.consumer = makeConsumer(read.group, own.group + 1);
  if (read.consumer !== NULL_REF) {
    if (hasEntriesFrom(read)) deliverNew(read, own.count, own.noAck);
    else read.entries = 0; // what came was deleted in the same transaction
  }
  changes.sinceLastSave++;
  if (read.entries < 0) {
    replyOutOfMemory();
  } else {
    replyMapHeader(1);
    replyStream(read);
  }
  return true;
}
