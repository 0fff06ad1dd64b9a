// Handlers of the commands on one stream: XADD, XLEN, XRANGE, XREVRANGE, XDEL, XTRIM, XSETID.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { freeEntry } from '../../../storage/keyspace/entries.js';
import { addEntry as addKey } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { clock } from '../../../storage/structures/clock.js';
import {
  loadDeletedId,
  loadLastId,
  setEntriesAdded,
  storeDeletedId,
  storeLastId,
  streamBlock,
  streamLength,
} from '../../../storage/values/stream/block.js';
import { scanId } from '../../../storage/values/stream/node_format.js';
import type { Pairs } from '../../../storage/values/stream/nodes.js';
import {
  addEntry,
  createStream,
  deleteEntry,
  trimStream,
} from '../../../storage/values/stream/stream.js';
import {
  compareIds,
  copyId,
  ID_MAX,
  ID_MIN,
  incrementId,
  isZeroId,
  StreamId,
  setId,
} from '../../../storage/values/stream/stream_id.js';
import { findLast } from '../../../storage/values/stream/walk.js';
import type { Client } from '../../client.js';
import { changes, elementsRemoved, keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { readKey, replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import { readId, readRangeEnd, readRangeStart, replyId } from './stream_ids.js';
import { useStreamLimits } from './stream_limits.js';
import { expectStream, replyRange } from './stream_value.js';
import { givenId, options, readTrimOptions, trim } from './trim_options.js';

/** Redis stores no entry whose fields and values are larger together. */
const ENTRY_BYTES_MAX = 2 ** 30;
const TWO_32 = 4294967296;

// --- XADD ----------------------------------------------------------------------------------------

/** The fields and values of the running request. */
const pairs: Pairs = {
  bytes: args.buffer,
  offsets: args.offsets,
  lengths: args.lengths,
  first: 0,
  fields: 0,
};
const newId = new StreamId();

/** XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value [field value ...] */
export function xadd(client: Client): void {
  const idAt = readTrimOptions(true);
  if (idAt < 0) return;
  const words = args.count - idAt - 1;
  if (words < 2 || words % 2 !== 0) {
    replyError(errors.wrongArity('xadd'));
    return;
  }
  if (options.isIdGiven && !options.choosesSequence && isZeroId(givenId)) {
    replyError(errors.STREAM_ID_ZERO);
    return;
  }
  const ref = writeKey(client, 1);
  if (ref !== NULL_REF && !expectStream(ref)) return;
  if (ref === NULL_REF && options.noMkStream) {
    reply.null();
    return;
  }
  const error = chooseId(ref);
  if (error !== null) {
    replyError(error);
    return;
  }
  if (!takePairs(idAt + 1, words / 2)) {
    replyError(errors.STREAM_ENTRY_TOO_LARGE);
    return;
  }
  if (ref === NULL_REF ? !addToNew(client) : !addEntry(streamBlock(ref), newId, pairs)) {
    replyOutOfMemory();
    return;
  }
  replyId(newId);
  keyChanged(client.databaseIndex, 1);
  if (options.trims) trimAdded(client, ref);
}

/** Sets `newId` for the stream of an entry, NULL_REF for a new one. Returns null or the error. */
function chooseId(ref: Ref): string | null {
  if (ref === NULL_REF) copyId(newId, ID_MIN);
  else loadLastId(streamBlock(ref), newId);
  if (compareIds(newId, ID_MAX) === 0) return errors.STREAM_EXHAUSTED;
  if (!options.isIdGiven) {
    const now = clock.nowMillis;
    const high = Math.floor(now / TWO_32);
    const low = (now - high * TWO_32) | 0;
    const isLater =
      high > newId.msHigh >>> 0 || (high === newId.msHigh && low >>> 0 > newId.msLow >>> 0);
    if (isLater) setId(newId, high, low, 0, 0);
    else incrementId(newId);
    return null;
  }
  if (options.choosesSequence) {
    if (givenId.msHigh === newId.msHigh && givenId.msLow === newId.msLow) {
      if ((newId.seqHigh & newId.seqLow) === -1) return errors.STREAM_ENTRY_TOO_LARGE; // as in Redis
      incrementId(newId);
      return null;
    }
  }
  if (compareIds(givenId, newId) <= 0) return errors.STREAM_ID_SMALLER;
  copyId(newId, givenId);
  return null;
}

/** Fills `pairs` from argument `first` on. False: they are too large together. */
function takePairs(first: number, fields: number): boolean {
  const { lengths } = args;
  let bytes = 0;
  for (let i = first; i < args.count; i++) bytes += lengths[i]!;
  pairs.bytes = args.buffer;
  pairs.offsets = args.offsets;
  pairs.lengths = lengths;
  pairs.first = first;
  pairs.fields = fields;
  useStreamLimits();
  return bytes <= ENTRY_BYTES_MAX;
}

/** Makes a stream of the entry. False: the arena is full, and there is none. */
function addToNew(client: Client): boolean {
  const ref = createStream(args.buffer, args.offsets[1]!, args.lengths[1]!);
  if (ref === NULL_REF) return false;
  if (addEntry(streamBlock(ref), newId, pairs)) return addKey(client.database, ref);
  freeEntry(ref);
  return false;
}

function trimAdded(client: Client, ref: Ref): void {
  trimStream(streamBlock(ref === NULL_REF ? writeKey(client, 1) : ref), trim);
}

// --- reading -------------------------------------------------------------------------------------

const from = new StreamId();
const to = new StreamId();

/** XLEN key */
export function xlen(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.integer(0);
  else if (expectStream(ref)) reply.integer(streamLength(streamBlock(ref)));
}

/** XRANGE key start end [COUNT count] */
export function xrange(client: Client): void {
  if (readRangeStart(2, from) && readRangeEnd(3, to)) replyIds(client, false);
}

/** XREVRANGE key end start [COUNT count] */
export function xrevrange(client: Client): void {
  if (readRangeStart(3, from) && readRangeEnd(2, to)) replyIds(client, true);
}

function replyIds(client: Client, backward: boolean): void {
  let most = Number.POSITIVE_INFINITY;
  for (let i = 4; i < args.count; i += 2) {
    if (!args.equals(i, 'count') || i + 1 === args.count) {
      replyError(errors.SYNTAX_ERROR);
      return;
    }
    if (!readInt64(i + 1)) return;
    most = Math.max(0, int64ToNumber(int64.hi, int64.lo));
  }
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.emptyArray();
  else if (!expectStream(ref)) return;
  else if (most === 0) reply.nullArray();
  else replyRange(streamBlock(ref), from, to, most, backward);
}

// --- changing ------------------------------------------------------------------------------------

/** XDEL key id [id ...] */
export function xdel(client: Client): void {
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectStream(ref)) return;
  for (let i = 2; i < args.count; i++) if (!readId(i, from)) return;
  const block = streamBlock(ref);
  let deleted = 0;
  for (let i = 2; i < args.count; i++) {
    readId(i, from);
    if (!deleteEntry(block, from)) continue;
    deleted++;
    loadDeletedId(block, to);
    if (compareIds(from, to) > 0) storeDeletedId(block, from);
  }
  if (deleted > 0) elementsRemoved(client.databaseIndex, 1, deleted);
  reply.integer(deleted);
}

/** XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count] */
export function xtrim(client: Client): void {
  if (readTrimOptions(false) < 0) return;
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectStream(ref)) return;
  const deleted = trimStream(streamBlock(ref), trim);
  if (deleted > 0) elementsRemoved(client.databaseIndex, 1, deleted);
  reply.integer(deleted);
}

