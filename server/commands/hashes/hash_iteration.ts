// Handlers of the commands that take fields of a hash in no order: HSCAN and HRANDFIELD.
//
// Fields without repetition are drawn one by one from a table that is much larger (again where one comes
// twice), and else in one walk that takes each with the probability (how many are wanted) / (how many are
// left), which makes all subsets equally likely (selection sampling; Knuth, TAOCP 3.4.2, algorithm S).
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { compareInt64, int64, int64ToNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { isExpired } from '../../../storage/structures/entries.js';
import { headerOf } from '../../../storage/structures/entry.js';
import { randomEntry } from '../../../storage/structures/random_entry.js';
import { forEachEntry, scanned, scanStep } from '../../../storage/structures/table_walk.js';
import {
  dueFields,
  type FieldSpans,
  fieldSpans,
  forEachField,
  hashLength,
  hashTable,
  isHashTable,
  locateField,
  readFieldNumber,
} from '../../../storage/values/hash.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import {
  beginScanReply,
  checkDraws,
  matchesPattern,
  randomWord,
  readCursor,
  readScanOptions,
  scanOptions,
} from '../keys/iteration.js';
import { MISSING_ARRAY, MISSING_NULL, MISSING_SCAN, readHash } from './hash_access.js';

/** HSCAN key cursor [MATCH pattern] [COUNT count] */
export function hscan(client: Client): void {
  const cursor = readCursor(2);
  if (cursor < 0) return;
  const ref = readHash(client, MISSING_SCAN);
  if (ref === NULL_REF || !readScanOptions(3, false)) return;
  const header = headerOf(ref);
  if (isHashTable(header)) scanTable(hashTable(ref, header), cursor);
  else scanPacked(ref);
}

/** A packed hash is replied as a whole. */
function scanPacked(ref: Ref): void {
  const mark = beginScanReply(0);
  let count = 0;
  forEachField(ref, (field) => {
    if (replyMatching(field)) count += 2;
  });
  reply.settle(mark, count);
}

function scanTable(table: Ref, cursor: number): void {
  const mark = beginScanReply(scanStep(table, cursor, scanOptions.count));
  const { refs } = scanned;
  let count = 0;
  for (let i = 0; i < scanned.count; i++) {
    const element = refs[i]! as Ref;
    if (isExpired(element, headerOf(element))) continue;
    locateField(element);
    if (replyMatching(fieldSpans)) count += 2;
  }
  reply.settle(mark, count);
}

/** Replies a field with its value if it matches the pattern. */
function replyMatching(field: FieldSpans): boolean {
  const { view, offset, length } = field;
  if (!matchesPattern(view, offset, length)) return false;
  replyPair(field);
  return true;
}

function replyName({ view, offset, length }: FieldSpans): void {
  reply.bulk(view, offset, length);
}
function replyPair(field: FieldSpans): void {
  replyName(field);
  reply.bulk(field.valueView, field.valueOffset, field.valueLength);
}
/** With values RESP3 gets a pair for each field, RESP2 a flat array. */
function replyPairArray(field: FieldSpans): void {
  if (reply.protocol === 3) reply.array(2);
  replyPair(field);
}

// --- HRANDFIELD ----------------------------------------------------------------------------------

/** Of more than one in so many fields a walk is taken, and not single draws. */
const DRAWN_SHARE = 3;
/** Counts beyond this are refused: half of the largest long, since each may give two replies. */
const COUNT_MAX_HIGH = 0x3fffffff;

/** HRANDFIELD key [count [WITHVALUES]] */
export function hrandfield(client: Client): void {
  if (args.count === 2) {
    const ref = readHash(client, MISSING_NULL);
    if (ref === NULL_REF) return;
    if (hashLength(ref) === 0) {
      reply.null();
      return;
    }
    pickField(ref);
    replyName(fieldSpans);
    return;
  }
  if (!readCount()) return;
  const wanted = int64ToNumber(int64.hi, int64.lo);
  const ref = readHash(client, MISSING_ARRAY);
  if (ref !== NULL_REF && checkDraws(wanted)) replyRandom(ref, wanted, args.count === 4);
}

