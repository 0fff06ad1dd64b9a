// How handlers reach a key: look-ups by argument number, with hits and misses counted and types
// checked. Every family of commands stands on these.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { lookup, lookupTouch } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import {
  headerOf,
  TYPE_MASK,
  TYPE_SORTED_SET,
  TYPE_STRING,
} from '../../../storage/structures/entry.js';
import { AHEAD_MAX } from '../../../storage/structures/key_hash.js';
import { addAhead, beginAhead, lookAhead } from '../../../storage/structures/look_ahead.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { stats } from '../../stats.js';

/** The entry of the key in argument i for reading, or NULL_REF. Counts a hit or a miss. */
export function readKey(client: Client, i: number): Ref {
  const ref = lookupTouch(client.database, args.buffer, args.offsets[i]!, args.lengths[i]!);
  if (ref === NULL_REF) stats.keyspaceMisses++;
  else stats.keyspaceHits++;
  return ref;
}

/** The entry of the key in argument i for a write, or NULL_REF. */
export function writeKey(client: Client, i: number): Ref {
  return lookupTouch(client.database, args.buffer, args.offsets[i]!, args.lengths[i]!);
}

/** readKey() that does not note the access: OBJECT, TTL, EXISTS and the like. */
export function peekKey(client: Client, i: number): Ref {
  const ref = lookupArgument(client.database, i);
  if (ref === NULL_REF) stats.keyspaceMisses++;
  else stats.keyspaceHits++;
  return ref;
}

/** The entry of the key in argument i of any database, or NULL_REF; nothing is noted or counted. */
export function lookupArgument(database: Ref, i: number): Ref {
  return lookup(database, args.buffer, args.offsets[i]!, args.lengths[i]!);
}

/**
 * Looks ahead for keys of a request that has several: arguments i, i + step, ... Call it for each of them:
 * it looks when i is the first of a group.
 */
export function lookAheadKeys(client: Client, i: number, step: number): void {
  const { count, offsets, lengths } = args;
  if ((i - 1) % (AHEAD_MAX * step) !== 0 || i + step >= count) return;
  beginAhead(args.buffer);
  for (let j = i; j < count && addAhead(offsets[j]!, lengths[j]!); j += step);
  lookAhead(client.database);
}

/** True when the entry is of a type (TYPE_HASH ...); else replies WRONGTYPE. */
export function expectType(ref: Ref, type: number): boolean {
  if ((headerOf(ref) & TYPE_MASK) === type) return true;
  replyError(errors.WRONG_TYPE);
  return false;
}

/** True when the entry is a string; else replies WRONGTYPE. */
export function expectString(ref: Ref): boolean {
  return expectType(ref, TYPE_STRING);
}

/** True when the entry is a sorted set; else replies WRONGTYPE. */
export function expectSortedSet(ref: Ref): boolean {
  return expectType(ref, TYPE_SORTED_SET);
}

/** The arena is full: the reply is Redis's out-of-memory error. */
export function replyOutOfMemory(): void {
  replyError(errors.OUT_OF_MEMORY);
}
