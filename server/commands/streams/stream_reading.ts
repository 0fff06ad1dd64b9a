// Handler of XREAD: what came to streams since the ids that the client knows, or will come. What waiting is stands
// in server/blocking.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { headerOf, TYPE_MASK, TYPE_STREAM } from '../../../storage/structures/entry.js';
import { loadLastId, streamBlock } from '../../../storage/values/stream/block.js';
import {
  compareIds,
  copyId,
  ID_MAX,
  ID_MIN,
  incrementId,
  StreamId,
} from '../../../storage/values/stream/stream_id.js';
import { nextEntry, startWalk } from '../../../storage/values/stream/walk.js';
import { mayBlock, waitForKeys } from '../../blocking/block.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { lookupArgument, readKey } from '../keys/keys_access.js';
import { isSign, readId } from './stream_ids.js';
import { expectStream, replyRange } from './stream_value.js';

const DOLLAR = 0x24;
const GREATER = 0x3e;

/** The options of the running XREAD; one object, reused. */
export const reading = {
  /** BLOCK's time in milliseconds, 0 for no limit; -1: the client does not wait. */
  waitMillis: -1,
  /** Most entries of each stream. */
  most: Number.POSITIVE_INFINITY,
  /** Argument of the first key, and how many keys there are; their ids follow them. */
  firstKey: 0,
  keys: 0,
};

/** What the client knows of each key of the running request. */
let known: StreamId[] = [];
const start = new StreamId();

/** XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...] */
export function xread(client: Client): void {
  if (!readOptions() || !readKnownIds(client)) return;
  const { firstKey, keys, most, waitMillis } = reading;
  let served = 0;
  for (let i = 0; i < keys; i++) if (hasNews(client, i)) served++;
  if (served > 0) {
    replyMapHeader(served);
    for (let i = 0; i < keys; i++) {
      const ref = findStream(client, firstKey + i);
      if (ref !== NULL_REF && hasEntriesBehind(ref, known[i]!)) {
        replyNews(firstKey + i, ref, known[i]!, most);
      }
    }
    return;
  }
  if (waitMillis < 0 || !mayBlock(client)) {
    reply.nullArray();
    return;
  }
  const awaited = Array.from({ length: keys }, (_, i) => firstKey + i);
  const ids = known.slice(0, keys);
  known = [];
  waitForKeys(
    client,
    TYPE_STREAM,
    awaited,
    waitMillis,
    (_client, key, ref) => {
      const knownId = ids[key - firstKey]!;
      loadLastId(streamBlock(ref), start);
      if (compareIds(start, knownId) <= 0) return false;
      replyMapHeader(1);
      replyNews(key, ref, knownId, most);
      return true;
    },
    () => reply.nullArray(),
  );
}

// --- arguments -----------------------------------------------------------------------------------

/** Reads what stands before the keys. False: an error was replied. */
function readOptions(): boolean {
  reading.waitMillis = -1;
  reading.most = Number.POSITIVE_INFINITY;
  for (let i = 1; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (hasMore && args.equals(i, 'streams')) return takeStreams(i + 1);
    if (hasMore && args.equals(i, 'count')) {
      if (!readInt64(++i)) return false;
      const count = int64ToNumber(int64.hi, int64.lo);
      reading.most = count <= 0 ? Number.POSITIVE_INFINITY : count;
    } else if (hasMore && args.equals(i, 'block')) {
      if (!readWait(++i)) return false;
    } else {
      replyError(errorOf(i));
      return false;
    }
  }
  replyError(errors.SYNTAX_ERROR);
  return false;
}

/** What is wrong with argument i, which is no option of XREAD. */
function errorOf(i: number): string {
  if (args.equals(i, 'group') && i + 2 < args.count) return errors.XREAD_GROUP_OPTION;
  return args.equals(i, 'noack') ? errors.XREAD_NOACK_OPTION : errors.SYNTAX_ERROR;
}

/** Reads BLOCK's time from argument i into `reading`. False: an error was replied. */
export function readWait(i: number): boolean {
  if (!parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!)) {
    replyError(errors.TIMEOUT_NOT_AN_INTEGER);
    return false;
  }
  reading.waitMillis = int64ToNumber(int64.hi, int64.lo);
  if (reading.waitMillis >= 0) return true;
  replyError(errors.TIMEOUT_NEGATIVE);
  return false;
}

function takeStreams(first: number): boolean {
  const words = args.count - first;
  reading.firstKey = first;
  reading.keys = words / 2;
  if (words % 2 === 0) return true;
  replyError(errors.unbalancedStreams('XREAD', '$'));
  return false;
}

/** Reads the ids behind the keys into `known`. False: an error was replied. */
function readKnownIds(client: Client): boolean {
  const { firstKey, keys } = reading;
  while (known.length < keys) known.push(new StreamId());
  for (let i = 0; i < keys; i++) {
    const ref = readKey(client, firstKey + i);
    if (ref !== NULL_REF && !expectStream(ref)) return false;
    const idAt = firstKey + keys + i;
    if (isSign(idAt, DOLLAR)) {
      if (ref === NULL_REF) copyId(known[i]!, ID_MIN);
      else loadLastId(streamBlock(ref), known[i]!);
    } else if (isSign(idAt, GREATER)) {
      replyError(errors.XREAD_NEW_ID);
      return false;
    } else if (!readId(idAt, known[i]!)) {
      return false;
    }
  }
  return true;
}

// --- replies -------------------------------------------------------------------------------------

/** The stream of the key in an argument, which was looked up before; NULL_REF: there is none. */
function findStream(client: Client, key: number): Ref {
  const ref = lookupArgument(client.database, key);
  return ref !== NULL_REF && (headerOf(ref) & TYPE_MASK) === TYPE_STREAM ? ref : NULL_REF;
}

function hasNews(client: Client, i: number): boolean {
  const ref = findStream(client, reading.firstKey + i);
  return ref !== NULL_REF && hasEntriesBehind(ref, known[i]!);
}

/** Whether a stream has an entry behind an id. */
function hasEntriesBehind(ref: Ref, id: StreamId): boolean {
  const block = streamBlock(ref);
  loadLastId(block, start);
  if (compareIds(start, id) <= 0) return false;
  copyId(start, id);
  incrementId(start);
  startWalk(block, start, ID_MAX, false);
  return nextEntry();
}

/** Header of the streams of a reply: RESP3 has a map of them, RESP2 an array of pairs. */
export function replyMapHeader(streams: number): void {
  if (reply.protocol === 3) reply.map(streams);
  else reply.array(streams);
}

/** Replies the name of a stream and its entries behind an id. */
function replyNews(key: number, ref: Ref, id: StreamId, most: number): void {
  replyStreamName(key);
  copyId(start, id);
  incrementId(start); // the last id is greater, so there is a next one
  replyRange(streamBlock(ref), start, ID_MAX, most, false);
}

/** Begins the part of the stream whose key is in an argument: its entries follow. */
export function replyStreamName(key: number): void {
  if (reply.protocol === 2) reply.array(2);
  reply.bulk(args.buffer, args.offsets[key]!, args.lengths[key]!);
}
