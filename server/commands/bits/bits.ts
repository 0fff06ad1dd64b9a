// Handlers of the commands on single bits and on counts of them. Bit 0 is the highest of the first
// byte. Positions reach 2^32, beyond int32: they are doubles.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInteger } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF } from '../../../storage/memory/layout.js';
import { span } from '../../../storage/structures/entry.js';
import type { Client } from '../../client.js';
import { keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { clipRange, range, readRange } from '../arguments/index_range.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { expectString, readKey, replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import { growString, locateText, textLength } from '../strings/string_value.js';
import { readBitOffset } from './bit_offset.js';
import { countBits, skipBytes } from './bit_words.js';

/** GETBIT key offset */
export function getBit(client: Client): void {
  const offset = readBitOffset(2, 0);
  if (offset < 0) return;
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectString(ref)) return;
  locateText(ref);
  const index = Math.floor(offset / 8);
  const byte = index < span.length ? span.view[span.offset + index]! : 0;
  reply.integer((byte >>> (7 - (offset % 8))) & 1);
}

/** SETBIT key offset value */
export function setBit(client: Client): void {
  const offset = readBitOffset(2, 0);
  if (offset < 0) return;
  const bit = parseInteger(args.buffer, args.offsets[3]!, args.lengths[3]!);
  if (bit !== 0 && bit !== 1) {
    replyError(errors.BIT_VALUE_INVALID);
    return;
  }
  const ref = writeKey(client, 1);
  if (ref !== NULL_REF && !expectString(ref)) return;
  const index = Math.floor(offset / 8);
  const grows = ref === NULL_REF || index >= textLength(ref);
  if (growString(client, 1, ref, index + 1) === NULL_REF) {
    replyOutOfMemory();
    return;
  }
  const at = span.offset + index;
  const shift = 7 - (offset % 8);
  const byte = span.view[at]!;
  const old = (byte >>> shift) & 1;
  if (old !== bit) span.view[at] = byte ^ (1 << shift);
  if (grows || old !== bit) keyChanged(client.databaseIndex, 1);
  reply.integer(old);
}

/** BITCOUNT key [start end [BYTE | BIT]] */
export function bitCount(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectString(ref)) return;
  if (args.count === 2) {
    locateText(ref);
    reply.integer(countBits(span.view, span.offset, span.offset + span.length));
    return;
  }
  if (args.count !== 4 && args.count !== 5) {
    replyError(errors.SYNTAX_ERROR);
    return;
  }
  if (!readRange(2)) return;
  if (range.inverted) {
    reply.integer(0);
    return;
  }
  const unit = args.count === 5 ? readUnit(4) : BYTE;
  if (unit < 0) return;
  locateText(ref);
  reply.integer(clipRange(span.length * unit) ? countInRange(unit) : 0);
}

/** Set bits of `span` in the clipped `range`. */
function countInRange(unit: number): number {
  const { view, offset } = span;
  const first = offset + (unit === BIT ? Math.floor(range.start / 8) : range.start);
  const last = offset + (unit === BIT ? Math.floor(range.end / 8) : range.end);
  let count = countBits(view, first, last + 1);
  if (unit === BIT) {
    count -= bitsOf(view[first]! & (0xff00 >>> (range.start % 8)));
    count -= bitsOf(view[last]! & (0x7f >>> (range.end % 8)));
  }
  return count;
}

function bitsOf(byte: number): number {
  let count = 0;
  for (let rest = byte & 0xff; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Units of a range, as positions per byte. */
const BYTE = 1;
const BIT = 8;

/** Reads argument i as BYTE or BIT; -1: an error was replied. */
function readUnit(i: number): number {
  if (args.equals(i, 'bit')) return BIT;
  if (args.equals(i, 'byte')) return BYTE;
  replyError(errors.SYNTAX_ERROR);
  return -1;
}

/** BITPOS key bit [start [end [BYTE | BIT]]] */
export function bitPosition(client: Client): void {
  if (!readInt64(2)) return;
  const bit = int64ToNumber(int64.hi, int64.lo);
  if (bit !== 0 && bit !== 1) {
    replyError(errors.BITPOS_ARGUMENT);
    return;
  }
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.integer(bit === 1 ? -1 : 0);
    return;
  }
  if (!expectString(ref)) return;
  const unit = readSearchRange();
  if (unit < 0) return;
  locateText(ref);
  const { length } = span;
  if (!clipRange(length * unit)) {
    reply.integer(-1);
    return;
  }
  const perStep = BIT / unit;
  const found = findBit(bit, range.start * perStep, range.end * perStep + perStep - 1);
  // A string of ones has its first zero right behind it, unless the request itself names an end.
  reply.integer(found < 0 && bit === 0 && args.count < 5 ? length * 8 : found);
}

/** Reads BITPOS's range. Returns its unit; -1: an error was replied. */
function readSearchRange(): number {
  range.inverted = false;
  range.start = 0;
  range.end = -1;
  if (args.count > 6) {
    replyError(errors.SYNTAX_ERROR);
    return -1;
  }
  if (args.count > 3) {
    if (!readInt64(3)) return -1;
    range.start = int64ToNumber(int64.hi, int64.lo);
  }
  const unit = args.count === 6 ? readUnit(5) : BYTE;
  if (unit < 0) return -1;
  if (args.count > 4) {
    if (!readInt64(4)) return -1;
    range.end = int64ToNumber(int64.hi, int64.lo);
  }
  return unit;
}

/** Position of the first such bit of `span` among the bits from first to last; -1: none. */
function findBit(bit: number, firstBit: number, lastBit: number): number {
  const { view, offset } = span;
  const first = Math.floor(firstBit / 8);
  const last = Math.floor(lastBit / 8);
  const other = bit === 1 ? 0 : 0xff; // a byte that does not hold the bit
  let index = first;
  let byte = (view[offset + first]! ^ other) & (0xff >>> (firstBit % 8));
  if (byte === 0 && first < last) {
    index = skipBytes(view, offset + first + 1, offset + last + 1, other) - offset;
    if (index > last) return -1;
    byte = view[offset + index]! ^ other;
  }
  if (index === last) byte &= 0xff80 >>> (lastBit % 8);
  return byte === 0 ? -1 : index * 8 + Math.clz32(byte) - 24;
}
