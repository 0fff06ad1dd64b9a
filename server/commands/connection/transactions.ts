// Handlers of transactions. Commands between MULTI and EXEC are captured by dispatch; EXEC puts one
// after the other into `args` and runs it. The watch registry is in effects.ts.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF } from '../../../storage/memory/layout.js';
import { clock } from '../../../storage/structures/clock.js';
import { expiryMillis, loadExpiry } from '../../../storage/structures/entries.js';
import { FLAG_EXPIRES, headerOf } from '../../../storage/structures/entry.js';
import { type Client, newTransaction } from '../../client.js';
import { unwatchAll, watchKey } from '../../effects.js';
import { execute } from '../../execute.js';
import { failure, replyError } from '../../reply_error.js';
import { lookupArgument } from '../keys/keys_access.js';

export function multi(client: Client): void {
  if (client.transaction !== null) {
    replyError(errors.NESTED_MULTI);
    return;
  }
  client.transaction = newTransaction();
  reply.ok();
}

export function discard(client: Client): void {
  if (client.transaction === null) {
    replyError(errors.DISCARD_WITHOUT_MULTI);
    return;
  }
  discardTransaction(client);
  reply.ok();
}

/** Forgets the queue and the watched keys: DISCARD, RESET and an EXEC that cannot run. */
export function discardTransaction(client: Client): void {
  client.transaction = null;
  unwatchAll(client);
}

/** EXEC: an error when queueing failed, null when a watched key has changed, else all replies. */
export function exec(client: Client): void {
  const transaction = client.transaction;
  if (transaction === null) {
    replyError(errors.EXEC_WITHOUT_MULTI);
    return;
  }
  const changed = client.watchedChanged || client.watchedUntilMillis < clock.nowMillis;
  discardTransaction(client);
  if (transaction.failed) {
    replyError(errors.EXEC_ABORT);
    return;
  }
  if (changed) {
    reply.nullArray();
    return;
  }
  const queue = transaction.queue;
  reply.array(queue.length);
  client.inExec = true;
  for (let i = 0; i < queue.length; i++) {
    const { command, request } = queue[i]!;
    args.load(request);
    execute(client, command);
  }
  client.inExec = false;
  failure.text = null; // errors of the commands are theirs, not EXEC's
}

/** WATCH key [key ...] */
export function watch(client: Client): void {
  if (client.transaction !== null) {
    replyError(errors.WATCH_IN_MULTI);
    return;
  }
  for (let i = 1; i < args.count; i++) {
    watchKey(client, args.latin1(i));
    noteDeadline(client, i);
  }
  reply.ok();
}

/**
 * That a watched key expires is a change too. What else changes its expiry counts as a change by
 * itself, so the deadline at the time of WATCH is all there is to remember. A key that has expired
 * already is as good as absent.
 */
function noteDeadline(client: Client, i: number): void {
  const ref = lookupArgument(client.database, i);
  if (ref === NULL_REF || (headerOf(ref) & FLAG_EXPIRES) === 0) return;
  loadExpiry(ref);
  client.watchedUntilMillis = Math.min(client.watchedUntilMillis, expiryMillis());
}

export function unwatch(client: Client): void {
  unwatchAll(client);
  reply.ok();
}
