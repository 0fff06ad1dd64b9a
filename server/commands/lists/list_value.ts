// What the list commands share: reaching a list, adding arguments to it, replying and removing elements.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { deleteEntry } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { createEntry } from '../../../storage/structures/entries.js';
import { headerOf, span, TYPE_LIST, TYPE_MASK } from '../../../storage/structures/entry.js';
import { writableEntry } from '../../../storage/structures/entry_table.js';
import { room } from '../../../storage/structures/list_node.js';
import {
  dropElements,
  initializeList,
  listLength,
  locateEnd,
  pushElement,
} from '../../../storage/values/list.js';
import * as at from '../../../storage/values/list_cursor.js';
import type { Client } from '../../client.js';
import { elementsChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';

/** True when the entry is a list; else replies WRONGTYPE. */
export function expectList(ref: Ref): boolean {
  if ((headerOf(ref) & TYPE_MASK) === TYPE_LIST) return true;
  replyError(errors.WRONG_TYPE);
  return false;
}

/** A new, empty list for the key in argument `key`, not in a database yet; NULL_REF: the arena is full. */
export function createList(key: number): Ref {
  const ref = createEntry(TYPE_LIST, args.buffer, args.offsets[key]!, args.lengths[key]!, 0);
  if (ref !== NULL_REF) initializeList(ref);
  return ref;
}

/** Adds the arguments from `first` on at an end, one after the other. False, with none added: the arena is full. */
export function pushArguments(ref: Ref, atFront: boolean, first: number): boolean {
  const { buffer, offsets, lengths, count } = args;
  if (count > first + 1) room.hintBytes = bytesFrom(first + 1);
  let i = first;
  while (pushElement(ref, atFront, buffer, offsets[i]!, lengths[i]!)) {
    if (++i === count) break;
    room.hintBytes -= lengths[i]!; // what follows the next one
  }
  room.hintBytes = 0;
  if (i === count) return true;
  if (i > first) dropElements(ref, atFront, i - first);
  return false;
}

function bytesFrom(first: number): number {
  let bytes = 0;
  for (let i = first; i < args.count; i++) bytes += args.lengths[i]!;
  return bytes;
}

/** Removes elements from an end of the list of the key in argument `key`; the key goes with the last one. */
export function removeFromEnd(
  client: Client,
  key: number,
  ref: Ref,
  atFront: boolean,
  elements: number,
): void {
  if (elements === listLength(ref)) deleteEntry(client.database, ref);
  else dropElements(writableEntry(client.database, ref), atFront, elements);
  elementsChanged(client.databaseIndex, key, elements);
}

/** Replies the first or the last element. */
export function replyEnd(ref: Ref, atFront: boolean): void {
  locateEnd(ref, atFront);
  reply.bulk(span.view, span.offset, span.length);
}

/** Replies `elements` elements from one end, in the order in which they would be popped. */
export function replyFromEnd(ref: Ref, atFront: boolean, elements: number): void {
  if (atFront) replyElements(ref, 0, elements);
  else replyBackwards(ref, elements);
}

/** Replies an array of the elements from an index on. Precondition: there are as many, at least one. */
export function replyElements(ref: Ref, index: number, elements: number): void {
  reply.array(elements);
  at.seek(ref, index);
  let left = elements;
  while (left > 0) {
    if (at.locateRun()) {
      const count = Math.min(at.run.count, left);
      replyRun(count);
      left -= count;
      at.passRun(count);
    } else {
      at.locate();
      reply.bulk(span.view, span.offset, span.length);
      at.advance();
      left--;
    }
  }
}

function replyRun(count: number): void {
  const { view, width } = at.run;
  let { offset } = at.run;
  for (let i = 0; i < count; i++, offset += width) reply.bulk(view, offset, width);
}

function replyBackwards(ref: Ref, elements: number): void {
  reply.array(elements);
  at.seek(ref, listLength(ref) - 1);
  for (let i = 0; i < elements; i++) {
    at.locate();
    reply.bulk(span.view, span.offset, span.length);
    at.retreat();
  }
}
