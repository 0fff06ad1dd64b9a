// Ids of stream entries in requests and replies: 1700000000000-0.
//
// Redis reads the two numbers as C's strtoull() does, and first as its own strict integers: so blanks before them,
// a plus and leading zeros are taken, and a minus before a number that is not canonical makes it wrap around.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { formatUint64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import {
  copyId,
  decrementId,
  ID_MAX,
  ID_MIN,
  incrementId,
  type StreamId,
} from '../../../storage/values/stream/stream_id.js';
import { replyError } from '../../reply_error.js';

/** Longer texts are no ids. */
const TEXT_BYTES_MAX = 127;
/** Two numbers of 64 bits and a dash. */
const ID_TEXT_BYTES_MAX = 41;

const DASH = 0x2d;
const PLUS = 0x2b;
const STAR = 0x2a;
const ZERO = 0x30;
const OPEN = 0x28;

const TWO_32 = 4294967296;

/** What readId() does with an id that has no sequence number, and with `ms-*`. */
export const parsed = {
  /** The id was `ms-*`: its sequence number is 0 and the caller's to choose. */
  choosesSequence: false,
};

/** The number that parseNumber() has read. */
const number = { high: 0, low: 0 };

/** Reads bytes[offset, end) as an unsigned number of 64 bits into `number`; see the top of this file. */
function parseNumber(bytes: Uint8Array, offset: number, end: number): boolean {
  let at = offset;
  while (at < end && isBlank(bytes[at]!)) at++;
  const sign = at < end ? bytes[at]! : 0;
  if (sign === DASH || sign === PLUS) at++;
  if (at >= end) return false;
  const isCanonical = sign === DASH && at === offset + 1 && bytes[at] !== ZERO;
  let high = 0;
  let low = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit >>> 0 > 9) return false;
    low = low * 10 + digit;
    const carry = Math.floor(low / TWO_32);
    low -= carry * TWO_32;
    high = high * 10 + carry;
    if (high >= TWO_32) return false;
  }
  if (sign === DASH) {
    if (isCanonical && (high < TWO_32 / 2 || (high === TWO_32 / 2 && low === 0))) return false;
    high = ~high + (low === 0 ? 1 : 0);
    low = -low;
  }
  number.high = high | 0;
  number.low = low | 0;
  return true;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/**
 * Reads bytes[offset, + length) as an id: `ms` (its sequence number is `missing`, 0 or -1 for the greatest),
 * `ms-seq`, `ms-*` where `mayChoose`.
 */
function parseId(
  bytes: Uint8Array,
  offset: number,
  length: number,
  id: StreamId,
  missing: number,
  mayChoose: boolean,
): boolean {
  if (length > TEXT_BYTES_MAX) return false;
  let dash = -1;
  let end = offset;
  for (; end < offset + length && bytes[end] !== 0; end++) {
    if (bytes[end] === DASH && dash < 0) dash = end;
  }
  parsed.choosesSequence = false;
  if (!parseNumber(bytes, offset, dash < 0 ? end : dash)) return false;
  const { high, low } = number;
  if (dash < 0) {
    number.high = missing;
    number.low = missing;
  } else if (mayChoose && end === dash + 2 && bytes[dash + 1] === STAR) {
    parsed.choosesSequence = true;
    number.high = 0;
    number.low = 0;
  } else if (!parseNumber(bytes, dash + 1, end)) {
    return false;
  }
  id.msHigh = high;
  id.msLow = low;
  id.seqHigh = number.high;
  id.seqLow = number.low;
  return true;
}

/** Reads an id from argument i; without a sequence number that is 0. False: an error was replied. */
export function readId(i: number, id: StreamId): boolean {
  return expectId(parseId(args.buffer, args.offsets[i]!, args.lengths[i]!, id, 0, false));
}

/** readId() where `-` and `+` may stand for the least and the greatest id: XGROUP SETID. */
export function readAnyId(i: number, id: StreamId): boolean {
  if (!isSign(i, DASH) && !isSign(i, PLUS)) return readId(i, id);
  copyId(id, isSign(i, DASH) ? ID_MIN : ID_MAX);
  return true;
}

/** Whether argument i is an id as readId() takes it. */
export function isId(i: number, id: StreamId): boolean {
  return parseId(args.buffer, args.offsets[i]!, args.lengths[i]!, id, 0, false);
}

/** readId() where `ms-*` may stand: then `parsed.choosesSequence`. */
export function readNewId(i: number, id: StreamId): boolean {
  return expectId(parseId(args.buffer, args.offsets[i]!, args.lengths[i]!, id, 0, true));
}

/** Whether argument i is this one character. */
export function isSign(i: number, sign: number): boolean {
  return args.lengths[i] === 1 && args.buffer[args.offsets[i]!] === sign;
}

function expectId(isId: boolean): boolean {
  if (!isId) replyError(errors.STREAM_ID_INVALID);
  return isId;
}

/** Reads the lower end of a range from argument i: an id, `-`, `+`, or `(id`. False: an error was replied. */
export function readRangeStart(i: number, id: StreamId): boolean {
  return readBound(i, id, 0, incrementId, errors.STREAM_RANGE_START);
}

/** Reads the upper end of a range from argument i. */
export function readRangeEnd(i: number, id: StreamId): boolean {
  return readBound(i, id, -1, decrementId, errors.STREAM_RANGE_END);
}

function readBound(
  i: number,
  id: StreamId,
  missing: number,
  exclude: (id: StreamId) => boolean,
  beyond: string,
): boolean {
  if (isSign(i, DASH) || isSign(i, PLUS)) {
    copyId(id, isSign(i, DASH) ? ID_MIN : ID_MAX);
    return true;
  }
  const offset = args.offsets[i]!;
  const length = args.lengths[i]!;
  const excludes = length > 1 && args.buffer[offset] === OPEN ? 1 : 0;
  // An id that is excluded is read as one whose sequence number is missing all the same.
  if (!expectId(parseId(args.buffer, offset + excludes, length - excludes, id, missing, false))) {
    return false;
  }
  if (excludes === 0 || exclude(id)) return true;
  replyError(beyond);
  return false;
}

const text = new Uint8Array(ID_TEXT_BYTES_MAX);

/** Replies an id. */
export function replyId(id: StreamId): void {
  let length = formatUint64(id.msHigh, id.msLow, text, 0);
  text[length++] = DASH;
  length += formatUint64(id.seqHigh, id.seqLow, text, length);
  reply.bulk(text, 0, length);
}
