// Handlers of XGROUP: making, moving and removing consumer groups and their consumers.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { freeEntry } from '../../../storage/keyspace/entries.js';
import { addEntry as addKey } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { loadLastId, streamBlock } from '../../../storage/values/stream/block.js';
import {
  createGroup,
  deleteConsumer,
  storeEntriesRead,
  storeLastId,
  unlinkGroup,
} from '../../../storage/values/stream/group.js';
import { freeGroup } from '../../../storage/values/stream/group_rules.js';
import { pendingCount } from '../../../storage/values/stream/pending.js';
import { createStream } from '../../../storage/values/stream/stream.js';
import { copyId, ID_MIN, StreamId } from '../../../storage/values/stream/stream_id.js';
import type { Client } from '../../client.js';
import { changes, keyChanged, wakeWaiting } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { replyHelp } from '../arguments/help.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import { consumerNamed, groupNamed, newConsumer } from './group_value.js';
import { isSign, readAnyId, readId } from './stream_ids.js';
import { expectStream } from './stream_value.js';

const DOLLAR = 0x24;

/** What the options of CREATE and SETID say; one object, reused. */
const options = { makesStream: false, readHigh: -1, readLow: -1 };
const id = new StreamId();

/** Reads the options from argument 5 on. False: an error was replied. */
function readOptions(isCreate: boolean): boolean {
  options.makesStream = false;
  options.readHigh = -1;
  options.readLow = -1;
  for (let i = 5; i < args.count; i++) {
    if (isCreate && args.equals(i, 'mkstream')) {
      options.makesStream = true;
    } else if (args.equals(i, 'entriesread') && i + 1 < args.count) {
      if (!readInt64(++i)) return false;
      if (int64.hi < 0 && (int64.hi & int64.lo) !== -1) {
        replyError(errors.ENTRIES_READ_NEGATIVE);
        return false;
      }
      options.readHigh = int64.hi;
      options.readLow = int64.lo;
    } else {
      replyError(errors.unknownSubcommandOrArity('xgroup', args.latin1(1)));
      return false;
    }
  }
  return true;
}

/** The stream's entry in argument 2, or NULL_REF: then an error was replied. */
function expectKey(client: Client): Ref {
  const ref = writeKey(client, 2);
  if (ref === NULL_REF) replyError(errors.XGROUP_NO_KEY);
  else if (expectStream(ref)) return ref;
  return NULL_REF;
}

/** The group in argument 3 of the stream in argument 2, or NULL_REF: then an error was replied. */
function expectNamedGroup(client: Client): Ref {
  const ref = expectKey(client);
  if (ref === NULL_REF) return NULL_REF;
  const group = groupNamed(streamBlock(ref), 3);
  if (group === NULL_REF) replyError(errors.noSuchGroup(args.latin1(2), args.latin1(3)));
  return group;
}

/** XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD entries-read] */
export function xgroupCreate(client: Client): void {
  if (!readOptions(true)) return;
  const ref = options.makesStream ? writeKey(client, 2) : expectKey(client);
  if (ref === NULL_REF && !options.makesStream) return;
  if (ref !== NULL_REF && !expectStream(ref)) return;
  if (args.count > 8) {
    replyError(errors.unknownSubcommandOrArity('xgroup', args.latin1(1)));
    return;
  }
  if (isSign(4, DOLLAR)) {
    if (ref === NULL_REF) copyId(id, ID_MIN);
    else loadLastId(streamBlock(ref), id);
  } else if (!readId(4, id)) {
    return;
  }
  if (ref === NULL_REF) {
    if (!createInNew(client)) replyOutOfMemory();
    return;
  }
  const stream = streamBlock(ref);
  if (groupNamed(stream, 3) !== NULL_REF) replyError(errors.BUSY_GROUP);
  else if (create(stream)) replyChanged();
  else replyOutOfMemory();
}

