// Database numbers in requests: SELECT, MOVE, COPY, SWAPDB.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, parseInt64 } from '../../../protocol/number_text.js';
import { databaseCount } from '../../../storage/heap.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';

const INT32_MAX = 0x7fffffff;

/** Argument i as the number of a database that there is; -1 when an error was replied. */
export function readDatabaseIndex(i: number): number {
  if (!readInt64(i)) return -1;
  if (int64.hi !== int64.lo >> 31) {
    replyError(errors.valueOutOfBounds(-INT32_MAX - 1, INT32_MAX));
    return -1;
  }
  if (int64.lo < 0 || int64.lo >= databaseCount()) {
    replyError(errors.DB_INDEX_OUT_OF_RANGE);
    return -1;
  }
  return int64.lo;
}

/** Argument i as a 32-bit integer, or NaN. */
export function readInt32(i: number): number {
  if (!parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!)) return Number.NaN;
  return int64.hi === int64.lo >> 31 ? int64.lo : Number.NaN;
}
