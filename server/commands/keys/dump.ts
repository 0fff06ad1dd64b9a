// DUMP and RESTORE: values as payloads of bytes that a client keeps, or brings to another server
// (storage/keyspace/dump/payload.ts draws them).
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { formatInt64, int64, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import type { RestoreRules } from '../../../storage/keyspace/dump/codec.js';
import {
  DAMAGED,
  dumped,
  dumpValue,
  NO_MEMORY,
  NO_VALUE,
  placeRestored,
  releaseDump,
  restored,
  restoreValue,
} from '../../../storage/keyspace/dump/dump.js';
import { freeEntry } from '../../../storage/keyspace/entries.js';
import { deleteEntry, withoutDueFields } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { ACCESS_CLOCK_MASK, clock } from '../../../storage/structures/clock.js';
import { expiry } from '../../../storage/structures/entries.js';
import { headerOf } from '../../../storage/structures/entry.js';
import { hashLength, hashLimits, isHashTable } from '../../../storage/values/hash.js';
import { integer } from '../../../storage/values/string.js';
import type { Client } from '../../client.js';
import { keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { runtime } from '../../runtime.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { useSortedSetLimits } from '../sorted_sets/sorted_set_limits.js';
import { useStreamLimits } from '../streams/stream_limits.js';
import { readKey, replyOutOfMemory, writeKey } from './keys_access.js';

const { config } = runtime;

const INTEGER_TEXT_BYTES_MAX = 20;
const FREQUENCY_MAX = 255;
const INT64_MAX = 2n ** 63n - 1n;

/** The entry, or NULL_REF when it is a hash whose last fields are due. */
function withFields(client: Client, ref: Ref): Ref {
  if (ref === NULL_REF || !isHashTable(headerOf(ref))) return ref;
  const left = withoutDueFields(client.database, ref);
  return left !== NULL_REF && hashLength(left) === 0 ? NULL_REF : left;
}

/** DUMP key */
export function dump(client: Client): void {
  const ref = withFields(client, readKey(client, 1));
  if (ref === NULL_REF) reply.null();
  else if (dumpValue(ref, config.protoMaxBulkLen)) reply.bulk(dumped.bytes, 0, dumped.length);
  else replyError(errors.DUMP_TOO_LARGE);
  releaseDump();
}

/** The options of the request being executed. */
const options = { replaces: false, isAbsolute: false, idleSeconds: 0 };

/** RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency] */
export function restore(client: Client): void {
  if (!readOptions()) return;
  const old = withFields(client, writeKey(client, 1));
  if (old !== NULL_REF && !options.replaces) {
    replyError(errors.BUSY_KEY);
    return;
  }
  if (!readInt64(2)) return;
  if (int64.hi < 0) {
    replyError(errors.INVALID_TTL);
    return;
  }
  const expires = (int64.hi | int64.lo) !== 0;
  const isPast = expires && !readExpiry();
  const { high, low } = expiry;
  if (!restoreArgument()) return;
  if (isPast) {
    freeEntry(restored.ref);
    if (old !== NULL_REF) deleteEntry(client.database, old);
  } else {
    expiry.high = high;
    expiry.low = low;
    if (!placeRestored(client.database, expires, options.idleSeconds)) {
      replyOutOfMemory();
      return;
    }
  }
  if (!isPast || old !== NULL_REF) keyChanged(client.databaseIndex, 1);
  reply.ok();
}

/** Fills `options`. False: an error was replied. */
function readOptions(): boolean {
  options.replaces = false;
  options.isAbsolute = false;
  options.idleSeconds = 0;
  let hasIdle = false;
  let hasFrequency = false;
  for (let i = 4; i < args.count; i++) {
    const hasValue = i + 1 < args.count;
    if (args.equals(i, 'replace')) {
      options.replaces = true;
    } else if (args.equals(i, 'absttl')) {
      options.isAbsolute = true;
    } else if (args.equals(i, 'idletime') && hasValue && !hasFrequency) {
      hasIdle = true;
      if (!readIdleTime(++i)) return false;
    } else if (args.equals(i, 'freq') && hasValue && !hasIdle) {
      hasFrequency = true;
      if (!readFrequency(++i)) return false;
    } else {
      replyError(errors.SYNTAX_ERROR);
      return false;
    }
  }
  return true;
}

function readIdleTime(i: number): boolean {
  if (!readInt64(i)) return false;
  if (int64.hi < 0) {
    replyError(errors.INVALID_IDLE_TIME);
    return false;
  }
  const seconds = int64.hi * 4294967296 + (int64.lo >>> 0);
  options.idleSeconds = Math.min(seconds, ACCESS_CLOCK_MASK);
  return true;
}

/** There is no LFU policy, so the counter has no place to go; it is checked all the same. */
function readFrequency(i: number): boolean {
  if (!readInt64(i)) return false;
  if (int64.hi === 0 && int64.lo >= 0 && int64.lo <= FREQUENCY_MAX) return true;
  replyError(errors.INVALID_FREQUENCY);
  return false;
}

/** Fills the expiry register from `int64`. False: it is in the past, as what goes beyond int64 is to Redis. */
function readExpiry(): boolean {
  const given = (BigInt(int64.hi) << 32n) | BigInt(int64.lo >>> 0);
  const millis = options.isAbsolute ? given : given + BigInt(clock.nowMillis);
  expiry.high = Number(millis >> 32n) | 0;
  expiry.low = Number(millis & 0xffffffffn) | 0;
  return millis > BigInt(clock.nowMillis) && millis <= INT64_MAX;
}

const rules: RestoreRules = {
  parseInteger(bytes, offset, length) {
    if (length > INTEGER_TEXT_BYTES_MAX || !parseInt64(bytes, offset, length)) return false;
    integer.high = int64.hi;
    integer.low = int64.lo;
    return true;
  },
  formatInteger: formatInt64,
  get integersMax() {
    return config.setMaxIntsetEntries;
  },
};

/** Makes an entry of the payload in argument 3. False: an error was replied. */
function restoreArgument(): boolean {
  hashLimits.entriesMax = config.hashMaxListpackEntries;
  hashLimits.valueBytesMax = config.hashMaxListpackValue;
  useSortedSetLimits(true);
  useStreamLimits();
  const { buffer, offsets, lengths } = args;
  const key = { bytes: buffer, offset: offsets[1]!, length: lengths[1]! };
  const outcome = restoreValue(buffer, offsets[3]!, lengths[3]!, key, rules);
  if (outcome === NO_MEMORY) replyOutOfMemory();
  else if (outcome === DAMAGED) replyError(errors.PAYLOAD_DAMAGED);
  else if (outcome === NO_VALUE) replyError(errors.PAYLOAD_NO_VALUE);
  return restored.ref !== NULL_REF;
}
