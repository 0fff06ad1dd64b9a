// Handlers of the commands that take members from an end of a sorted set: ZPOPMIN, ZPOPMAX, ZMPOP.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import {
  cardinality,
  lookAheadAtEnd,
  nextMember,
  startWalk,
  walked,
  walkedScore,
} from '../../../storage/values/sorted_set.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { expectSortedSet, writeKey } from '../keys/keys_access.js';
import { removeSpan } from './sorted_set_ranges.js';

/** ZPOPMIN key [count] */
export function zpopmin(client: Client): void {
  pop(client, false);
}

/** ZPOPMAX key [count] */
export function zpopmax(client: Client): void {
  pop(client, true);
}

function pop(client: Client, fromEnd: boolean): void {
  let count = 1;
  if (args.count > 3) {
    replyError(errors.SYNTAX_ERROR);
    return;
  }
  if (args.count === 3) {
    count = readCount(2, 0, errors.NOT_POSITIVE);
    if (count < 0) return;
  }
  const ref = writeKey(client, 1);
  if (ref === NULL_REF || count === 0) {
    if (ref === NULL_REF || expectSortedSet(ref)) reply.emptyArray();
    return;
  }
  if (!expectSortedSet(ref)) return;
  const popped = Math.min(count, cardinality(ref));
  const pairs = reply.protocol === 3 && args.count === 3;
  reply.array(pairs ? popped : 2 * popped);
  takeMembers(client, 1, ref, popped, fromEnd, pairs);
}

/** Argument i as a whole number of at least `min`; -1 when `error` was replied. */
export function readCount(i: number, min: number, error: string): number {
  if (parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!)) {
    const count = int64ToNumber(int64.hi, int64.lo);
    if (count >= min) return count;
  }
  replyError(error);
  return -1;
}

/** Replies `count` members from an end, each with its score (in pairs or not), and removes them. */
export function takeMembers(
  client: Client,
  key: number,
  ref: Ref,
  count: number,
  fromEnd: boolean,
  pairs: boolean,
): void {
  const size = cardinality(ref);
  if (count === 1) lookAheadAtEnd(ref, fromEnd);
  startWalk(ref, fromEnd ? size - 1 : 0, count, fromEnd);
  while (nextMember()) {
    if (pairs) reply.array(2);
    reply.bulk(walked.view, walked.offset, walked.length);
    reply.double(walkedScore());
  }
  if (fromEnd) removeSpan(client, key, ref, size - count, size);
  else removeSpan(client, key, ref, 0, count);
}

// --- several keys --------------------------------------------------------------------------------

/** What ZMPOP and BZMPOP ask for; one object, reused. */
export const popping = { firstKey: 0, lastKey: 0, fromEnd: false, count: 1 };

/** Reads `numkeys key [key ...] MIN | MAX [COUNT count]` from argument i on. False: an error was replied. */
export function readPopping(i: number): boolean {
  const keys = readCount(i, 1, errors.NUMKEYS_NOT_POSITIVE);
  if (keys < 0) return false;
  const where = i + keys + 1;
  if (where >= args.count || !(args.equals(where, 'min') || args.equals(where, 'max'))) {
    replyError(errors.SYNTAX_ERROR);
    return false;
  }
  popping.firstKey = i + 1;
  popping.lastKey = where - 1;
  popping.fromEnd = args.equals(where, 'max');
  popping.count = 1;
  if (where + 1 === args.count) return true;
  if (!args.equals(where + 1, 'count') || where + 2 >= args.count) {
    replyError(errors.SYNTAX_ERROR);
    return false;
  }
  popping.count = readCount(where + 2, 1, errors.COUNT_NOT_POSITIVE);
  if (popping.count < 0) return false;
  if (where + 3 === args.count) return true;
  replyError(errors.SYNTAX_ERROR);
  return false;
}

/** ZMPOP numkeys key [key ...] MIN | MAX [COUNT count] */
export function zmpop(client: Client): void {
  if (!readPopping(1)) return;
  for (let i = popping.firstKey; i <= popping.lastKey; i++) {
    const ref = writeKey(client, i);
    if (ref === NULL_REF) continue;
    if (expectSortedSet(ref)) replyPopped(client, i, ref, popping.count, popping.fromEnd);
    return;
  }
  reply.nullArray();
}

/** Replies as ZMPOP does what is taken from the key in argument i, at most `count` members. */
export function replyPopped(
  client: Client,
  i: number,
  ref: Ref,
  count: number,
  fromEnd: boolean,
): void {
  const popped = Math.min(count, cardinality(ref));
  reply.array(2);
  reply.bulk(args.buffer, args.offsets[i]!, args.lengths[i]!);
  reply.array(popped);
  takeMembers(client, i, ref, popped, fromEnd, true);
}
