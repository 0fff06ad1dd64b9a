// Handlers of the commands on hashes that set, read and delete fields by name, or reply all of them. Iteration
// and random fields are in hash_iteration.ts, the expiry of fields in hash_expiry.ts.
//
// A command that sets several fields and finds the arena full says so; a hash that it would have made is not
// made, and of one that was there the fields before the one in question are set.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { incrByFloat as sumOfFloats } from '../../../protocol/long_double.js';
import {
  addInt64,
  formatInt64,
  INT64_TEXT_BYTES_MAX,
  int64,
  parseInt64,
} from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { span } from '../../../storage/structures/entry.js';
import {
  ADDED,
  deleteField,
  FAILED,
  type FieldSpans,
  findField,
  forEachField,
  hashLength,
  isEmptyHash,
  setField,
} from '../../../storage/values/hash.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { replyOutOfMemory } from '../keys/keys_access.js';
import {
  abandonHash,
  changeHash,
  closeHash,
  closeShrunk,
  MISSING_ARRAY,
  MISSING_MAP,
  MISSING_NULL,
  MISSING_NULLS,
  MISSING_ZERO,
  openHash,
  readHash,
} from './hash_access.js';

// --- setting -------------------------------------------------------------------------------------

/** HSET key field value [field value ...] */
export function hset(client: Client): void {
  const added = setFields(client, 'hset');
  if (added >= 0) reply.integer(added);
}

/** HMSET key field value [field value ...] */
export function hmset(client: Client): void {
  if (setFields(client, 'hmset') >= 0) reply.ok();
}

/** Sets the fields from argument 2 on. Returns how many are new; -1: an error was replied. */
function setFields(client: Client, command: string): number {
  if (args.count % 2 !== 0) {
    replyError(errors.wrongArity(command));
    return -1;
  }
  const ref = openHash(client);
  if (ref === NULL_REF) return -1;
  let added = 0;
  for (let i = 2; i < args.count; i += 2) {
    const done = setArgument(ref, i);
    if (done === FAILED) {
      abandonHash(client, ref, (i - 2) / 2);
      replyOutOfMemory();
      return -1;
    }
    if (done === ADDED) added++;
  }
  return closeHash(client, ref, (args.count - 2) / 2) ? added : -1;
}

/** Sets the field in argument i to the value in the next one. */
function setArgument(ref: Ref, i: number): number {
  const { buffer, offsets, lengths } = args;
  const next = i + 1;
  return setField(
    ref,
    buffer,
    offsets[i]!,
    lengths[i]!,
    buffer,
    offsets[next]!,
    lengths[next]!,
    false,
  );
}

/** HSETNX key field value */
export function hsetnx(client: Client): void {
  const ref = openHash(client);
  if (ref === NULL_REF) return;
  if (findArgument(ref, 2)) {
    reply.integer(0);
  } else if (setArgument(ref, 2) === FAILED) {
    abandonHash(client, ref, 0);
    replyOutOfMemory();
  } else if (closeHash(client, ref, 1)) {
    reply.integer(1);
  }
}

/** Fills `span` with the value of the field in argument i. False: there is none. */
function findArgument(ref: Ref, i: number): boolean {
  return findField(ref, args.buffer, args.offsets[i]!, args.lengths[i]!);
}

// --- counting ------------------------------------------------------------------------------------

/** Longer texts are no numbers (Redis's bound). */
const FLOAT_BYTES_MAX = 5 * 1024;

const digits = new Uint8Array(INT64_TEXT_BYTES_MAX + 4);

/** HINCRBY key field increment */
export function hincrby(client: Client): void {
  if (!readInt64(3)) return;
  const { hi, lo } = int64;
  const ref = openHash(client);
  if (ref === NULL_REF) return;
  int64.hi = 0;
  int64.lo = 0;
  const isThere = findArgument(ref, 2);
  if (isThere && !parseInt64(span.view, span.offset, span.length)) {
    replyError(errors.HASH_NOT_AN_INTEGER);
  } else if (!addInt64(int64.hi, int64.lo, hi, lo)) {
    abandonHash(client, ref, 0);
    replyError(errors.INCREMENT_OVERFLOW);
  } else {
    const sumHigh = int64.hi;
    const sumLow = int64.lo;
    const length = formatInt64(sumHigh, sumLow, digits, 0);
    if (store(client, ref, digits, length)) reply.integer64(sumHigh, sumLow);
  }
}

