// A string value as bytes, whatever its encoding: integers are written out as text here, since
// storage knows them as numbers only.
import { args } from '../../../protocol/arguments.js';
import { formatInt64, int64, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { addEntry } from '../../../storage/keyspace/keyspace.js';
import {
  createBlankString,
  createInteger,
  createString,
  EXPIRY_KEEP,
  putInteger,
  putString,
  resizeString,
} from '../../../storage/keyspace/string_keys.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { headerOf, span } from '../../../storage/structures/entry.js';
import { integer, isInteger, loadInteger, locateString } from '../../../storage/values/string.js';
import type { Client } from '../../client.js';
import { runtime } from '../../runtime.js';
import { lookupArgument } from '../keys/keys_access.js';

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

/** The length of a string in bytes. */
export function textLength(ref: Ref): number {
  locateText(ref);
  return span.length;
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

/** A new entry as putArgument() would make it, not in a database yet; NULL_REF: the arena is full. */
export function createArgument(key: number, value: number): Ref {
  const { buffer, offsets, lengths } = args;
  const start = offsets[value]!;
  const length = lengths[value]!;
  if (length <= INTEGER_TEXT_BYTES_MAX && parseInt64(buffer, start, length)) {
    integer.high = int64.hi;
    integer.low = int64.lo;
    return createInteger(buffer, offsets[key]!, lengths[key]!);
  }
  return createString(buffer, offsets[key]!, lengths[key]!, buffer, start, length);
}

/** Whether a string may become this long; a client must not ask for more than it could send. */
export function isLengthAllowed(length: number): boolean {
  return length <= runtime.config.protoMaxBulkLen;
}

/**
 * Makes the string `ref` of the key in argument `key` (NULL_REF: there is none) at least `length`
 * bytes long, new bytes zero, and such that it can be written where it lies. Returns the entry with
 * `span` at its bytes, for the caller to write; NULL_REF when the arena is full.
 */
export function growString(client: Client, key: number, ref: Ref, length: number): Ref {
  const { database } = client;
  const { buffer } = args;
  const keyStart = args.offsets[key]!;
  const keyLength = args.lengths[key]!;
  if (ref === NULL_REF) {
    const blank = createBlankString(buffer, keyStart, keyLength, length);
    if (blank === NULL_REF || !addEntry(database, blank)) return NULL_REF;
    locateString(blank, headerOf(blank));
    return blank;
  }
  let target = ref;
  if (isInteger(headerOf(ref))) {
    locateText(ref);
    const { view, offset, length: digits } = span;
    if (!putString(database, buffer, keyStart, keyLength, view, offset, digits, EXPIRY_KEEP)) {
      return NULL_REF;
    }
    target = lookupArgument(database, key);
  }
  locateString(target, headerOf(target));
  return resizeString(database, target, Math.max(length, span.length));
}
