// The way of replies out: the reactor's shared output buffer, cut into one segment per client and
// turn.
//
//   output   | replies to client 7 | replies to client 9 | free
//   sends    [7, 0, len]  [9, ...]
//
// A large value of the arena is sent from there. When a reply does not fit, what is there is sent and the rest follows in a second segment. Nothing
// here waits: what a socket does not take is queued by the reactor, and holdIfFull() tells when a
// client has so much waiting that its further requests must wait too.
import type { ReactorHandle } from '../native/index.js';
import { type ReplyWriter, reply } from '../protocol/reply_writer.js';
import { type Client, HELD_BY_OUTPUT } from './client.js';
import { runtime } from './runtime.js';
import { stats } from './stats.js';

/** A client with more than this waiting is not read from until its queue is empty. */
export const OUTPUT_HOLD_BYTES = 1024 * 1024;
/** With less room than this the buffer is sent before the next client is served. */
const ROOM_BYTES_MIN = 16 * 1024;

let reactor: ReactorHandle;
let sends: Int32Array;
let sendsMax = 0;
let sendCount = 0;
let current = -1; // connection of the open segment
let discarding = false;

export function attachOutput(handle: ReactorHandle): void {
  reactor = handle;
  sends = handle.sends;
  sendsMax = Math.floor(sends.length / 3);
  reply.attach(handle.output, passOn, passOnLarge);
}

/** Number of segments to send, for reactor.turn(); the caller then starts anew at 0. */
export function takeSends(): number {
  const count = sendCount;
  stats.writesProcessed += count;
  sendCount = 0;
  reply.position = 0;
  reply.segmentStart = 0;
  return count;
}

/** Replies written from now on go to this client. */
export function beginSegment(client: Client): void {
  current = client.connection;
  if (reply.limit - reply.position < ROOM_BYTES_MIN || sendCount >= sendsMax - 1) sendAll();
  reply.segmentStart = reply.position;
}

/** Ends the open segment. */
export function endSegment(): void {
  closeSegment();
  current = -1;
}

function closeSegment(): void {
  const length = reply.position - reply.segmentStart;
  if (length === 0) return;
  const at = sendCount * 3;
  sends[at] = current;
  sends[at + 1] = reply.segmentStart;
  sends[at + 2] = length;
  sendCount++;
  reply.segmentStart = reply.position;
}

/** How often the buffer was full in the middle of a client's replies: long ones were written. */
export const overflow = { count: 0 };

/** The reply writer's buffer is full: see reply_writer.ts. */
function passOn(_writer: ReplyWriter): void {
  overflow.count++;
  if (discarding) reply.position = reply.segmentStart;
  else closeSegment();
  sendAll();
}

/** A large value goes to the socket from where it lies; what that does not take is copied and queued. */
function passOnLarge(writer: ReplyWriter, view: Uint8Array, offset: number, length: number): void {
  passOn(writer);
  if (!discarding) reactor.send(current, view, offset, length);
}

function sendAll(): void {
  const count = takeSends();
  if (count > 0) reactor.flush(count);
}

/** Runs a command and drops what it replies, unless it calls keepReplies(). */
export function withoutReply(run: () => void): void {
  closeSegment();
  discarding = true;
  try {
    run();
  } finally {
    keepReplies();
  }
}

/** Whether what is replied now is dropped. */
export function isDiscarding(): boolean {
  return discarding;
}

/**
 * Lets `write` reply to a client whose turn it is not, in its version of the protocol; `isQuiet`: what it writes is
 * dropped. Whose turn it is may have replies before and after.
 */
export function replyTo(client: Client, isQuiet: boolean, write: () => void): void {
  const turn = current;
  const dropped = discarding;
  const { protocol } = reply;
  if (dropped) reply.position = reply.segmentStart;
  else closeSegment();
  discarding = isQuiet;
  beginSegment(client);
  reply.protocol = client.protocol;
  write();
  if (isQuiet) reply.position = reply.segmentStart;
  else closeSegment();
  reply.protocol = protocol;
  discarding = dropped;
  current = turn;
}

/** Ends the dropping: what was written so far is gone, what follows is sent. */
export function keepReplies(): void {
  if (!discarding) return;
  discarding = false;
  reply.position = reply.segmentStart;
}

/** Sends all replies that are written, in the middle of a turn: before the server ends or stops. */
export function sendReplies(): void {
  if (!discarding) closeSegment();
  sendAll();
}

/**
 * Holds a client back when too much of its output waits. Returns true when it is held. Where the user
 * set client-output-buffer-limit, that much may wait: such a client is to be closed, not held.
 */
export function holdIfFull(client: Client): boolean {
  const waiting = reactor.queuedBytes(client.connection);
  if (waiting <= OUTPUT_HOLD_BYTES) return false;
  const { hardBytes, softBytes } = runtime.config.clientOutputBufferLimit.normal;
  if (waiting <= (hardBytes > 0 ? hardBytes : softBytes)) return false;
  client.held |= HELD_BY_OUTPUT;
  return true;
}

/** Sends bytes to a client outside its turn: messages that no request of its own asked for. */
export function sendNow(client: Client, bytes: Uint8Array): void {
  reactor.send(client.connection, bytes, 0, bytes.length);
}
