// Handlers of the sorted set commands on single members: adding, scores, ranks, removal.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { addEntry, deleteEntry } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { writableEntry } from '../../../storage/structures/entry_table.js';
import {
  cardinality,
  createSortedSet,
  freeSortedSet,
  located,
  locateMember,
  putMember,
  rankOfLocated,
  removeLocated,
} from '../../../storage/values/sorted_set.js';
import type { Client } from '../../client.js';
import { elementsChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { expectSortedSet, readKey, writeKey } from '../keys/keys_access.js';
import { readScore } from './score_arguments.js';
import { useSortedSetLimits } from './sorted_set_limits.js';

// --- adding --------------------------------------------------------------------------------------

/** The options of ZADD, and what came of it; one object, reused. */
const adding = {
  nx: false,
  xx: false,
  gt: false,
  lt: false,
  ch: false,
  incr: false,
  added: 0,
  updated: 0,
  /** The score of the last pair that was not passed over, or NaN. */
  score: Number.NaN,
};

/** ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...] */
export function zadd(client: Client): void {
  add(client, false);
}

/** ZINCRBY key increment member */
export function zincrby(client: Client): void {
  add(client, true);
}

function add(client: Client, incr: boolean): void {
  const first = readOptions(incr);
  const count = args.count - first;
  if (count === 0 || count % 2 !== 0) replyError(errors.SYNTAX_ERROR);
  else if (adding.nx && adding.xx) replyError(errors.ZADD_NX_XX);
  else if ((adding.gt && adding.nx) || (adding.lt && adding.nx) || (adding.gt && adding.lt)) {
    replyError(errors.ZADD_GT_LT_NX);
  } else if (adding.incr && count > 2) replyError(errors.ZADD_INCR_PAIRS);
  else if (count === 2) {
    scores[0] = readScore(first);
    if (!Number.isNaN(scores[0])) addPairs(client, first, scores);
  } else {
    const all = readScores(first, count / 2);
    if (all !== null) addPairs(client, first, all);
  }
}

/** Reads ZADD's words. Returns the argument of the first score. */
function readOptions(incr: boolean): number {
  adding.nx = false;
  adding.xx = false;
  adding.gt = false;
  adding.lt = false;
  adding.ch = false;
  adding.incr = incr;
  for (let i = 2; i < args.count; i++) {
    if (args.lengths[i]! > 4) return i;
    if (args.equals(i, 'nx')) adding.nx = true;
    else if (args.equals(i, 'xx')) adding.xx = true;
    else if (args.equals(i, 'gt')) adding.gt = true;
    else if (args.equals(i, 'lt')) adding.lt = true;
    else if (args.equals(i, 'ch')) adding.ch = true;
    else if (args.equals(i, 'incr')) adding.incr = true;
    else return i;
  }
  return args.count;
}

/** Scores of a request, read before anything is changed; of more pairs than this in a new array. */
const scores = new Float64Array(1024);

/** The scores of all pairs, or null: an error was replied. */
function readScores(first: number, pairs: number): Float64Array | null {
  const all = pairs <= scores.length ? scores : new Float64Array(pairs);
  for (let i = 0; i < pairs; i++) {
    const score = readScore(first + 2 * i);
    if (Number.isNaN(score)) return null;
    all[i] = score;
  }
  return all;
}

function addPairs(client: Client, first: number, all: Float64Array): void {
  addScored(client, first + 1, 2, all);
}

/**
 * Adds with ZADD's options `nx`, `xx` and `ch` the members in arguments `first`, `first` + `step`, ... of which
 * `all` has the scores, and replies as ZADD does: GEOADD.
 */
export function addPlaces(
  client: Client,
  first: number,
  step: number,
  all: Float64Array,
  options: { readonly nx: boolean; readonly xx: boolean; readonly ch: boolean },
): void {
  adding.nx = options.nx;
  adding.xx = options.xx;
  adding.ch = options.ch;
  adding.gt = false;
  adding.lt = false;
  adding.incr = false;
  addScored(client, first, step, all);
}

function addScored(client: Client, first: number, step: number, all: Float64Array): void {
  useSortedSetLimits(false);
  const old = writeKey(client, 1);
  if (old !== NULL_REF && !expectSortedSet(old)) return;
  adding.added = 0;
  adding.updated = 0;
  adding.score = Number.NaN;
  let error: string | null = null;
  if (old !== NULL_REF) {
    error = putPairs(writableEntry(client.database, old), first, step, all);
  } else if (!adding.xx) {
    error = putNewPairs(client, first, step, all);
  }
  const changed = adding.added + adding.updated;
  if (changed > 0) elementsChanged(client.databaseIndex, 1, changed);
  if (error !== null) replyError(error);
  else if (adding.incr) {
    if (Number.isNaN(adding.score)) reply.null();
    else reply.double(adding.score);
  } else {
    reply.integer(adding.ch ? changed : adding.added);
  }
}

/** Makes the key with the pairs. Null, or the error: nothing has changed then. */
function putNewPairs(
  client: Client,
  first: number,
  step: number,
  all: Float64Array,
): string | null {
  const ref = createSortedSet(args.buffer, args.offsets[1]!, args.lengths[1]!);
  if (ref === NULL_REF) return errors.OUT_OF_MEMORY;
  const error = putPairs(ref, first, step, all);
  if (error === null && addEntry(client.database, ref)) return null;
  if (error !== null) freeSortedSet(ref);
  adding.added = 0;
  adding.updated = 0;
  return error ?? errors.OUT_OF_MEMORY;
}

/** Puts the pairs into a sorted set one by one. Null, or the error that ended it. */
function putPairs(ref: Ref, first: number, step: number, all: Float64Array): string | null {
  const { buffer, offsets, lengths, count } = args;
  for (let i = first, pair = 0; i < count; i += step, pair++) {
    const offset = offsets[i]!;
    const length = lengths[i]!;
    const exists = locateMember(ref, buffer, offset, length);
    let score = all[pair]!;
    if (exists ? adding.nx : adding.xx) continue;
    if (exists) {
      const before = located.score;
      if (adding.incr) score += before;
      if (Number.isNaN(score)) return errors.SCORE_NAN;
      if ((adding.lt && score >= before) || (adding.gt && score <= before)) continue;
      adding.score = score;
      if (score === before) continue;
    }
    if (!putMember(ref, buffer, offset, length, score)) return errors.OUT_OF_MEMORY;
    adding.score = score;
    if (exists) adding.updated++;
    else adding.added++;
  }
  return null;
}

// --- single members ------------------------------------------------------------------------------

/** Whether the member in argument i is in the sorted set; `located` has its score. */
function locateArgument(ref: Ref, i: number): boolean {
  return locateMember(ref, args.buffer, args.offsets[i]!, args.lengths[i]!);
}

/** ZSCORE key member */
export function zscore(client: Client): void {
  const ref = readKey(client, 1);
  if (ref !== NULL_REF && !expectSortedSet(ref)) return;
  if (ref === NULL_REF || !locateArgument(ref, 2)) reply.null();
  else reply.double(located.score);
}

/** ZMSCORE key member [member ...] */
export function zmscore(client: Client): void {
  const ref = readKey(client, 1);
  if (ref !== NULL_REF && !expectSortedSet(ref)) return;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    if (ref === NULL_REF || !locateArgument(ref, i)) reply.null();
    else reply.double(located.score);
  }
}

