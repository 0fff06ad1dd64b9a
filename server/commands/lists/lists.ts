// Handlers of the commands on the elements of one list, by index or by value.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { deleteEntry } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { span } from '../../../storage/structures/entry.js';
import { writableEntry } from '../../../storage/structures/entry_table.js';
import {
  dropElements,
  insertElement,
  listLength,
  removeElement,
  setElement,
} from '../../../storage/values/list.js';
import * as at from '../../../storage/values/list_cursor.js';
import type { Client } from '../../client.js';
import { elementsChanged, keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { clipIndexes, range, readRange } from '../arguments/index_range.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { readKey, replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import { expectList, replyElements } from './list_value.js';

/** LLEN key */
export function llen(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.integer(0);
  else if (expectList(ref)) reply.integer(listLength(ref));
}

/** LRANGE key start stop */
export function lrange(client: Client): void {
  if (!readRange(2)) return;
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.emptyArray();
    return;
  }
  if (!expectList(ref)) return;
  if (clipIndexes(listLength(ref))) replyElements(ref, range.start, range.end - range.start + 1);
  else reply.emptyArray();
}

/** LINDEX key index */
export function lindex(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.null();
    return;
  }
  if (!expectList(ref) || !readInt64(2)) return;
  const index = int64ToNumber(int64.hi, int64.lo);
  if (!at.seek(ref, index < 0 ? listLength(ref) + index : index)) {
    reply.null();
    return;
  }
  at.locate();
  reply.bulk(span.view, span.offset, span.length);
}

/** LSET key index element */
export function lset(client: Client): void {
  const found = writeKey(client, 1);
  if (found === NULL_REF) {
    replyError(errors.NO_SUCH_KEY);
    return;
  }
  if (!expectList(found) || !readInt64(2)) return;
  const index = int64ToNumber(int64.hi, int64.lo);
  const ref = writableEntry(client.database, found);
  if (!at.seek(ref, index < 0 ? listLength(ref) + index : index)) {
    replyError(errors.INDEX_OUT_OF_RANGE);
  } else if (!setElement(args.buffer, args.offsets[3]!, args.lengths[3]!)) {
    replyOutOfMemory();
  } else {
    keyChanged(client.databaseIndex, 1);
    reply.ok();
  }
}

/** LINSERT key BEFORE|AFTER pivot element */
export function linsert(client: Client): void {
  const behind = args.equals(2, 'after');
  if (!behind && !args.equals(2, 'before')) {
    replyError(errors.SYNTAX_ERROR);
    return;
  }
  const found = writeKey(client, 1);
  if (found === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectList(found)) return;
  const { buffer, offsets, lengths } = args;
  const ref = writableEntry(client.database, found);
  at.seek(ref, 0);
  if (!at.find(false, buffer, offsets[3]!, lengths[3]!)) {
    reply.integer(-1);
  } else if (!insertElement(behind, buffer, offsets[4]!, lengths[4]!)) {
    replyOutOfMemory();
  } else {
    keyChanged(client.databaseIndex, 1);
    reply.integer(listLength(ref));
  }
}

/** LREM key count element: the first `count` that are equal, with a negative count the last ones, with 0 all. */
export function lrem(client: Client): void {
  if (!readInt64(2)) return;
  const count = int64ToNumber(int64.hi, int64.lo);
  const found = writeKey(client, 1);
  if (found === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectList(found)) return;
  const { buffer, offsets, lengths } = args;
  const backwards = count < 0;
  const most = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count);
  const ref = writableEntry(client.database, found);
  at.seek(ref, backwards ? listLength(ref) - 1 : 0);
  let removed = 0;
  while (removed < most && at.find(backwards, buffer, offsets[3]!, lengths[3]!)) {
    removeElement();
    removed++;
    if (listLength(ref) === 0 || (backwards && !at.retreat())) break;
  }
  if (removed > 0) {
    if (listLength(ref) === 0) deleteEntry(client.database, ref);
    elementsChanged(client.databaseIndex, 1, removed);
  }
  reply.integer(removed);
}

