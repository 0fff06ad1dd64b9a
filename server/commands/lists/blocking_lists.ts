// Handlers of the commands that take elements from lists and wait when there are none. What waiting is stands in
// server/blocking; the functions here run at once, or later with the request put back into `args`.
import { args } from '../../../protocol/arguments.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { TYPE_LIST } from '../../../storage/structures/entry.js';
import { mayBlock, waitForKeys } from '../../blocking/block.js';
import type { ServeWait } from '../../blocking/waits.js';
import type { Client } from '../../client.js';
import { readWaitMillis } from '../arguments/wait_time.js';
import { writeKey } from '../keys/keys_access.js';
import { replyNullArray, takeOrWait } from '../keys/take_or_wait.js';
import { ends, moveElement, pop, popWithKey, readEnds, readPop } from './list_moves.js';
import { expectList, removeFromEnd, replyEnd } from './list_value.js';

/** BLPOP key [key ...] timeout */
export function blpop(client: Client): void {
  takeOrWait(client, TYPE_LIST, 1, args.count - 2, args.count - 1, serveLeft);
}

/** BRPOP key [key ...] timeout */
export function brpop(client: Client): void {
  takeOrWait(client, TYPE_LIST, 1, args.count - 2, args.count - 1, serveRight);
}

/** BLMPOP timeout numkeys key [key ...] LEFT|RIGHT [COUNT count] */
export function blmpop(client: Client): void {
  if (!readPop(2)) return;
  const { firstKey, keys, atFront, count } = pop;
  takeOrWait(client, TYPE_LIST, firstKey, firstKey + keys - 1, 1, (served, key, ref) => {
    popWithKey(served, key, ref, atFront, count);
    return true;
  });
}

/** BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout */
export function blmove(client: Client): void {
  if (readEnds(3)) moveOrWait(client, ends.fromFront, ends.toFront, 5);
}

/** BRPOPLPUSH source destination timeout */
export function brpoplpush(client: Client): void {
  moveOrWait(client, false, true, 3);
}

function serveLeft(client: Client, key: number, ref: Ref): boolean {
  replyKeyAndElement(client, key, ref, true);
  return true;
}

function serveRight(client: Client, key: number, ref: Ref): boolean {
  replyKeyAndElement(client, key, ref, false);
  return true;
}

function replyKeyAndElement(client: Client, key: number, ref: Ref, atFront: boolean): void {
  reply.array(2);
  reply.bulk(args.buffer, args.offsets[key]!, args.lengths[key]!);
  replyEnd(ref, atFront);
  removeFromEnd(client, key, ref, atFront, 1);
}

function moveOrWait(client: Client, fromFront: boolean, toFront: boolean, timeout: number): void {
  const millis = readWaitMillis(timeout);
  if (millis < 0) return;
  const ref = writeKey(client, 1);
  if (ref !== NULL_REF) {
    if (expectList(ref)) moveElement(client, ref, fromFront, toFront);
  } else if (mayBlock(client)) {
    const serve: ServeWait = (served, _key, source) => {
      moveElement(served, source, fromFront, toFront);
      return true;
    };
    waitForKeys(client, TYPE_LIST, [1], millis, serve, replyNullArray);
  } else {
    reply.null();
  }
}
