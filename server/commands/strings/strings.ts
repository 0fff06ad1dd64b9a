// Handlers of the plain string commands: whole values, one key. Several keys at once, counters, parts
// of strings and bits have their own files.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { deleteEntry } from '../../../storage/keyspace/keyspace.js';
import { EXPIRY_CLEAR, EXPIRY_KEEP, EXPIRY_SET } from '../../../storage/keyspace/string_keys.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { clock } from '../../../storage/structures/clock.js';
import { expiryMillis } from '../../../storage/structures/entries.js';
import { FLAG_EXPIRES, headerOf } from '../../../storage/structures/entry.js';
import { clearExpiry, setExpiry } from '../../../storage/structures/entry_table.js';
import type { Client } from '../../client.js';
import { keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { MILLISECONDS, readExpireTime, SECONDS } from '../keys/expire_time.js';
import { expectString, readKey, replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import { copyText, putArgument, replyString } from './string_value.js';

export function get(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.null();
  else if (expectString(ref)) replyString(ref);
}

// --- the options of SET and GETEX ----------------------------------------------------------------

const SET_EXPIRY = ['ex', 'px', 'exat', 'pxat', 'keepttl'] as const;
const GETEX_EXPIRY = ['ex', 'px', 'exat', 'pxat', 'persist'] as const;
type ExpiryWord = (typeof SET_EXPIRY)[number] | (typeof GETEX_EXPIRY)[number] | '';

/** Options as read from the request; one object, reused. */
const options = {
  onlyIfAbsent: false,
  onlyIfPresent: false,
  get: false,
  /** What the request says about expiry; '': nothing. */
  expiry: '' as ExpiryWord,
  /** The argument that holds the time of EX, PX, EXAT or PXAT; 0: none. */
  time: 0,
};

/**
 * Reads arguments `first`.. into `options`; the words of SET that GETEX does not have only when
 * `ofSet`. A word may be repeated, and the last time counts. False: an error was replied.
 */
function readOptions(first: number, ofSet: boolean): boolean {
  options.onlyIfAbsent = false;
  options.onlyIfPresent = false;
  options.get = false;
  options.expiry = '';
  options.time = 0;
  for (let i = first; i < args.count; i++) {
    const word = expiryWord(i, ofSet ? SET_EXPIRY : GETEX_EXPIRY);
    if (word !== '') {
      const takesTime = word !== 'keepttl' && word !== 'persist';
      if (takesTime) options.time = ++i;
      if (i < args.count && (options.expiry === '' || options.expiry === word)) {
        options.expiry = word;
        continue;
      }
    } else if (ofSet) {
      if (args.equals(i, 'get')) {
        options.get = true;
        continue;
      }
      if (args.equals(i, 'nx') && !options.onlyIfPresent) {
        options.onlyIfAbsent = true;
        continue;
      }
      if (args.equals(i, 'xx') && !options.onlyIfAbsent) {
        options.onlyIfPresent = true;
        continue;
      }
    }
    replyError(errors.SYNTAX_ERROR);
    return false;
  }
  return true;
}

function expiryWord(i: number, words: readonly ExpiryWord[]): ExpiryWord {
  for (const word of words) if (args.equals(i, word)) return word;
  return '';
}

/** Fills the expiry register from options.time. False: an error was replied. */
function readOptionTime(command: string): boolean {
  const unit = options.expiry === 'ex' || options.expiry === 'exat' ? SECONDS : MILLISECONDS;
  const relative = options.expiry === 'ex' || options.expiry === 'px';
  return readExpireTime(options.time, unit, relative, false, command);
}

// --- setting -------------------------------------------------------------------------------------

/** SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
export function set(client: Client): void {
  let expiryMode = EXPIRY_CLEAR;
  if (args.count > 3) {
    if (!readOptions(3, true)) return;
    if (options.time !== 0) {
      if (!readOptionTime('set')) return;
      expiryMode = EXPIRY_SET;
    } else if (options.expiry === 'keepttl') {
      expiryMode = EXPIRY_KEEP;
    }
    if (options.get || options.onlyIfAbsent || options.onlyIfPresent) {
      setConditionally(client, expiryMode);
      return;
    }
  }
  if (store(client, 2, expiryMode)) reply.ok();
}

function setConditionally(client: Client, expiryMode: number): void {
  const old = options.get ? readKey(client, 1) : writeKey(client, 1);
  const absent = old === NULL_REF;
  if (options.get && !absent && !expectString(old)) return;
  const previous = options.get && !absent ? copyText(old) : null;
  const applies = absent ? !options.onlyIfPresent : !options.onlyIfAbsent;
  if (applies) {
    // The look-up has used the expiry register if it met an expired entry: read the time anew.
    if (expiryMode === EXPIRY_SET) readOptionTime('set');
    if (!store(client, 2, expiryMode)) return;
  }
  if (previous !== null) reply.bulk(previous, 0, previous.length);
  else if (applies && !options.get) reply.ok();
  else reply.null();
}

/** Sets the key in argument 1 to argument `value`. False: out of memory was replied. */
function store(client: Client, value: number, expiryMode: number): boolean {
  if (!putArgument(client.database, 1, value, expiryMode)) {
    replyOutOfMemory();
    return false;
  }
  keyChanged(client.databaseIndex, 1);
  return true;
}

/** SETNX key value */
export function setnx(client: Client): void {
  if (writeKey(client, 1) !== NULL_REF) reply.integer(0);
  else if (store(client, 2, EXPIRY_CLEAR)) reply.integer(1);
}

/** SETEX key seconds value */
export function setex(client: Client): void {
  if (!readExpireTime(2, SECONDS, true, false, 'setex')) return;
  if (store(client, 3, EXPIRY_SET)) reply.ok();
}

/** PSETEX key milliseconds value */
export function psetex(client: Client): void {
  if (!readExpireTime(2, MILLISECONDS, true, false, 'psetex')) return;
  if (store(client, 3, EXPIRY_SET)) reply.ok();
}

// --- reading and changing ------------------------------------------------------------------------

/** GETSET key value */
export function getset(client: Client): void {
  const ref = readKey(client, 1);
  if (ref !== NULL_REF && !expectString(ref)) return;
  const previous = ref === NULL_REF ? null : copyText(ref);
  if (store(client, 2, EXPIRY_CLEAR)) replyCopy(previous);
}

/** GETDEL key */
export function getdel(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.null();
  else if (expectString(ref)) replyAndDelete(client, ref);
}

/** GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] */
export function getex(client: Client): void {
  if (!readOptions(2, false)) return;
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.null();
    return;
  }
  if (!expectString(ref)) return;
  if (options.time !== 0) {
    if (!readOptionTime('getex')) return;
    const absolute = options.expiry === 'exat' || options.expiry === 'pxat';
    if (absolute && expiryMillis() <= clock.nowMillis) replyAndDelete(client, ref);
    else replyChanged(client, setExpiry(client.database, ref));
  } else if (options.expiry === 'persist' && (headerOf(ref) & FLAG_EXPIRES) !== 0) {
    replyChanged(client, clearExpiry(client.database, ref));
  } else {
    replyString(ref);
  }
}

/** `ref` is the entry in argument 1 after its expiry was changed, or NULL_REF: no memory for that. */
function replyChanged(client: Client, ref: Ref): void {
  if (ref === NULL_REF) {
    replyOutOfMemory();
    return;
  }
  keyChanged(client.databaseIndex, 1);
  replyString(ref);
}

function replyAndDelete(client: Client, ref: Ref): void {
  const previous = copyText(ref);
  deleteEntry(client.database, ref);
  keyChanged(client.databaseIndex, 1);
  replyCopy(previous);
}

function replyCopy(bytes: Uint8Array | null): void {
  if (bytes === null) reply.null();
  else reply.bulk(bytes, 0, bytes.length);
}
