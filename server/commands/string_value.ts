// A string value as bytes, whatever its encoding: integers are written out as text here, since
// storage knows them as numbers only.
import { args } from '../../protocol/arguments.js';
import { formatInt64, int64, parseInt64 } from '../../protocol/number_text.js';
import { reply } from '../../protocol/reply_writer.js';
import { putInteger, putString } from '../../storage/keyspace/string_keys.js';
import type { Ref } from '../../storage/memory/layout.js';
import { headerOf, span } from '../../storage/structures/entry.js';
import { integer, isInteger, loadInteger, locateString } from '../../storage/values/string.js';

/** The longest text that can be an int64: "-9223372036854775808". */
const INTEGER_TEXT_BYTES_MAX = 20;
const integerText = new Uint8Array(INTEGER_TEXT_BYTES_MAX + 4);

/**
 * Fills `span` with the bytes of a string. Of an integer that is a text in a buffer shared by all
 * calls: use it before the next one.
 */
export function locateText(ref: Ref): void {
  const header = headerOf(ref);
  if (!isInteger(header)) {
    locateString(ref, header);
    return;
  }
  loadInteger(ref, header);
  span.view = integerText;
  span.offset = 0;
  span.length = formatInt64(integer.high, integer.low, integerText, 0);
}

/** A copy of a string's bytes, for replies that follow a change of the key. */
export function copyText(ref: Ref): Uint8Array {
  locateText(ref);
  return span.view.slice(span.offset, span.offset + span.length);
}

/** Replies a string value as a bulk. */
export function replyString(ref: Ref): void {
  locateText(ref);
  reply.bulk(span.view, span.offset, span.length);
}

/**
 * Sets the key in argument `key` of a database to the bytes in argument `value`, as an integer when
 * they are the text of one, as Redis does. False: the arena is full.
 */
export function putArgument(
  database: Ref,
  key: number,
  value: number,
  expiryMode: number,
): boolean {
  const { buffer, offsets, lengths } = args;
  const length = lengths[value]!;
  if (length <= INTEGER_TEXT_BYTES_MAX && parseInt64(buffer, offsets[value]!, length)) {
    integer.high = int64.hi;
    integer.low = int64.lo;
    return putInteger(database, buffer, offsets[key]!, lengths[key]!, expiryMode);
  }
  return putString(
    database,
    buffer,
    offsets[key]!,
    lengths[key]!,
    buffer,
    offsets[value]!,
    length,
    expiryMode,
  );
}
