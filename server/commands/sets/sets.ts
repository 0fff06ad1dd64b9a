// SADD, SREM, SMOVE, SISMEMBER, SMISMEMBER, SCARD and SMEMBERS.
import { args } from '../../../protocol/arguments.js';
import { reply } from '../../../protocol/reply_writer.js';
import { freeEntry } from '../../../storage/keyspace/entries.js';
import { addEntry, deleteEntry } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { TYPE_SET } from '../../../storage/structures/entry.js';
import { writableEntry } from '../../../storage/structures/entry_table.js';
import {
  ADDED,
  createSet,
  expectMembers,
  NO_MEMORY,
  SetCursor,
  setCount,
  setTable,
} from '../../../storage/values/set.js';
import type { Client } from '../../client.js';
import { elementsChanged, keyChanged } from '../../effects.js';
import { expectType, readKey, replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import { addMember, hasMember, removeMember, replyMembers, takeArgument } from './set_value.js';

const ADDED_KEPT_MAX = 1024;

/** Many members come one after the other without this, and perhaps one comes again and again. */
const EXPECTED_MAX = 64;

const cursor = new SetCursor();

/** Arguments that the running command has added so far: taken back when the arena is full. */
let added = new Int32Array(ADDED_KEPT_MAX);

/** The entry of a set such that its body may be changed; that of a table does not change. */
export function writableSet(client: Client, ref: Ref): Ref {
  return setTable(ref) === NULL_REF ? writableEntry(client.database, ref) : ref;
}

/** A new empty set, not in the database yet, for the key in argument `key`; NULL_REF: no memory. */
export function newSet(key: number): Ref {
  return createSet(args.buffer, args.offsets[key]!, args.lengths[key]!);
}

/** SADD key member [member ...] */
export function sadd(client: Client): void {
  const ref = writeKey(client, 1);
  if (ref !== NULL_REF && !expectType(ref, TYPE_SET)) return;
  const count = ref === NULL_REF ? addToNew(client) : addArguments(writableSet(client, ref));
  if (count < 0) {
    replyOutOfMemory();
    return;
  }
  if (count > 0) elementsChanged(client.databaseIndex, 1, count);
  reply.integer(count);
}

/** addArguments() to a new set. */
function addToNew(client: Client): number {
  const ref = newSet(1);
  if (ref === NULL_REF) return -1;
  const count = addArguments(ref);
  if (count < 0) {
    freeEntry(ref);
    return -1;
  }
  return addEntry(client.database, ref) ? count : -1;
}

/** Adds arguments 2 and on. Returns how many were not there; -1: the arena is full, nothing has changed. */
function addArguments(ref: Ref): number {
  let count = 0;
  if (args.count > 3) expectMembers(Math.min(setCount(ref) + args.count - 2, EXPECTED_MAX));
  for (let i = 2; i < args.count; i++) {
    takeArgument(i);
    const outcome = addMember(ref);
    if (outcome === NO_MEMORY) {
      for (let k = 0; k < count; k++) {
        takeArgument(added[k]!);
        removeMember(ref);
      }
      count = -1;
      break;
    }
    if (outcome === ADDED) noteAdded(count++, i);
  }
  expectMembers(0);
  if (added.length > ADDED_KEPT_MAX) added = new Int32Array(ADDED_KEPT_MAX);
  return count;
}

function noteAdded(index: number, argument: number): void {
  if (index === added.length) {
    const grown = new Int32Array(2 * index);
    grown.set(added);
    added = grown;
  }
  added[index] = argument;
}

/** SREM key member [member ...] */
export function srem(client: Client): void {
  const found = writeKey(client, 1);
  if (found === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectType(found, TYPE_SET)) return;
  const ref = writableSet(client, found);
  let removed = 0;
  for (let i = 2; i < args.count && setCount(ref) > 0; i++) {
    takeArgument(i);
    if (removeMember(ref)) removed++;
  }
  if (removed > 0) {
    deleteIfEmpty(client, ref);
    elementsChanged(client.databaseIndex, 1, removed);
  }
  reply.integer(removed);
}

/** Deletes the key of a set that has lost its last member. */
export function deleteIfEmpty(client: Client, ref: Ref): void {
  if (setCount(ref) === 0) deleteEntry(client.database, ref);
}

/** SMOVE source destination member */
export function smove(client: Client): void {
  // If the second look-up deletes its key, the first one's Ref is not needed.
  const target = writeKey(client, 2);
  const source = writeKey(client, 1);
  if (source === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectType(source, TYPE_SET)) return;
  if (target !== NULL_REF && !expectType(target, TYPE_SET)) return;
  takeArgument(3);
  if (!hasMember(source) || source === target) {
    reply.integer(source === target && hasMember(source) ? 1 : 0);
    return;
  }
  const outcome = target === NULL_REF ? addMoved(client) : addMember(writableSet(client, target));
  if (outcome === NO_MEMORY) {
    replyOutOfMemory();
    return;
  }
  const left = writableSet(client, source);
  removeMember(left);
  deleteIfEmpty(client, left);
  keyChanged(client.databaseIndex, 1);
  if (outcome === ADDED) keyChanged(client.databaseIndex, 2);
  reply.integer(1);
}

/** Makes a set of the member at hand for the key in argument 2. */
function addMoved(client: Client): number {
  const ref = newSet(2);
  if (ref === NULL_REF) return NO_MEMORY;
  if (addMember(ref) === NO_MEMORY) {
    freeEntry(ref);
    return NO_MEMORY;
  }
  return addEntry(client.database, ref) ? ADDED : NO_MEMORY;
}

/** SISMEMBER key member */
export function sismember(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectType(ref, TYPE_SET)) return;
  takeArgument(2);
  reply.integer(hasMember(ref) ? 1 : 0);
}

/** SMISMEMBER key member [member ...] */
export function smismember(client: Client): void {
  const ref = readKey(client, 1);
  if (ref !== NULL_REF && !expectType(ref, TYPE_SET)) return;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    takeArgument(i);
    reply.integer(ref !== NULL_REF && hasMember(ref) ? 1 : 0);
  }
}

/** SCARD key */
export function scard(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.integer(0);
  else if (expectType(ref, TYPE_SET)) reply.integer(setCount(ref));
}

/** SMEMBERS key */
export function smembers(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.set(0);
    return;
  }
  if (!expectType(ref, TYPE_SET)) return;
  reply.set(setCount(ref));
  replyMembers(ref, cursor);
}
