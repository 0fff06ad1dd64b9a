// Handlers of the commands on keys of any type: whether they are there, their names, copies.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import {
  copyEntry,
  deleteExpiredEntry,
  deleteKey,
  moveEntry,
} from '../../../storage/keyspace/keyspace.js';
import { databaseRoot, NULL_REF } from '../../../storage/memory/layout.js';
import { isExpired } from '../../../storage/structures/entries.js';
import { headerOf, locateKey, span, TYPE_MASK } from '../../../storage/structures/entry.js';
import { randomEntry } from '../../../storage/structures/random_entry.js';
import { typeNames } from '../../../storage/values/value_types.js';
import type { Client } from '../../client.js';
import { alsoChanged, keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { readDatabaseIndex } from './database_index.js';
import { randomWord } from './iteration.js';
import {
  lookAheadKeys,
  lookupArgument,
  peekKey,
  readKey,
  replyOutOfMemory,
  writeKey,
} from './keys_access.js';

/** DEL and UNLINK: a large value is freed in steps, whichever it was (storage/values/retired.ts). */
export function del(client: Client): void {
  let deleted = 0;
  for (let i = 1; i < args.count; i++) {
    lookAheadKeys(client, i, 1);
    if (!deleteKey(client.database, args.buffer, args.offsets[i]!, args.lengths[i]!)) continue;
    keyChanged(client.databaseIndex, i);
    deleted++;
  }
  reply.integer(deleted);
}

/** EXISTS counts a key as often as it is named. */
export function exists(client: Client): void {
  let found = 0;
  for (let i = 1; i < args.count; i++) {
    lookAheadKeys(client, i, 1);
    if (peekKey(client, i) !== NULL_REF) found++;
  }
  reply.integer(found);
}

export function touch(client: Client): void {
  let found = 0;
  for (let i = 1; i < args.count; i++) {
    lookAheadKeys(client, i, 1);
    if (readKey(client, i) !== NULL_REF) found++;
  }
  reply.integer(found);
}

export function type(client: Client): void {
  const ref = peekKey(client, 1);
  reply.simple(ref === NULL_REF ? 'none' : typeNames[headerOf(ref) & TYPE_MASK]!);
}

/** Expired keys that the dice fall on are deleted, so the search ends. */
export function randomkey(client: Client): void {
  for (;;) {
    const ref = randomEntry(client.database, randomWord);
    if (ref === NULL_REF) {
      reply.null();
      return;
    }
    if (!isExpired(ref, headerOf(ref))) {
      locateKey(ref);
      reply.bulk(span.view, span.offset, span.length);
      return;
    }
    deleteExpiredEntry(client.database, ref);
  }
}

export function rename(client: Client): void {
  renameKey(client, false);
}

export function renamenx(client: Client): void {
  renameKey(client, true);
}

function renameKey(client: Client, onlyIfAbsent: boolean): void {
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) {
    replyError(errors.NO_SUCH_KEY);
    return;
  }
  const { buffer, offsets, lengths } = args;
  const same = args.same(1, 2);
  if (onlyIfAbsent && (same || lookupArgument(client.database, 2) !== NULL_REF)) {
    reply.integer(0);
    return;
  }
  if (!same) {
    const { database, databaseIndex } = client;
    if (!moveEntry(database, ref, database, buffer, offsets[2]!, lengths[2]!)) {
      replyOutOfMemory();
      return;
    }
    keyChanged(databaseIndex, 1);
    alsoChanged(databaseIndex, 2);
  }
  if (onlyIfAbsent) reply.integer(1);
  else reply.ok();
}

/** MOVE key db */
export function move(client: Client): void {
  const index = readDatabaseIndex(2);
  if (index < 0) return;
  if (index === client.databaseIndex) {
    replyError(errors.SAME_OBJECT);
    return;
  }
  const target = databaseRoot(index);
  const ref = writeKey(client, 1);
  if (ref === NULL_REF || lookupArgument(target, 1) !== NULL_REF) {
    reply.integer(0);
    return;
  }
  const { buffer, offsets, lengths } = args;
  if (!moveEntry(client.database, ref, target, buffer, offsets[1]!, lengths[1]!)) {
    replyOutOfMemory();
    return;
  }
  keyChanged(client.databaseIndex, 1);
  alsoChanged(index, 1);
  reply.integer(1);
}

/** COPY source destination [DB index] [REPLACE] */
export function copy(client: Client): void {
  let index = client.databaseIndex;
  let replace = false;
  for (let i = 3; i < args.count; i++) {
    if (args.equals(i, 'replace')) {
      replace = true;
    } else if (args.equals(i, 'db') && i + 1 < args.count) {
      index = readDatabaseIndex(++i);
      if (index < 0) return;
    } else {
      replyError(errors.SYNTAX_ERROR);
      return;
    }
  }
  if (index === client.databaseIndex && args.same(1, 2)) {
    replyError(errors.SAME_OBJECT);
    return;
  }
  const target = databaseRoot(index);
  const ref = readKey(client, 1);
  if (ref === NULL_REF || (lookupArgument(target, 2) !== NULL_REF && !replace)) {
    reply.integer(0);
    return;
  }
  if (!copyEntry(ref, target, args.buffer, args.offsets[2]!, args.lengths[2]!)) {
    replyOutOfMemory();
    return;
  }
  keyChanged(index, 2);
  reply.integer(1);
}
