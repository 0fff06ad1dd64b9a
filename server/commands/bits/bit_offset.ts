// Bit offsets in requests: GETBIT, SETBIT, BITFIELD.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64IsSafe, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { replyError } from '../../reply_error.js';
import { isLengthAllowed } from '../strings/string_value.js';

const HASH = 0x23;

/**
 * Argument i as a bit offset inside a string of allowed length; -1: an error was replied. Where
 * `width` is not 0, `#n` means the n-th field of that many bits.
 */
export function readBitOffset(i: number, width: number): number {
  const start = args.offsets[i]!;
  const length = args.lengths[i]!;
  const isField = width !== 0 && length > 0 && args.buffer[start] === HASH;
  const skipped = isField ? 1 : 0;
  if (parseInt64(args.buffer, start + skipped, length - skipped)) {
    const offset = isField ? fieldOffset(width) : int64ToNumber(int64.hi, int64.lo);
    if (offset >= 0 && isLengthAllowed(Math.floor(offset / 8) + 1)) return offset;
  }
  replyError(errors.BIT_OFFSET_INVALID);
  return -1;
}

/** `int64` times the width, in 64 bits: what does not fit wraps, as in Redis. */
function fieldOffset(width: number): number {
  const product = int64ToNumber(int64.hi, int64.lo) * width;
  if (int64IsSafe(int64.hi, int64.lo) && Number.isSafeInteger(product)) return product;
  const exact = ((BigInt(int64.hi) << 32n) | BigInt(int64.lo >>> 0)) * BigInt(width);
  return Number(BigInt.asIntN(64, exact));
}
