// Handlers of the commands on parts of strings: lengths, ranges, and writes that make them grow.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { EXPIRY_CLEAR } from '../../../storage/keyspace/string_keys.js';
import { copyBytes } from '../../../storage/memory/bytes.js';
import { NULL_REF } from '../../../storage/memory/layout.js';
import { span } from '../../../storage/structures/entry.js';
import type { Client } from '../../client.js';
import { keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { clipRange, range, readRange } from '../arguments/index_range.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { expectString, readKey, replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import {
  growString,
  isLengthAllowed,
  locateText,
  putArgument,
  textLength,
} from './string_value.js';

const NO_BYTES = new Uint8Array(0);

/** STRLEN key */
export function strlen(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.integer(0);
  else if (expectString(ref)) reply.integer(textLength(ref));
}

/** GETRANGE key start end, and SUBSTR, its old name */
export function getRange(client: Client): void {
  if (!readRange(2)) return;
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.bulk(NO_BYTES, 0, 0);
    return;
  }
  if (!expectString(ref)) return;
  locateText(ref);
  if (clipRange(span.length)) {
    reply.bulk(span.view, span.offset + range.start, range.end - range.start + 1);
  } else {
    reply.bulk(NO_BYTES, 0, 0);
  }
}

/** APPEND key value */
export function append(client: Client): void {
  const ref = writeKey(client, 1);
  const added = args.lengths[2]!;
  if (ref === NULL_REF) {
    if (putArgument(client.database, 1, 2, EXPIRY_CLEAR)) replyLength(client, added);
    else replyOutOfMemory();
    return;
  }
  if (!expectString(ref)) return;
  const length = textLength(ref);
  if (!isLengthAllowed(length + added)) {
    replyError(errors.STRING_TOO_LONG);
    return;
  }
  if (growString(client, 1, ref, length + added) === NULL_REF) {
    replyOutOfMemory();
    return;
  }
  copyBytes(span.view, span.offset + length, args.buffer, args.offsets[2]!, added);
  replyLength(client, length + added);
}

/** SETRANGE key offset value */
export function setRange(client: Client): void {
  if (!readInt64(2)) return;
  const offset = int64ToNumber(int64.hi, int64.lo);
  if (offset < 0) {
    replyError(errors.OFFSET_OUT_OF_RANGE);
    return;
  }
  const ref = writeKey(client, 1);
  if (ref !== NULL_REF && !expectString(ref)) return;
  const length = ref === NULL_REF ? 0 : textLength(ref);
  const written = args.lengths[3]!;
  if (written === 0) {
    reply.integer(length);
    return;
  }
  if (!isLengthAllowed(offset + written)) {
    replyError(errors.STRING_TOO_LONG);
    return;
  }
  if (growString(client, 1, ref, offset + written) === NULL_REF) {
    replyOutOfMemory();
    return;
  }
  copyBytes(span.view, span.offset + offset, args.buffer, args.offsets[3]!, written);
  replyLength(client, Math.max(length, offset + written));
}

function replyLength(client: Client, length: number): void {
  keyChanged(client.databaseIndex, 1);
  reply.integer(length);
}
