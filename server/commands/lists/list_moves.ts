// Handlers of the commands that move an element between lists or take elements from the first of several, and
// the parts of them that the blocking forms (blocking_lists.ts) share.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { freeEntry } from '../../../storage/keyspace/entries.js';
import { addEntry } from '../../../storage/keyspace/keyspace.js';
import { copyBytes } from '../../../storage/memory/bytes.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { span } from '../../../storage/structures/entry.js';
import { writableEntry } from '../../../storage/structures/entry_table.js';
import { dropElements, listLength, locateEnd, pushElement } from '../../../storage/values/list.js';
import type { Client } from '../../client.js';
import { alsoChanged, keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { lookupArgument, replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import { createList, expectList, removeFromEnd, replyFromEnd } from './list_value.js';

/** Elements up to this size are moved through a buffer that is there already. */
const SCRATCH_BYTES = 4096;
const scratch = new Uint8Array(SCRATCH_BYTES);

/** LMOVE source destination LEFT|RIGHT LEFT|RIGHT */
export function lmove(client: Client): void {
  if (readEnds(3)) moveOrNull(client, ends.fromFront, ends.toFront);
}

/** RPOPLPUSH source destination */
export function rpoplpush(client: Client): void {
  moveOrNull(client, false, true);
}

function moveOrNull(client: Client, fromFront: boolean, toFront: boolean): void {
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) reply.null();
  else if (expectList(ref)) moveElement(client, ref, fromFront, toFront);
}

/** Which ends the words that were read last name. */
export const ends = { fromFront: false, toFront: false };

/** Reads LEFT or RIGHT in argument i: true for LEFT, null when it is neither. */
function readEnd(i: number): boolean | null {
  if (args.equals(i, 'left')) return true;
  return args.equals(i, 'right') ? false : null;
}

/** Reads the words in arguments i and i + 1 into `ends`. False: an error was replied. */
export function readEnds(i: number): boolean {
  const from = readEnd(i);
  const to = readEnd(i + 1);
  if (from === null || to === null) {
    replyError(errors.SYNTAX_ERROR);
    return false;
  }
  ends.fromFront = from;
  ends.toFront = to;
  return true;
}

/**
 * Moves an element from the list `source`, of the key in argument 1, to the list of the key in argument 2, and
 * replies it; or replies why it cannot.
 */
export function moveElement(
  client: Client,
  source: Ref,
  fromFront: boolean,
  toFront: boolean,
): void {
  const target = writeKey(client, 2);
  if (target !== NULL_REF && !expectList(target)) return;
  locateEnd(source, fromFront);
  const { length } = span;
  const element = length <= SCRATCH_BYTES ? scratch : new Uint8Array(length);
  copyBytes(element, 0, span.view, span.offset, length);
  if (args.same(1, 2)) {
    const ref = writableEntry(client.database, source);
    if (fromFront !== toFront) {
      if (!pushElement(ref, toFront, element, 0, length)) {
        replyOutOfMemory();
        return;
      }
      dropElements(ref, fromFront, 1);
    }
  } else if (pushMoved(client, target, toFront, element, length)) {
    alsoChanged(client.databaseIndex, 2);
    removeFromEnd(client, 1, lookupArgument(client.database, 1), fromFront, 1);
    reply.bulk(element, 0, length);
    return;
  } else {
    replyOutOfMemory();
    return;
  }
  keyChanged(client.databaseIndex, 1);
  reply.bulk(element, 0, length);
}

/** Adds a moved element to the list of the key in argument 2, which may be new. False: the arena is full. */
function pushMoved(
  client: Client,
  target: Ref,
  toFront: boolean,
  element: Uint8Array,
  length: number,
): boolean {
  const isNew = target === NULL_REF;
  const ref = isNew ? createList(2) : writableEntry(client.database, target);
  if (ref === NULL_REF) return false;
  if (pushElement(ref, toFront, element, 0, length)) {
    return !isNew || addEntry(client.database, ref);
  }
  if (isNew) freeEntry(ref);
  return false;
}

// --- the first of several lists ------------------------------------------------------------------

/** What LMPOP and BLMPOP ask for: filled by readPop(). */
export const pop = { firstKey: 0, keys: 0, atFront: false, count: 0 };

/** LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count] */
export function lmpop(client: Client): void {
  if (!readPop(1)) return;
  for (let key = pop.firstKey; key < pop.firstKey + pop.keys; key++) {
    const ref = writeKey(client, key);
    if (ref === NULL_REF) continue;
    if (expectList(ref)) popWithKey(client, key, ref, pop.atFront, pop.count);
    return;
  }
  reply.nullArray();
}

/** Reads what begins with numkeys in argument i into `pop`. False: an error was replied. */
export function readPop(i: number): boolean {
  const error = parsePop(i);
  if (error !== null) replyError(error);
  return error === null;
}

function parsePop(i: number): string | null {
  pop.keys = readPositive(i);
  pop.firstKey = i + 1;
  if (pop.keys < 1) return errors.NUMKEYS_NOT_POSITIVE;
  const where = i + pop.keys + 1;
  if (where >= args.count) return errors.SYNTAX_ERROR;
  const atFront = readEnd(where);
  if (atFront === null) return errors.SYNTAX_ERROR;
  pop.atFront = atFront;
  pop.count = 1;
  if (args.count === where + 1) return null;
  if (!args.equals(where + 1, 'count') || args.count === where + 2) return errors.SYNTAX_ERROR;
  pop.count = readPositive(where + 2);
  if (pop.count < 1) return errors.COUNT_NOT_POSITIVE;
  return args.count > where + 3 ? errors.SYNTAX_ERROR : null;
}

/** A number of at least 1, or -1. */
function readPositive(i: number): number {
  if (!parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!)) return -1;
  const number = int64ToNumber(int64.hi, int64.lo);
  return number >= 1 ? number : -1;
}

/** Replies the key in argument `key` and up to `count` elements of its list, and removes them. */
export function popWithKey(
  client: Client,
  key: number,
  ref: Ref,
  atFront: boolean,
  count: number,
): void {
  const elements = Math.min(count, listLength(ref));
  reply.array(2);
  reply.bulk(args.buffer, args.offsets[key]!, args.lengths[key]!);
  replyFromEnd(ref, atFront, elements);
  removeFromEnd(client, key, ref, atFront, elements);
}
