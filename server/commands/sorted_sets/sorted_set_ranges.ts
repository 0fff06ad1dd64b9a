// Handlers of the sorted set commands on ranges. Whatever a range is given by (ranks, scores, members), it
// becomes a span of ranks first: two look-ups in O(log n), and LIMIT costs nothing.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { deleteEntry, setEntry } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { writableEntry } from '../../../storage/structures/entry_table.js';
import {
  cardinality,
  createSortedSet,
  freeSortedSet,
  locateMember,
  nextMember,
  putMember,
  ranksBefore,
  ranksBelow,
  removeRanks,
  settleZeros,
  startWalk,
  walked,
  walkedScore,
} from '../../../storage/values/sorted_set.js';
import type { Client } from '../../client.js';
import { elementsChanged, keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { runtime } from '../../runtime.js';
import { range, readRange } from '../arguments/index_range.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { expectSortedSet, readKey, replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import {
  expectMemberRange,
  MEMBER_CLOSED,
  MEMBER_GREATEST,
  MEMBER_LEAST,
  memberBound,
  readScoreRange,
  scoreRange,
} from './score_arguments.js';
import { useSortedSetLimits } from './sorted_set_limits.js';

type By = 'rank' | 'score' | 'member';

/** What a request asks for; one object, reused. */
const query = {
  by: 'rank' as By,
  reverse: false,
  withScores: false,
  offset: 0,
  /** Negative: no limit. */
  limit: -1,
  /** Arguments of the lower and the upper end; by rank, of the first and the last one. */
  min: 0,
  max: 0,
};

/** Ranks [start, end) that a query comes to. */
const ranks = { start: 0, end: 0 };

// --- ranges --------------------------------------------------------------------------------------

/** Checks the ends of `query`. False: an error was replied. */
function readEnds(): boolean {
  switch (query.by) {
    case 'rank':
      return readRange(query.min);
    case 'score':
      return readScoreRange(query.min, query.max);
    case 'member':
      return expectMemberRange(query.min, query.max);
  }
}

/** Fills `ranks` with what the ends, read just before, are in a sorted set. */
function findRanks(ref: Ref): void {
  switch (query.by) {
    case 'rank':
      clipRanks(cardinality(ref));
      break;
    case 'score':
      ranks.start = ranksBelow(ref, scoreRange.min, scoreRange.minOpen);
      ranks.end = ranksBelow(ref, scoreRange.max, !scoreRange.maxOpen);
      break;
    case 'member':
      ranks.start = findBound(ref, query.min, false);
      ranks.end = findBound(ref, query.max, true);
      break;
  }
  if (ranks.end < ranks.start) ranks.end = ranks.start;
}

/** Negative ends count from the last member; `range` includes its end. With REV they count from there. */
function clipRanks(count: number): void {
  const start = Math.max(0, range.start < 0 ? count + range.start : range.start);
  const end = Math.min(count, (range.end < 0 ? count + range.end : range.end) + 1);
  const size = Math.max(0, end - start);
  ranks.start = query.reverse ? count - start - size : start;
  ranks.end = ranks.start + size;
}

/** Rank at which a range of members begins or ends that argument i bounds. */
function findBound(ref: Ref, i: number, isEnd: boolean): number {
  const kind = memberBound(i);
  if (kind === MEMBER_LEAST) return 0;
  if (kind === MEMBER_GREATEST) return cardinality(ref);
  const inclusive = (kind === MEMBER_CLOSED) === isEnd;
  return ranksBefore(ref, args.buffer, args.offsets[i]! + 1, args.lengths[i]! - 1, inclusive);
}

/** Applies LIMIT to `ranks`; a range of ranks takes none but that of everything. */
function applyLimit(): void {
  if (query.by === 'rank') return;
  const { offset, limit, reverse } = query;
  const size = ranks.end - ranks.start;
  const skipped = offset < 0 ? size : Math.min(offset, size);
  const kept = limit < 0 ? size - skipped : Math.min(limit, size - skipped);
  if (reverse) ranks.start = ranks.end - skipped - kept;
  else ranks.start += skipped;
  ranks.end = ranks.start + kept;
}

