// PFADD, PFCOUNT, PFMERGE and PFDEBUG. A HyperLogLog is a string (storage/values/hyperloglog/registers.ts).
//
// A dense one is changed where it lies: that needs no memory. A sparse one is changed in `sketch` and
// written back when all elements are in, so that a full arena refuses the command as a whole.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { addEntry } from '../../../storage/keyspace/keyspace.js';
import { createBlankString, resizeString } from '../../../storage/keyspace/string_keys.js';
import { copyBytes } from '../../../storage/memory/bytes.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { FLAG_MODIFIED, headerOf, setHeader, span } from '../../../storage/structures/entry.js';
import { countRegisters, estimate } from '../../../storage/values/hyperloglog/estimate.js';
import {
  cardinality,
  denseRegister,
  forgetCardinality,
  isDense,
  isHyperLogLog,
  loadCardinality,
  mergeDense,
  observation,
  observe,
  REGISTERS,
  raiseDenseRegister,
  storeCardinality,
} from '../../../storage/values/hyperloglog/registers.js';
import {
  CHANGED,
  CORRUPT,
  countSparse,
  describeSparse,
  emptySketch,
  mergeSparse,
  raiseRegister,
  sketch,
  takeSketch,
  toDense,
} from '../../../storage/values/hyperloglog/sparse.js';
import { isInteger, locateString } from '../../../storage/values/string.js';
import type { Client } from '../../client.js';
import { elementsChanged, keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { runtime } from '../../runtime.js';
import { expectString, readKey, replyOutOfMemory, writeKey } from '../keys/keys_access.js';

const config = runtime.config;

/** The union of several, a byte per register. */
const union = new Uint8Array(REGISTERS);

/** True, with `span` at its bytes, when the entry is a HyperLogLog; else replies the error. */
function expectHyperLogLog(ref: Ref): boolean {
  if (!expectString(ref)) return false;
  const header = headerOf(ref);
  if (!isInteger(header)) {
    locateString(ref, header);
    if (isHyperLogLog(span.view, span.offset, span.length)) return true;
  }
  replyError(errors.HLL_NOT_VALID);
  return false;
}

/** Redis makes the string its own, "raw", before it looks at the registers. */
function markModified(ref: Ref): void {
  const header = headerOf(ref);
  if ((header & FLAG_MODIFIED) === 0) setHeader(ref, header | FLAG_MODIFIED);
}

/**
 * Writes `sketch` to the key in argument `key`, whose entry is `ref` (NULL_REF: there is none). False:
 * the arena is full, which was replied; nothing has changed.
 */
function storeSketch(client: Client, key: number, ref: Ref): boolean {
  const { database } = client;
  const { length } = sketch;
  if (ref === NULL_REF) {
    const entry = createBlankString(args.buffer, args.offsets[key]!, args.lengths[key]!, length);
    if (entry !== NULL_REF) {
      copyBytes(span.view, span.offset, sketch.bytes, 0, length);
      if (addEntry(database, entry)) return true;
    }
  } else if (resizeString(database, ref, length) !== NULL_REF) {
    copyBytes(span.view, span.offset, sketch.bytes, 0, length);
    return true;
  }
  replyOutOfMemory();
  return false;
}

/** PFADD key [element ...] */
export function pfadd(client: Client): void {
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) {
    emptySketch();
    forgetCardinality(sketch.bytes, 0);
  } else {
    if (!expectHyperLogLog(ref)) return;
    if (isDense(span.view, span.offset)) {
      addToDense(client);
      return;
    }
    takeSketch(span.view, span.offset, span.length);
  }
  let changed = ref === NULL_REF ? 1 : 0;
  let outcome = CHANGED;
  for (let i = 2; i < args.count && outcome !== CORRUPT; i++) {
    observe(args.buffer, args.offsets[i]!, args.lengths[i]!);
    outcome = raiseRegister(observation.index, observation.run, config.hllSparseMaxBytes);
    if (outcome === CHANGED) changed++;
  }
  if (changed > 0) {
    if (!storeSketch(client, 1, ref)) return;
    elementsChanged(client.databaseIndex, 1, changed);
  } else {
    markModified(ref);
  }
  if (outcome === CORRUPT) replyError(errors.HLL_CORRUPT);
  else reply.integer(changed > 0 ? 1 : 0);
}

/** PFADD to the dense HyperLogLog at `span`. */
function addToDense(client: Client): void {
  const { view, offset } = span;
  let changed = 0;
  for (let i = 2; i < args.count; i++) {
    observe(args.buffer, args.offsets[i]!, args.lengths[i]!);
    if (raiseDenseRegister(view, offset, observation.index, observation.run)) changed++;
  }
  if (changed > 0) {
    forgetCardinality(view, offset);
    elementsChanged(client.databaseIndex, 1, changed);
  }
  reply.integer(changed > 0 ? 1 : 0);
}

