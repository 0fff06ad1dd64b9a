// Handlers of the commands on several strings at once. MSET and MSETNX are all or nothing, also when
// the arena is full: first every new entry is made, then the keys that are new are inserted, which
// can be undone, then the others get their new entries, which cannot fail.
import { args } from '../../protocol/arguments.js';
import * as errors from '../../protocol/error_replies.js';
import { reply } from '../../protocol/reply_writer.js';
import { freeEntry } from '../../storage/keyspace/entries.js';
import { addEntry, deleteEntry, setEntry } from '../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../storage/memory/layout.js';
import { headerOf, TYPE_MASK, TYPE_STRING } from '../../storage/structures/entry.js';
import type { Client } from '../client.js';
import { keyChanged } from '../effects.js';
import { replyError } from '../reply_error.js';
import { peekKey, readKey, replyOutOfMemory, writeKey } from './keys_access.js';
import { createArgument, replyString } from './string_value.js';

/** MGET key [key ...]. A key of another type counts as absent. */
export function mget(client: Client): void {
  reply.array(args.count - 1);
  for (let i = 1; i < args.count; i++) {
    const ref = readKey(client, i);
    if (ref !== NULL_REF && (headerOf(ref) & TYPE_MASK) === TYPE_STRING) replyString(ref);
    else reply.null();
  }
}

/** MSET key value [key value ...] */
export function mset(client: Client): void {
  if (isPaired('mset') && setAll(client)) reply.ok();
}

/** MSETNX key value [key value ...] */
export function msetnx(client: Client): void {
  if (!isPaired('msetnx')) return;
  for (let i = 1; i < args.count; i += 2) {
    if (writeKey(client, i) !== NULL_REF) {
      reply.integer(0);
      return;
    }
  }
  if (setAll(client)) reply.integer(1);
}

/** Whether every key has a value; else an error is replied. */
function isPaired(command: string): boolean {
  if (args.count % 2 === 1) return true;
  replyError(errors.wrongArity(command));
  return false;
}

/** Sets all pairs of the request. False: out of memory was replied, and nothing has changed. */
function setAll(client: Client): boolean {
  const staged = stageAll();
  if (staged === null || !insertAbsent(client, staged)) {
    replyOutOfMemory();
    return false;
  }
  for (const ref of staged) {
    if (ref !== NULL_REF && !setEntry(client.database, ref)) {
      throw new Error('an entry without expiry takes the place of another without memory');
    }
  }
  for (let i = 1; i < args.count; i += 2) keyChanged(client.databaseIndex, i);
  return true;
}

/** A new entry for each pair; null: the arena is full. */
function stageAll(): Ref[] | null {
  const staged: Ref[] = [];
  for (let i = 1; i < args.count; i += 2) {
    const ref = createArgument(i, i + 1);
    if (ref === NULL_REF) {
      freeAll(staged);
      return null;
    }
    staged.push(ref);
  }
  return staged;
}

/**
 * Inserts the entries whose keys are not there yet; their places in `staged` become NULL_REF. False:
 * the arena is full, and all is as it was, with the staged entries freed.
 */
function insertAbsent(client: Client, staged: Ref[]): boolean {
  for (let pair = 0; pair < staged.length; pair++) {
    if (peekKey(client, 1 + 2 * pair) !== NULL_REF) continue;
    const inserted = addEntry(client.database, staged[pair]!);
    staged[pair] = NULL_REF;
    if (inserted) continue;
    for (let before = 0; before < pair; before++) {
      if (staged[before] === NULL_REF) {
        deleteEntry(client.database, peekKey(client, 1 + 2 * before));
      }
    }
    freeAll(staged);
    return false;
  }
  return true;
}

function freeAll(staged: readonly Ref[]): void {
  for (const ref of staged) if (ref !== NULL_REF) freeEntry(ref);
}
