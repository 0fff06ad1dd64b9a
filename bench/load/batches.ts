// Sends requests in batches over one connection, a few batches ahead of the replies. Each reply must be
// one line (a status or an integer), or have as many as is told, so that counting lines counts replies.
import { connect } from 'node:net';

export const BATCHES_IN_FLIGHT = 4;
const COMMANDS_PER_BATCH = 2048;
const LINE_FEED = 0x0a;
const MINUS = 0x2d;

export interface Batches {
  /** Requests in all, and in a batch. */
  readonly count: number;
  readonly perBatch: number;
  /** Bytes of `size` requests from `first` on. A buffer may be used again after three other calls. */
  readonly fill: (first: number, size: number) => Buffer;
  /** 2 where replies are bulk strings of one line; 1 unless told. */
  readonly replyLines?: number;
}

/** Resolves when all replies are there. Rejects when one is an error or the connection ends early. */
export function sendBatches(port: number, batches: Batches): Promise<void> {
  const { count, perBatch, fill, replyLines = 1 } = batches;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let next = 0;
    let replies = 0;
    let lines = 0;
    let atLineStart = true;
    const sendBatch = (): void => {
      const size = Math.min(perBatch, count - next);
      socket.write(fill(next, size));
      next += size;
    };
    socket.on('connect', () => {
      for (let i = 0; i < BATCHES_IN_FLIGHT && next < count; i++) sendBatch();
      if (count === 0) socket.end();
    });
    socket.on('data', (chunk: Buffer) => {
      const batchesAnswered = Math.floor(replies / perBatch);
      for (let i = 0; i < chunk.length; i++) {
        const byte = chunk[i];
        if (atLineStart && byte === MINUS) {
          const text = chunk.toString('latin1', i, i + 200);
          socket.destroy(new Error(`a request failed: ${text}`));
          return;
        }
        atLineStart = byte === LINE_FEED;
        if (atLineStart) lines++;
      }
      replies = Math.floor(lines / replyLines);
      const more = Math.floor(replies / perBatch) - batchesAnswered;
      for (let i = 0; i < more && next < count; i++) sendBatch();
      if (replies === count) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (replies === count) resolve();
      else reject(new Error(`connection closed after ${replies} replies`));
    });
  });
}

/** `count` commands, made one by one from their number. */
export function sendCommands(
  port: number,
  count: number,
  command: (index: number) => readonly string[],
): Promise<void> {
  const fill = (first: number, size: number): Buffer => {
    let text = '';
    for (let i = first; i < first + size; i++) {
      const parts = command(i);
      text += `*${parts.length}\r\n`;
      for (const part of parts) text += `$${part.length}\r\n${part}\r\n`;
    }
    return Buffer.from(text, 'latin1');
  };
  return sendBatches(port, { count, perBatch: COMMANDS_PER_BATCH, fill });
}
