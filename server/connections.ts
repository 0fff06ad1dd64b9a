// Connections: takes the reactor's events, cuts input into requests, runs them and sends the replies.
//
//   reactor.turn() -> events -> [bytes of a client] -> parse -> dispatch -> reply -> sends -> turn()
//
// A client's bytes are parsed where the socket put them. What cannot be used yet (half a request, or
// a client that is held) is copied to the client's own `pending` buffer, which grows as bytes come,
// never because a header announces them. What a large bulk lacks is left in the socket and received into
// that buffer when it comes. Between two turns of the loop at most LOOP_MILLIS pass before timers and
// promises get theirs.
import {
  EVENT_ACCEPTED,
  EVENT_CLOSED,
  EVENT_DATA,
  EVENT_DRAINED,
  EVENT_FIELDS,
  EVENT_READABLE,
  native,
  type ReactorHandle,
} from '../native/index.js';
import { args, FRAMES } from '../protocol/arguments.js';
import * as errors from '../protocol/error_replies.js';
import { reply } from '../protocol/reply_writer.js';
import { COMPLETE, EMPTY, INCOMPLETE, parse, parseAhead } from '../protocol/resp_parser.js';
import { isApproaching, stepNow } from '../storage/checkpoint/run.js';
import { NULL_REF } from '../storage/memory/layout.js';
import { clock, setClock } from '../storage/structures/clock.js';
import { forgetAhead } from '../storage/structures/key_hash.js';
import {
  addAhead,
  addMemberAhead,
  beginAhead,
  lookAhead,
  openAhead,
} from '../storage/structures/look_ahead.js';
import { attachBlocking } from './blocking/block.js';
import { serveReady } from './blocking/serve.js';
import { anyReady } from './blocking/waits.js';
import { Client, HELD_BY_OUTPUT, HELD_BY_PAUSE } from './client.js';
import {
  addClient,
  allClients,
  attachClients,
  clientCount,
  clientOf,
  closeAtOnce,
  closeGently,
  nextClientId,
  removeClient,
  updateReading,
} from './clients.js';
import { dispatch } from './dispatch.js';
import { breakTiming } from './execute.js';
import {
  attachOutput,
  beginSegment,
  endSegment,
  holdIfFull,
  overflow,
  sendNow,
  takeSends,
} from './output.js';
import { attachPause } from './pause.js';
import { giveBuffer, takeBuffer } from './pending_buffers.js';
import { reclaimSoon } from './reclaim.js';
import { runtime } from './runtime.js';
import { stats } from './stats.js';

const INPUT_BYTES = 1024 * 1024;
const OUTPUT_BYTES = 1024 * 1024;
const READ_BYTES_MAX = 64 * 1024;
/** A request that lacks as much as this gets it straight into its buffer, so much of it per turn. */
const DIRECT_BYTES_MIN = 32 * 1024;
const DIRECT_BYTES_MAX = 256 * 1024;
/** The loop over ready sockets gives way to the rest of Node after this long. */
const LOOP_MILLIS = 1;
/** And within a turn: so much input is served between two looks at the clock. */
const INPUT_BYTES_PER_LOOK = 16 * 1024;
/** Commands between two steps of a checkpoint that nears its cut: as many calls as a step makes, at most. */
const COMMANDS_PER_APPROACH = 128;
/** Commands of one client between two looks at how much of its output waits. */
const COMMANDS_PER_CHECK = 64;

const config = runtime.config;
const listenersOnUnixSocket = new Set<number>();

let reactor: ReactorHandle;
/** Clients whose held input can be used again; served in the next turn. */
const resumed: Client[] = [];
let inLoop = false;
/** Commands of the client being served until its output is looked at, and what overflow.count was. */
let untilCheck = COMMANDS_PER_CHECK;
let overflowsSeen = 0;
/** Whether any client's replies wait in the reactor: looked at once per turn. */
let repliesWait = false;
/** Input that was served since the last look at the clock, and since when replies are kept. */
let servedBytes = 0;
let repliesSince = 0;
/** Commands that had been processed at the last step of a checkpoint's approach within a turn. */
let approachedAt = 0;