/** PFCOUNT key [key ...] */
export function pfcount(client: Client): void {
  if (args.count === 2) {
    countOne(client);
    return;
  }
  union.fill(0);
  for (let i = 1; i < args.count; i++) {
    const ref = readKey(client, i);
    if (ref !== NULL_REF && !mergeIntoUnion(ref)) return;
  }
  countRegisters(union);
  estimate();
  reply.integer64(cardinality.high, cardinality.low);
}

/** PFCOUNT of one key: the cached estimate, or a new one, which is cached if there is memory for it. */
function countOne(client: Client): void {
  const ref = readKey(client, 1);
  if (ref === NULL_REF) {
    reply.integer(0);
    return;
  }
  if (!expectHyperLogLog(ref)) return;
  markModified(ref);
  if (!loadCardinality(span.view, span.offset)) {
    const { view, offset, length } = span;
    if (isDense(view, offset)) {
      union.fill(0);
      mergeDense(union, view, offset);
      countRegisters(union);
    } else if (!countSparse(view, offset, length)) {
      replyError(errors.HLL_CORRUPT);
      return;
    }
    estimate();
    if (resizeString(client.database, ref, length) !== NULL_REF) {
      storeCardinality(span.view, span.offset);
      keyChanged(client.databaseIndex, 1);
    }
  }
  reply.integer64(cardinality.high, cardinality.low);
}

/** Raises the registers of `union` to those of an entry. False: an error was replied. */
function mergeIntoUnion(ref: Ref): boolean {
  if (!expectHyperLogLog(ref)) return false;
  const { view, offset, length } = span;
  if (isDense(view, offset)) {
    mergeDense(union, view, offset);
  } else if (!mergeSparse(union, view, offset, length)) {
    replyError(errors.HLL_CORRUPT);
    return false;
  }
  return true;
}

/** PFMERGE destkey [sourcekey ...] */
export function pfmerge(client: Client): void {
  union.fill(0);
  let anyDense = false;
  for (let i = 1; i < args.count; i++) {
    const ref = readKey(client, i);
    if (ref === NULL_REF) continue;
    if (!mergeIntoUnion(ref)) return;
    if (isDense(span.view, span.offset)) anyDense = true;
  }
  const target = writeKey(client, 1);
  if (target === NULL_REF) {
    emptySketch();
  } else {
    locateString(target, headerOf(target));
    takeSketch(span.view, span.offset, span.length);
  }
  if (anyDense && !isDense(sketch.bytes, 0)) toDense();
  for (let i = 0; i < REGISTERS; i++) {
    if (union[i] !== 0) raiseRegister(i, union[i]!, config.hllSparseMaxBytes);
  }
  forgetCardinality(sketch.bytes, 0);
  if (!storeSketch(client, 1, target)) return;
  keyChanged(client.databaseIndex, 1);
  reply.ok();
}

/** PFDEBUG GETREG | DECODE | ENCODING | TODENSE key */
export function pfdebug(client: Client): void {
  const ref = readKey(client, 2);
  if (ref === NULL_REF) {
    replyError(errors.HLL_NO_KEY);
    return;
  }
  if (!expectHyperLogLog(ref)) return;
  markModified(ref);
  const { view, offset, length } = span;
  const dense = isDense(view, offset);
  if (args.equals(1, 'getreg')) {
    if (dense || makeDense(client, ref)) replyRegisters();
  } else if (args.equals(1, 'decode')) {
    if (dense) replyError(errors.HLL_NOT_SPARSE);
    else reply.bulkLatin1(describeSparse(view, offset, length));
  } else if (args.equals(1, 'encoding')) {
    reply.simple(dense ? 'dense' : 'sparse');
  } else if (args.equals(1, 'todense')) {
    if (dense || makeDense(client, ref)) reply.integer(dense ? 0 : 1);
  } else {
    replyError(errors.unknownPfdebug(args.latin1(1)));
  }
}

/** Makes the HyperLogLog at `span` dense; `span` is at its bytes then. False: an error was replied. */
function makeDense(client: Client, ref: Ref): boolean {
  takeSketch(span.view, span.offset, span.length);
  if (!toDense()) {
    replyError(errors.HLL_CORRUPT);
    return false;
  }
  if (!storeSketch(client, 2, ref)) return false;
  keyChanged(client.databaseIndex, 2);
  return true;
}

/** All registers of the dense HyperLogLog at `span`. */
function replyRegisters(): void {
  const { view, offset } = span;
  reply.array(REGISTERS);
  for (let i = 0; i < REGISTERS; i++) reply.integer(denseRegister(view, offset, i));
}
