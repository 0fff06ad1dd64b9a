// Handlers of the commands on expiry: when a key goes.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { deleteEntry } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { clock } from '../../../storage/structures/clock.js';
import { expiry, expiryMillis, loadExpiry } from '../../../storage/structures/entries.js';
import { FLAG_EXPIRES, headerOf } from '../../../storage/structures/entry.js';
import { clearExpiry, setExpiry } from '../../../storage/structures/entry_table.js';
import type { Client } from '../../client.js';
import { keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { MILLISECONDS, readExpireTime, SECONDS } from './expire_time.js';
import { peekKey, replyOutOfMemory, writeKey } from './keys_access.js';

export function expire(client: Client): void {
  expireKey(client, SECONDS, true, 'expire');
}
export function pexpire(client: Client): void {
  expireKey(client, MILLISECONDS, true, 'pexpire');
}
export function expireat(client: Client): void {
  expireKey(client, SECONDS, false, 'expireat');
}
export function pexpireat(client: Client): void {
  expireKey(client, MILLISECONDS, false, 'pexpireat');
}

const ONLY_WITHOUT = 1; // NX
const ONLY_WITH = 2; // XX
const ONLY_LATER = 4; // GT
const ONLY_EARLIER = 8; // LT

/** (P)EXPIRE(AT) key time [NX | XX] [GT | LT] */
function expireKey(client: Client, unit: number, relative: boolean, command: string): void {
  const conditions = readConditions();
  if (conditions < 0 || !readExpireTime(2, unit, relative, true, command)) return;
  const ref = writeKey(client, 1);
  if (ref === NULL_REF || !conditionsHold(ref, conditions)) {
    reply.integer(0);
    return;
  }
  if (expiryMillis() <= clock.nowMillis) {
    deleteEntry(client.database, ref);
  } else if (setExpiry(client.database, ref) === NULL_REF) {
    replyOutOfMemory();
    return;
  }
  keyChanged(client.databaseIndex, 1);
  reply.integer(1);
}

/** Arguments 3.. as a set of the constants above; -1 when an error was replied. */
function readConditions(): number {
  let conditions = 0;
  for (let i = 3; i < args.count; i++) {
    if (args.equals(i, 'nx')) conditions |= ONLY_WITHOUT;
    else if (args.equals(i, 'xx')) conditions |= ONLY_WITH;
    else if (args.equals(i, 'gt')) conditions |= ONLY_LATER;
    else if (args.equals(i, 'lt')) conditions |= ONLY_EARLIER;
    else {
      replyError(errors.unsupportedOption(args.latin1(i)));
      return -1;
    }
  }
  if ((conditions & ONLY_WITHOUT) !== 0 && conditions !== ONLY_WITHOUT) {
    replyError(errors.EXPIRE_NX_CONFLICT);
    return -1;
  }
  if ((conditions & ONLY_LATER) !== 0 && (conditions & ONLY_EARLIER) !== 0) {
    replyError(errors.EXPIRE_GT_LT_CONFLICT);
    return -1;
  }
  return conditions;
}

/** Whether the expiry register may be set on an entry. A key that never expires is later than all. */
function conditionsHold(ref: Ref, conditions: number): boolean {
  if (conditions === 0) return true;
  if ((headerOf(ref) & FLAG_EXPIRES) === 0) return (conditions & (ONLY_WITH | ONLY_LATER)) === 0;
  if ((conditions & ONLY_WITHOUT) !== 0) return false;
  const { high, low } = expiry;
  loadExpiry(ref);
  const order = high !== expiry.high ? high - expiry.high : (low >>> 0) - (expiry.low >>> 0);
  expiry.high = high;
  expiry.low = low;
  if ((conditions & ONLY_LATER) !== 0) return order > 0;
  if ((conditions & ONLY_EARLIER) !== 0) return order < 0;
  return true;
}

export function persist(client: Client): void {
  const ref = writeKey(client, 1);
  if (ref === NULL_REF || (headerOf(ref) & FLAG_EXPIRES) === 0) {
    reply.integer(0);
    return;
  }
  if (clearExpiry(client.database, ref) === NULL_REF) {
    replyOutOfMemory();
    return;
  }
  keyChanged(client.databaseIndex, 1);
  reply.integer(1);
}

/** Replies of the commands below for a key that is not there, and for one that never expires. */
const NO_KEY = -2;
const NO_EXPIRY = -1;

export function ttl(client: Client): void {
  if (loadKeyExpiry(client)) replyTime(SECONDS, clock.nowMillis);
}
export function pttl(client: Client): void {
  if (loadKeyExpiry(client)) replyTime(MILLISECONDS, clock.nowMillis);
}
export function expiretime(client: Client): void {
  if (loadKeyExpiry(client)) replyTime(SECONDS, 0);
}
export function pexpiretime(client: Client): void {
  if (loadKeyExpiry(client)) replyTime(MILLISECONDS, 0);
}

/** Fills the expiry register from the key in argument 1; false when a special reply was given. */
function loadKeyExpiry(client: Client): boolean {
  const ref = peekKey(client, 1);
  if (ref === NULL_REF) {
    reply.integer(NO_KEY);
    return false;
  }
  if ((headerOf(ref) & FLAG_EXPIRES) === 0) {
    reply.integer(NO_EXPIRY);
    return false;
  }
  loadExpiry(ref);
  return true;
}

/** Replies the expiry register less `sinceMillis`, seconds rounded to the nearest. */
function replyTime(unit: number, sinceMillis: number): void {
  const millis = expiryMillis();
  if (millis <= Number.MAX_SAFE_INTEGER) {
    const left = Math.max(0, millis - sinceMillis);
    reply.integer(unit === SECONDS ? Math.floor((left + 500) / 1000) : left);
    return;
  }
  // Some 285,000 years away: only here are doubles not exact.
  const exact = (BigInt(expiry.high) << 32n) + BigInt(expiry.low >>> 0) - BigInt(sinceMillis);
  const rounded = unit === SECONDS ? (exact + 500n) / 1000n : exact;
  reply.integer64(Number(rounded >> 32n) | 0, Number(rounded & 0xffffffffn) | 0);
}
