// How the values of each type become the contents of a payload (payload.ts draws them) and come back: one row
// per type. A new type adds its row here and nothing else about DUMP and RESTORE changes.
//
// A value is read by adding its elements one by one, as the commands do: so it gets the form that the limits
// of the day give it, whatever it had, and what the commands would not make does not come to be. Contents
// that are no value (an element twice, a score that is no number, nothing at all) set `isBad`.
import { NULL_REF, type Ref } from '../../memory/layout.js';
import { createEntry } from '../../structures/entries.js';
import {
  headerOf,
  span,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_MASK,
  TYPE_SET,
  TYPE_SORTED_SET,
  TYPE_STREAM,
  TYPE_STRING,
} from '../../structures/entry.js';
import { room } from '../../structures/list_node.js';
import * as lists from '../../values/list.js';
import * as position from '../../values/list_cursor.js';
import * as sets from '../../values/set.js';
import * as sortedSets from '../../values/sorted_set.js';
import { integer, isInteger, loadInteger, locateString } from '../../values/string.js';
import { createInteger, createString } from '../string_keys.js';
import { type Codec, finished, type RestoredKey, type RestoreRules } from './codec.js';
import { hashCodec } from './hash_codec.js';
import type { PayloadReader, PayloadWriter } from './payload.js';
import { streamCodec } from './stream_codec.js';

/** The two forms of strings and sets. */
const BYTES = 0;
const INTEGERS = 1;
const INTEGER_BYTES = 8;
const SCORE_BYTES = 8;

// --- strings -------------------------------------------------------------------------------------

function writeString(ref: Ref, to: PayloadWriter): void {
  const header = headerOf(ref);
  if (isInteger(header)) {
    loadInteger(ref, header);
    to.byte(INTEGERS);
    to.int64(integer.high, integer.low);
    return;
  }
  locateString(ref, header);
  to.byte(BYTES);
  to.raw(span.view, span.offset, span.length);
}

/** A text that is an integer becomes one, as with SET: the string may have been put together. */
function readString(key: RestoredKey, from: PayloadReader, rules: RestoreRules): Ref {
  const form = from.byte();
  if (form === INTEGERS) {
    from.int64();
    integer.high = from.high;
    integer.low = from.low;
  } else {
    from.rest(from.left);
  }
  if (form > INTEGERS || from.left > 0) from.isBad = true;
  if (from.isBad) return NULL_REF;
  const { bytes, offset, length } = from;
  if (form === INTEGERS || rules.parseInteger(bytes, offset, length)) {
    return createInteger(key.bytes, key.offset, key.length);
  }
  return createString(key.bytes, key.offset, key.length, bytes, offset, length);
}

// --- lists ---------------------------------------------------------------------------------------

function writeList(ref: Ref, to: PayloadWriter): void {
  to.count(lists.listLength(ref));
  for (let found = position.seek(ref, 0); found; found = position.advance()) {
    position.locate();
    to.block(span.view, span.offset, span.length);
  }
}

function readList(key: RestoredKey, from: PayloadReader): Ref {
  const ref = createEntry(TYPE_LIST, key.bytes, key.offset, key.length, 0);
  if (ref === NULL_REF) return NULL_REF;
  lists.initializeList(ref);
  const count = from.count(1);
  let isDone = true;
  for (let i = 1; i <= count && isDone; i++) {
    from.block();
    if (from.isBad) break;
    room.hintBytes = from.left - (count - i); // each element has a byte or more for its length
    isDone = lists.pushElement(ref, false, from.bytes, from.offset, from.length);
  }
  room.hintBytes = 0;
  return finished(ref, from, isDone, count, lists.listLength(ref));
}

// --- sets ----------------------------------------------------------------------------------------

const members = new sets.SetCursor();

function writeSet(ref: Ref, to: PayloadWriter): void {
  to.byte(sets.isIntegerSet(ref) ? INTEGERS : BYTES);
  to.count(sets.setCount(ref));
  members.open(ref);
  while (members.next()) {
    if (members.isInteger) to.int64(members.high, members.low);
    else to.block(span.view, span.offset, span.length);
  }
}

