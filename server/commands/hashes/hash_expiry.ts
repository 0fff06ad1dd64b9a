// Handlers of the commands on the expiry of hash fields, as Redis 7.4 has them: HEXPIRE and its kind, HTTL and
// its kind, HPERSIST. Each replies one number for each field it names.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { clearFieldExpiry, setFieldExpiry } from '../../../storage/keyspace/field_expiry.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { clock } from '../../../storage/structures/clock.js';
import { expiryMillis, loadExpiry, setExpiryMillis } from '../../../storage/structures/entries.js';
import { FLAG_EXPIRES, headerOf } from '../../../storage/structures/entry.js';
import {
  convertHash,
  deleteField,
  findField,
  hashTable,
  isHashTable,
  liveField,
} from '../../../storage/values/hash.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { replyOutOfMemory } from '../keys/keys_access.js';
import { changeHash, closeShrunk, MISSING_FIELDS, NO_FIELD, readHash } from './hash_access.js';

/** Replies for one field, beside NO_FIELD. */
const NO_EXPIRY = -1;
const NOT_SET = 0;
const SET = 1;
const DELETED = 2;

const SECONDS = 1000;
const MILLISECONDS = 1;
/** Later times are refused, as in Redis, which keeps them in 46 bits. */
const MILLIS_MAX = 2 ** 46 - 1;

/** What the request names: fields from argument `first` on; set by readFields(). */
let first = 0;

/**
 * Reads FIELDS count field ... at argument i. False: an error was replied. `notPositive` is what the command
 * says of a count below 1.
 */
function readFields(i: number, notPositive: string): boolean {
  if (i + 1 >= args.count || !args.equals(i, 'fields')) {
    replyError(errors.FIELDS_MISSING);
    return false;
  }
  const { buffer, offsets, lengths } = args;
  const isNumber = parseInt64(buffer, offsets[i + 1]!, lengths[i + 1]!);
  const count = isNumber ? int64ToNumber(int64.hi, int64.lo) : 0;
  if (count < 1) {
    replyError(notPositive);
    return false;
  }
  if (count !== args.count - i - 2) {
    replyError(errors.NUMFIELDS_MISMATCH);
    return false;
  }
  first = i + 2;
  return true;
}

// --- HEXPIRE and its kind ------------------------------------------------------------------------

/** HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...] */
export function hexpire(client: Client): void {
  expireFields(client, SECONDS, true, 'hexpire');
}
/** HPEXPIRE key milliseconds ... */
export function hpexpire(client: Client): void {
  expireFields(client, MILLISECONDS, true, 'hpexpire');
}
/** HEXPIREAT key unix-time-seconds ... */
export function hexpireat(client: Client): void {
  expireFields(client, SECONDS, false, 'hexpireat');
}
/** HPEXPIREAT key unix-time-milliseconds ... */
export function hpexpireat(client: Client): void {
  expireFields(client, MILLISECONDS, false, 'hpexpireat');
}

const CONDITIONS = ['nx', 'xx', 'gt', 'lt'] as const;
type Condition = (typeof CONDITIONS)[number] | null;

function expireFields(client: Client, unit: number, relative: boolean, command: string): void {
  const millis = readTime(unit, relative, command);
  if (millis < 0) return;
  const condition = CONDITIONS.find((word) => args.equals(3, word)) ?? null;
  if (!readFields(condition === null ? 3 : 4, errors.NUMFIELDS_NOT_POSITIVE)) return;
  const ref = changeHash(client, MISSING_FIELDS);
  if (ref === NULL_REF) return;
  const isPast = millis <= clock.nowMillis;
  const setsNone = isPast || condition === 'xx' || condition === 'gt';
  if (!isHashTable(headerOf(ref)) && !setsNone && hasAny(ref) && !convertHash(ref)) {
    replyOutOfMemory();
    return;
  }
  const mark = reply.deferArray();
  let changed = 0;
  for (let i = first; i < args.count; i++) {
    const done = expireField(client.database, ref, i, millis, isPast, condition);
    if (done === null) {
      reply.abandon();
      closeShrunk(client, ref, changed);
      replyOutOfMemory();
      return;
    }
    if (done > NOT_SET) changed++;
    reply.integer(done);
  }
  reply.settle(mark, args.count - first);
  closeShrunk(client, ref, changed);
}

/** Argument 2 as an absolute time in milliseconds; -1: an error was replied. */
function readTime(unit: number, relative: boolean, command: string): number {
  if (!readInt64(2)) return -1;
  const given = int64ToNumber(int64.hi, int64.lo);
  if (given < 0) {
    replyError(errors.EXPIRE_TIME_NEGATIVE);
    return -1;
  }
  const millis = given * unit + (relative ? clock.nowMillis : 0);
  if (millis <= MILLIS_MAX) return millis;
  replyError(errors.invalidExpireTime(command));
  return -1;
}

