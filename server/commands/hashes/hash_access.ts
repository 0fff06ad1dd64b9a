// How the commands on hashes reach theirs: looked up, of the right type, without fields that are due, and
// for a change writable; and what follows a change.
import { args } from '../../../protocol/arguments.js';
import { reply } from '../../../protocol/reply_writer.js';
import { freeEntry } from '../../../storage/keyspace/entries.js';
import { addEntry, deleteEntry, withoutDueFields } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { headerOf, TYPE_HASH } from '../../../storage/structures/entry.js';
import { writableEntry } from '../../../storage/structures/entry_table.js';
import { createHash, hashLimits, isEmptyHash, isHashTable } from '../../../storage/values/hash.js';
import type { Client } from '../../client.js';
import { elementsChanged } from '../../effects.js';
import { runtime } from '../../runtime.js';
import { replyEmptyScan } from '../keys/iteration.js';
import { expectType, readKey, replyOutOfMemory, writeKey } from '../keys/keys_access.js';

/** What the commands on the expiry of fields reply for a field that is not there. */
export const NO_FIELD = -2;

const config = runtime.config;

/** What a command replies when the key is not there. */
export const MISSING_ZERO = 0;
export const MISSING_NULL = 1;
export const MISSING_ARRAY = 2;
export const MISSING_MAP = 3;
export const MISSING_SCAN = 4;
/** A null for each argument from 2 on. */
export const MISSING_NULLS = 5;
/** -2 for each field named behind FIELDS and their number, the last arguments. */
export const MISSING_FIELDS = 6;

/** The hash at the key in argument 1 for reading; NULL_REF: `missing` or an error was replied. */
export function readHash(client: Client, missing: number): Ref {
  const ref = readKey(client, 1);
  return ref === NULL_REF ? replyMissing(missing) : checkHash(client, ref, missing);
}

/** readHash() for a command that only takes away from the hash. */
export function changeHash(client: Client, missing: number): Ref {
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) return replyMissing(missing);
  const checked = checkHash(client, ref, missing);
  return checked === NULL_REF ? NULL_REF : writableHash(client, checked);
}

function checkHash(client: Client, ref: Ref, missing: number): Ref {
  if (!expectType(ref, TYPE_HASH)) return NULL_REF;
  if (!isHashTable(headerOf(ref))) return ref;
  const left = withoutDueFields(client.database, ref);
  return left === NULL_REF ? replyMissing(missing) : left;
}

function replyMissing(missing: number): Ref {
  if (missing === MISSING_ZERO) reply.integer(0);
  else if (missing === MISSING_NULL) reply.null();
  else if (missing === MISSING_ARRAY) reply.emptyArray();
  else if (missing === MISSING_MAP) reply.map(0);
  else if (missing === MISSING_SCAN) replyEmptyScan();
  else if (missing === MISSING_NULLS) replyNulls();
  else replyNoFields();
  return NULL_REF;
}

function replyNulls(): void {
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) reply.null();
}

/** The commands with FIELDS have one argument of their own before it, or two, or three. */
function replyNoFields(): void {
  let first = 2;
  while (!args.equals(first, 'fields')) first++;
  const fields = args.count - first - 2;
  reply.array(fields);
  for (let i = 0; i < fields; i++) reply.integer(NO_FIELD);
}

/** A table is changed in its root block, a packed hash in the entry too. */
export function writableHash(client: Client, ref: Ref): Ref {
  return isHashTable(headerOf(ref)) ? ref : writableEntry(client.database, ref);
}

// --- hashes that are made when they are not there --------------------------------------------------

/** Whether the hash that openHash() gave is new, and in no database yet. */
let isNew = false;

/**
 * The hash at the key in argument 1, for fields to be set; a new one when there is none. closeHash() or
 * abandonHash() must follow. NULL_REF: an error was replied.
 */
export function openHash(client: Client): Ref {
  hashLimits.entriesMax = config.hashMaxListpackEntries;
  hashLimits.valueBytesMax = config.hashMaxListpackValue;
  isNew = false;
  const ref = writeKey(client, 1);
  if (ref !== NULL_REF) {
    if (!expectType(ref, TYPE_HASH)) return NULL_REF;
    const left = withoutDueFields(client.database, ref);
    if (left !== NULL_REF) return writableHash(client, left);
  }
  isNew = true;
  const created = createHash(args.buffer, args.offsets[1]!, args.lengths[1]!);
  if (created === NULL_REF) replyOutOfMemory();
  return created;
}

/** Ends a change in which `fields` fields were set. False: out of memory was replied. */
export function closeHash(client: Client, ref: Ref, fields: number): boolean {
  if (isNew && !addEntry(client.database, ref)) {
    replyOutOfMemory();
    return false;
  }
  elementsChanged(client.databaseIndex, 1, fields);
  return true;
}

/** Ends a change that failed after `fields` fields were set: these stay, but a new hash is not made. */
export function abandonHash(client: Client, ref: Ref, fields: number): void {
  if (isNew) freeEntry(ref);
  else if (fields > 0) elementsChanged(client.databaseIndex, 1, fields);
}

/** Ends a change that took `fields` fields away; the key goes with the last one. */
export function closeShrunk(client: Client, ref: Ref, fields: number): void {
  if (isEmptyHash(ref)) deleteEntry(client.database, ref);
  if (fields === 0) return;
  elementsChanged(client.databaseIndex, 1, fields);
}
