// Times of expiry in requests: EX, PX, EXAT, PXAT and their like, as absolute milliseconds.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, parseInt64 } from '../../../protocol/number_text.js';
import { clock } from '../../../storage/structures/clock.js';
import { expiry } from '../../../storage/structures/entries.js';
import { replyError } from '../../reply_error.js';

export const SECONDS = 1000;
export const MILLISECONDS = 1;

const INT64_MAX = 2n ** 63n - 1n;

/**
 * Reads argument i as a time and fills the `expiry` register (storage/structures/entries.ts).
 * `unit`: SECONDS or MILLISECONDS; `relative`: from now. Zero and negative times are refused unless
 * `allowPast`. On an error replies it, with the command's name, and returns false.
 */
export function readExpireTime(
  i: number,
  unit: number,
  relative: boolean,
  allowPast: boolean,
  command: string,
): boolean {
  if (!parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!)) {
    replyError(errors.NOT_AN_INTEGER);
    return false;
  }
  const given = int64.hi * 4294967296 + (int64.lo >>> 0);
  if (!allowPast && given <= 0) {
    replyError(errors.invalidExpireTime(command));
    return false;
  }
  const base = relative ? clock.nowMillis : 0;
  const millis = given * unit + base;
  if (Math.abs(given) <= 2 ** 43 && Math.abs(millis) <= Number.MAX_SAFE_INTEGER) {
    expiry.high = Math.floor(millis / 4294967296);
    expiry.low = (millis - expiry.high * 4294967296) | 0;
    return true;
  }
  return readFarTime(unit, base, command);
}

/** Times that doubles do not hold exactly: thousands of years away, or out of range. */
function readFarTime(unit: number, base: number, command: string): boolean {
  const given = (BigInt(int64.hi) << 32n) | BigInt(int64.lo >>> 0);
  const scaled = given * BigInt(unit);
  const millis = scaled + BigInt(base);
  if (scaled > INT64_MAX || scaled < -INT64_MAX - 1n || millis > INT64_MAX) {
    replyError(errors.invalidExpireTime(command));
    return false;
  }
  expiry.high = Number(millis >> 32n) | 0;
  expiry.low = Number(millis & 0xffffffffn) | 0;
  return true;
}
