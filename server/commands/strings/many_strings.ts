// Handlers of the commands on several strings at once. MSET and MSETNX are all or nothing, also when
// the arena is full. With room to spare they are just so many SETs. Else every new entry is made
// first, then the keys that are new are inserted, which can be undone, then the others get their new
// entries, which cannot fail.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { freeEntry } from '../../../storage/keyspace/entries.js';
import { addEntry, deleteEntry, setEntry } from '../../../storage/keyspace/keyspace.js';
import { EXPIRY_CLEAR } from '../../../storage/keyspace/string_keys.js';
import { freeExtentCount } from '../../../storage/memory/extents.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { headerOf, TYPE_MASK, TYPE_STRING } from '../../../storage/structures/entry.js';
import type { Client } from '../../client.js';
import { keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import {
  lookAheadKeys,
  lookupArgument,
  readKey,
  replyOutOfMemory,
  writeKey,
} from '../keys/keys_access.js';
import { createArgument, putArgument, replyString } from './string_value.js';

/** MGET key [key ...]. A key of another type counts as absent. */
export function mget(client: Client): void {
  reply.array(args.count - 1);
  for (let i = 1; i < args.count; i++) {
    lookAheadKeys(client, i, 1);
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
  if (!(hasRoomToSpare() ? putAll(client) : replaceAll(client))) {
    replyOutOfMemory();
    return false;
  }
  for (let i = 1; i < args.count; i += 2) keyChanged(client.databaseIndex, i);
  return true;
}

/**
 * With so many free extents a request of so many arguments and bytes cannot fail: it takes an extent
 * for each class of slots at most, one or two for its bytes, and as many for the segments of the hash
 * table that split.
 */
const FREE_EXTENTS_MIN = 128;
const ARGUMENTS_MAX = 1024;
const BYTES_MAX = 1024 * 1024;

function hasRoomToSpare(): boolean {
  const { count, offsets, lengths } = args;
  return (
    freeExtentCount() >= FREE_EXTENTS_MIN &&
    count <= ARGUMENTS_MAX &&
    offsets[count - 1]! + lengths[count - 1]! - offsets[0]! <= BYTES_MAX
  );
}

function putAll(client: Client): boolean {
  for (let i = 1; i < args.count; i += 2) {
    lookAheadKeys(client, i, 2);
    if (!putArgument(client.database, i, i + 1, EXPIRY_CLEAR)) return false;
  }
  return true;
}

/** False: the arena is full, and nothing has changed. */
function replaceAll(client: Client): boolean {
  const staged = stageAll();
  if (staged === null || !insertAbsent(client, staged)) return false;
  for (const ref of staged) {
    if (ref !== NULL_REF && !setEntry(client.database, ref)) {
      throw new Error('an entry without expiry takes the place of another without memory');
    }
  }
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
    if (lookupArgument(client.database, 1 + 2 * pair) !== NULL_REF) continue;
    const inserted = addEntry(client.database, staged[pair]!);
    staged[pair] = NULL_REF;
    if (inserted) continue;
    for (let before = 0; before < pair; before++) {
      if (staged[before] === NULL_REF) {
        deleteEntry(client.database, lookupArgument(client.database, 1 + 2 * before));
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
