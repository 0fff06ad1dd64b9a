// What the stream commands share: reaching a stream, replying entries.
import { reply } from '../../../protocol/reply_writer.js';
import type { Ref } from '../../../storage/memory/layout.js';
import { TYPE_STREAM } from '../../../storage/structures/entry.js';
import { loadFirstId, loadLastId, streamLength } from '../../../storage/values/stream/block.js';
import {
  nextPair,
  openPairs,
  pair,
  scan,
  scanId,
} from '../../../storage/values/stream/node_format.js';
import { compareIds, StreamId } from '../../../storage/values/stream/stream_id.js';
import { nextEntry, startWalk } from '../../../storage/values/stream/walk.js';
import { expectType } from '../keys/keys_access.js';
import { replyId } from './stream_ids.js';

/** So few entries downwards are written before they are counted: finding them takes longer than moving them. */
const DEFERRED_MAX = 100;

/** True when the entry is a stream; else replies WRONGTYPE. */
export function expectStream(ref: Ref): boolean {
  return expectType(ref, TYPE_STREAM);
}

/** Replies the entry that a walk has come to: its id, and its fields and values in one list. */
export function replyEntry(): void {
  const { fields, view } = scan;
  reply.array(2);
  replyId(scanId);
  reply.array(2 * fields);
  openPairs();
  for (let i = 0; i < fields; i++) {
    nextPair();
    reply.bulk(view, pair.name, pair.nameLength);
    if (pair.restLength === 0) reply.bulk(view, pair.value, pair.valueLength);
    else reply.bulkOfTwo(view, pair.value, pair.valueLength, pair.rest, pair.restLength);
  }
}

const edge = new StreamId();

/**
 * How many entries lie from one id to another, but at most `most`. Counting first costs a tenth of what the
 * reply does, and a reply that is written without its count would have to be moved, and kept in memory.
 */
export function countRange(block: Ref, from: StreamId, to: StreamId, most: number): number {
  const length = streamLength(block);
  loadFirstId(block, edge);
  if (compareIds(from, edge) <= 0) {
    loadLastId(block, edge);
    if (compareIds(to, edge) >= 0) return Math.min(length, most);
  }
  let count = 0;
  startWalk(block, from, to, false);
  while (count < most && nextEntry()) count++;
  return count;
}

/** Replies an array of the entries from one id to another, at most `most`, upwards or downwards. */
export function replyRange(
  block: Ref,
  from: StreamId,
  to: StreamId,
  most: number,
  backward: boolean,
): void {
  if (backward && most <= DEFERRED_MAX) {
    replyLast(block, from, to, most);
    return;
  }
  const count = countRange(block, from, to, most);
  reply.array(count);
  startWalk(block, from, to, backward);
  for (let i = 0; i < count; i++) {
    nextEntry();
    replyEntry();
  }
}

function replyLast(block: Ref, from: StreamId, to: StreamId, most: number): void {
  const mark = reply.deferArray();
  let count = 0;
  startWalk(block, from, to, true);
  for (; count < most && nextEntry(); count++) replyEntry();
  reply.settle(mark, count);
}
