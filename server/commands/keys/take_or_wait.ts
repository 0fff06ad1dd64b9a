// What BLPOP, BZPOPMIN and their kind do with their keys: the first that is there serves the client, else the
// client waits for all of them (server/blocking).
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF } from '../../../storage/memory/layout.js';
import { mayBlock, waitForKeys } from '../../blocking/block.js';
import type { ServeWait } from '../../blocking/waits.js';
import type { Client } from '../../client.js';
import { readWaitMillis } from '../arguments/wait_time.js';
import { expectType, writeKey } from './keys_access.js';

/** What a client is given whose time is over. */
export function replyNullArray(): void {
  reply.nullArray();
}

/**
 * Serves the client from the first value among the keys in arguments `first` to `last`, which must be of a type
 * (as in the entry's header), or lets it wait for one. Argument `timeout` says how long.
 */
export function takeOrWait(
  client: Client,
  type: number,
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
      if (expectType(ref, type)) serve(client, key, ref);
      return;
    }
    awaited.push(key);
  }
  if (mayBlock(client)) waitForKeys(client, type, awaited, millis, serve, replyNullArray);
  else reply.nullArray();
}