/** Creates the reactor; nothing is accepted before listen(). */
export function startReactor(): ReactorHandle {
  reactor = native.createReactor({
    onReady: runLoop,
    inputBytes: INPUT_BYTES,
    outputBytes: OUTPUT_BYTES,
    readBytesMax: READ_BYTES_MAX,
  });
  attachOutput(reactor);
  attachClients(reactor);
  attachPause(resumePaused);
  attachBlocking(release);
  return reactor;
}

export function noteUnixListener(listener: number): void {
  listenersOnUnixSocket.add(listener);
}

/** Called when sockets are ready, and after something made held input usable again. */
function runLoop(): void {
  const start = performance.now();
  inLoop = true;
  for (;;) {
    repliesSince = start;
    const count = reactor.turn(takeSends());
    if (count === 0 && resumed.length === 0) break;
    setClock(Date.now());
    repliesWait = reactor.queuedBytesTotal() > 0;
    if (count > 1) lookAheadOfTurn(count);
    for (let i = 0; i < count; i++) {
      handleEvent(i * EVENT_FIELDS);
      if (servedBytes >= INPUT_BYTES_PER_LOOK) divideTurn();
      if (isApproaching()) approachWithin();
    }
    serveResumed();
    forgetAhead();
    if (performance.now() - start > LOOP_MILLIS) {
      reactor.flush(takeSends());
      break;
    }
  }
  inLoop = false;
  if (resumed.length > 0) setImmediate(runLoop);
  reclaimSoon();
}

/** Within a turn that takes long, because much input had gathered or writes are caught: who was served
 *  gets the replies now. */
function divideTurn(): void {
  servedBytes = 0;
  const now = performance.now();
  if (now - repliesSince < LOOP_MILLIS) return;
  repliesSince = now;
  reactor.flush(takeSends());
}

/** Within a turn that changes much, a checkpoint that nears its cut goes on, too: what is written between
 *  two of its steps is what the next one protects again, and the last step is a part of the pause. */
function approachWithin(): void {
  if (stats.commandsProcessed - approachedAt < COMMANDS_PER_APPROACH) return;
  approachedAt = stats.commandsProcessed;
  stepNow();
}

/** Looks ahead for the first requests of a turn's clients: most have one, when they do not pipeline. */
function lookAheadOfTurn(count: number): void {
  const { events, input } = reactor;
  const frame = args.frames[0]!;
  let database = NULL_REF;
  beginAhead(input);
  for (let i = 0; i < count; i++) {
    const at = i * EVENT_FIELDS;
    if (events[at + 1] !== EVENT_DATA) continue;
    const client = clientOf(events[at]!);
    if (client === undefined || client.pendingLength > 0) continue;
    if (database === NULL_REF) database = client.database;
    const start = events[at + 2]!;
    const end = start + events[at + 3]!;
    if (client.database !== database || parseAhead(input, start, end, 1) === 0) continue;
    if (frame.count > 1 && !addAhead(frame.offsets[1]!, frame.lengths[1]!)) break;
  }
  if (database !== NULL_REF) lookAhead(database);
}

function handleEvent(at: number): void {
  const events = reactor.events;
  const connection = events[at]!;
  const kind = events[at + 1]!;
  if (kind === EVENT_DATA) {
    const client = clientOf(connection);
    if (client === undefined || client.closing) return;
    const start = events[at + 2]!;
    handleInput(client, start, start + events[at + 3]!);
  } else if (kind === EVENT_READABLE) {
    const client = clientOf(connection);
    if (client !== undefined && !client.closing) receiveBulk(client);
  } else if (kind === EVENT_ACCEPTED) {
    accept(connection, events[at + 2]!);
  } else if (kind === EVENT_CLOSED) {
    const client = clientOf(connection);
    if (client !== undefined) removeClient(client);
  } else if (kind === EVENT_DRAINED) {
    const client = clientOf(connection);
    if (client !== undefined) release(client, HELD_BY_OUTPUT);
  }
}

// --- input ---------------------------------------------------------------------------------------

function handleInput(client: Client, start: number, end: number): void {
  noteInput(client, end - start);
  if (repliesWait && holdIfFull(client)) updateReading(client);
  if (client.pendingLength > 0 || client.held !== 0) {
    appendPending(client, reactor.input, start, end);
    if (client.held !== 0 || client.pendingLength < client.parseState.needed) return;
    servePending(client);
    return;
  }
  beginSegment(client);
  const used = runRequests(client, reactor.input, start, end);
  endSegment();
  if (used < end && !client.closing) {
    appendPending(client, reactor.input, used, end);
    leaveBulk(client);
  }
}

