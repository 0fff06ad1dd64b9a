// DUMP and RESTORE: a value as one payload of bytes, and a payload as the value of a key (payload.ts).
//
// RESTORE makes the whole value beside the key before it takes the key's place: what is refused, and an
// arena that is full, leave everything as it was.
import { free } from '../../memory/allocator.js';
import { DATA } from '../../memory/extents.js';
import { NULL_REF, type Ref } from '../../memory/layout.js';
import { ACCESS_CLOCK_MASK, clock } from '../../structures/clock.js';
import { changeExpiryRoom } from '../../structures/entries.js';
import {
  ACCESS_SHIFT,
  entryBytes,
  headerOf,
  setHeader,
  TYPE_MASK,
} from '../../structures/entry.js';
import { freeEntry } from '../entries.js';
import { setEntry } from '../keyspace.js';
import type { RestoredKey, RestoreRules } from './codec.js';
import { codecOf, codecOfType } from './codecs.js';
import { PayloadReader, PayloadWriter } from './payload.js';

const writer = new PayloadWriter();
const reader = new PayloadReader();

/** The payload that dumpValue() has made: bytes[0, length), until releaseDump() or the next one. */
export const dumped = { bytes: writer.bytes, length: 0 };

/** Makes a payload of a value. False: it would have more than `bytesMax` bytes. */
export function dumpValue(ref: Ref, bytesMax: number): boolean {
  writer.begin(headerOf(ref) & TYPE_MASK, bytesMax);
  codecOf(ref).write(ref, writer);
  dumped.length = writer.end();
  dumped.bytes = writer.bytes;
  return dumped.length >= 0;
}

/** The payload is used: gives its memory back when it was large. */
export function releaseDump(): void {
  writer.release();
  dumped.bytes = writer.bytes;
}

/** What came of a payload. */
export const RESTORED = 0;
/** It is no payload of this version, or damaged. */
export const DAMAGED = 1;
/** It is whole, but no value. */
export const NO_VALUE = 2;
export const NO_MEMORY = 3;

/** The entry that restoreValue() has made, which is the caller's: placeRestored() or freeEntry(). */
export const restored = { ref: NULL_REF };

/**
 * Makes an entry of the payload bytes[start, start + length), under a key, but in no database. The bytes
 * must lie outside of the arena.
 */
export function restoreValue(
  bytes: Uint8Array,
  start: number,
  length: number,
  key: RestoredKey,
  rules: RestoreRules,
): number {
  restored.ref = NULL_REF;
  if (!reader.open(bytes, start, length)) return DAMAGED;
  const codec = codecOfType(reader.type);
  if (codec === undefined) return NO_VALUE;
  const ref = codec.read(key, reader, rules);
  const { isBad, left } = reader;
  reader.close();
  if (ref === NULL_REF) return isBad ? NO_VALUE : NO_MEMORY;
  if (left > 0) {
    freeEntry(ref);
    return NO_VALUE;
  }
  restored.ref = ref;
  return RESTORED;
}

/**
 * Puts the entry of restoreValue() in place of whatever its key holds, accessed `idleSeconds` ago and with
 * `expires` with the expiry in the register. False: the arena is full; the entry is freed, nothing has changed.
 */
export function placeRestored(database: Ref, expires: boolean, idleSeconds: number): boolean {
  let { ref } = restored;
  restored.ref = NULL_REF;
  if (expires) {
    const bytes = entryBytes(ref);
    const moved = changeExpiryRoom(ref, true);
    if (moved === NULL_REF) {
      freeEntry(ref);
      return false;
    }
    if (moved !== ref) free(ref, bytes, DATA);
    ref = moved;
  }
  const accessed = (clock.accessSeconds - idleSeconds) & ACCESS_CLOCK_MASK;
  setHeader(ref, (headerOf(ref) & 0xff) | (accessed << ACCESS_SHIFT));
  return setEntry(database, ref);
}