/** What XSETID's options say; one object, reused. */
const setting = { hasAdded: false, addedHigh: 0, addedLow: 0, deletedId: new StreamId() };

/** XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id] */
export function xsetid(client: Client): void {
  if (!readId(2, from) || !readSettings()) return;
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) {
    replyError(errors.NO_SUCH_KEY);
    return;
  }
  if (!expectStream(ref)) return;
  const block = streamBlock(ref);
  const error = whyNotSet(block);
  if (error !== null) {
    replyError(error);
    return;
  }
  storeLastId(block, from);
  if (setting.hasAdded) setEntriesAdded(block, setting.addedHigh, setting.addedLow);
  if (!isZeroId(setting.deletedId)) storeDeletedId(block, setting.deletedId);
  changes.sinceLastSave++; // as in Redis, no transaction that watches the key is told
  reply.ok();
}

/** Reads the options of XSETID. False: an error was replied. */
function readSettings(): boolean {
  setting.hasAdded = false;
  copyId(setting.deletedId, ID_MIN);
  for (let i = 3; i < args.count; i += 2) {
    const hasMore = i + 1 < args.count;
    if (hasMore && args.equals(i, 'entriesadded')) {
      if (!readInt64(i + 1)) return false;
      setting.hasAdded = true;
      setting.addedHigh = int64.hi;
      setting.addedLow = int64.lo;
      if (int64.hi < 0) {
        replyError(errors.XSETID_ADDED_NEGATIVE);
        return false;
      }
    } else if (hasMore && args.equals(i, 'maxdeletedid')) {
      if (!readId(i + 1, setting.deletedId)) return false;
      if (compareIds(from, setting.deletedId) < 0) {
        replyError(errors.XSETID_BELOW_GIVEN_DELETED);
        return false;
      }
    } else {
      replyError(errors.SYNTAX_ERROR);
      return false;
    }
  }
  return true;
}

/** Why the ids and counts that were read do not suit a stream; null when they do. */
function whyNotSet(block: Ref): string | null {
  if (streamLength(block) === 0) return null;
  if (findLast(block) && compareIds(from, scanId) < 0) return errors.XSETID_BELOW_TOP;
  const added = int64ToNumber(setting.addedHigh, setting.addedLow);
  if (setting.hasAdded && streamLength(block) > added) return errors.XSETID_ADDED_BELOW_LENGTH;
  return null;
}