function noteInput(client: Client, bytes: number): void {
  client.lastMillis = clock.nowMillis;
  client.inputBytes += bytes;
  servedBytes += bytes;
  stats.readsProcessed++;
}

/** Has what a client's pending request lacks left in the socket, when that is much. */
function leaveBulk(client: Client): void {
  if (client.held !== 0 || client.closing) return;
  const missing = client.parseState.needed - client.pendingLength;
  if (missing >= DIRECT_BYTES_MIN) reactor.leaveInSocket(client.connection, missing);
}

/** Bytes that were left in the socket are there: takes some of them. */
function receiveBulk(client: Client): void {
  if (repliesWait && holdIfFull(client)) {
    updateReading(client);
    return;
  }
  if (client.pendingLength === client.pending.length) growPending(client, client.pendingLength + 1);
  const { connection, pending, pendingLength } = client;
  const room = Math.min(pending.length - pendingLength, DIRECT_BYTES_MAX);
  const received = reactor.receive(connection, pending, pendingLength, room);
  if (received === 0) return;
  noteInput(client, received);
  const length = pendingLength + received;
  if (closeIfOver(client, length)) return;
  client.pendingLength = length;
  if (length >= client.parseState.needed) servePending(client);
}

/** Runs what a client's pending bytes hold. */
function servePending(client: Client): void {
  forgetAhead(); // the buffer may be one that was looked at with other bytes in it
  const pending = client.pending;
  const length = client.pendingLength;
  beginSegment(client);
  const used = runRequests(client, pending, 0, length);
  endSegment();
  if (client.closing || used === length) {
    client.dropPending();
    return;
  }
  if (used > 0) {
    client.dropPending();
    appendPending(client, pending, used, length);
  }
  leaveBulk(client);
}

/**
 * Parses and runs the requests in buffer[start, end). Returns the offset of the first byte that was
 * not used: half a request, or the request before which the client was held.
 */
function runRequests(client: Client, buffer: Uint8Array, start: number, end: number): number {
  const state = client.parseState;
  untilCheck = COMMANDS_PER_CHECK;
  overflowsSeen = overflow.count;
  let at = start;
  while (at < end) {
    breakTiming();
    const parsed = state.isFresh() ? parseAhead(buffer, at, end, FRAMES) : 0;
    if (parsed > 0) {
      const next = runAhead(client, buffer, at, parsed);
      if (client.closing) return end;
      if (client.held !== 0) return next;
      at = next;
      continue;
    }
    const status = parse(state, buffer, at, end);
    if (status === COMPLETE) {
      const next = state.next;
      const ran = run(client);
      forgetAhead(); // inline requests share a buffer
      if (!ran) return at;
      if (client.closing) return end;
      at = next;
      if (client.held !== 0) return at;
    } else if (status === EMPTY) {
      at = state.next;
    } else if (status === INCOMPLETE) {
      return at;
    } else {
      protocolError(client, state.error);
      return end;
    }
  }
  return at;
}

/**
 * Looks ahead for the requests in the frames. The first argument of nearly every command is its key, and the command
 * is probably the client's last one; a look at what is not used is harmless.
 */
function lookAheadOfRequests(client: Client, buffer: Uint8Array, parsed: number): void {
  const { frames } = args;
  const { lastCommand } = client;
  const member = lastCommand === null ? 0 : lastCommand.member;
  beginAhead(buffer);
  if (lastCommand?.opensValue) openAhead();
  for (let i = 0; i < parsed; i++) {
    const { count, offsets, lengths } = frames[i]!;
    if (count > 1) addAhead(offsets[1]!, lengths[1]!);
    if (member > 0 && member < count) addMemberAhead(offsets[member]!, lengths[member]!);
  }
  lookAhead(client.database);
}

/**
 * Runs the requests that were parsed ahead from `start` on, until the client is held or closing. Returns
 * the end of the last one that ran.
 */
