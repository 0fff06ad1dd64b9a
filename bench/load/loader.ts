// Fills a server with keys over the protocol, as fast as one connection can: SETs in batches of
// prebuilt bytes in which only the digits of the keys change.
//
// Keys are a prefix, `key:` unless told, and 12 digits (16 bytes); values are of one length.
//
// A process of its own does it (this file as a program: PORT COUNT PREFIX VALUE REPEAT). What it leaves in its
// heap would be collected while the bench measures, by threads that take both cores for milliseconds.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BATCHES_IN_FLIGHT, sendBatches } from './batches.js';

const BATCH = 4096;
const BATCH_BYTES_MAX = 4 << 20;
const DIGITS = 12;

/** Sets keys 0..count-1. Rejects when a reply is an error or the connection ends early. */
export function loadKeys(port: number, count: number, valueBytes: number): Promise<void> {
  return loadApart(port, count, 'key:', 'v', valueBytes);
}

/** The same with a value and a prefix of keys. */
export function loadValues(
  port: number,
  count: number,
  value: string,
  prefix: string,
): Promise<void> {
  return loadApart(port, count, prefix, value, 1);
}

function loadApart(
  port: number,
  count: number,
  prefix: string,
  value: string,
  repeat: number,
): Promise<void> {
  const numbers = [String(port), String(count)];
  const args = [fileURLToPath(import.meta.url), ...numbers, prefix, value, String(repeat)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`loading keys: ${text.trim()}`));
    });
  });
}

function loadHere(port: number, count: number, value: string, prefix: string): Promise<void> {
  const head = `*3\r\n$3\r\nSET\r\n$${prefix.length + DIGITS}\r\n${prefix}`;
  const request = `${head}${'0'.repeat(DIGITS)}\r\n$${value.length}\r\n${value}\r\n`;
  // Large values make small batches, else a batch is larger than a socket takes at once.
  const perBatch = Math.max(1, Math.min(BATCH, Math.floor(BATCH_BYTES_MAX / value.length)));
  const buffers = Array.from({ length: BATCHES_IN_FLIGHT }, () =>
    Buffer.from(request.repeat(perBatch), 'latin1'),
  );
  let batch = 0;
  const fill = (first: number, size: number): Buffer => {
    const bytes = buffers[batch++ % BATCHES_IN_FLIGHT] as Buffer;
    for (let i = 0; i < size; i++) writeDigits(bytes, i * request.length + head.length, first + i);
    return bytes.subarray(0, size * request.length);
  };
  return sendBatches(port, { count, perBatch, fill });
}

function writeDigits(bytes: Buffer, at: number, value: number): void {
  let rest = value;
  for (let i = at + DIGITS - 1; i >= at; i--) {
    bytes[i] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** The key of a number, as the loader makes it. */
export function keyOf(index: number, prefix = 'key:'): string {
  return prefix + String(index).padStart(DIGITS, '0');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port, count, prefix, value, repeat] = process.argv.slice(2) as string[];
  loadHere(Number(port), Number(count), value!.repeat(Number(repeat)), prefix!).catch(
    (error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
