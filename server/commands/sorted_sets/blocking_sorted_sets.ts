// Handlers of the commands that take members from an end of a sorted set and wait when there are none:
// BZPOPMIN, BZPOPMAX, BZMPOP. What waiting is stands in server/blocking; the functions here run at once, or
// later with the request put back into `args`.
import { args } from '../../../protocol/arguments.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { TYPE_SORTED_SET } from '../../../storage/structures/entry.js';
import { mayBlock, waitForKeys } from '../../blocking/block.js';
import type { ServeWait } from '../../blocking/waits.js';
import type { Client } from '../../client.js';
import { readWaitMillis } from '../arguments/wait_time.js';
import { expectSortedSet, writeKey } from '../keys/keys_access.js';
import { popping, readPopping, replyPopped, takeMembers } from './sorted_set_pops.js';

/** BZPOPMIN key [key ...] timeout */
export function bzpopmin(client: Client): void {
  takeOrWait(client, 1, args.count - 2, args.count - 1, serveMin);
}

/** BZPOPMAX key [key ...] timeout */
export function bzpopmax(client: Client): void {
  takeOrWait(client, 1, args.count - 2, args.count - 1, serveMax);
}

/** BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count] */
export function bzmpop(client: Client): void {
  if (!readPopping(2)) return;
  const { firstKey, lastKey, fromEnd, count } = popping;
  takeOrWait(client, firstKey, lastKey, 1, (served, key, ref) => {
    replyPopped(served, key, ref, count, fromEnd);
    return true;
  });
}

function serveMin(client: Client, key: number, ref: Ref): boolean {
  replyKeyAndMember(client, key, ref, false);
  return true;
}

function serveMax(client: Client, key: number, ref: Ref): boolean {
  replyKeyAndMember(client, key, ref, true);
  return true;
}

function replyKeyAndMember(client: Client, key: number, ref: Ref, fromEnd: boolean): void {
  reply.array(3);
  reply.bulk(args.buffer, args.offsets[key]!, args.lengths[key]!);
  takeMembers(client, key, ref, 1, fromEnd, false);
}

function replyNullArray(): void {
  reply.nullArray();
}

/** Serves the client from the first sorted set among the keys in arguments `first` to `last`, or lets it
 *  wait for one. */
function takeOrWait(
  client: Client,
  first: number,
  last: number,
  timeout: number,
  serve: ServeWait,
): void {
  const millis = readWaitMillis(timeout);
  if (millis < 0) return;
  const awaited: number[] = [];
  for (let key = first; key <= last; key++) {
    const ref = writeKey(client, key);
    if (ref !== NULL_REF) {
      if (expectSortedSet(ref)) serve(client, key, ref);
      return;
    }
    awaited.push(key);
  }
  if (mayBlock(client)) {
    waitForKeys(client, TYPE_SORTED_SET, awaited, millis, serve, replyNullArray);
  } else {
    reply.nullArray();
  }
}
