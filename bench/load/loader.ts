// Fills a server over the protocol, as fast as one connection can: a command again and again, in batches of
// prebuilt bytes in which only the digits of its numbers change.
//
// Keys of strings are a prefix, `key:` unless told, and 12 digits (16 bytes).
//
// A process of its own does it (this file as a program, its task on standard input). What it leaves in its
// heap would be collected while the bench measures, by threads that take both cores for milliseconds.
import { fileURLToPath } from 'node:url';
import { startChild } from '../server/children.js';
import { BATCHES_IN_FLIGHT, sendBatches } from './batches.js';

const BATCH = 4096;
const BATCH_BYTES_MAX = 4 << 20;
const DIGITS = 12;
/** Stands for a number in a command: `{0}` is the first that this one counts, `{1}` the next ... */
const PLACE = /\{(\d)\}/g;

interface Task {
  readonly port: number;
  readonly count: number;
  readonly command: readonly string[];
  readonly replyLines: number;
}

/** Sets keys 0..count-1. Rejects when a reply is an error or the connection ends early. */
export function loadKeys(port: number, count: number, valueBytes: number): Promise<void> {
  return loadValues(port, count, 'v'.repeat(valueBytes), 'key:');
}

/** The same with a value and a prefix of keys. */
export function loadValues(
  port: number,
  count: number,
  value: string,
  prefix: string,
): Promise<void> {
  return loadCommands(port, count, ['SET', `${prefix}{0}`, value]);
}

/**
 * Sends a command `count` times whose reply has `replyLines` lines, one unless told. In its arguments `{0}` to `{9}` stand for numbers of 12
 * digits: with places up to `{k}` the i-th command has those from i * (k + 1) on.
 */
export function loadCommands(
  port: number,
  count: number,
  command: readonly string[],
  replyLines = 1,
): Promise<void> {
  const program = [fileURLToPath(import.meta.url)];
  const child = startChild(process.execPath, program, { stdio: ['pipe', 'ignore', 'pipe'] });
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  const task: Task = { port, count, command, replyLines };
  child.stdin?.end(JSON.stringify(task));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`loading ${command[0]}: ${text.trim()}`));
    });
  });
}

/** Arguments of a command that come `count` times. */
export function repeated(count: number, one: (index: number) => readonly string[]): string[] {
  return Array.from({ length: count }, (_, i) => one(i)).flat();
}

function loadHere({ port, count, command, replyLines }: Task): Promise<void> {
  const { request, places, step } = prepare(command);
  // Large values make small batches, else a batch is larger than a socket takes at once.
  const perBatch = Math.max(1, Math.min(BATCH, Math.floor(BATCH_BYTES_MAX / request.length)));
  const buffers = Array.from({ length: BATCHES_IN_FLIGHT }, () =>
    Buffer.from(request.repeat(perBatch), 'latin1'),
  );
  let batch = 0;
  const fill = (first: number, size: number): Buffer => {
    const bytes = buffers[batch++ % BATCHES_IN_FLIGHT] as Buffer;
    for (let i = 0; i < size; i++) {
      for (const { at, number } of places) {
        writeDigits(bytes, i * request.length + at, (first + i) * step + number);
      }
    }
    return bytes.subarray(0, size * request.length);
  };
  return sendBatches(port, { count, perBatch, fill, replyLines });
}

interface Prepared {
  readonly request: string;
  /** Where digits go, and which number of the command it is. */
  readonly places: readonly { readonly at: number; readonly number: number }[];
  /** Numbers that a command counts. */
  readonly step: number;
}

function prepare(command: readonly string[]): Prepared {
  const places: { at: number; number: number }[] = [];
  let request = `*${command.length}\r\n`;
  for (const argument of command) {
    const text = argument.replace(PLACE, '0'.repeat(DIGITS));
    request += `$${text.length}\r\n`;
    for (const [index, match] of [...argument.matchAll(PLACE)].entries()) {
      const longer = index * (DIGITS - match[0].length);
      places.push({ at: request.length + match.index + longer, number: Number(match[1]) });
    }
    request += `${text}\r\n`;
  }
  return { request, places, step: 1 + Math.max(0, ...places.map(({ number }) => number)) };
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
  const input: Buffer[] = [];
  process.stdin.on('data', (chunk: Buffer) => input.push(chunk));
  process.stdin.on('end', () => {
    loadHere(JSON.parse(Buffer.concat(input).toString('utf8')) as Task).catch((error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    });
  });
}
