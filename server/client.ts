// One client: what the server remembers between two requests of a connection.
import type { CapturedRequest } from '../protocol/arguments.js';
import { ParseState } from '../protocol/resp_parser.js';
import { databaseRoot, type Ref } from '../storage/memory/layout.js';
import type { Wait } from './blocking/waits.js';
import type { Command } from './command_table/command.js';
import { giveBuffer } from './pending_buffers.js';

/** Replies are sent, dropped until told otherwise, or dropped for the next command. */
export const REPLY_ON = 0;
export const REPLY_OFF = 1;
export const REPLY_SKIP = 2;

/** Why a client's input waits. Bits, so that each reason comes and goes by itself. */
export const HELD_BY_OUTPUT = 1; // its replies are not taken: back pressure
export const HELD_BY_PAUSE = 2; // CLIENT PAUSE
export const HELD_BY_BLOCK = 4; // BLPOP and its kind: it waits for a key

export interface QueuedCommand {
  readonly command: Command;
  readonly request: CapturedRequest;
}

/** MULTI: the commands queued so far. */
export interface Transaction {
  readonly queue: QueuedCommand[];
  /** A command was refused while queueing: EXEC aborts. */
  failed: boolean;
  /** Flags of all queued commands together, and the bytes their requests hold. */
  flagBits: number;
  bytes: number;
}

export function newTransaction(): Transaction {
  return { queue: [], failed: false, flagBits: 0, bytes: 0 };
}

const NO_BYTES = new Uint8Array(0);

export class Client {
  /** The reactor's number of the connection; reused after it ends. */
  readonly connection: number;
  /** Unique and growing: CLIENT ID. */
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly fd: number;
  readonly isUnixSocket: boolean;
  readonly createdMillis: number;
  lastMillis: number;

  readonly parseState = new ParseState();
  /** Input that could not be used yet: bytes [0, pendingLength). */
  pending: Uint8Array = NO_BYTES;
  pendingLength = 0;
  held = 0;

  databaseIndex = 0;
  database: Ref = databaseRoot(0);
  protocol: 2 | 3 = 2;
  authenticated = true;
  name = '';
  libraryName = '';
  libraryVersion = '';
  noEvict = false;
  replyMode = REPLY_ON;

  transaction: Transaction | null = null;
  /** EXEC is running this client's queue. */
  inExec = false;
  /** Keys under WATCH (see effects.ts), whether one of them has changed, and when the first expires. */
  watched: string[] | null = null;
  watchedChanged = false;
  watchedUntilMillis = Number.POSITIVE_INFINITY;

  /** What it waits for, while HELD_BY_BLOCK. */
  wait: Wait | null = null;

  /** Set when no further input is used: QUIT, CLIENT KILL, protocol errors. */
  closing = false;
  lastCommand: Command | null = null;
  commands = 0;
  /** When its output went over the soft limit; 0 = it is not. */
  overSoftSinceMillis = 0;
  inputBytes = 0;
  outputBytes = 0;

  constructor(
    connection: number,
    id: number,
    peer: { fd: number; address: string; localAddress: string },
    isUnixSocket: boolean,
    nowMillis: number,
  ) {
    this.connection = connection;
    this.id = id;
    this.fd = peer.fd;
    this.address = peer.address;
    this.localAddress = peer.localAddress;
    this.isUnixSocket = isUnixSocket;
    this.createdMillis = nowMillis;
    this.lastMillis = nowMillis;
  }

  /** Whether the client is on this machine: a Unix socket or a loopback address. */
  isLocal(): boolean {
    if (this.isUnixSocket) return true;
    return /^127\.|^\[::1\]|^\[::ffff:127\./.test(this.address);
  }

  /** Lets the client in, or takes that back: AUTH, HELLO and RESET. */
  setAuthenticated(authenticated: boolean): void {
    this.authenticated = authenticated;
    this.parseState.authenticated = authenticated;
  }

  selectDatabase(index: number): void {
    this.databaseIndex = index;
    this.database = databaseRoot(index);
  }

  /** Forgets pending input. */
  dropPending(): void {
    giveBuffer(this.pending);
    this.pending = NO_BYTES;
    this.pendingLength = 0;
  }
}
