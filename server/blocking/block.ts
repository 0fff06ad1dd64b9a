// Letting a client wait, and ending that: served (serve.ts), the time is over, CLIENT UNBLOCK. Each wait ends
// exactly once: whoever ends it first takes it out of the registry and cancels its timer.
import { args } from '../../protocol/arguments.js';
import * as errors from '../../protocol/error_replies.js';
import { reply } from '../../protocol/reply_writer.js';
import { clock, setClock } from '../../storage/structures/clock.js';
import { type Client, HELD_BY_BLOCK } from '../client.js';
import { isDiscarding, replyTo, sendReplies } from '../output.js';
import { countError } from '../stats.js';
import { addWait, namesOf, removeWait, type ServeWait, type Wait } from './waits.js';

/** The longest delay that a timer of Node's takes; a longer wait sets it again. */
const TIMER_MILLIS_MAX = 0x7fffffff;

let release: (client: Client, reason: number) => void = () => {};

/** `releaseClient` lets a client go on that was held. */
export function attachBlocking(releaseClient: (client: Client, reason: number) => void): void {
  release = releaseClient;
}

/** Whether the client may wait. A transaction never does: what would wait replies as if its time were over. */
export function mayBlock(client: Client): boolean {
  return !client.inExec;
}

/**
 * Lets the client of the running command wait until one of the keys in arguments `keys` has a value of a type (as in
 * the entry's header) that `serve` can serve it from, or until `timeoutMillis` have passed (0: no limit); then
 * `giveUp` writes its reply. `gone` ends the wait when one of the keys is deleted or gets another type (XREADGROUP).
 * The command has written no reply.
 */
export function waitForKeys(
  client: Client,
  type: number,
  keys: readonly number[],
  timeoutMillis: number,
  serve: ServeWait,
  giveUp: () => void,
  gone: (() => void) | null = null,
): void {
  const wait: Wait = {
    client,
    request: args.capture(),
    type,
    names: namesOf(client.databaseIndex, keys),
    serve,
    gone,
    giveUp,
    isQuiet: isDiscarding(),
    untilMillis: timeoutMillis > 0 ? performance.now() + timeoutMillis : Number.POSITIVE_INFINITY,
    timer: null,
  };
  addWait(wait, keys);
  client.wait = wait;
  client.held |= HELD_BY_BLOCK;
  if (timeoutMillis > 0) startTimer(wait);
}

function startTimer(wait: Wait): void {
  const left = Math.ceil(wait.untilMillis - performance.now());
  wait.timer = setTimeout(onTimer, Math.min(Math.max(left, 1), TIMER_MILLIS_MAX), wait);
}

function onTimer(wait: Wait): void {
  if (performance.now() < wait.untilMillis) {
    startTimer(wait); // timers may come a fraction of a millisecond early, and long waits in parts
    return;
  }
  setClock(Date.now());
  giveUp(wait);
  sendReplies();
}

function giveUp(wait: Wait): void {
  replyTo(wait.client, wait.isQuiet, wait.giveUp);
  endWait(wait);
}

/** The client has its reply: its further requests are served. */
export function endWait(wait: Wait): void {
  removeWait(wait);
  wait.client.lastMillis = clock.nowMillis;
  release(wait.client, HELD_BY_BLOCK);
}

/** CLIENT UNBLOCK: ends the wait of a client as its time limit would, or with an error. False: it does not wait. */
export function unblock(client: Client, withError: boolean): boolean {
  const { wait } = client;
  if (wait === null) return false;
  if (withError) {
    replyTo(client, wait.isQuiet, () => {
      countError(errors.UNBLOCKED);
      reply.error(errors.UNBLOCKED);
    });
    endWait(wait);
  } else {
    giveUp(wait);
  }
  return true;
}
