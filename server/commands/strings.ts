// Handlers of the plain string commands: whole values. Counters, ranges and bits have their own files.
import { args } from '../../protocol/arguments.js';
import * as errors from '../../protocol/error_replies.js';
import { reply } from '../../protocol/reply_writer.js';
import { EXPIRY_CLEAR, EXPIRY_KEEP, EXPIRY_SET } from '../../storage/keyspace/string_keys.js';
import { NULL_REF } from '../../storage/memory/layout.js';
import type { Client } from '../client.js';
import { keyChanged } from '../effects.js';
import { replyError } from '../reply_error.js';
import { MILLISECONDS, readExpireTime, SECONDS } from './expire_time.js';
import { expectString, readKey, replyOutOfMemory, writeKey } from './keys_access.js';
import { copyText, putArgument, replyString } from './string_value.js';

export function get(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) reply.null();
  else if (expectString(ref)) replyString(ref);
}

/** SET's options as read from the request; one object, reused. */
const options = { onlyIfAbsent: false, onlyIfPresent: false, get: false, expiryMode: EXPIRY_CLEAR };

/** SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
export function set(client: Client): void {
  if (args.count > 3) {
    if (!readSetOptions()) return;
    if (options.get || options.onlyIfAbsent || options.onlyIfPresent) {
      setConditionally(client);
      return;
    }
  } else {
    options.expiryMode = EXPIRY_CLEAR;
  }
  if (!putArgument(client.database, 1, 2, options.expiryMode)) {
    replyOutOfMemory();
    return;
  }
  keyChanged(client.databaseIndex, 1);
  reply.ok();
}

function setConditionally(client: Client): void {
  const old = writeKey(client, 1);
  const absent = old === NULL_REF;
  if (options.get && !absent && !expectString(old)) return;
  const previous = options.get && !absent ? copyText(old) : null;
  const applies = absent ? !options.onlyIfPresent : !options.onlyIfAbsent;
  if (applies) {
    if (!putArgument(client.database, 1, 2, options.expiryMode)) {
      replyOutOfMemory();
      return;
    }
    keyChanged(client.databaseIndex, 1);
  }
  if (previous !== null) reply.bulk(previous, 0, previous.length);
  else if (applies && !options.get) reply.ok();
  else reply.null();
}

/** Reads arguments 3.. of SET into `options` and the expiry register. False: an error was replied. */
function readSetOptions(): boolean {
  options.onlyIfAbsent = false;
  options.onlyIfPresent = false;
  options.get = false;
  options.expiryMode = EXPIRY_CLEAR;
  let time = 0; // the argument of EX, PX, EXAT or PXAT
  let unit = SECONDS;
  let relative = true;
  for (let i = 3; i < args.count; i++) {
    const hasNext = i + 1 < args.count;
    const free = options.expiryMode === EXPIRY_CLEAR;
    if (args.equals(i, 'nx') && !options.onlyIfPresent) options.onlyIfAbsent = true;
    else if (args.equals(i, 'xx') && !options.onlyIfAbsent) options.onlyIfPresent = true;
    else if (args.equals(i, 'get')) options.get = true;
    else if (args.equals(i, 'keepttl') && time === 0) options.expiryMode = EXPIRY_KEEP;
    else if (free && hasNext && isExpireOption(i)) {
      unit = args.equals(i, 'ex') || args.equals(i, 'exat') ? SECONDS : MILLISECONDS;
      relative = args.lengths[i] === 2;
      options.expiryMode = EXPIRY_SET;
      time = ++i;
    } else {
      replyError(errors.SYNTAX_ERROR);
      return false;
    }
  }
  return time === 0 || readExpireTime(time, unit, relative, false, 'set');
}

function isExpireOption(i: number): boolean {
  return (
    args.equals(i, 'ex') || args.equals(i, 'px') || args.equals(i, 'exat') || args.equals(i, 'pxat')
  );
}
