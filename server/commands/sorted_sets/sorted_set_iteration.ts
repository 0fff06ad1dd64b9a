// Handlers of the commands that go over a sorted set in no order: ZSCAN and ZRANDMEMBER.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { formatDouble17 } from '../../../protocol/float_text.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { scanned, scanStep } from '../../../storage/structures/table_walk.js';
import {
  cardinality,
  nextMember,
  scannedTable,
  startWalk,
  walkElement,
  walked,
  walkedScore,
} from '../../../storage/values/sorted_set.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import {
  beginScanReply,
  checkDraws,
  matchesPattern,
  readCursor,
  readScanOptions,
  replyEmptyScan,
  scanOptions,
} from '../keys/iteration.js';
import { expectSortedSet, readKey } from '../keys/keys_access.js';
import { replyMembers } from './sorted_set_ranges.js';

/** Half of the largest long. */
const INTEGER_MAX = 2 ** 62;

// --- ZSCAN ---------------------------------------------------------------------------------------

/** ZSCAN key cursor [MATCH pattern] [COUNT count] */
export function zscan(client: Client): void {
  const cursor = readCursor(2);
  if (cursor < 0) return;
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    replyEmptyScan();
    return;
  }
  if (!expectSortedSet(ref) || !readScanOptions(3, false)) return;
  const table = scannedTable(ref);
  if (table === NULL_REF) {
    startWalk(ref, 0, cardinality(ref), false);
    replyScanned(0, nextMember, packedText);
    return;
  }
  const next = scanStep(table, cursor, scanOptions.count);
  let i = 0;
  const nextScanned = (): boolean => {
    if (i === scanned.count) return false;
    walkElement(scanned.refs[i++]! as Ref);
    return true;
  };
  replyScanned(next, nextScanned, formatDouble17);
}

/** Redis keeps whole scores of packed sets as integers, up to half of the largest long. */
function packedText(score: number): string {
  const isWhole = Number.isInteger(score) && Math.abs(score) <= INTEGER_MAX;
  return isWhole && !Number.isSafeInteger(score) ? String(BigInt(score)) : formatDouble17(score);
}

/** Replies the members that match, each with its score, as `next` fills `walked` with them. */
function replyScanned(
  cursor: number,
  next: () => boolean,
  textOf: (score: number) => string,
): void {
  const mark = beginScanReply(cursor);
  let count = 0;
  while (next()) {
    if (!matchesPattern(walked.view, walked.offset, walked.length)) continue;
    reply.bulk(walked.view, walked.offset, walked.length);
    reply.bulkLatin1(textOf(walkedScore()));
    count += 2;
  }
  reply.settle(mark, count);
}

// --- ZRANDMEMBER ---------------------------------------------------------------------------------

/** ZRANDMEMBER key [count [WITHSCORES]] */
export function zrandmember(client: Client): void {
  if (args.count === 2) {
    const ref = readKey(client, 1);
    if (ref === NULL_REF) reply.null();
    else if (expectSortedSet(ref)) replyMember(ref, randomRank(cardinality(ref)), false, false);
    return;
  }
  if (!parseInt64(args.buffer, args.offsets[2]!, args.lengths[2]!)) {
    replyError(errors.NOT_AN_INTEGER);
    return;
  }
  const count = int64ToNumber(int64.hi, int64.lo);
  if (int64.hi === -0x80000000 && int64.lo === 0) {
    replyError(errors.NOT_A_COUNT);
    return;
  }
  const withScores = args.count === 4 && args.equals(3, 'withscores');
  if (args.count > 3 && !withScores) {
    replyError(errors.SYNTAX_ERROR);
    return;
  }
  if (withScores && Math.abs(count) >= INTEGER_MAX) {
    replyError(errors.VALUE_OUT_OF_RANGE);
    return;
  }
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.emptyArray();
  else if (expectSortedSet(ref) && checkDraws(count)) replyRandom(ref, count, withScores);
}

/** A uniform number below `count`. */
function randomRank(count: number): number {
  return Math.floor(Math.random() * count);
}

/** Positive: so many different members; negative: so many draws, each of all members. */
function replyRandom(ref: Ref, count: number, withScores: boolean): void {
  const size = cardinality(ref);
  const pairs = withScores && reply.protocol === 3;
  if (count >= size) {
    replyMembers(ref, 0, size, false, withScores);
    return;
  }
  reply.array(withScores && !pairs ? 2 * Math.abs(count) : Math.abs(count));
  if (count < 0) {
    for (let left = -count; left > 0; left--) {
      replyMember(ref, randomRank(size), withScores, pairs);
    }
    return;
  }
  for (const rank of differentRanks(size, count)) replyMember(ref, rank, withScores, pairs);
}

/** `count` different numbers below `size`, each choice equally likely (Floyd's algorithm). */
function differentRanks(size: number, count: number): Set<number> {
  const chosen = new Set<number>();
  for (let last = size - count; last < size; last++) {
    const rank = randomRank(last + 1);
    chosen.add(chosen.has(rank) ? last : rank);
  }
  return chosen;
}

function replyMember(ref: Ref, rank: number, withScores: boolean, pairs: boolean): void {
  startWalk(ref, rank, 1, false);
  nextMember();
  if (pairs) reply.array(2);
  reply.bulk(walked.view, walked.offset, walked.length);
  if (withScores) reply.double(walkedScore());
}