/** LTRIM key start stop */
export function ltrim(client: Client): void {
  if (!readRange(2)) return;
  const found = writeKey(client, 1);
  if (found === NULL_REF) {
    reply.ok();
    return;
  }
  if (!expectList(found)) return;
  const length = listLength(found);
  let kept = 0;
  if (clipIndexes(length)) {
    kept = range.end - range.start + 1;
    const ref = writableEntry(client.database, found);
    if (range.start > 0) dropElements(ref, true, range.start);
    if (range.end < length - 1) dropElements(ref, false, length - 1 - range.end);
  } else {
    deleteEntry(client.database, found);
  }
  elementsChanged(client.databaseIndex, 1, length - kept);
  reply.ok();
}

/** Options of LPOS. */
interface Search {
  /** Matches to find until the first that counts; negative: from the end of the list. */
  rank: number;
  /** Matches to reply, 0 for all; -1: one, not as an array. */
  count: number;
  /** Elements to look at; infinite for all. */
  most: number;
}

/** LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len] */
export function lpos(client: Client): void {
  const search: Search = { rank: 1, count: -1, most: Number.POSITIVE_INFINITY };
  for (let i = 3; i < args.count; i += 2) {
    const error = i + 1 < args.count ? readSearchOption(search, i) : errors.SYNTAX_ERROR;
    if (error === null) continue;
    replyError(error);
    return;
  }
  const ref = readKey(client, 1);
  if (ref !== NULL_REF && !expectList(ref)) return;
  const matches = ref === NULL_REF ? [] : findMatches(ref, search);
  if (search.count >= 0) {
    reply.array(matches.length);
    for (const index of matches) reply.integer(index);
  } else if (matches.length > 0) {
    reply.integer(matches[0]!);
  } else {
    reply.null();
  }
}

/** Reads the option in arguments i and i + 1; returns null or the error. */
function readSearchOption(search: Search, i: number): string | null {
  const value = i + 1;
  if (args.equals(i, 'rank')) return readRank(search, value);
  const isCount = args.equals(i, 'count');
  if (!isCount && !args.equals(i, 'maxlen')) return errors.SYNTAX_ERROR;
  const number = readCount(value);
  if (number < 0) return isCount ? errors.COUNT_NEGATIVE : errors.MAXLEN_NEGATIVE;
  if (isCount) search.count = number;
  else search.most = number === 0 ? Number.POSITIVE_INFINITY : number;
  return null;
}

function readRank(search: Search, i: number): string | null {
  if (!parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!)) return errors.NOT_AN_INTEGER;
  search.rank = int64ToNumber(int64.hi, int64.lo);
  return search.rank === 0 ? errors.LPOS_RANK_ZERO : null;
}

/** A number of at least 0, or -1. */
function readCount(i: number): number {
  if (!parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!) || int64.hi < 0) return -1;
  return int64ToNumber(int64.hi, int64.lo);
}

/** Indexes of the elements that equal argument 2, as a search asks for them. */
function findMatches(ref: Ref, search: Search): number[] {
  const { buffer, offsets, lengths } = args;
  const backwards = search.rank < 0;
  const length = listLength(ref);
  const start = backwards ? length - 1 : 0;
  const wanted = search.count < 0 ? 1 : search.count;
  const matches: number[] = [];
  let rank = Math.abs(search.rank);
  at.seek(ref, start);
  while (at.find(backwards, buffer, offsets[2]!, lengths[2]!)) {
    const { index } = at.cursor;
    if (Math.abs(index - start) >= search.most) break;
    if (rank > 1) rank--;
    else matches.push(index);
    if (matches.length === wanted && wanted > 0) break;
    if (!(backwards ? at.retreat() : at.advance())) break;
  }
  return matches;
}