/** Reads the count into `int64` and checks the rest. False: an error was replied. */
function readCount(): boolean {
  if (!readInt64(2)) return false;
  const { hi, lo } = int64;
  if (compareInt64(hi, lo, -0x80000000, 0) === 0) {
    replyError(errors.NOT_A_COUNT);
    return false;
  }
  if (args.count > 4 || (args.count === 4 && !args.equals(3, 'withvalues'))) {
    replyError(errors.SYNTAX_ERROR);
    return false;
  }
  const isTooLarge =
    compareInt64(hi, lo, COUNT_MAX_HIGH, -1) > 0 ||
    compareInt64(hi, lo, -COUNT_MAX_HIGH - 1, 1) < 0;
  if (args.count === 4 && isTooLarge) replyError(errors.VALUE_OUT_OF_RANGE);
  return args.count === 3 || !isTooLarge;
}

function replyRandom(ref: Ref, wanted: number, withValues: boolean): void {
  const count = hashLength(ref);
  const replyField = withValues ? replyPairArray : replyName;
  const number = count === 0 ? 0 : wanted < 0 ? -wanted : Math.min(wanted, count);
  reply.array(withValues && reply.protocol === 2 ? 2 * number : number);
  if (wanted < 0) {
    for (let i = 0; i < number; i++) {
      pickField(ref);
      replyField(fieldSpans);
    }
  } else if (number === count) {
    forEachField(ref, replyField);
  } else if (isDrawn(ref, number, count)) {
    draw(hashTable(ref, headerOf(ref)), number, replyField);
  } else {
    sample(ref, number, count, replyField);
  }
}

/** Where most fields have expired and wait for the cron, the dice would fall on those again and again. */
function isDrawn(ref: Ref, wanted: number, count: number): boolean {
  const header = headerOf(ref);
  if (!isHashTable(header) || wanted * DRAWN_SHARE > count) return false;
  return dueFields(hashTable(ref, header)) <= count;
}

/** Replies different fields of a large table. */
function draw(table: Ref, wanted: number, replyField: (field: FieldSpans) => void): void {
  const drawn = new Set<Ref>();
  while (drawn.size < wanted) {
    const element = randomEntry(table, randomWord);
    if (drawn.has(element) || isExpired(element, headerOf(element))) continue;
    drawn.add(element);
    locateField(element);
    replyField(fieldSpans);
  }
}

/** Replies `wanted` of `count` fields, in the order of a walk. */
function sample(
  ref: Ref,
  wanted: number,
  count: number,
  replyField: (field: FieldSpans) => void,
): void {
  let missing = wanted;
  let left = count;
  forEachField(ref, (field) => {
    if (Math.random() * left < missing) {
      replyField(field);
      missing--;
    }
    left--;
  });
}

/** Fills `fieldSpans` with a random field of a hash that has one. */
function pickField(ref: Ref): void {
  const header = headerOf(ref);
  const count = hashLength(ref);
  if (!isHashTable(header)) {
    readFieldNumber(ref, Math.floor(Math.random() * count));
    return;
  }
  const table = hashTable(ref, header);
  if (dueFields(table) > count) {
    // Nearly all have expired and wait for the cron: a walk finds one sooner than the dice.
    pickByWalk(ref, Math.floor(Math.random() * count));
    return;
  }
  let element = randomEntry(table, randomWord);
  while (isExpired(element, headerOf(element))) element = randomEntry(table, randomWord);
  locateField(element);
}

function pickByWalk(ref: Ref, index: number): void {
  let left = index;
  let found: Ref = NULL_REF;
  forEachEntry(hashTable(ref, headerOf(ref)), (element) => {
    if (!isExpired(element, headerOf(element)) && left-- === 0) found = element;
  });
  locateField(found);
}