/** HINCRBYFLOAT key field increment */
export function hincrbyfloat(client: Client): void {
  const text = args.lengths[3]! > FLOAT_BYTES_MAX ? '' : args.latin1(3);
  const increment = sumOfFloats('0', text);
  if (!increment.ok) {
    replyError(increment.error === errors.NOT_A_FLOAT ? errors.NOT_A_FLOAT : errors.NOT_FINITE);
    return;
  }
  const ref = openHash(client);
  if (ref === NULL_REF) return;
  const sum = sumOfFloats(findArgument(ref, 2) ? floatText() : '0', text);
  if (!sum.ok) {
    abandonHash(client, ref, 0);
    replyError(sum.error === errors.NOT_A_FLOAT ? errors.HASH_NOT_A_FLOAT : sum.error);
    return;
  }
  const bytes = new TextEncoder().encode(sum.text);
  if (store(client, ref, bytes, bytes.length)) reply.bulk(bytes, 0, bytes.length);
}

/** Stores a sum in the field in argument 2, whose expiry stays. False: out of memory was replied. */
function store(client: Client, ref: Ref, text: Uint8Array, length: number): boolean {
  const { buffer, offsets, lengths } = args;
  if (setField(ref, buffer, offsets[2]!, lengths[2]!, text, 0, length, true) === FAILED) {
    abandonHash(client, ref, 0);
    replyOutOfMemory();
    return false;
  }
  return closeHash(client, ref, 1);
}

/** The value in `span`, one character a byte; one that is too long for a number becomes none. */
function floatText(): string {
  const { view, offset, length } = span;
  if (length > FLOAT_BYTES_MAX) return '';
  return Buffer.from(view.buffer, view.byteOffset + offset, length).toString('latin1');
}

// --- reading -------------------------------------------------------------------------------------

/** HGET key field */
export function hget(client: Client): void {
  const ref = readHash(client, MISSING_NULL);
  if (ref !== NULL_REF) replyField(ref, 2);
}

/** HMGET key field [field ...] */
export function hmget(client: Client): void {
  const ref = readHash(client, MISSING_NULLS);
  if (ref === NULL_REF) return;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) replyField(ref, i);
}

function replyField(ref: Ref, i: number): void {
  if (findArgument(ref, i)) reply.bulk(span.view, span.offset, span.length);
  else reply.null();
}

/** HSTRLEN key field */
export function hstrlen(client: Client): void {
  const ref = readHash(client, MISSING_ZERO);
  if (ref !== NULL_REF) reply.integer(findArgument(ref, 2) ? span.length : 0);
}

/** HEXISTS key field */
export function hexists(client: Client): void {
  const ref = readHash(client, MISSING_ZERO);
  if (ref !== NULL_REF) reply.integer(findArgument(ref, 2) ? 1 : 0);
}

/** HLEN key */
export function hlen(client: Client): void {
  const ref = readHash(client, MISSING_ZERO);
  if (ref !== NULL_REF) reply.integer(hashLength(ref));
}

/** HGETALL key */
export function hgetall(client: Client): void {
  const ref = readHash(client, MISSING_MAP);
  if (ref === NULL_REF) return;
  reply.map(hashLength(ref));
  forEachField(ref, replyPair);
}

/** HKEYS key */
export function hkeys(client: Client): void {
  const ref = readHash(client, MISSING_ARRAY);
  if (ref === NULL_REF) return;
  reply.array(hashLength(ref));
  forEachField(ref, replyName);
}

/** HVALS key */
export function hvals(client: Client): void {
  const ref = readHash(client, MISSING_ARRAY);
  if (ref === NULL_REF) return;
  reply.array(hashLength(ref));
  forEachField(ref, replyValue);
}

function replyName({ view, offset, length }: FieldSpans): void {
  reply.bulk(view, offset, length);
}
function replyValue({ valueView, valueOffset, valueLength }: FieldSpans): void {
  reply.bulk(valueView, valueOffset, valueLength);
}
function replyPair(field: FieldSpans): void {
  replyName(field);
  replyValue(field);
}

// --- deleting ------------------------------------------------------------------------------------

/** HDEL key field [field ...] */
export function hdel(client: Client): void {
  const ref = changeHash(client, MISSING_ZERO);
  if (ref === NULL_REF) return;
  let deleted = 0;
  for (let i = 2; i < args.count && !isEmptyHash(ref); i++) {
    if (deleteField(ref, args.buffer, args.offsets[i]!, args.lengths[i]!)) deleted++;
  }
  closeShrunk(client, ref, deleted);
  reply.integer(deleted);
}
