// Handlers of the commands on whole databases.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { databaseCount, flushHeap } from '../../../storage/heap.js';
import {
  flushDatabase,
  keyCount,
  lookup,
  swapDatabases,
} from '../../../storage/keyspace/keyspace.js';
import { databaseRoot, NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { saveSoon } from '../../checkpoints.js';
import type { Client } from '../../client.js';
import { changes, databaseChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { readDatabaseIndex, readInt32 } from './database_index.js';

export function select(client: Client): void {
  const index = readDatabaseIndex(1);
  if (index < 0) return;
  client.selectDatabase(index);
  reply.ok();
}

/** As in Redis, expired keys that nothing has met yet are counted. */
export function dbsize(client: Client): void {
  reply.integer(keyCount(client.database));
}

/** SWAPDB first second */
export function swapdb(_client: Client): void {
  const first = readInt32(1);
  if (Number.isNaN(first)) {
    replyError(errors.FIRST_DB_INVALID);
    return;
  }
  const second = readInt32(2);
  if (Number.isNaN(second)) {
    replyError(errors.SECOND_DB_INVALID);
    return;
  }
  if (Math.min(first, second) < 0 || Math.max(first, second) >= databaseCount()) {
    replyError(errors.DB_INDEX_OUT_OF_RANGE);
    return;
  }
  if (first !== second) {
    const a = databaseRoot(first);
    const b = databaseRoot(second);
    const inEither = (key: string): boolean => holds(a, key) || holds(b, key);
    databaseChanged(first, inEither);
    databaseChanged(second, inEither);
    swapDatabases(a, b);
  }
  changes.sinceLastSave++;
  reply.ok();
}

/** Whether a database holds a key, given as latin1. */
function holds(database: Ref, key: string): boolean {
  const bytes = new Uint8Array(Buffer.from(key, 'latin1'));
  return lookup(database, bytes, 0, bytes.length) !== NULL_REF;
}

/** FLUSHDB [ASYNC | SYNC] */
export function flushdb(client: Client): void {
  if (!acceptFlushMode()) return;
  const { database, databaseIndex } = client;
  databaseChanged(databaseIndex, (key) => holds(database, key));
  changes.sinceLastSave += keyCount(database);
  // The last database with keys takes all extents with it: no walk over its entries is needed.
  if (isOnlyUsed(databaseIndex)) flushHeap();
  else flushDatabase(database);
  reply.ok();
}

/** FLUSHALL [ASYNC | SYNC]: takes the same short time for any number of keys. */
export function flushall(_client: Client): void {
  if (!acceptFlushMode()) return;
  for (let i = 0; i < databaseCount(); i++) {
    const database = databaseRoot(i);
    databaseChanged(i, (key) => holds(database, key));
    changes.sinceLastSave += keyCount(database);
  }
  flushHeap();
  saveSoon();
  reply.ok();
}

/** Both modes are taken and do the same. False: an error was replied. */
function acceptFlushMode(): boolean {
  if (args.count === 1) return true;
  if (args.count === 2 && (args.equals(1, 'async') || args.equals(1, 'sync'))) return true;
  replyError(errors.SYNTAX_ERROR);
  return false;
}

function isOnlyUsed(index: number): boolean {
  for (let i = 0; i < databaseCount(); i++) {
    if (i !== index && keyCount(databaseRoot(i)) > 0) return false;
  }
  return true;
}
