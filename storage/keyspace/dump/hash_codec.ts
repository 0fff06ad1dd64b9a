// Hashes in payloads: fields with values, and where any field expires, the times of all (payload.ts).
import { NULL_REF, type Ref } from '../../memory/layout.js';
import { expiry, isExpired, loadExpiry } from '../../structures/entries.js';
import { FLAG_EXPIRES, headerOf } from '../../structures/entry.js';
import { tableCount } from '../../structures/hash_table.js';
import { EntryCursor } from '../../structures/table_walk.js';
import { findElement } from '../../values/element_table.js';
import * as hashes from '../../values/hash.js';
import { hasExpiringFields, setUnlinkedExpiry } from '../field_expiry.js';
import { type Codec, finished, type RestoredKey } from './codec.js';
import type { PayloadReader, PayloadWriter } from './payload.js';

const WITHOUT_TIMES = 0;
const WITH_TIMES = 1;
const TIME_BYTES = 8;
/** Later ones are none: a time is a positive int64, and exact as a double. */
const TIME_HIGH_MAX = 0x1fffff;

const elements = new EntryCursor();

function writeHash(ref: Ref, to: PayloadWriter): void {
  if (hasExpiringFields(ref)) {
    writeTimed(hashes.hashTable(ref, headerOf(ref)), hashes.hashLength(ref), to);
    return;
  }
  to.byte(WITHOUT_TIMES);
  to.count(hashes.hashLength(ref));
  hashes.forEachField(ref, () => writeField(to));
}

/** `count`: the fields whose time has not passed, which are those that are written. */
function writeTimed(table: Ref, count: number, to: PayloadWriter): void {
  to.byte(WITH_TIMES);
  to.count(count);
  elements.open(table);
  for (let element = elements.next(); element !== NULL_REF; element = elements.next()) {
    const header = headerOf(element);
    if (isExpired(element, header)) continue;
    hashes.locateField(element);
    writeField(to);
    expiry.high = 0;
    expiry.low = 0;
    if ((header & FLAG_EXPIRES) !== 0) loadExpiry(element);
    to.int64(expiry.high, expiry.low);
  }
}

function writeField(to: PayloadWriter): void {
  const { view, offset, length, valueView, valueOffset, valueLength } = hashes.fieldSpans;
  to.block(view, offset, length);
  to.block(valueView, valueOffset, valueLength);
}

/** A time that has passed since goes the way of all that are due: the next command deletes the field. */
function readHash(key: RestoredKey, from: PayloadReader): Ref {
  const ref = hashes.createHash(key.bytes, key.offset, key.length);
  if (ref === NULL_REF) return NULL_REF;
  const form = from.byte();
  if (form > WITH_TIMES) from.isBad = true;
  const count = from.count(form === WITH_TIMES ? 2 + TIME_BYTES : 2);
  let isDone = true;
  for (let i = 0; i < count && isDone && !from.isBad; i++) {
    isDone = readField(ref, from, form === WITH_TIMES);
  }
  return finished(ref, from, isDone, count, storedFields(ref));
}

/** Fields of a hash, also those that are due: no field may come twice. */
function storedFields(ref: Ref): number {
  const header = headerOf(ref);
  return hashes.isHashTable(header)
    ? tableCount(hashes.hashTable(ref, header))
    : hashes.hashLength(ref);
}

/** False: the arena is full. */
function readField(ref: Ref, from: PayloadReader, hasTime: boolean): boolean {
  from.block();
  const { offset, length } = from;
  from.block();
  if (hasTime) from.int64();
  if (from.isBad) return true;
  const { bytes, offset: valueOffset, length: valueLength } = from;
  const done = hashes.setField(ref, bytes, offset, length, bytes, valueOffset, valueLength, false);
  if (done === hashes.FAILED) return false;
  if (!hasTime || (from.high | from.low) === 0) return true;
  if (from.high < 0 || from.high > TIME_HIGH_MAX) {
    from.isBad = true;
    return true;
  }
  if (!hashes.isHashTable(headerOf(ref)) && !hashes.convertHash(ref)) return false;
  const field = findElement(hashes.hashTable(ref, headerOf(ref)), bytes, offset, length);
  expiry.high = from.high;
  expiry.low = from.low;
  return setUnlinkedExpiry(ref, field);
}

export const hashCodec: Codec = { write: writeHash, read: readHash };
