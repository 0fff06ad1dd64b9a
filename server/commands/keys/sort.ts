// SORT and SORT_RO: the elements of a list, a set or a sorted set, ordered as numbers or texts, by themselves
// or by the strings or fields of hashes that a pattern finds for them.
//
// All that is sorted is copied first: a look-up by a pattern may delete an expired key, and the destination
// may be the source. Takes O(N + M log M) at once, as in Redis; the command is marked as slow and dangerous.
// Unlike Redis, which turns a packed sorted set into its large form to sort it, reading changes nothing.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseFloatStrict } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { freeEntry } from '../../../storage/keyspace/entries.js';
import { deleteKey, setEntry } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import {
  headerOf,
  span,
  TYPE_LIST,
  TYPE_MASK,
  TYPE_SET,
  TYPE_SORTED_SET,
} from '../../../storage/structures/entry.js';
import { listLength, pushElement } from '../../../storage/values/list.js';
import * as at from '../../../storage/values/list_cursor.js';
import { SetCursor, setCount } from '../../../storage/values/set.js';
import { cardinality, nextMember, startWalk, walked } from '../../../storage/values/sorted_set.js';
import type { Client } from '../../client.js';
import { changes, keyChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { createList } from '../lists/list_value.js';
import { addToPool, takeFromCursor } from '../sets/set_value.js';
import { BytePool } from '../strings/byte_pool.js';
import { readKey, replyOutOfMemory } from './keys_access.js';
import { locateByPattern, starOf } from './sort_patterns.js';

/** What a SORT asks for; arguments by number, 0 for none. */
interface Request {
  /** The weights' pattern; null: the elements are left in their order. */
  by: number | null;
  gets: number[];
  store: number;
  descending: boolean;
  alphabetic: boolean;
  start: number;
  count: number;
}

/** SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination] */
export function sort(client: Client): void {
  sortGeneric(client, true);
}

/** SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] */
export function sortReadOnly(client: Client): void {
  sortGeneric(client, false);
}

function sortGeneric(client: Client, mayStore: boolean): void {
  const request = readRequest(mayStore);
  if (request === null) return;
  const ref = readKey(client, 1);
  const type = ref === NULL_REF ? TYPE_LIST : headerOf(ref) & TYPE_MASK;
  if (type !== TYPE_LIST && type !== TYPE_SET && type !== TYPE_SORTED_SET) {
    replyError(errors.WRONG_TYPE);
    return;
  }
  // What is stored of a set must have an order.
  if (request.by === null && type === TYPE_SET && request.store > 0) {
    request.by = 0;
    request.alphabetic = true;
  }
  const elements = new BytePool();
  const loaded = ref === NULL_REF || loadElements(elements, ref, type, isBackward(request));
  if (!loaded) {
    replyOutOfMemory();
    return;
  }
  const order = orderElements(client, elements, request);
  if (order === null) return;
  const start = Math.min(Math.max(request.start, 0), order.length);
  const end = request.count < 0 ? order.length : Math.min(start + request.count, order.length);
  const result = order.subarray(start, end);
  if (request.store > 0) storeResult(client, elements, result, request);
  else replyResult(client, elements, result, request);
}

// --- the request ---------------------------------------------------------------------------------

/** The options; null when an error was replied. */
function readRequest(mayStore: boolean): Request | null {
  const request: Request = {
    by: 0,
    gets: [],
    store: 0,
    descending: false,
    alphabetic: false,
    start: 0,
    count: -1,
  };
  for (let i = 2; i < args.count; i++) {
    const left = args.count - i - 1;
    if (args.equals(i, 'asc')) request.descending = false;
    else if (args.equals(i, 'desc')) request.descending = true;
    else if (args.equals(i, 'alpha')) request.alphabetic = true;
    else if (left >= 2 && args.equals(i, 'limit')) {
      if (!readLimit(request, i + 1)) return null;
      i += 2;
    } else if (left >= 1 && mayStore && args.equals(i, 'store')) request.store = ++i;
    else if (left >= 1 && args.equals(i, 'by')) readBy(request, ++i);
    else if (left >= 1 && args.equals(i, 'get')) request.gets.push(++i);
    else {
      replyError(errors.SYNTAX_ERROR);
      return null;
    }
  }
  return request;
}

/** A pattern without '*' says: do not sort. It holds even when another BY follows. */
function readBy(request: Request, i: number): void {
  if (starOf(i) < 0) request.by = null;
  else if (request.by !== null) request.by = i;
}

function readLimit(request: Request, i: number): boolean {
  if (!readInt64(i)) return false;
  request.start = int64ToNumber(int64.hi, int64.lo);
  if (!readInt64(i + 1)) return false;
  request.count = int64ToNumber(int64.hi, int64.lo);
  return true;
}

/** Elements that are not sorted come in their order, or against it. */
function isBackward(request: Request): boolean {
  return request.by === null && request.descending;
}

// --- elements ------------------------------------------------------------------------------------

const setCursor = new SetCursor();

/** Copies all elements. False: too many bytes. */
function loadElements(elements: BytePool, ref: Ref, type: number, backward: boolean): boolean {
  if (type === TYPE_LIST) return loadList(elements, ref, backward);
  if (type === TYPE_SET) return loadSet(elements, ref);
  const count = cardinality(ref);
  startWalk(ref, backward ? count - 1 : 0, count, backward);
  while (nextMember()) {
    if (!elements.add(walked.view, walked.offset, walked.length)) return false;
  }
  return true;
}

function loadList(elements: BytePool, ref: Ref, backward: boolean): boolean {
  const count = listLength(ref);
  at.seek(ref, backward ? count - 1 : 0);
  for (let i = 0; i < count; i++) {
    at.locate();
    if (!elements.add(span.view, span.offset, span.length)) return false;
    if (backward) at.retreat();
    else at.advance();
  }
  return true;
}

function loadSet(elements: BytePool, ref: Ref): boolean {
  let left = setCount(ref);
  setCursor.open(ref);
  for (; left > 0 && setCursor.next(); left--) {
    takeFromCursor(setCursor);
    if (!addToPool(elements)) return false;
  }
  return true;
}

// --- the order -----------------------------------------------------------------------------------

/** The numbers of the elements in the order asked for; null when an error was replied. */
function orderElements(client: Client, elements: BytePool, request: Request): Int32Array | null {
  const order = Int32Array.from({ length: elements.count }, (_, i) => i);
  if (request.by === null) return order;
  const compare = request.alphabetic
    ? byTexts(client, elements, request)
    : byNumbers(client, elements, request.by);
  if (compare === null) return null;
  return order.sort(request.descending ? (i, k) => compare(k, i) : compare);
}

type Compare = (i: number, k: number) => number;

/** Equal numbers are ordered by their elements, so that the result is always the same. */
function byNumbers(client: Client, elements: BytePool, by: number): Compare | null {
  const scores = new Float64Array(elements.count);
  let isSound = true;
  for (let i = 0; i < elements.count; i++) {
    if (!locateWeight(client, elements, by, i)) continue;
    scores[i] = scoreOf(span.view, span.offset, span.length);
    if (Number.isNaN(scores[i])) isSound = false;
  }
  if (!isSound) {
    replyError(errors.SORT_NOT_FLOATS);
    return null;
  }
  return (i, k) => scores[i]! - scores[k]! || elements.compare(i, k);
}

/** The weight of an element: itself, or what the pattern in argument `by` finds, if anything. */
function locateWeight(client: Client, elements: BytePool, by: number, i: number): boolean {
  if (by > 0) return locateByPattern(client, by, elements, i);
  span.view = elements.bytes;
  span.offset = elements.offsets[i]!;
  span.length = elements.lengths[i]!;
  return true;
}

/** A text as strtod() reads it, which must read all of it; NaN otherwise. A C text ends at a zero byte. */
function scoreOf(view: Uint8Array, offset: number, length: number): number {
  const zero = view.subarray(offset, offset + length).indexOf(0);
  const end = zero < 0 ? offset + length : offset + zero;
  if (end === offset) return 0;
  let start = offset;
  while (start < end && isSpace(view[start]!)) start++;
  return parseFloatStrict(view, start, end - start);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** Elements without a weight come first, in the order they had. What is replied is compared as C compares
 *  texts, what is stored by all bytes. */
function byTexts(client: Client, elements: BytePool, request: Request): Compare | null {
  const isStored = request.store > 0;
  const by = request.by ?? 0;
  if (by === 0) {
    return isStored ? (i, k) => elements.compare(i, k) : (i, k) => elements.compareTexts(i, k);
  }
  const weights = new BytePool();
  const weightOf = new Int32Array(elements.count).fill(-1);
  for (let i = 0; i < elements.count; i++) {
    if (!locateByPattern(client, by, elements, i)) continue;
    weightOf[i] = weights.count;
    if (!weights.add(span.view, span.offset, span.length)) {
      replyOutOfMemory();
      return null;
    }
  }
  return (i, k) => {
    const left = weightOf[i]!;
    const right = weightOf[k]!;
    if (left < 0 || right < 0) return Math.min(left, 0) === Math.min(right, 0) ? 0 : left - right;
    return isStored ? weights.compare(left, right) : weights.compareTexts(left, right);
  };
}

// --- results -------------------------------------------------------------------------------------

function replyResult(
  client: Client,
  elements: BytePool,
  result: Int32Array,
  { gets }: Request,
): void {
  reply.array(result.length * Math.max(gets.length, 1));
  for (const i of result) {
    if (gets.length === 0) reply.bulk(elements.bytes, elements.offsets[i]!, elements.lengths[i]!);
    for (const get of gets) {
      if (locateByPattern(client, get, elements, i))
        reply.bulk(span.view, span.offset, span.length);
      else reply.null();
    }
  }
}

/** Puts the result at the destination as a list, over whatever is there; an empty one deletes the key. */
function storeResult(
  client: Client,
  elements: BytePool,
  result: Int32Array,
  request: Request,
): void {
  const { store } = request;
  if (result.length === 0) {
    const { buffer, offsets, lengths } = args;
    const deleted = deleteKey(client.database, buffer, offsets[store]!, lengths[store]!);
    if (deleted) keyChanged(client.databaseIndex, store);
    reply.integer(0);
    return;
  }
  const list = createList(store);
  if (list === NULL_REF || !pushResult(client, elements, result, request, list)) {
    if (list !== NULL_REF) freeEntry(list);
    replyOutOfMemory();
    return;
  }
  const count = listLength(list);
  if (!setEntry(client.database, list)) {
    replyOutOfMemory();
    return;
  }
  keyChanged(client.databaseIndex, store);
  changes.sinceLastSave += count - 1;
  reply.integer(count);
}

/** Adds the result to a list; what GET does not find is empty. False: the arena is full. */
function pushResult(
  client: Client,
  elements: BytePool,
  result: Int32Array,
  { gets }: Request,
  list: Ref,
): boolean {
  const { bytes, offsets, lengths } = elements;
  for (const i of result) {
    if (gets.length === 0 && !pushElement(list, false, bytes, offsets[i]!, lengths[i]!)) {
      return false;
    }
    for (const get of gets) {
      const found = locateByPattern(client, get, elements, i);
      const { view, offset, length } = span;
      if (!pushElement(list, false, view, offset, found ? length : 0)) return false;
    }
  }
  return true;
}
