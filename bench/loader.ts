// Fills a server with keys over the protocol, as fast as one connection can: SETs in batches of
// prebuilt bytes in which only the digits of the keys change.
//
// Keys are `key:` and 12 digits (16 bytes), values are of one length.
import { connect } from 'node:net';

const BATCH = 4096;
const BATCHES_IN_FLIGHT = 4;
const REPLY_BYTES = '+OK\r\n'.length;
const DIGITS = 12;

/** Sets keys 0..count-1. Rejects when a reply is not +OK or the connection ends early. */
export function loadKeys(port: number, count: number, valueBytes: number): Promise<void> {
  const { template, requestBytes, digitsAt } = batchTemplate(valueBytes);
  const batches = Array.from({ length: BATCHES_IN_FLIGHT }, () => Buffer.from(template));
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let next = 0;
    let replyBytes = 0;
    let batch = 0;
    const sendBatch = (): void => {
      const bytes = batches[batch++ % BATCHES_IN_FLIGHT] as Buffer;
      const size = Math.min(BATCH, count - next);
      for (let i = 0; i < size; i++) writeDigits(bytes, i * requestBytes + digitsAt, next++);
      socket.write(bytes.subarray(0, size * requestBytes));
    };
    socket.on('connect', () => {
      for (let i = 0; i < BATCHES_IN_FLIGHT && next < count; i++) sendBatch();
    });
    socket.on('data', (chunk: Buffer) => {
      if (chunk.includes(0x2d)) {
        socket.destroy(new Error(`a SET failed: ${chunk.toString('latin1').slice(0, 200)}`));
        return;
      }
      const answered = Math.floor(replyBytes / (BATCH * REPLY_BYTES));
      replyBytes += chunk.length;
      const more = Math.floor(replyBytes / (BATCH * REPLY_BYTES)) - answered;
      for (let i = 0; i < more && next < count; i++) sendBatch();
      if (replyBytes === count * REPLY_BYTES) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (replyBytes === count * REPLY_BYTES) resolve();
      else reject(new Error(`connection closed after ${replyBytes / REPLY_BYTES} replies`));
    });
  });
}

function batchTemplate(valueBytes: number) {
  const head = `*3\r\n$3\r\nSET\r\n$${4 + DIGITS}\r\nkey:`;
  const value = 'v'.repeat(valueBytes);
  const request = `${head}${'0'.repeat(DIGITS)}\r\n$${valueBytes}\r\n${value}\r\n`;
  const template = Buffer.from(request.repeat(BATCH), 'latin1');
  return { template, requestBytes: request.length, digitsAt: head.length };
}

function writeDigits(bytes: Buffer, at: number, value: number): void {
  let rest = value;
  for (let i = at + DIGITS - 1; i >= at; i--) {
    bytes[i] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
