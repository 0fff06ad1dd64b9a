// The patterns of SORT's BY and GET: the first '*' stands for the element and the result names a string.
// '#' alone is the element itself.
import { args } from '../../protocol/arguments.js';
import { lookupTouch } from '../../storage/keyspace/keyspace.js';
import { NULL_REF } from '../../storage/memory/layout.js';
import { headerOf, span, TYPE_MASK, TYPE_STRING } from '../../storage/structures/entry.js';
import type { Client } from '../client.js';
import { stats } from '../stats.js';
import type { BytePool } from './byte_pool.js';
import { locateText } from './string_value.js';

const STAR = 0x2a;
const HASH_SIGN = 0x23;

let key: Uint8Array = new Uint8Array(256);
/** A longer key is not kept. */
const KEY_KEPT_BYTES_MAX = 64 * 1024;

/** Where the '*' of the pattern in argument i is; -1 without one. A pattern ends at its first zero byte. */
export function starOf(i: number): number {
  const { buffer, offsets, lengths } = args;
  const start = offsets[i]!;
  for (let at = start; at < start + lengths[i]! && buffer[at] !== 0; at++) {
    if (buffer[at] === STAR) return at - start;
  }
  return -1;
}

/**
 * Fills `span` with what the pattern in argument i means for an element. False: there is no such string.
 * The look-up may delete an expired key.
 */
export function locateByPattern(
  client: Client,
  i: number,
  elements: BytePool,
  element: number,
): boolean {
  const { buffer, offsets, lengths } = args;
  const pattern = offsets[i]!;
  const length = lengths[i]!;
  if (length === 1 && buffer[pattern] === HASH_SIGN) {
    span.view = elements.bytes;
    span.offset = elements.offsets[element]!;
    span.length = elements.lengths[element]!;
    return true;
  }
  const star = starOf(i);
  if (star < 0) return false;
  const from = elements.offsets[element]!;
  const inserted = elements.lengths[element]!;
  const keyLength = length - 1 + inserted;
  if (keyLength > key.length) key = new Uint8Array(2 * keyLength);
  key.set(buffer.subarray(pattern, pattern + star));
  key.set(elements.bytes.subarray(from, from + inserted), star);
  key.set(buffer.subarray(pattern + star + 1, pattern + length), star + inserted);
  return locateStringOf(client, keyLength);
}

/** Fills `span` with the string of key[0, length). False: there is none. */
function locateStringOf(client: Client, length: number): boolean {
  const ref = lookupTouch(client.database, key, 0, length);
  if (key.length > KEY_KEPT_BYTES_MAX) key = new Uint8Array(KEY_KEPT_BYTES_MAX);
  if (ref === NULL_REF) {
    stats.keyspaceMisses++;
    return false;
  }
  stats.keyspaceHits++;
  if ((headerOf(ref) & TYPE_MASK) !== TYPE_STRING) return false;
  locateText(ref);
  return true;
}
