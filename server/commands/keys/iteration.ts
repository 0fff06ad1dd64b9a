// Handlers of the commands that go through a whole database: KEYS and SCAN.
//
// Both collect Refs first. Nothing is deleted before the reply is written, because a deletion may
// give the memory of a Ref to something else; SCAN then removes what it found expired.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { globMatch } from '../../../protocol/glob.js';
import { int64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { deleteExpiredEntry } from '../../../storage/keyspace/keyspace.js';
import type { Ref } from '../../../storage/memory/layout.js';
import { isExpired } from '../../../storage/structures/entries.js';
import { headerOf, locateKey, span, TYPE_MASK } from '../../../storage/structures/entry.js';
import {
  CURSORS,
  forEachEntry,
  scanned,
  scanStep,
} from '../../../storage/structures/table_walk.js';
import { typeNames } from '../../../storage/values/value_types.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';

const SCAN_COUNT = 10;

/** An argument that is a pattern; 0: everything matches. */
type PatternArgument = number;

/** KEYS pattern */
export function keys(client: Client): void {
  const pattern = readPattern(1);
  let found = new Int32Array(1024);
  let count = 0;
  forEachEntry(client.database, (ref) => {
    if (!keyMatches(ref, pattern) || isExpired(ref, headerOf(ref))) return;
    if (count === found.length) {
      const grown = new Int32Array(2 * count);
      grown.set(found);
      found = grown;
    }
    found[count++] = ref;
  });
  replyKeys(found, count);
}

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] */
export function scan(client: Client): void {
  const cursor = readCursor(1);
  if (cursor < 0) return;
  if (!readScanOptions(2, true)) return;
  const { count, type } = scanOptions;
  const next = scanStep(client.database, cursor, count);
  const refs = scanned.refs;
  let kept = 0;
  let expired: Ref[] | null = null;
  for (let i = 0; i < scanned.count; i++) {
    const ref = refs[i]! as Ref;
    if (!keyMatches(ref, scanOptions.pattern)) continue;
    const header = headerOf(ref);
    if (isExpired(ref, header)) {
      expired ??= [];
      expired.push(ref);
    } else if (type === null || typeNames[header & TYPE_MASK] === type) {
      refs[kept++] = ref;
    }
  }
  reply.array(2);
  reply.bulkLatin1(String(next));
  replyKeys(refs, kept);
  if (expired !== null) for (const ref of expired) deleteExpiredEntry(client.database, ref);
}

function replyKeys(refs: Int32Array, count: number): void {
  reply.array(count);
  for (let i = 0; i < count; i++) {
    locateKey(refs[i]! as Ref);
    reply.bulk(span.view, span.offset, span.length);
  }
}

/** What HSCAN, SSCAN and ZSCAN reply for a key that is not there: the scan is over, with nothing found. */
export function replyEmptyScan(): void {
  reply.array(2);
  reply.bulkLatin1('0');
  reply.emptyArray();
}

/** Begins what HSCAN, SSCAN and ZSCAN reply: elements follow; settle() with the mark returned ends it. */
export function beginScanReply(next: number): number {
  reply.array(2);
  reply.bulkLatin1(String(next));
  return reply.deferArray();
}

/** What a SCAN of any kind asks for; one object, reused. */
export const scanOptions = {
  pattern: 0 as PatternArgument,
  count: SCAN_COUNT,
  type: null as string | null,
};

/**
 * Reads arguments `first`.. into `scanOptions`; TYPE only where keys are scanned. False: an error was
 * replied.
 */
export function readScanOptions(first: number, ofKeys: boolean): boolean {
  scanOptions.pattern = 0;
  scanOptions.count = SCAN_COUNT;
  scanOptions.type = null;
  for (let i = first; i < args.count; i += 2) {
    const hasNext = i + 1 < args.count;
    if (hasNext && args.equals(i, 'match')) {
      scanOptions.pattern = readPattern(i + 1);
    } else if (hasNext && args.equals(i, 'count')) {
      scanOptions.count = readCount(i + 1);
      if (scanOptions.count < 1) return false;
    } else if (hasNext && ofKeys && args.equals(i, 'type')) {
      scanOptions.type = args.latin1(i + 1).toLowerCase();
    } else {
      replyError(errors.SYNTAX_ERROR);
      return false;
    }
  }
  return true;
}

function readPattern(i: number): PatternArgument {
  const everything = args.lengths[i] === 1 && args.buffer[args.offsets[i]!] === 0x2a;
  return everything ? 0 : i;
}

function keyMatches(ref: Ref, pattern: PatternArgument): boolean {
  if (pattern === 0) return true;
  locateKey(ref);
  return globMatches(pattern, span.view, span.offset, span.length);
}

/** Whether an element's bytes match the pattern of `scanOptions`. */
export function matchesPattern(view: Uint8Array, offset: number, length: number): boolean {
  return scanOptions.pattern === 0 || globMatches(scanOptions.pattern, view, offset, length);
}

function globMatches(i: number, view: Uint8Array, offset: number, length: number): boolean {
  return globMatch(args.buffer, args.offsets[i]!, args.lengths[i]!, view, offset, length, false);
}

/** Argument i as COUNT; 0 when an error was replied. */
function readCount(i: number): number {
  if (!readInt64(i)) return 0;
  const count = int64.hi * 4294967296 + (int64.lo >>> 0);
  if (count >= 1) return count;
  replyError(errors.SYNTAX_ERROR);
  return 0;
}

/** Argument i as a cursor; -1: an error was replied. */
export function readCursor(i: number): number {
  const cursor = parseCursor(i);
  if (cursor < 0) replyError(errors.INVALID_CURSOR);
  return cursor;
}

/**
 * Argument i as a cursor, or -1. Redis reads it with strtoul(), so signs are taken and an empty text
 * is 0; leading space is not. What is no cursor of ours becomes some place of the walk, as there.
 */
function parseCursor(i: number): number {
  const text = args.latin1(i).split('\0')[0]!;
  if (text === '') return 0;
  const digits = /^[+-]?(\d+)$/.exec(text)?.[1];
  if (digits === undefined) return -1;
  if (digits.length <= 15 && text[0] !== '-') return Number(digits) % CURSORS;
  // 20 digits hold 2^64, and a text may be as long as a request.
  const significant = digits.replace(/^0+/, '');
  if (significant.length > 20) return -1;
  const magnitude = BigInt(significant === '' ? '0' : significant);
  if (magnitude >= 2n ** 64n) return -1;
  const value = text[0] === '-' ? BigInt.asUintN(64, -magnitude) : magnitude;
  return Number(value % BigInt(CURSORS));
}

/** Draws with repetition that one request may ask for: some seconds' work. Redis 7.0 has no bound but memory. */
const DRAWS_MAX = 1 << 24;

/** Whether SRANDMEMBER, HRANDFIELD or ZRANDMEMBER may draw for this count, negative where one element may
 *  come twice. False: an error was replied. */
export function checkDraws(count: number): boolean {
  if (count >= -DRAWS_MAX) return true;
  replyError(errors.VALUE_OUT_OF_RANGE);
  return false;
}

/** A uniform 32-bit unsigned number: fast, and not for secrets. */
export function randomWord(): number {
  return (Math.random() * 4294967296) >>> 0;
}
