// OBJECT: what lies behind a key.
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { ACCESS_CLOCK_MASK, clock } from '../../../storage/structures/clock.js';
import {
  ACCESS_SHIFT,
  FLAG_MODIFIED,
  headerOf,
  span,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_MASK,
  TYPE_SET,
  TYPE_SORTED_SET,
  TYPE_STREAM,
  TYPE_STRING,
} from '../../../storage/structures/entry.js';
import { isHashTable } from '../../../storage/values/hash.js';
import { isIntegerSet } from '../../../storage/values/set.js';
import { isSortedSetTree } from '../../../storage/values/sorted_set.js';
import { integer, isInteger, loadInteger, locateString } from '../../../storage/values/string.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { replyHelp } from '../arguments/help.js';
import { peekKey } from './keys_access.js';

/** Redis packs strings up to this size into one object ("embstr"). */
const EMBSTR_BYTES_MAX = 44;
/** Redis makes the integers from 0 up to here once and shares them; INT_MAX counts as "shared". */
const SHARED_INTEGERS = 10_000;
const SHARED_REFCOUNT = 0x7fffffff;

/** The name that Redis has for a value's encoding. */
export function encodingName(ref: Ref): string {
  const header = headerOf(ref);
  const type = header & TYPE_MASK;
  if (type === TYPE_HASH) return isHashTable(header) ? 'hashtable' : 'listpack';
  if (type === TYPE_LIST) return 'quicklist';
  if (type === TYPE_SORTED_SET) return isSortedSetTree(ref) ? 'skiplist' : 'listpack';
  if (type === TYPE_SET) return isIntegerSet(ref) ? 'intset' : 'hashtable';
  if (type === TYPE_STREAM) return 'stream';
  if (type !== TYPE_STRING) throw new Error('encoding of an unknown type');
  if (isInteger(header)) return 'int';
  locateString(ref, header);
  const packed = (header & FLAG_MODIFIED) === 0 && span.length <= EMBSTR_BYTES_MAX;
  return packed ? 'embstr' : 'raw';
}

/** OBJECT ENCODING key */
export function objectEncoding(client: Client): void {
  const ref = peekKey(client, 2);
  if (ref === NULL_REF) reply.null();
  else reply.bulkLatin1(encodingName(ref));
}

/** Seconds since an entry was last accessed. */
export function idleSeconds(ref: Ref): number {
  return (clock.accessSeconds - (headerOf(ref) >>> ACCESS_SHIFT)) & ACCESS_CLOCK_MASK;
}

/** OBJECT IDLETIME key */
export function objectIdletime(client: Client): void {
  const ref = peekKey(client, 2);
  if (ref === NULL_REF) reply.null();
  else reply.integer(idleSeconds(ref));
}

/** OBJECT FREQ key: there is no LFU policy, so no counter. */
export function objectFreq(client: Client): void {
  if (peekKey(client, 2) === NULL_REF) reply.null();
  else replyError(errors.LFU_NOT_SELECTED);
}

/** OBJECT REFCOUNT key: each value has one owner here; small integers answer as Redis's shared ones. */
export function objectRefcount(client: Client): void {
  const ref = peekKey(client, 2);
  if (ref === NULL_REF) reply.null();
  else reply.integer(isShared(ref) ? SHARED_REFCOUNT : 1);
}

function isShared(ref: Ref): boolean {
  const header = headerOf(ref);
  if ((header & TYPE_MASK) !== TYPE_STRING || !isInteger(header)) return false;
  if ((header & FLAG_MODIFIED) !== 0) return false;
  loadInteger(ref, header);
  return integer.high === 0 && integer.low >= 0 && integer.low < SHARED_INTEGERS;
}

/** OBJECT HELP */
export function objectHelp(): void {
  replyHelp('OBJECT', [
    ['ENCODING <key>', 'How the value of a key is represented.'],
    ['FREQ <key>', 'The logarithmic counter of accesses to a key, under an LFU policy.'],
    ['IDLETIME <key>', 'Seconds since a key was last accessed.'],
    ['REFCOUNT <key>', 'References to the value of a key.'],
  ]);
}
