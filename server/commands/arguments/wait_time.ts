// The time limit of a blocking command: seconds, with a fraction, rounded up to milliseconds; 0 is no limit.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { floatSyntax, parseFloatText } from '../../../protocol/float_text.js';
import { clock } from '../../../storage/structures/clock.js';
import { replyError } from '../../reply_error.js';

/** Redis keeps the end of a wait as milliseconds in an int64; what goes beyond turns negative there. */
const MILLIS_MAX = 2 ** 63;

/** The limit in argument i, in milliseconds; -1: an error was replied. */
export function readWaitMillis(i: number): number {
  const text = args.latin1(i);
  const syntax = floatSyntax(text);
  if (syntax === 'none') {
    replyError(errors.TIMEOUT_NOT_A_FLOAT);
    return -1;
  }
  // Redis reads 80-bit floats: what a double has no room for is not infinite there, and not zero.
  const seconds = syntax === 'decimal' ? Number(text) : parseFloatText(text);
  const isTiny = seconds === 0 && !text.startsWith('-') && /^[^ep]*[1-9]/i.test(text);
  const millis = isTiny ? 1 : Math.ceil(seconds * 1000);
  if (millis < 0 || millis + clock.nowMillis >= MILLIS_MAX) {
    replyError(errors.TIMEOUT_NEGATIVE);
    return -1;
  }
  return millis;
}
