// The subcommands of DEBUG that look into the data or make some: OBJECT, HTSTATS, HTSTATS-KEY,
// POPULATE, RELOAD, VERIFY.
import { Buffer } from 'node:buffer';
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { parseInteger } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { reloadHeap } from '../../../storage/checkpoint/recovery.js';
import { waitForCheckpoint } from '../../../storage/checkpoint/run.js';
import { verifyHeap } from '../../../storage/checkpoint/verify.js';
import { databaseCount } from '../../../storage/heap.js';
import { entryMemory } from '../../../storage/keyspace/entries.js';
import { lookup } from '../../../storage/keyspace/keyspace.js';
import { EXPIRY_CLEAR, putString } from '../../../storage/keyspace/string_keys.js';
import { databaseRoot, NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { ACCESS_CLOCK_MASK, clock } from '../../../storage/structures/clock.js';
import {
  ACCESS_SHIFT,
  headerOf,
  TYPE_HASH,
  TYPE_MASK,
  TYPE_SET,
  TYPE_STRING,
} from '../../../storage/structures/entry.js';
import { expiresCount } from '../../../storage/structures/expiry_index.js';
import { BUCKET_SLOTS, BUCKETS, tableCount } from '../../../storage/structures/hash_table.js';
import { forEachSegment } from '../../../storage/structures/table_walk.js';
import { hashTable, isHashTable } from '../../../storage/values/hash.js';
import { isIntegerSet, setCount, setTable } from '../../../storage/values/set.js';
import { saveNow } from '../../checkpoints.js';
import type { Client } from '../../client.js';
import { databaseChanged, namedKeyChanged } from '../../effects.js';
import { randomWord } from '../../random.js';
import { replyError } from '../../reply_error.js';
import { runtime } from '../../runtime.js';
import { lookupArgument, replyOutOfMemory } from '../keys/keys_access.js';
import { encodingName } from '../keys/object.js';
import { textLength } from '../strings/string_value.js';

/** DEBUG OBJECT key */
export function debugObject(client: Client): void {
  const ref = lookupArgument(client.database, 2);
  if (ref === NULL_REF) {
    replyError(errors.NO_SUCH_KEY);
    return;
  }
  const accessed = headerOf(ref) >>> ACCESS_SHIFT;
  const idleSeconds = (clock.accessSeconds - accessed) & ACCESS_CLOCK_MASK;
  const isString = (headerOf(ref) & TYPE_MASK) === TYPE_STRING;
  const bytes = isString ? textLength(ref) : entryMemory(ref);
  reply.simple(
    `Value at:0x${((ref >>> 0) * 16).toString(16)} refcount:1 encoding:${encodingName(ref)} ` +
      `serializedlength:${bytes} lru:${accessed} lru_seconds_idle:${idleSeconds}`,
  );
}

/** DEBUG HTSTATS dbid */
export function debugTableStats(): void {
  const index = parseInteger(args.buffer, args.offsets[2]!, args.lengths[2]!);
  if (Number.isNaN(index)) {
    replyError(errors.NOT_AN_INTEGER);
  } else if (index < 0 || index >= databaseCount()) {
    replyError(errors.DEBUG_DB_OUT_OF_RANGE);
  } else {
    const database = databaseRoot(index);
    const expires = `[Expires]\n number of elements: ${expiresCount(database)}\n`;
    reply.verbatim(`[Dictionary HT]\n${describeTable(database)}${expires}`, 'txt');
  }
}

function describeTable(table: Ref): string {
  let segments = 0;
  forEachSegment(table, () => segments++);
  const slots = segments * BUCKETS * BUCKET_SLOTS;
  const keys = tableCount(table);
  const fill = slots === 0 ? 0 : (keys / slots) * 100;
  return (
    ` segments: ${segments}\n table size: ${slots}\n number of elements: ${keys}\n` +
    ` slots in use: ${fill.toFixed(2)}%\n`
  );
}

/** DEBUG HTSTATS-KEY key: of a hash or a set that is large enough to be a table. */
export function debugKeyTableStats(client: Client): void {
  const ref = lookupArgument(client.database, 2);
  const type = ref === NULL_REF ? 0 : headerOf(ref) & TYPE_MASK;
  if (ref === NULL_REF) replyError(errors.NO_SUCH_KEY);
  else if (type === TYPE_SET && !isIntegerSet(ref)) reply.verbatim(describeSet(ref), 'txt');
  else if (type !== TYPE_HASH || !isHashTable(headerOf(ref))) replyError(errors.DEBUG_NOT_A_TABLE);
  else reply.verbatim(describeTable(hashTable(ref, headerOf(ref))), 'txt');
}

/** A set that is not a table yet has no segments. */
function describeSet(ref: Ref): string {
  const table = setTable(ref);
  if (table !== NULL_REF) return describeTable(table);
  return ` segments: 0\n table size: 0\n number of elements: ${setCount(ref)}\n`;
}

/** DEBUG POPULATE count [prefix] [size]: keys `prefix:0` and up; those that are there stay. */
export function debugPopulate(client: Client): void {
  const count = readPositive(2);
  const size = args.count > 4 ? readPositive(4) : 0;
  if (count < 0 || size < 0) {
    replyError(errors.NOT_POSITIVE);
    return;
  }
  const prefix = args.count > 3 ? args.latin1(3) : 'key';
  const { database, databaseIndex } = client;
  for (let i = 0; i < count; i++) {
    const name = `${prefix}:${i}`;
    const key = new Uint8Array(Buffer.from(name, 'latin1'));
    if (lookup(database, key, 0, key.length) !== NULL_REF) continue;
    const value = sampleValue(i, size);
    if (!putString(database, key, 0, key.length, value, 0, value.length, EXPIRY_CLEAR)) {
      replyOutOfMemory();
      return;
    }
    namedKeyChanged(databaseIndex, name);
  }
  reply.ok();
}

/** Argument i as a number of at least 0, or -1. */
function readPositive(i: number): number {
  const value = parseInteger(args.buffer, args.offsets[i]!, args.lengths[i]!);
  return value >= 0 ? value : -1;
}

/** `value:i`, cut or filled with zero bytes to `size` bytes unless that is 0. */
function sampleValue(i: number, size: number): Uint8Array {
  const text = Buffer.from(`value:${i}`, 'latin1');
  const value = new Uint8Array(size === 0 ? text.length : size);
  value.set(text.subarray(0, value.length));
  return value;
}

/** DEBUG RELOAD [NOSAVE]: a checkpoint, and the data from it as after a restart; clients stay. */
export function debugReload(): void {
  let saves = true;
  for (let i = 2; i < args.count; i++) {
    if (!args.equals(i, 'nosave')) {
      replyError(reloadRefusal(i));
      return;
    }
    saves = false;
  }
  waitForCheckpoint();
  if (saves && !saveNow()) {
    replyError(errors.UNSPECIFIED);
    return;
  }
  const { config, log } = runtime;
  try {
    reloadHeap(config.dir, config.databases, randomWord);
    reply.ok();
  } catch (error) {
    log.warning(`DEBUG RELOAD: ${error instanceof Error ? error.message : String(error)}`);
    replyError(errors.RELOAD_FAILED);
  }
  for (let i = 0; i < databaseCount(); i++) databaseChanged(i, () => true);
}

/** A checkpoint is the whole heap, so it cannot be laid over data that stays. */
function reloadRefusal(i: number): string {
  const known = args.equals(i, 'merge') || args.equals(i, 'noflush');
  return known ? errors.RELOAD_MERGE : errors.RELOAD_OPTION;
}

/** DEBUG VERIFY: proves that every granule of the heap is owned once or free. Ours, for tests. */
export function debugVerify(): void {
  try {
    verifyHeap();
    reply.ok();
  } catch (error) {
    replyError(`ERR ${error instanceof Error ? error.message : String(error)}`);
  }
}
