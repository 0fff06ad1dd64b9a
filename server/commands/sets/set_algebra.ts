// SINTER, SUNION, SDIFF, their STORE forms and SINTERCARD.
//
// An intersection walks through its smallest set and asks the others. A difference has two ways, as in Redis: to
// ask all others for each member of the first set (largest first: they are the likeliest to have it), or to
// copy the first set and remove the members of the others; the way with less work is taken, the first counted
// half because it ends early. What is to be stored, and unions in any case, are built as a set that is in no
// database yet, so that a source may be the destination and a full arena changes nothing.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { freeEntry } from '../../../storage/keyspace/entries.js';
import { deleteKey, setEntry } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { TYPE_SET } from '../../../storage/structures/entry.js';
import { NO_MEMORY, SetCursor, setCount } from '../../../storage/values/set.js';
import type { Client } from '../../client.js';
import { keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { expectType, lookupArgument, readKey, replyOutOfMemory } from '../keys/keys_access.js';
import {
  addMember,
  hasMember,
  removeMember,
  replyMember,
  replyMembers,
  takeFromCursor,
} from './set_value.js';
import { newSet } from './sets.js';

const DESTINATION = 1;

const cursor = new SetCursor();

/** The sets of arguments [first, end), NULL_REF for keys that are not there; null: an error was replied. */
function readSets(client: Client, first: number, end: number): Ref[] | null {
  // A look-up may delete an expired key, which ends the life of Refs: all of them come first.
  for (let i = first; i < end; i++) {
    const ref = readKey(client, i);
    if (ref !== NULL_REF && !expectType(ref, TYPE_SET)) return null;
  }
  const found: Ref[] = [];
  for (let i = first; i < end; i++) found.push(lookupArgument(client.database, i));
  return found;
}

// --- results -------------------------------------------------------------------------------------

/** Puts a finished set at the destination, or deletes what is there when it is empty; replies its size. */
function store(client: Client, result: Ref): void {
  const count = setCount(result);
  if (count === 0) {
    freeEntry(result);
    storeNothing(client);
  } else if (setEntry(client.database, result)) {
    keyChanged(client.databaseIndex, DESTINATION);
    reply.integer(count);
  } else {
    replyOutOfMemory();
  }
}

function storeNothing(client: Client): void {
  const { buffer, offsets, lengths } = args;
  const deleted = deleteKey(client.database, buffer, offsets[DESTINATION]!, lengths[DESTINATION]!);
  if (deleted) keyChanged(client.databaseIndex, DESTINATION);
  reply.integer(0);
}

/** Replies all members of a set that was made for that, and frees it. */
function replyAndFree(result: Ref): void {
  reply.set(setCount(result));
  replyMembers(result, cursor);
  freeEntry(result);
}

/** Adds the members of a set to `result`. False: no memory. */
function addAll(result: Ref, ref: Ref): boolean {
  cursor.open(ref);
  while (cursor.next()) {
    takeFromCursor(cursor);
    if (addMember(result) === NO_MEMORY) return false;
  }
  return true;
}

/** No memory for `result` (NULL_REF: not even for the empty one). */
function giveUp(result: Ref): void {
  if (result !== NULL_REF) freeEntry(result);
  replyOutOfMemory();
}

// --- intersections -------------------------------------------------------------------------------

/** The sets, smallest first; null when one of them is empty. */
function bySize(found: Ref[]): Ref[] | null {
  if (found.includes(NULL_REF)) return null;
  return found.length === 1 ? found : found.sort((a, b) => setCount(a) - setCount(b));
}

/** Goes to the next member of the first set, under the cursor, that all others have. */
function nextCommon(ordered: readonly Ref[]): boolean {
  while (cursor.next()) {
    takeFromCursor(cursor);
    let i = 1;
    while (i < ordered.length && hasMember(ordered[i]!)) i++;
    if (i === ordered.length) return true;
  }
  return false;
}

/** SINTER key [key ...] */
export function sinter(client: Client): void {
  const found = readSets(client, 1, args.count);
  if (found === null) return;
  const ordered = bySize(found);
  if (ordered === null) {
    reply.set(0);
    return;
  }
  const mark = reply.deferSet();
  let count = 0;
  cursor.open(ordered[0]!);
  for (; nextCommon(ordered); count++) replyMember();
  reply.settle(mark, count);
}

/** SINTERSTORE destination key [key ...] */
export function sinterstore(client: Client): void {
  const found = readSets(client, 2, args.count);
  if (found === null) return;
  const ordered = bySize(found);
  if (ordered === null) {
    storeNothing(client);
    return;
  }
  const result = newSet(DESTINATION);
  if (result === NULL_REF) {
    giveUp(result);
    return;
  }
  cursor.open(ordered[0]!);
  while (nextCommon(ordered)) {
    if (addMember(result) === NO_MEMORY) {
      giveUp(result);
      return;
    }
  }
  store(client, result);
}

/** SINTERCARD numkeys key [key ...] [LIMIT limit] */
export function sintercard(client: Client): void {
  const { buffer, offsets, lengths } = args;
  const isInteger = parseInt64(buffer, offsets[1]!, lengths[1]!);
  const keyCount = isInteger ? int64ToNumber(int64.hi, int64.lo) : 0;
  if (keyCount < 1) {
    replyError(errors.NUMKEYS_NOT_POSITIVE);
    return;
  }
  if (keyCount > args.count - 2) {
    replyError(errors.NUMKEYS_TOO_LARGE);
    return;
  }
  const limit = readLimit(2 + keyCount);
  if (limit < 0) return;
  const found = readSets(client, 2, 2 + keyCount);
  if (found === null) return;
  const ordered = bySize(found);
  let count = 0;
  if (ordered !== null) {
    cursor.open(ordered[0]!);
    while (nextCommon(ordered) && ++count !== limit) {}
  }
  reply.integer(count);
}

/** SINTERCARD's options from argument i on: the limit, 0 for none, or -1 when an error was replied. */
function readLimit(first: number): number {
  let limit = 0;
  for (let i = first; i < args.count; i += 2) {
    if (!args.equals(i, 'limit') || i + 1 === args.count) {
      replyError(errors.SYNTAX_ERROR);
      return -1;
    }
    const isInteger = parseInt64(args.buffer, args.offsets[i + 1]!, args.lengths[i + 1]!);
    if (!isInteger || int64.hi < 0) {
      replyError(errors.LIMIT_NEGATIVE);
      return -1;
    }
    limit = int64ToNumber(int64.hi, int64.lo);
  }
  return limit;
}

// --- unions --------------------------------------------------------------------------------------

/** SUNION key [key ...] */
export function sunion(client: Client): void {
  const found = readSets(client, 1, args.count);
  if (found === null) return;
  const result = unite(found);
  if (result !== NULL_REF) replyAndFree(result);
}

/** SUNIONSTORE destination key [key ...] */
export function sunionstore(client: Client): void {
  const found = readSets(client, 2, args.count);
  if (found === null) return;
  const result = unite(found);
  if (result !== NULL_REF) store(client, result);
}

/** The union as a new set; NULL_REF: no memory, which was replied. */
function unite(found: readonly Ref[]): Ref {
  const result = newSet(DESTINATION);
  if (result !== NULL_REF && found.every((ref) => ref === NULL_REF || addAll(result, ref))) {
    return result;
  }
  giveUp(result);
  return NULL_REF;
}

// --- differences ---------------------------------------------------------------------------------

/** SDIFF key [key ...] */
export function sdiff(client: Client): void {
  const found = readSets(client, 1, args.count);
  if (found === null) return;
  if (isNothingLeft(found)) {
    reply.set(0);
    return;
  }
  if (!asksOthers(found)) {
    const result = subtract(found);
    if (result !== NULL_REF) replyAndFree(result);
    return;
  }
  const others = largestFirst(found);
  const mark = reply.deferSet();
  let count = 0;
  cursor.open(found[0]!);
  for (; nextOwn(others); count++) replyMember();
  reply.settle(mark, count);
}

/** SDIFFSTORE destination key [key ...] */
export function sdiffstore(client: Client): void {
  const found = readSets(client, 2, args.count);
  if (found === null) return;
  if (isNothingLeft(found)) {
    storeNothing(client);
    return;
  }
  const result = asksOthers(found) ? collectOwn(found) : subtract(found);
  if (result !== NULL_REF) store(client, result);
}

/** Whether the first set is empty, or is among the others. */
function isNothingLeft(found: readonly Ref[]): boolean {
  return found[0] === NULL_REF || found.indexOf(found[0]!, 1) > 0;
}

/** Whether asking the others is less work than removing their members. */
function asksOthers(found: readonly Ref[]): boolean {
  const first = setCount(found[0]!);
  let asked = 0;
  let removed = 0;
  for (const ref of found) {
    if (ref === NULL_REF) continue;
    asked += first;
    removed += setCount(ref);
  }
  return Math.floor(asked / 2) <= removed;
}

function largestFirst(found: readonly Ref[]): Ref[] {
  const others = found.slice(1).filter((ref) => ref !== NULL_REF);
  return others.sort((a, b) => setCount(b) - setCount(a));
}

/** Goes to the next member of the first set, under the cursor, that no other has. */
function nextOwn(others: readonly Ref[]): boolean {
  while (cursor.next()) {
    takeFromCursor(cursor);
    let i = 0;
    while (i < others.length && !hasMember(others[i]!)) i++;
    if (i === others.length) return true;
  }
  return false;
}

/** The difference as a new set, by asking; NULL_REF: no memory, which was replied. */
function collectOwn(found: readonly Ref[]): Ref {
  const others = largestFirst(found);
  const result = newSet(DESTINATION);
  if (result !== NULL_REF) {
    let isFull = false;
    cursor.open(found[0]!);
    while (!isFull && nextOwn(others)) isFull = addMember(result) === NO_MEMORY;
    if (!isFull) return result;
  }
  giveUp(result);
  return NULL_REF;
}

/** The difference as a new set, by removing; NULL_REF: no memory, which was replied. */
function subtract(found: readonly Ref[]): Ref {
  const result = newSet(DESTINATION);
  if (result === NULL_REF || !addAll(result, found[0]!)) {
    giveUp(result);
    return NULL_REF;
  }
  for (let i = 1; i < found.length && setCount(result) > 0; i++) {
    if (found[i] === NULL_REF) continue;
    cursor.open(found[i]!);
    while (setCount(result) > 0 && cursor.next()) {
      takeFromCursor(cursor);
      removeMember(result);
    }
  }
  return result;
}