function readSet(key: RestoredKey, from: PayloadReader, rules: RestoreRules): Ref {
  const ref = sets.createSet(key.bytes, key.offset, key.length);
  if (ref === NULL_REF) return NULL_REF;
  const form = from.byte();
  if (form > INTEGERS) from.isBad = true;
  const count = from.count(form === INTEGERS ? INTEGER_BYTES : 1);
  if (count <= rules.integersMax) sets.expectMembers(count);
  let added = sets.ADDED;
  for (let i = 0; i < count && added === sets.ADDED; i++) {
    if (form === INTEGERS) from.int64();
    else from.block();
    if (from.isBad) break;
    added = form === INTEGERS ? addInteger(ref, from, rules) : addBytes(ref, from, rules);
  }
  sets.expectMembers(0);
  return finished(ref, from, added !== sets.NO_MEMORY, count, sets.setCount(ref));
}

const integerText = new Uint8Array(24);

function addInteger(ref: Ref, { high, low }: PayloadReader, rules: RestoreRules): number {
  if (sets.isIntegerSet(ref)) {
    if (sets.setCount(ref) < rules.integersMax) return sets.addInteger(ref, high, low);
    if (!sets.convertIntegers(ref, rules.formatInteger)) return sets.NO_MEMORY;
  }
  const length = rules.formatInteger(high, low, integerText, 0);
  return sets.addBytes(ref, integerText, 0, length);
}

function addBytes(ref: Ref, { bytes, offset, length }: PayloadReader, rules: RestoreRules): number {
  if (sets.isIntegerSet(ref)) {
    const fits = sets.setCount(ref) < rules.integersMax;
    if (fits && rules.parseInteger(bytes, offset, length)) {
      return sets.addInteger(ref, integer.high, integer.low);
    }
    if (!sets.convertIntegers(ref, rules.formatInteger)) return sets.NO_MEMORY;
  }
  return sets.addBytes(ref, bytes, offset, length);
}

// --- sorted sets ---------------------------------------------------------------------------------

function writeSortedSet(ref: Ref, to: PayloadWriter): void {
  const count = sortedSets.cardinality(ref);
  to.count(count);
  sortedSets.startWalk(ref, 0, count, false);
  while (sortedSets.nextMember()) {
    const { view, offset, length } = sortedSets.walked;
    to.block(view, offset, length);
    to.double(sortedSets.walkedScore());
  }
}

function readSortedSet(key: RestoredKey, from: PayloadReader): Ref {
  const ref = sortedSets.createSortedSet(key.bytes, key.offset, key.length);
  if (ref === NULL_REF) return NULL_REF;
  const count = from.count(1 + SCORE_BYTES);
  let isDone = true;
  for (let i = 0; i < count && isDone; i++) {
    from.block();
    const score = from.double();
    const { bytes, offset, length } = from;
    if (Number.isNaN(score)) from.isBad = true;
    if (from.isBad || sortedSets.locateMember(ref, bytes, offset, length)) break;
    isDone = sortedSets.putMember(ref, bytes, offset, length, score);
  }
  if (isDone) sortedSets.settleZeros(ref);
  return finished(ref, from, isDone, count, sortedSets.cardinality(ref));
}

// --- the rows ------------------------------------------------------------------------------------

const codecs: (Codec | undefined)[] = [];
codecs[TYPE_STRING] = { write: writeString, read: readString };
codecs[TYPE_LIST] = { write: writeList, read: readList };
codecs[TYPE_SET] = { write: writeSet, read: readSet };
codecs[TYPE_SORTED_SET] = { write: writeSortedSet, read: readSortedSet };
codecs[TYPE_HASH] = hashCodec;
codecs[TYPE_STREAM] = streamCodec;

/** The codec of a type, or undefined: there is no such type. */
export function codecOfType(type: number): Codec | undefined {
  return codecs[type];
}

/** The codec of an entry's value. */
export function codecOf(ref: Ref): Codec {
  const codec = codecs[headerOf(ref) & TYPE_MASK];
  if (codec === undefined) throw new Error(`entry ${ref >>> 0}: its type has no codec`);
  return codec;
}
