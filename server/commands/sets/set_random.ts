// SPOP and SRANDMEMBER: each member is as likely as the others.
//
// Members without repetition are drawn one by one from a table that is much larger (again where one comes
// twice), and else in one walk that takes each with the probability (how many are wanted) / (how many are
// left), which makes all subsets equally likely (selection sampling; Knuth, TAOCP 3.4.2, algorithm S).
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { compareInt64, int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { deleteEntry } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { TYPE_SET } from '../../../storage/structures/entry.js';
import {
  pickedElement,
  pickMember,
  removePicked,
  SetCursor,
  setCount,
  setTable,
} from '../../../storage/values/set.js';
import type { Client } from '../../client.js';
import { elementsChanged, keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { checkDraws, randomWord } from '../keys/iteration.js';
import { expectType, readKey, writeKey } from '../keys/keys_access.js';
import { replyMember, replyMembers, replyPicked, takeFromCursor } from './set_value.js';
import { deleteIfEmpty, writableSet } from './sets.js';

/** Of more than one in so many members a walk is taken, and not single draws. */
const DRAWN_SHARE = 3;

const cursor = new SetCursor();

/** SPOP key [count] */
export function spop(client: Client): void {
  if (args.count > 3) {
    replyError(errors.SYNTAX_ERROR);
    return;
  }
  if (args.count === 3) {
    popSome(client);
    return;
  }
  const found = writeKey(client, 1);
  if (found === NULL_REF) {
    reply.null();
    return;
  }
  if (!expectType(found, TYPE_SET)) return;
  const ref = writableSet(client, found);
  popOne(ref);
  deleteIfEmpty(client, ref);
  keyChanged(client.databaseIndex, 1);
}

function popOne(ref: Ref): void {
  pickMember(ref, randomWord);
  replyPicked();
  removePicked(ref);
}

function popSome(client: Client): void {
  const isInteger = parseInt64(args.buffer, args.offsets[2]!, args.lengths[2]!);
  if (!isInteger || int64.hi < 0) {
    replyError(errors.NOT_POSITIVE);
    return;
  }
  const wanted = int64ToNumber(int64.hi, int64.lo);
  const found = writeKey(client, 1);
  if (found === NULL_REF) {
    reply.set(0);
    return;
  }
  if (!expectType(found, TYPE_SET)) return;
  const count = setCount(found);
  if (wanted === 0) {
    reply.set(0);
    return;
  }
  if (wanted >= count) {
    reply.set(count);
    replyMembers(found, cursor);
    deleteEntry(client.database, found);
  } else {
    const ref = writableSet(client, found);
    reply.set(wanted);
    for (let i = 0; i < wanted; i++) popOne(ref);
  }
  elementsChanged(client.databaseIndex, 1, Math.min(wanted, count));
}

/** SRANDMEMBER key [count] */
export function srandmember(client: Client): void {
  if (args.count > 3) {
    replyError(errors.SYNTAX_ERROR);
    return;
  }
  if (args.count === 3) {
    randomSome(client);
    return;
  }
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.null();
  else if (expectType(ref, TYPE_SET)) replyRandom(ref);
}

function replyRandom(ref: Ref): void {
  pickMember(ref, randomWord);
  replyPicked();
}

function randomSome(client: Client): void {
  if (!readInt64(2)) return;
  if (compareInt64(int64.hi, int64.lo, -0x80000000, 0) === 0) {
    replyError(errors.NOT_A_COUNT);
    return;
  }
  const wanted = int64ToNumber(int64.hi, int64.lo);
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.emptyArray();
    return;
  }
  if (!expectType(ref, TYPE_SET) || !checkDraws(wanted)) return;
  const count = setCount(ref);
  if (wanted < 0) {
    reply.array(-wanted);
    for (let i = 0; i < -wanted; i++) replyRandom(ref);
  } else if (wanted >= count) {
    reply.array(count);
    replyMembers(ref, cursor);
  } else {
    reply.array(wanted);
    if (setTable(ref) !== NULL_REF && wanted * DRAWN_SHARE <= count) draw(ref, wanted);
    else sample(ref, wanted, count);
  }
}

/** Replies different members of a large table. */
function draw(ref: Ref, wanted: number): void {
  const drawn = new Set<Ref>();
  while (drawn.size < wanted) {
    pickMember(ref, randomWord);
    const element = pickedElement();
    if (drawn.has(element)) continue;
    drawn.add(element);
    replyPicked();
  }
}

/** Replies `wanted` of `count` members, in the order of a walk. */
function sample(ref: Ref, wanted: number, count: number): void {
  let missing = wanted;
  let left = count;
  cursor.open(ref);
  while (missing > 0 && cursor.next()) {
    if (Math.random() * left < missing) {
      takeFromCursor(cursor);
      replyMember();
      missing--;
    }
    left--;
  }
}
