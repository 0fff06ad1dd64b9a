// BITFIELD and BITFIELD_RO: integers of 1 to 64 bits at any bit offset of a string. Every value is an
// int64, as a pair of int32; unsigned fields have 63 bits at most.
//
// The request is read twice: once to check it and to learn how far it writes, then, with the string
// grown, once more to do it part by part. So nothing is kept between the two.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, parseInteger } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF } from '../../../storage/memory/layout.js';
import { span } from '../../../storage/structures/entry.js';
import type { Client } from '../../client.js';
import { changes, keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { expectString, readKey, replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import { growString, locateText, textLength } from '../strings/string_value.js';
import {
  addToField,
  FAIL,
  field,
  loadField,
  type Overflow,
  SATURATE,
  storeField,
  valueForField,
  WRAP,
} from './bit_field_value.js';
import { readBitOffset } from './bit_offset.js';

const GET = 0;
const SET = 1;
const INCRBY = 2;
const OVERFLOW = 3;

/** The part of the request that was read last; one object, reused. */
const part = {
  operation: GET,
  signed: false,
  bits: 0,
  /** In bits. */
  offset: 0,
  /** The value of SET, the increment of INCRBY. */
  high: 0,
  low: 0,
  overflow: WRAP as Overflow,
};

/** What the whole request asks for: values to reply, whether it writes, and how far (in bits). */
const request = { parts: 0, writes: false, lastBit: 0 };

/** BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET | INCRBY type offset n] ... */
export function bitField(client: Client): void {
  if (!readRequest()) return;
  if (request.writes) writeFields(client);
  else readFields(client);
}

/** BITFIELD_RO key [GET type offset] ... */
export function bitFieldReadOnly(client: Client): void {
  if (!readRequest()) return;
  if (request.writes) replyError(errors.BITFIELD_RO_GET_ONLY);
  else readFields(client);
}

// --- reading the request -------------------------------------------------------------------------

/** Checks all parts and fills `request`. False: an error was replied. */
function readRequest(): boolean {
  request.parts = 0;
  request.writes = false;
  request.lastBit = 0;
  for (let i = 2; i < args.count; ) {
    i = readPart(i);
    if (i < 0) return false;
    if (part.operation === OVERFLOW) continue;
    request.parts++;
    if (part.operation === GET) continue;
    request.writes = true;
    request.lastBit = Math.max(request.lastBit, part.offset + part.bits - 1);
  }
  return true;
}

/** Reads the part that begins at argument i. Returns where the next begins; -1: error replied. */
function readPart(i: number): number {
  const rest = args.count - i - 1;
  if (args.equals(i, 'get') && rest >= 2) part.operation = GET;
  else if (args.equals(i, 'set') && rest >= 3) part.operation = SET;
  else if (args.equals(i, 'incrby') && rest >= 3) part.operation = INCRBY;
  else if (args.equals(i, 'overflow') && rest >= 1) {
    part.operation = OVERFLOW;
    return readOverflow(i + 1) ? i + 2 : -1;
  } else {
    replyError(errors.SYNTAX_ERROR);
    return -1;
  }
  if (!readType(i + 1)) return -1;
  part.offset = readBitOffset(i + 2, part.bits);
  if (part.offset < 0) return -1;
  if (part.operation === GET) return i + 3;
  if (!readInt64(i + 3)) return -1;
  part.high = int64.hi;
  part.low = int64.lo;
  return i + 4;
}

function readOverflow(i: number): boolean {
  if (args.equals(i, 'wrap')) part.overflow = WRAP;
  else if (args.equals(i, 'sat')) part.overflow = SATURATE;
  else if (args.equals(i, 'fail')) part.overflow = FAIL;
  else {
    replyError(errors.BITFIELD_OVERFLOW);
    return false;
  }
  return true;
}

/** Reads a type: i1 to i64, u1 to u63. */
function readType(i: number): boolean {
  const start = args.offsets[i]!;
  const length = args.lengths[i]!;
  const letter = length > 0 ? args.buffer[start] : 0;
  part.signed = letter === 0x69; // i
  const bits = parseInteger(args.buffer, start + 1, length - 1);
  if ((part.signed || letter === 0x75) && bits >= 1 && bits <= (part.signed ? 64 : 63)) {
    part.bits = bits;
    return true;
  }
  replyError(errors.BITFIELD_TYPE);
  return false;
}

// --- doing it ------------------------------------------------------------------------------------

function readFields(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) span.length = 0;
  else if (expectString(ref)) locateText(ref);
  else return;
  replyParts();
}

function writeFields(client: Client): void {
  const ref = writeKey(client, 1);
  if (ref !== NULL_REF && !expectString(ref)) return;
  const bytes = Math.floor(request.lastBit / 8) + 1;
  const grows = ref === NULL_REF || bytes > textLength(ref);
  if (growString(client, 1, ref, bytes) === NULL_REF) {
    replyOutOfMemory();
    return;
  }
  const { changed, written } = replyParts();
  const count = grows ? written : changed;
  if (count === 0) return;
  keyChanged(client.databaseIndex, 1);
  changes.sinceLastSave += count - 1; // each field counts
}

const counts = { written: 0, changed: 0 };

/** Does all parts on the string in `span` and replies them. Returns how many wrote and changed. */
function replyParts(): typeof counts {
  const { view, offset, length } = span;
  counts.written = 0;
  counts.changed = 0;
  part.overflow = WRAP;
  reply.array(request.parts);
  for (let i = 2; i < args.count; ) {
    i = readPart(i);
    if (part.operation === OVERFLOW) continue;
    loadField(view, offset, length, part.offset, part.bits, part.signed);
    if (part.operation === GET) reply.integer64(field.high, field.low);
    else replyWrite(view, offset);
  }
  return counts;
}

/** Replies SET's old value or INCRBY's new one; null when the value does not fit and must not wrap. */
function replyWrite(view: Uint8Array, offset: number): void {
  const oldHigh = field.high;
  const oldLow = field.low;
  const { signed, bits, high, low, overflow } = part;
  const isSet = part.operation === SET;
  const fits = isSet
    ? valueForField(high, low, bits, signed, overflow)
    : addToField(high, low, bits, signed, overflow);
  if (!fits) {
    reply.null();
    return;
  }
  if (isSet) reply.integer64(oldHigh, oldLow);
  else reply.integer64(field.high, field.low);
  storeField(view, offset, part.offset, bits);
  counts.written++;
  if (field.high !== oldHigh || field.low !== oldLow) counts.changed++;
}
