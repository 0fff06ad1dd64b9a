// A small client over node:net that shows exactly what a server sends: raw bytes can be written,
// replies come back as data (errors too), and a reply that does not come is an error with the
// reason, not a hang.
//
// Replies are taken in order. One caller at a time may wait on a client.
import { connect, type Socket } from 'node:net';
import { type Plain, plain, type Reply, ReplyDecoder } from './reply.js';

export type Arg = string | number | bigint | Buffer;
export type Command = readonly Arg[];

const REPLY_TIMEOUT_MS = 20_000;

/** The bytes of one argument: strings are binary (latin1), numbers decimal. */
export function argBytes(arg: Arg): Buffer {
  return Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg), 'latin1');
}

/** A request as a RESP array of bulk strings. */
export function encode(command: Command): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${command.length}\r\n`)];
  for (const arg of command) {
    const bytes = argBytes(arg);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
  }
  return Buffer.concat(parts);
}

const CRLF = Buffer.from('\r\n');

/** Thrown when the connection ended before the awaited reply. */
export class ConnectionLost extends Error {}

export type Address = { readonly port: number; readonly host?: string } | { readonly path: string };

export class RawClient {
  private readonly decoder = new ReplyDecoder();
  private readonly ready: Reply[] = [];
  private wake: (() => void) | null = null;
  private failure: Error | null = null;
  private ended = false;
  /** Resolves when the connection is closed, whoever closed it. */
  readonly closed: Promise<void>;
  bytesReceived = 0;
  /** What was wrong with the bytes of the server, if anything. */
  protocolError: Error | null = null;

  private constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => {
      this.failure ??= error;
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.ended = true;
        this.wake?.();
        resolve();
      });
    });
  }

  static connect(address: Address): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket =
        'path' in address
          ? connect({ path: address.path })
          : connect({ host: address.host ?? '127.0.0.1', port: address.port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  get isClosed(): boolean {
    return this.ended;
  }

  /** Writes bytes as they are. Resolves when the kernel has them (or the connection is gone). */
  write(bytes: Buffer | string): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () =>
        resolve(),
      );
    });
  }

  /** Sends one command and returns its reply as plain JavaScript; errors are ReplyError values. */
  async call(...command: Arg[]): Promise<Plain> {
    return plain(await this.ask(command));
  }

  /** Sends one command and returns its reply with wire types. */
  async ask(command: Command): Promise<Reply> {
    this.socket.write(encode(command));
    return this.read();
  }

  /** Sends all commands at once and returns their replies in order. */
  async pipeline(commands: readonly Command[]): Promise<Reply[]> {
    this.socket.write(Buffer.concat(commands.map(encode)));
    return this.readMany(commands.length);
  }

  async readMany(count: number): Promise<Reply[]> {
    const replies: Reply[] = [];
    while (replies.length < count) replies.push(await this.read());
    return replies;
  }

  /** The next reply, whenever it was asked for. */
  async read(timeoutMs = REPLY_TIMEOUT_MS): Promise<Reply> {
    if (this.ready.length === 0) await this.wait(timeoutMs);
    return this.ready.shift() as Reply;
  }

  /** All replies until the server closes the connection. */
  async readUntilClosed(timeoutMs = REPLY_TIMEOUT_MS): Promise<Reply[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`still open after ${timeoutMs} ms`)), timeoutMs);
    });
    await Promise.race([this.closed, late]).finally(() => clearTimeout(timer));
    return this.ready.splice(0);
  }

  /** Replies that have arrived already. */
  takeReady(): Reply[] {
    return this.ready.splice(0);
  }

  /** Closes at once (with RST when there are unread bytes) and waits until it is done. */
  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  private receive(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    try {
      this.decoder.feed(chunk);
      for (let reply = this.decoder.take(); reply !== null; reply = this.decoder.take()) {
        this.ready.push(reply);
      }
    } catch (error) {
      this.protocolError = error as Error;
      this.failure = this.protocolError;
      this.socket.destroy();
    }
    this.wake?.();
  }

  private wait(timeoutMs: number): Promise<void> {
    if (this.ended || this.failure !== null) return Promise.reject(this.lost());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.wake = null;
        const bytes = this.decoder.pendingBytes;
        reject(new Error(`no reply within ${timeoutMs} ms (${bytes} bytes of one arrived)`));
      }, timeoutMs);
      this.wake = () => {
        if (this.ready.length === 0 && !this.ended) return;
        clearTimeout(timer);
        this.wake = null;
        if (this.ready.length > 0) resolve();
        else reject(this.lost());
      };
    });
  }

  private lost(): Error {
    const reason = this.failure === null ? 'closed by the server' : this.failure.message;
    return new ConnectionLost(`no reply, the connection is gone: ${reason}`);
  }
}