/** ZCARD key */
export function zcard(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.integer(0);
  else if (expectSortedSet(ref)) reply.integer(cardinality(ref));
}

/** ZRANK key member [WITHSCORE] */
export function zrank(client: Client): void {
  replyRank(client, 'zrank', false);
}

/** ZREVRANK key member [WITHSCORE] */
export function zrevrank(client: Client): void {
  replyRank(client, 'zrevrank', true);
}

/** WITHSCORE is of Redis 7.2; anything else is answered as 7.0 does, which knows no fourth argument. */
function replyRank(client: Client, command: string, reverse: boolean): void {
  const withScore = args.count === 4 && args.equals(3, 'withscore');
  if (args.count > 3 && !withScore) {
    replyError(errors.wrongArity(command));
    return;
  }
  const ref = readKey(client, 1);
  if (ref !== NULL_REF && !expectSortedSet(ref)) return;
  if (ref === NULL_REF || !locateArgument(ref, 2)) {
    if (withScore) reply.nullArray();
    else reply.null();
    return;
  }
  const { score } = located;
  const rank = rankOfLocated(ref);
  if (withScore) reply.array(2);
  reply.integer(reverse ? cardinality(ref) - 1 - rank : rank);
  if (withScore) reply.double(score);
}

/** ZREM key member [member ...] */
export function zrem(client: Client): void {
  const old = writeKey(client, 1);
  if (old === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectSortedSet(old)) return;
  const ref = writableEntry(client.database, old);
  let removed = 0;
  for (let i = 2; i < args.count; i++) {
    if (!locateArgument(ref, i)) continue;
    removed++;
    if (cardinality(ref) === 1) {
      deleteEntry(client.database, ref);
      break;
    }
    removeLocated(ref);
  }
  if (removed > 0) elementsChanged(client.databaseIndex, 1, removed);
  reply.integer(removed);
}