/** Whether a hash has any of the fields named: only then it must become a table. */
function hasAny(ref: Ref): boolean {
  const { buffer, offsets, lengths } = args;
  for (let i = first; i < args.count; i++) {
    if (findField(ref, buffer, offsets[i]!, lengths[i]!)) return true;
  }
  return false;
}

/** Expires the field in argument i. Returns the reply; null when the arena is full. */
function expireField(
  database: Ref,
  ref: Ref,
  i: number,
  millis: number,
  isPast: boolean,
  condition: Condition,
): number | null {
  const { buffer, offsets, lengths } = args;
  if (!isHashTable(headerOf(ref))) {
    // No time is to be remembered, so the hash has stayed packed.
    if (!findField(ref, buffer, offsets[i]!, lengths[i]!)) return NO_FIELD;
    if (condition === 'xx' || condition === 'gt') return NOT_SET;
    deleteField(ref, buffer, offsets[i]!, lengths[i]!);
    return DELETED;
  }
  const field = liveField(hashTable(ref, headerOf(ref)), buffer, offsets[i]!, lengths[i]!);
  if (field === NULL_REF) return NO_FIELD;
  if (!conditionHolds(field, millis, condition)) return NOT_SET;
  if (isPast) {
    deleteField(ref, buffer, offsets[i]!, lengths[i]!);
    return DELETED;
  }
  setExpiryMillis(millis);
  return setFieldExpiry(database, ref, field) ? SET : null;
}

/** A field that never expires is later than all. */
function conditionHolds(field: Ref, millis: number, condition: Condition): boolean {
  if (condition === null) return true;
  if ((headerOf(field) & FLAG_EXPIRES) === 0) return condition === 'nx' || condition === 'lt';
  loadExpiry(field);
  if (condition === 'gt') return millis > expiryMillis();
  if (condition === 'lt') return millis < expiryMillis();
  return condition === 'xx';
}

// --- HTTL and its kind, HPERSIST -----------------------------------------------------------------

/** HTTL key FIELDS numfields field [field ...] */
export function httl(client: Client): void {
  replyTimes(client, SECONDS, clock.nowMillis);
}
/** HPTTL key FIELDS numfields field [field ...] */
export function hpttl(client: Client): void {
  replyTimes(client, MILLISECONDS, clock.nowMillis);
}
/** HEXPIRETIME key FIELDS numfields field [field ...] */
export function hexpiretime(client: Client): void {
  replyTimes(client, SECONDS, 0);
}
/** HPEXPIRETIME key FIELDS numfields field [field ...] */
export function hpexpiretime(client: Client): void {
  replyTimes(client, MILLISECONDS, 0);
}

/** Replies the times of the fields less `sinceMillis`, seconds rounded up. */
function replyTimes(client: Client, unit: number, sinceMillis: number): void {
  if (!readFields(2, errors.NUMFIELDS_COUNT)) return;
  const ref = readHash(client, MISSING_FIELDS);
  if (ref === NULL_REF) return;
  reply.array(args.count - first);
  for (let i = first; i < args.count; i++) {
    const state = loadField(ref, i);
    if (state !== SET) reply.integer(state);
    else reply.integer(Math.ceil((expiryMillis() - sinceMillis) / unit));
  }
}

/** Fills the expiry register from the field in argument i: SET, or NO_EXPIRY or NO_FIELD. */
function loadField(ref: Ref, i: number): number {
  const { buffer, offsets, lengths } = args;
  if (!isHashTable(headerOf(ref))) {
    return findField(ref, buffer, offsets[i]!, lengths[i]!) ? NO_EXPIRY : NO_FIELD;
  }
  const field = liveField(hashTable(ref, headerOf(ref)), buffer, offsets[i]!, lengths[i]!);
  if (field === NULL_REF) return NO_FIELD;
  if ((headerOf(field) & FLAG_EXPIRES) === 0) return NO_EXPIRY;
  loadExpiry(field);
  return SET;
}

/** HPERSIST key FIELDS numfields field [field ...] */
export function hpersist(client: Client): void {
  if (!readFields(2, errors.NUMFIELDS_COUNT)) return;
  const ref = changeHash(client, MISSING_FIELDS);
  if (ref === NULL_REF) return;
  const { buffer, offsets, lengths } = args;
  const mark = reply.deferArray();
  let changed = 0;
  for (let i = first; i < args.count; i++) {
    const state = loadField(ref, i);
    if (state === SET) {
      const field = liveField(hashTable(ref, headerOf(ref)), buffer, offsets[i]!, lengths[i]!);
      if (!clearFieldExpiry(ref, field)) {
        reply.abandon();
        closeShrunk(client, ref, changed);
        replyOutOfMemory();
        return;
      }
      changed++;
    }
    reply.integer(state);
  }
  reply.settle(mark, args.count - first);
  closeShrunk(client, ref, changed);
}
