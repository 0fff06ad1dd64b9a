// Handlers of the commands that count: INCR and its kind on int64, INCRBYFLOAT on 80-bit floats.
// An integer is changed in place, without its text ever being made.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { incrByFloat as sumOfFloats } from '../../../protocol/long_double.js';
import { addInt64, int64, negateInt64, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { EXPIRY_KEEP, putInteger, putString } from '../../../storage/keyspace/string_keys.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { headerOf, span } from '../../../storage/structures/entry.js';
import { writableEntry } from '../../../storage/structures/entry_table.js';
import { integer, isInteger, loadInteger, storeInteger } from '../../../storage/values/string.js';
import type { Client } from '../../client.js';
import { keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { expectString, replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import { locateText } from './string_value.js';

/** Longer texts are no numbers (Redis's bound); they are not even looked at. */
const FLOAT_BYTES_MAX = 5 * 1024;

/** INCR key */
export function incr(client: Client): void {
  add(client, 0, 1);
}

/** DECR key */
export function decr(client: Client): void {
  add(client, -1, -1);
}

/** INCRBY key increment */
export function incrBy(client: Client): void {
  if (readInt64(2)) add(client, int64.hi, int64.lo);
}

/** DECRBY key decrement */
export function decrBy(client: Client): void {
  if (!readInt64(2)) return;
  if (negateInt64(int64.hi, int64.lo)) add(client, int64.hi, int64.lo);
  else replyError(errors.DECREMENT_OVERFLOW);
}

/** Adds an int64 to the integer at the key in argument 1. */
function add(client: Client, high: number, low: number): void {
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) {
    integer.high = 0;
    integer.low = 0;
  } else if (!expectString(ref) || !loadValue(ref)) {
    return;
  }
  if (!addInt64(integer.high, integer.low, high, low)) {
    replyError(errors.INCREMENT_OVERFLOW);
    return;
  }
  integer.high = int64.hi;
  integer.low = int64.lo;
  if (ref !== NULL_REF && isInteger(headerOf(ref))) {
    const target = writableEntry(client.database, ref);
    storeInteger(target, headerOf(target));
  } else if (!putNewInteger(client)) {
    replyOutOfMemory();
    return;
  }
  keyChanged(client.databaseIndex, 1);
  reply.integer64(integer.high, integer.low);
}

/** Fills the `integer` register from a string. False: it is not an integer, as was replied. */
function loadValue(ref: Ref): boolean {
  const header = headerOf(ref);
  if (isInteger(header)) {
    loadInteger(ref, header);
    return true;
  }
  locateText(ref);
  if (!parseInt64(span.view, span.offset, span.length)) {
    replyError(errors.NOT_AN_INTEGER);
    return false;
  }
  integer.high = int64.hi;
  integer.low = int64.lo;
  return true;
}

function putNewInteger(client: Client): boolean {
  const { buffer, offsets, lengths } = args;
  return putInteger(client.database, buffer, offsets[1]!, lengths[1]!, EXPIRY_KEEP);
}

/** INCRBYFLOAT key increment. The sum is stored as text, also when it is an integer. */
export function incrByFloat(client: Client): void {
  const ref = writeKey(client, 1);
  let current = '0';
  if (ref !== NULL_REF) {
    if (!expectString(ref)) return;
    locateText(ref);
    current = span.length > FLOAT_BYTES_MAX ? '' : latin1(span.view, span.offset, span.length);
  }
  const increment = args.lengths[2]! > FLOAT_BYTES_MAX ? '' : args.latin1(2);
  const sum = sumOfFloats(current, increment);
  if (!sum.ok) {
    replyError(sum.error);
    return;
  }
  const text = new TextEncoder().encode(sum.text);
  const { buffer, offsets, lengths } = args;
  const { database } = client;
  const mode = EXPIRY_KEEP;
  if (!putString(database, buffer, offsets[1]!, lengths[1]!, text, 0, text.length, mode)) {
    replyOutOfMemory();
    return;
  }
  keyChanged(client.databaseIndex, 1);
  reply.bulk(text, 0, text.length);
}

function latin1(view: Uint8Array, offset: number, length: number): string {
  return Buffer.from(view.buffer, view.byteOffset + offset, length).toString('latin1');
}
