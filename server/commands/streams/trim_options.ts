// MAXLEN, MINID, = and ~, LIMIT of XADD and XTRIM, and what XADD says besides before its fields.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber } from '../../../protocol/number_text.js';
import type { Trim } from '../../../storage/values/stream/stream.js';
import { StreamId } from '../../../storage/values/stream/stream_id.js';
import { replyError } from '../../reply_error.js';
import { runtime } from '../../runtime.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { isSign, parsed, readId, readNewId } from './stream_ids.js';

const STAR = 0x2a;
const TILDE = 0x7e;
const EQUALS = 0x3d;

/** Nodes that an approximate trim goes through where no LIMIT is given, and the bounds of that in entries. */
const LIMIT_NODES = 100;
const LIMIT_WITHOUT_NODE_SIZE = 10_000;
const LIMIT_MAX = 1_000_000;

const { config } = runtime;

/** What the options say; one object, reused. */
export const options = {
  noMkStream: false,
  /** XADD: the id is in `givenId`, not made by the server; its sequence number is, for `ms-*`. */
  isIdGiven: false,
  choosesSequence: false,
  trims: false,
};

/** How to trim, where options.trims. */
export const trim: Trim = {
  byId: false,
  lengthMax: 0,
  minId: new StreamId(),
  isApproximate: false,
  limit: 0,
};

export const givenId: StreamId = new StreamId();

let isLimitGiven = false;

/**
 * Reads the options of XADD or XTRIM from argument 2 on. Returns the argument of XADD's id (of XTRIM: how many
 * there are); -1: an error was replied.
 */
export function readTrimOptions(isAdd: boolean): number {
  options.noMkStream = false;
  options.isIdGiven = false;
  options.choosesSequence = false;
  options.trims = false;
  trim.isApproximate = false;
  trim.limit = 0;
  isLimitGiven = false;
  let i = 2;
  for (; i < args.count; i++) {
    if (isAdd && isSign(i, STAR)) break;
    const hasMore = i + 1 < args.count;
    if (hasMore && (args.equals(i, 'maxlen') || args.equals(i, 'minid'))) {
      i = readThreshold(i, args.equals(i, 'minid'));
    } else if (hasMore && args.equals(i, 'limit')) {
      i = readLimit(i);
    } else if (isAdd && args.equals(i, 'nomkstream')) {
      options.noMkStream = true;
    } else if (isAdd) {
      if (!readNewId(i, givenId)) return -1;
      options.isIdGiven = true;
      options.choosesSequence = parsed.choosesSequence;
      break;
    } else {
      replyError(errors.SYNTAX_ERROR);
      return -1;
    }
    if (i < 0) return -1;
  }
  return settleLimit(isAdd) ? i : -1;
}

/** Reads MAXLEN or MINID in argument i. Returns its last argument; -1: an error was replied. */
function readThreshold(i: number, byId: boolean): number {
  if (options.trims) {
    replyError(errors.TRIM_MAXLEN_MINID);
    return -1;
  }
  let value = i + 1;
  trim.isApproximate = false;
  if (value + 1 < args.count && (isSign(value, TILDE) || isSign(value, EQUALS))) {
    trim.isApproximate = isSign(value, TILDE);
    value++;
  }
  if (byId) {
    if (!readId(value, trim.minId)) return -1;
  } else {
    if (!readInt64(value)) return -1;
    trim.lengthMax = int64ToNumber(int64.hi, int64.lo);
    if (trim.lengthMax < 0) {
      replyError(errors.TRIM_MAXLEN_NEGATIVE);
      return -1;
    }
  }
  trim.byId = byId;
  options.trims = true;
  return value;
}

function readLimit(i: number): number {
  if (!readInt64(i + 1)) return -1;
  trim.limit = int64ToNumber(int64.hi, int64.lo);
  if (trim.limit < 0) {
    replyError(errors.TRIM_LIMIT_NEGATIVE);
    return -1;
  }
  isLimitGiven = true;
  return i + 1;
}

/** Checks LIMIT against the rest, and chooses one for an approximate trim that has none. */
function settleLimit(isAdd: boolean): boolean {
  if (!options.trims && (trim.limit > 0 || !isAdd)) {
    replyError(errors.TRIM_LIMIT_ALONE);
    return false;
  }
  if (isLimitGiven) {
    if (trim.isApproximate) return true;
    replyError(errors.TRIM_LIMIT_EXACT);
    return false;
  }
  trim.limit = 0;
  if (trim.isApproximate) {
    const entries = LIMIT_NODES * config.streamNodeMaxEntries;
    trim.limit = Math.min(entries > 0 ? entries : LIMIT_WITHOUT_NODE_SIZE, LIMIT_MAX);
  }
  return true;
}