// --- ZRANGE and its kind -------------------------------------------------------------------------

/** ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES] */
export function zrange(client: Client): void {
  if (readQuery(1, null, null, true)) replyRange(client);
}

/** ZREVRANGE key start stop [WITHSCORES] */
export function zrevrange(client: Client): void {
  if (readQuery(1, 'rank', true, true)) replyRange(client);
}

/** ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count] */
export function zrangeByScore(client: Client): void {
  if (readQuery(1, 'score', false, true)) replyRange(client);
}

/** ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count] */
export function zrevrangeByScore(client: Client): void {
  if (readQuery(1, 'score', true, true)) replyRange(client);
}

/** ZRANGEBYLEX key min max [LIMIT offset count] */
export function zrangeByLex(client: Client): void {
  if (readQuery(1, 'member', false, true)) replyRange(client);
}

/** ZREVRANGEBYLEX key max min [LIMIT offset count] */
export function zrevrangeByLex(client: Client): void {
  if (readQuery(1, 'member', true, true)) replyRange(client);
}

/** ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count] */
export function zrangestore(client: Client): void {
  if (readQuery(2, null, null, false)) storeRange(client);
}

/**
 * Reads the request whose source is argument `key` into `query`. What the command's name says (null: it
 * says nothing) cannot be asked for by an option. False: an error was replied.
 */
function readQuery(key: number, by: By | null, reverse: boolean | null, reply: boolean): boolean {
  query.by = by ?? 'rank';
  query.reverse = reverse ?? false;
  query.withScores = false;
  query.offset = 0;
  query.limit = -1;
  if (!readOptions(key + 3, by === null, reverse === null, reply)) return false;
  if (query.limit !== -1 && query.by === 'rank') {
    replyError(errors.ZRANGE_LIMIT);
    return false;
  }
  if (query.withScores && query.by === 'member') {
    replyError(errors.ZRANGE_WITHSCORES);
    return false;
  }
  const swapped = query.reverse && query.by !== 'rank';
  query.min = swapped ? key + 2 : key + 1;
  query.max = swapped ? key + 1 : key + 2;
  return readEnds();
}

function readOptions(
  first: number,
  mayChooseBy: boolean,
  mayReverse: boolean,
  mayReplyScores: boolean,
): boolean {
  let by: By | null = null;
  let reverses = false;
  for (let i = first; i < args.count; i++) {
    if (mayReplyScores && args.equals(i, 'withscores')) {
      query.withScores = true;
    } else if (args.equals(i, 'limit') && i + 2 < args.count) {
      if (!readInt64(i + 1)) return false;
      query.offset = int64ToNumber(int64.hi, int64.lo);
      if (!readInt64(i + 2)) return false;
      query.limit = int64ToNumber(int64.hi, int64.lo);
      i += 2;
    } else if (mayReverse && !reverses && args.equals(i, 'rev')) {
      reverses = true;
    } else if (mayChooseBy && by === null && args.equals(i, 'bylex')) {
      by = 'member';
    } else if (mayChooseBy && by === null && args.equals(i, 'byscore')) {
      by = 'score';
    } else {
      replyError(errors.SYNTAX_ERROR);
      return false;
    }
  }
  if (by !== null) query.by = by;
  if (reverses) query.reverse = true;
  return true;
}

function replyRange(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.emptyArray();
    return;
  }
  if (!expectSortedSet(ref)) return;
  findRanks(ref);
  applyLimit();
  replyMembers(ref, ranks.start, ranks.end, query.reverse, query.withScores);
}

/**
 * Replies the members of ranks [start, end), from the last one down when `reverse`, as one array. With
 * their scores: RESP2 has them in between, RESP3 makes pairs.
 */
export function replyMembers(
  ref: Ref,
  start: number,
  end: number,
  reverse: boolean,
  withScores: boolean,
): void {
  const pairs = withScores && reply.protocol === 3;
  const count = end - start;
  reply.array(withScores && !pairs ? 2 * count : count);
  if (count === 0) return;
  startWalk(ref, reverse ? end - 1 : start, count, reverse);
  while (nextMember()) {
    if (pairs) reply.array(2);
    reply.bulk(walked.view, walked.offset, walked.length);
    if (withScores) reply.double(walkedScore());
  }
}