function runAhead(client: Client, buffer: Uint8Array, start: number, parsed: number): number {
  const { frames } = args;
  if (parsed > 1) {
    lookAheadOfRequests(client, buffer, parsed);
  }
  let at = start;
  for (let i = 0; i < parsed; i++) {
    const frame = frames[i]!;
    args.select(frame, buffer);
    if (!run(client)) break;
    at = frame.end;
    if (client.closing || client.held !== 0) break;
  }
  if (parsed > 1) forgetAhead();
  return at;
}

/** Runs the request in `args`. False, with nothing done, when the client must wait first. */
function run(client: Client): boolean {
  if (!dispatch(client)) {
    client.held |= HELD_BY_PAUSE;
    updateReading(client);
    return false;
  }
  client.commands++;
  if (anyReady()) serveOthers();
  if (--untilCheck === 0 || reply.position > OUTPUT_BYTES / 2 || overflow.count !== overflowsSeen) {
    untilCheck = COMMANDS_PER_CHECK;
    overflowsSeen = overflow.count;
    if (!client.closing && holdIfFull(client)) updateReading(client);
    breakTiming();
  }
  return true;
}

/** Serves the clients that waited for what the request has changed. */
function serveOthers(): void {
  serveReady();
  breakTiming();
}

function protocolError(client: Client, text: string): void {
  runtime.log.verbose(`Protocol error from client ${client.id} (${client.address}): ${text}`);
  reply.protocol = client.protocol;
  reply.error(text);
  endSegment();
  closeGently(client);
}

/** Keeps bytes for later; a client over the query buffer limit is closed. */
function appendPending(client: Client, source: Uint8Array, start: number, end: number): void {
  const length = client.pendingLength + end - start;
  if (closeIfOver(client, length)) return;
  if (length > client.pending.length) growPending(client, length);
  client.pending.set(source.subarray(start, end), client.pendingLength);
  client.pendingLength = length;
}

/** Gives a client's pending bytes room for `length` and, where more is known to come, for more. */
function growPending(client: Client, length: number): void {
  const grown = takeBuffer(length, client.parseState.needed);
  grown.set(client.pending.subarray(0, client.pendingLength));
  giveBuffer(client.pending);
  client.pending = grown;
}

/** Closes a client that has more pending than it may. */
function closeIfOver(client: Client, length: number): boolean {
  if (length <= config.clientQueryBufferLimit) return false;
  runtime.log.warning(
    `Closing client ${client.id} (${client.address}) that reached max query buffer length`,
  );
  closeAtOnce(client);
  return true;
}

// --- clients that wait ---------------------------------------------------------------------------

/** Takes one reason to wait off a client; when none is left its input is used again. */
export function release(client: Client, reason: number): void {
  if ((client.held & reason) === 0) return;
  client.held &= ~reason;
  if (client.held !== 0) return;
  updateReading(client);
  if (client.pendingLength === 0) return;
  resumed.push(client);
  if (!inLoop) setImmediate(runLoop);
}

function resumePaused(): void {
  for (const client of allClients()) release(client, HELD_BY_PAUSE);
}

function serveResumed(): void {
  if (resumed.length === 0) return;
  for (const client of resumed.splice(0)) {
    if (!client.closing && client.held === 0 && client.pendingLength > 0) servePending(client);
  }
}

// --- new connections -----------------------------------------------------------------------------

const encoder = new TextEncoder();

function accept(connection: number, listener: number): void {
  stats.connectionsReceived++;
  const isUnix = listenersOnUnixSocket.has(listener);
  const peer = reactor.describe(connection);
  const client = new Client(connection, nextClientId(), peer, isUnix, clock.nowMillis);
  client.setAuthenticated(config.requirepass === '');
  addClient(client);
  const refusal = whyNotAccepted(client);
  if (refusal !== null) {
    stats.connectionsRejected++;
    sendNow(client, encoder.encode(`-${refusal}\r\n`));
    closeGently(client);
    return;
  }
  if (!isUnix && config.tcpKeepalive > 0) reactor.setKeepAlive(connection, config.tcpKeepalive);
}

function whyNotAccepted(client: Client): string | null {
  if (clientCount() > config.maxclients) return errors.MAX_CLIENTS;
  if (config.protectedMode && config.requirepass === '' && !client.isLocal()) {
    return errors.PROTECTED_MODE;
  }
  return null;
}
