// Handlers of the commands that take members from an end of a sorted set and wait when there are none:
// BZPOPMIN, BZPOPMAX, BZMPOP. What waiting is stands in server/blocking; the functions here run at once, or
// later with the request put back into `args`.
import { args } from '../../../protocol/arguments.js';
import { reply } from '../../../protocol/reply_writer.js';
import type { Ref } from '../../../storage/memory/layout.js';
import { TYPE_SORTED_SET } from '../../../storage/structures/entry.js';
import type { Client } from '../../client.js';
import { takeOrWait } from '../keys/take_or_wait.js';
import { popping, readPopping, replyPopped, takeMembers } from './sorted_set_pops.js';

/** BZPOPMIN key [key ...] timeout */
export function bzpopmin(client: Client): void {
  takeOrWait(client, TYPE_SORTED_SET, 1, args.count - 2, args.count - 1, serveMin);
}

/** BZPOPMAX key [key ...] timeout */
export function bzpopmax(client: Client): void {
  takeOrWait(client, TYPE_SORTED_SET, 1, args.count - 2, args.count - 1, serveMax);
}

/** BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count] */
export function bzmpop(client: Client): void {
  if (!readPopping(2)) return;
  const { firstKey, lastKey, fromEnd, count } = popping;
  takeOrWait(client, TYPE_SORTED_SET, firstKey, lastKey, 1, (served, key, ref) => {
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
