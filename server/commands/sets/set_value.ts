// Members of sets, whatever form the set has: a member is bytes, or an integer, or both, as far as it has
// been looked at. Storage keeps integers in one form and bytes in the others (storage/values/set.ts) and
// does not know the texts of numbers, so what stands between them is here.
import { args } from '../../../protocol/arguments.js';
import {
  formatInt64,
  INT64_TEXT_BYTES_MAX,
  int64,
  parseInt64,
} from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import type { Ref } from '../../../storage/memory/layout.js';
import { span } from '../../../storage/structures/entry.js';
import * as sets from '../../../storage/values/set.js';
import { NO_MEMORY, type SetCursor } from '../../../storage/values/set.js';
import { runtime } from '../../runtime.js';
import { matchesPattern, scanOptions } from '../keys/iteration.js';
import type { BytePool } from '../strings/byte_pool.js';

const UNKNOWN = 0;
const INTEGER = 1;
const NOT_INTEGER = 2;

const config = runtime.config;

const integerText = new Uint8Array(INT64_TEXT_BYTES_MAX);

/** The member at hand. `high` and `low` hold when `kind` is INTEGER, the bytes when hasBytes is set. */
const member = {
  kind: UNKNOWN,
  high: 0,
  low: 0,
  hasBytes: false,
  view: integerText as Uint8Array,
  offset: 0,
  length: 0,
};

/** Takes argument i for the member at hand. */
export function takeArgument(i: number): void {
  member.kind = UNKNOWN;
  member.hasBytes = true;
  member.view = args.buffer;
  member.offset = args.offsets[i]!;
  member.length = args.lengths[i]!;
}

/** Takes bytes for the member at hand; they must stay. */
export function takeBytes(view: Uint8Array, offset: number, length: number): void {
  member.kind = UNKNOWN;
  member.hasBytes = true;
  member.view = view;
  member.offset = offset;
  member.length = length;
}

/** Fills `span` with the bytes of the member at hand. */
export function locateMemberBytes(): void {
  needBytes();
  span.view = member.view;
  span.offset = member.offset;
  span.length = member.length;
}

/** Takes the member that a cursor is at, until the cursor moves on. */
export function takeFromCursor(cursor: SetCursor): void {
  if (cursor.isInteger) {
    member.kind = INTEGER;
    member.high = cursor.high;
    member.low = cursor.low;
    member.hasBytes = false;
  } else {
    member.kind = UNKNOWN;
    member.hasBytes = true;
    member.view = span.view;
    member.offset = span.offset;
    member.length = span.length;
  }
}

/** Whether the member at hand is an integer. */
function isInteger(): boolean {
  if (member.kind === UNKNOWN) {
    member.kind = parseInt64(member.view, member.offset, member.length) ? INTEGER : NOT_INTEGER;
    member.high = int64.hi;
    member.low = int64.lo;
  }
  return member.kind === INTEGER;
}

/** Makes the bytes of the member at hand hold. */
function needBytes(): void {
  if (member.hasBytes) return;
  member.view = integerText;
  member.offset = 0;
  member.length = formatInt64(member.high, member.low, integerText, 0);
  member.hasBytes = true;
}

/** Whether the set has the member at hand. */
export function hasMember(ref: Ref): boolean {
  if (sets.isIntegerSet(ref)) {
    return isInteger() && sets.hasInteger(ref, member.high, member.low);
  }
  needBytes();
  return sets.hasBytes(ref, member.view, member.offset, member.length);
}

/**
 * Adds the member at hand to a set that may be written to: ADDED, PRESENT or NO_MEMORY (nothing has
 * changed). The set leaves the form of integers when it must.
 */
export function addMember(ref: Ref): number {
  if (sets.isIntegerSet(ref)) {
    if (isInteger()) {
      if (sets.setCount(ref) < config.setMaxIntsetEntries) {
        return sets.addInteger(ref, member.high, member.low);
      }
      if (sets.hasInteger(ref, member.high, member.low)) return sets.PRESENT;
    }
    if (!sets.convertIntegers(ref, formatInt64)) return NO_MEMORY;
  }
  needBytes();
  return sets.addBytes(ref, member.view, member.offset, member.length);
}

/** Removes the member at hand; false when the set does not have it. */
export function removeMember(ref: Ref): boolean {
  if (sets.isIntegerSet(ref)) {
    return isInteger() && sets.removeInteger(ref, member.high, member.low);
  }
  needBytes();
  return sets.removeBytes(ref, member.view, member.offset, member.length);
}

/** Whether the member at hand matches the pattern of `scanOptions`. */
export function memberMatches(): boolean {
  if (scanOptions.pattern === 0) return true;
  needBytes();
  return matchesPattern(member.view, member.offset, member.length);
}

/** Adds the bytes of the member at hand to a pool. False: the pool is full. */
export function addToPool(pool: BytePool): boolean {
  needBytes();
  return pool.add(member.view, member.offset, member.length);
}

/** Replies the member at hand as a bulk. */
export function replyMember(): void {
  if (member.hasBytes) reply.bulk(member.view, member.offset, member.length);
  else reply.bulkInteger64(member.high, member.low);
}

/** Replies the member that was picked last. */
export function replyPicked(): void {
  if (sets.picked.isInteger) reply.bulkInteger64(sets.picked.high, sets.picked.low);
  else reply.bulk(span.view, span.offset, span.length);
}

/** All members of a set as replies, without a header. */
export function replyMembers(ref: Ref, cursor: SetCursor): void {
  cursor.open(ref);
  while (cursor.next()) {
    takeFromCursor(cursor);
    replyMember();
  }
}
