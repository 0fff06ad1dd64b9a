// Integers in requests.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { parseInt64 } from '../../../protocol/number_text.js';
import { replyError } from '../../reply_error.js';

/** Reads argument i into `int64` (protocol/number_text.ts). False: an error was replied. */
export function readInt64(i: number): boolean {
  if (parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!)) return true;
  replyError(errors.NOT_AN_INTEGER);
  return false;
}