/** Makes the group that the request names. False: the arena is full. */
function create(stream: Ref): boolean {
  const group = createGroup(stream, args.buffer, args.offsets[3]!, args.lengths[3]!);
  if (group === NULL_REF) return false;
  storeLastId(group, id);
  storeEntriesRead(group, options.readHigh, options.readLow);
  return true;
}

/** Makes a stream with the group. False: the arena is full, and there is neither. */
function createInNew(client: Client): boolean {
  const ref = createStream(args.buffer, args.offsets[2]!, args.lengths[2]!);
  if (ref === NULL_REF) return false;
  if (!create(streamBlock(ref)) || !addKey(client.database, ref)) {
    freeEntry(ref);
    return false;
  }
  keyChanged(client.databaseIndex, 2);
  reply.ok();
  return true;
}

/** A change of groups is one that save points count, but no transaction that watches the key is told: as Redis. */
function replyChanged(): void {
  changes.sinceLastSave++;
  reply.ok();
}

/** XGROUP SETID key group id | $ [ENTRIESREAD entries-read] */
export function xgroupSetid(client: Client): void {
  if (!readOptions(false)) return;
  const group = expectNamedGroup(client);
  if (group === NULL_REF) return;
  if (args.count > 7) {
    replyError(errors.unknownSubcommandOrArity('xgroup', args.latin1(1)));
    return;
  }
  if (isSign(4, DOLLAR)) loadLastId(streamBlock(writeKey(client, 2)), id);
  else if (!readAnyId(4, id)) return;
  storeLastId(group, id);
  storeEntriesRead(group, options.readHigh, options.readLow);
  replyChanged();
}

/** XGROUP DESTROY key group */
export function xgroupDestroy(client: Client): void {
  const ref = expectKey(client);
  if (ref === NULL_REF) return;
  const stream = streamBlock(ref);
  const group = groupNamed(stream, 3);
  if (group === NULL_REF) {
    reply.integer(0);
    return;
  }
  unlinkGroup(stream, args.buffer, args.offsets[3]!, args.lengths[3]!);
  freeGroup(group);
  changes.sinceLastSave++;
  wakeWaiting(client.databaseIndex, 2); // those that wait in the group get an error
  reply.integer(1);
}

/** XGROUP CREATECONSUMER key group consumer */
export function xgroupCreateconsumer(client: Client): void {
  const group = expectNamedGroup(client);
  if (group === NULL_REF) return;
  if (consumerNamed(group, 4) !== NULL_REF) {
    reply.integer(0);
  } else if (newConsumer(group, 4) === NULL_REF) {
    replyOutOfMemory();
  } else {
    changes.sinceLastSave++;
    reply.integer(1);
  }
}

/** XGROUP DELCONSUMER key group consumer: how many entries were pending for it. */
export function xgroupDelconsumer(client: Client): void {
  const group = expectNamedGroup(client);
  if (group === NULL_REF) return;
  const consumer = consumerNamed(group, 4);
  if (consumer === NULL_REF) {
    reply.integer(0);
    return;
  }
  const pending = pendingCount(consumer);
  deleteConsumer(group, consumer);
  changes.sinceLastSave++;
  reply.integer(pending);
}

/** XGROUP HELP */
export function xgroupHelp(): void {
  replyHelp('XGROUP', [
    [
      'CREATE <key> <groupname> <id|$> [option]',
      'Make a consumer group that begins behind an id. Options:',
      '* MKSTREAM',
      '  Make an empty stream when there is none.',
      '* ENTRIESREAD entries_read',
      '  How many entries of the stream count as read.',
    ],
    ['CREATECONSUMER <key> <groupname> <consumer>', 'Make a consumer of a group.'],
    ['DELCONSUMER <key> <groupname> <consumer>', 'Remove a consumer with what is pending for it.'],
    ['DESTROY <key> <groupname>', 'Remove a group with all its consumers.'],
    [
      'SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]',
      'Set the id behind which a group goes on.',
    ],
  ]);
}
