// Handlers of XINFO GROUPS and CONSUMERS, and what XINFO STREAM FULL says of groups.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { Cursor } from '../../../storage/structures/btree_cursor.js';
import { clock } from '../../../storage/structures/clock.js';
import { span } from '../../../storage/structures/entry.js';
import { groupsOf, streamBlock } from '../../../storage/values/stream/block.js';
import {
  consumerAt,
  consumerCount,
  groupAt,
  groupCount,
  loadLastId,
  locateConsumerName,
  seenMillis,
} from '../../../storage/values/stream/group.js';
import {
  consumerOf,
  deliveries,
  deliveryMillis,
  loadDeliveries,
  nextPending,
  pending,
  pendingCount,
  seekPending,
} from '../../../storage/values/stream/pending.js';
import { ID_MIN, StreamId } from '../../../storage/values/stream/stream_id.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { readKey } from '../keys/keys_access.js';
import { groupNamed, replyEntriesRead, replyLag } from './group_value.js';
import { replyId } from './stream_ids.js';
import { expectStream } from './stream_value.js';

const id = new StreamId();
const cursor = new Cursor();

/** The stream in argument 2, or NULL_REF: then an error was replied. */
function expectStreamKey(client: Client): Ref {
  const ref = readKey(client, 2);
  if (ref === NULL_REF) replyError(errors.NO_SUCH_KEY);
  else if (expectStream(ref)) return streamBlock(ref);
  return NULL_REF;
}

/** XINFO GROUPS key */
export function xinfoGroups(client: Client): void {
  const stream = expectStreamKey(client);
  if (stream === NULL_REF) return;
  const groups = groupsOf(stream);
  const count = groupCount(groups);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const group = groupAt(groups, i);
    reply.map(6);
    replyName();
    reply.bulkLatin1('consumers');
    reply.integer(consumerCount(group));
    reply.bulkLatin1('pending');
    reply.integer(pendingCount(group));
    replyProgress(stream, group);
  }
}

/** The name in `span`, as a pair. */
function replyName(): void {
  reply.bulkLatin1('name');
  reply.bulk(span.view, span.offset, span.length);
}

/** How far a group has come: three pairs. */
function replyProgress(stream: Ref, group: Ref): void {
  reply.bulkLatin1('last-delivered-id');
  loadLastId(group, id);
  replyId(id);
  reply.bulkLatin1('entries-read');
  replyEntriesRead(group);
  reply.bulkLatin1('lag');
  replyLag(stream, group);
}

/** XINFO CONSUMERS key group */
export function xinfoConsumers(client: Client): void {
  const stream = expectStreamKey(client);
  if (stream === NULL_REF) return;
  const group = groupNamed(stream, 3);
  if (group === NULL_REF) {
    replyError(errors.noSuchGroup(args.latin1(2), args.latin1(3)));
    return;
  }
  const count = consumerCount(group);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const consumer = consumerAt(group, i);
    reply.map(3);
    replyName();
    reply.bulkLatin1('pending');
    reply.integer(pendingCount(consumer));
    reply.bulkLatin1('idle');
    reply.integer(Math.max(0, clock.nowMillis - seenMillis(consumer)));
  }
}

// --- XINFO STREAM FULL ---------------------------------------------------------------------------

/** Replies the groups of a stream with their consumers, and of pending entries at most `most` each time. */
export function replyGroups(stream: Ref, most: number): void {
  const groups = groupsOf(stream);
  const count = groupCount(groups);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const group = groupAt(groups, i);
    reply.map(7);
    replyName();
    replyProgress(stream, group);
    replyPending(group, most, true);
    reply.bulkLatin1('consumers');
    const consumers = consumerCount(group);
    reply.array(consumers);
    for (let j = 0; j < consumers; j++) {
      const consumer = consumerAt(group, j);
      reply.map(4);
      replyName();
      reply.bulkLatin1('seen-time');
      reply.integer(seenMillis(consumer));
      replyPending(consumer, most, false);
    }
  }
}

/** How many entries are pending, and the first ones: two pairs. */
function replyPending(owner: Ref, most: number, withConsumer: boolean): void {
  const count = pendingCount(owner);
  reply.bulkLatin1('pel-count');
  reply.integer(count);
  reply.bulkLatin1('pending');
  const shown = Math.min(count, most);
  reply.array(shown);
  seekPending(cursor, owner, ID_MIN);
  for (let i = 0; i < shown; i++) {
    const { record } = pending;
    reply.array(withConsumer ? 4 : 3);
    replyId(pending.id);
    if (withConsumer) {
      locateConsumerName(consumerOf(record));
      reply.bulk(span.view, span.offset, span.length);
    }
    reply.integer(deliveryMillis(record));
    loadDeliveries(record);
    reply.integer64(deliveries.high, deliveries.low);
    nextPending(cursor);
  }
}