function storeRange(client: Client): void {
  const source = readKey(client, 2);
  if (source !== NULL_REF) {
    if (!expectSortedSet(source)) return;
    findRanks(source);
    applyLimit();
  }
  if (source === NULL_REF || ranks.start === ranks.end) {
    storeNothing(client, 1);
    return;
  }
  useSortedSetLimits(query.by === 'rank' && isBeyondPacked(ranks.end - ranks.start));
  const result = createSortedSet(args.buffer, args.offsets[1]!, args.lengths[1]!);
  if (result === NULL_REF || !copyRanks(source, result)) {
    if (result !== NULL_REF) freeSortedSet(result);
    replyOutOfMemory();
    return;
  }
  storeResult(client, 1, result);
}

/** A result of known size is made a tree at once when it will be one. */
function isBeyondPacked(count: number): boolean {
  return count > runtime.config.zsetMaxListpackEntries;
}

/** Puts the members of `ranks` into an empty sorted set. False: the arena is full. */
function copyRanks(source: Ref, result: Ref): boolean {
  startWalk(source, ranks.start, ranks.end - ranks.start, false);
  while (nextMember()) {
    const { view, offset, length } = walked;
    const score = walkedScore();
    locateMember(result, view, offset, length);
    if (!putMember(result, view, offset, length, score)) return false;
  }
  return true;
}

/** Puts a sorted set in place of what the key in argument i holds, which counts as `changed` changes, and replies
 *  how many members it has; one that has none goes, and so does the key. */
export function storeResult(client: Client, i: number, result: Ref, changed = 1): void {
  const count = cardinality(result);
  if (count === 0) {
    freeSortedSet(result);
    storeNothing(client, i);
    return;
  }
  settleZeros(result);
  if (!setEntry(client.database, result)) {
    replyOutOfMemory();
    return;
  }
  elementsChanged(client.databaseIndex, i, changed);
  reply.integer(count);
}

/** Deletes the key in argument i, which a result would have been put under. */
export function storeNothing(client: Client, i: number): void {
  const old = writeKey(client, i);
  if (old !== NULL_REF) {
    deleteEntry(client.database, old);
    keyChanged(client.databaseIndex, i);
  }
  reply.integer(0);
}

// --- counting and removing -----------------------------------------------------------------------

/** ZCOUNT key min max */
export function zcount(client: Client): void {
  countRange(client, 'score');
}

/** ZLEXCOUNT key min max */
export function zlexcount(client: Client): void {
  countRange(client, 'member');
}

function readPlainRange(by: By): boolean {
  query.by = by;
  query.reverse = false;
  query.min = 2;
  query.max = 3;
  return readEnds();
}

function countRange(client: Client, by: By): void {
  if (!readPlainRange(by)) return;
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectSortedSet(ref)) return;
  findRanks(ref);
  reply.integer(ranks.end - ranks.start);
}

/** ZREMRANGEBYRANK key start stop */
export function zremrangeByRank(client: Client): void {
  removeRange(client, 'rank');
}

/** ZREMRANGEBYSCORE key min max */
export function zremrangeByScore(client: Client): void {
  removeRange(client, 'score');
}

/** ZREMRANGEBYLEX key min max */
export function zremrangeByLex(client: Client): void {
  removeRange(client, 'member');
}

function removeRange(client: Client, by: By): void {
  if (!readPlainRange(by)) return;
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectSortedSet(ref)) return;
  findRanks(ref);
  const removed = ranks.end - ranks.start;
  removeSpan(client, 1, ref, ranks.start, ranks.end);
  reply.integer(removed);
}

/** Removes the members of ranks [start, end) of the sorted set at the key in argument i, and the key when
 *  there is none left. */
export function removeSpan(client: Client, i: number, ref: Ref, start: number, end: number): void {
  if (end === start) return;
  if (end - start === cardinality(ref)) deleteEntry(client.database, ref);
  else removeRanks(writableEntry(client.database, ref), start, end);
  elementsChanged(client.databaseIndex, i, end - start);
}
