// The patterns of SORT's BY and GET: the first '*' stands for the element and the result names a string, or with
// '->' behind the star a hash and, after it, one of its fields. '#' alone is the element itself.
import { args } from '../../../protocol/arguments.js';
import { lookupTouch, withoutDueFields } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import {
  headerOf,
  span,
  TYPE_HASH,
  TYPE_MASK,
  TYPE_STRING,
} from '../../../storage/structures/entry.js';
import { findField, isHashTable } from '../../../storage/values/hash.js';
import type { Client } from '../../client.js';
import { stats } from '../../stats.js';
import type { BytePool } from '../strings/byte_pool.js';
import { locateText } from '../strings/string_value.js';

const STAR = 0x2a;
const HASH_SIGN = 0x23;
const MINUS = 0x2d;
const GREATER = 0x3e;

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
 * Where in the pattern in argument i, of which the star is known, the name of a field begins; 0: it names none. As in
 * Redis, '->' with nothing or a zero byte behind it is part of the key.
 */
function fieldOf(i: number, star: number): number {
  const { buffer, offsets, lengths } = args;
  const start = offsets[i]!;
  const end = start + lengths[i]!;
  for (let at = start + star + 1; at + 2 < end && buffer[at] !== 0; at++) {
    if (buffer[at] !== MINUS || buffer[at + 1] !== GREATER) continue;
    return buffer[at + 2] === 0 ? 0 : at + 2 - start;
  }
  return 0;
}

/**
 * Fills `span` with what the pattern in argument i means for an element. False: there is no such string or field.
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
  const field = fieldOf(i, star);
  const keyEnd = field > 0 ? field - 2 : length;
  const from = elements.offsets[element]!;
  const inserted = elements.lengths[element]!;
  const keyLength = keyEnd - 1 + inserted;
  if (keyLength > key.length) key = new Uint8Array(2 * keyLength);
  key.set(buffer.subarray(pattern, pattern + star));
  key.set(elements.bytes.subarray(from, from + inserted), star);
  key.set(buffer.subarray(pattern + star + 1, pattern + keyEnd), star + inserted);
  const ref = lookupKey(client, keyLength);
  if (ref === NULL_REF) return false;
  if (field > 0) return locateField(client, ref, pattern + field, length - field);
  if ((headerOf(ref) & TYPE_MASK) !== TYPE_STRING) return false;
  locateText(ref);
  return true;
}

/** The entry of key[0, length). */
function lookupKey(client: Client, length: number): Ref {
  const ref = lookupTouch(client.database, key, 0, length);
  if (key.length > KEY_KEPT_BYTES_MAX) key = new Uint8Array(KEY_KEPT_BYTES_MAX);
  if (ref === NULL_REF) stats.keyspaceMisses++;
  else stats.keyspaceHits++;
  return ref;
}

/** Fills `span` with the value of the field that stands in the request. False: the entry is no hash or has none. */
function locateField(client: Client, ref: Ref, offset: number, length: number): boolean {
  const header = headerOf(ref);
  if ((header & TYPE_MASK) !== TYPE_HASH) return false;
  const hash = isHashTable(header) ? withoutDueFields(client.database, ref) : ref;
  return hash !== NULL_REF && findField(hash, args.buffer, offset, length);
}
