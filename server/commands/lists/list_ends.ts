// Handlers of the commands on the ends of one list: pushes and pops.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { freeEntry } from '../../../storage/keyspace/entries.js';
import { addEntry } from '../../../storage/keyspace/keyspace.js';
import { NULL_REF } from '../../../storage/memory/layout.js';
import { writableEntry } from '../../../storage/structures/entry_table.js';
import { elementCount } from '../../../storage/structures/list_directory.js';
import { listLength } from '../../../storage/values/list.js';
import type { Client } from '../../client.js';
import { elementsChanged } from '../../effects.js';
import { replyError } from '../../reply_error.js';
import { replyOutOfMemory, writeKey } from '../keys/keys_access.js';
import {
  createList,
  expectList,
  pushArguments,
  removeFromEnd,
  replyEnd,
  replyFromEnd,
} from './list_value.js';

/** LPUSH key element [element ...] */
export function lpush(client: Client): void {
  push(client, true, true);
}

/** RPUSH key element [element ...] */
export function rpush(client: Client): void {
  push(client, false, true);
}

/** LPUSHX key element [element ...] */
export function lpushx(client: Client): void {
  push(client, true, false);
}

/** RPUSHX key element [element ...] */
export function rpushx(client: Client): void {
  push(client, false, false);
}

function push(client: Client, atFront: boolean, creates: boolean): void {
  const found = writeKey(client, 1);
  let ref = found;
  if (found === NULL_REF) {
    if (!creates) {
      reply.integer(0);
      return;
    }
    ref = createList(1);
  } else if (expectList(found)) {
    ref = writableEntry(client.database, found);
  } else {
    return;
  }
  if (ref === NULL_REF || !pushArguments(ref, atFront, 2)) {
    if (found === NULL_REF && ref !== NULL_REF) freeEntry(ref);
    replyOutOfMemory();
    return;
  }
  if (found === NULL_REF && !addEntry(client.database, ref)) {
    replyOutOfMemory();
    return;
  }
  elementsChanged(client.databaseIndex, 1, args.count - 2);
  reply.integer(elementCount()); // of the list in hand
}

/** LPOP key [count] */
export function lpop(client: Client): void {
  pop(client, true, 'lpop');
}

/** RPOP key [count] */
export function rpop(client: Client): void {
  pop(client, false, 'rpop');
}

function pop(client: Client, atFront: boolean, name: string): void {
  if (args.count > 2) {
    popSeveral(client, atFront, name);
    return;
  }
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) reply.null();
  else if (expectList(ref)) {
    replyEnd(ref, atFront);
    removeFromEnd(client, 1, ref, atFront, 1);
  }
}

function popSeveral(client: Client, atFront: boolean, name: string): void {
  if (args.count > 3) {
    replyError(errors.wrongArity(name));
    return;
  }
  if (!parseInt64(args.buffer, args.offsets[2]!, args.lengths[2]!) || int64.hi < 0) {
    replyError(errors.NOT_POSITIVE);
    return;
  }
  const wanted = int64ToNumber(int64.hi, int64.lo);
  const ref = writeKey(client, 1);
  if (ref === NULL_REF) {
    reply.nullArray();
    return;
  }
  if (!expectList(ref)) return;
  if (wanted === 0) {
    reply.emptyArray();
    return;
  }
  const elements = Math.min(wanted, listLength(ref));
  replyFromEnd(ref, atFront, elements);
  removeFromEnd(client, 1, ref, atFront, elements);
}
