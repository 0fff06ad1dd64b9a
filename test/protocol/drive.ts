// Drives the parser as a server does, for tests: bytes arrive in pieces, what is not parsed yet is moved
// to another place with other bytes around it, and `needed` is obeyed.
import { args, FRAMES } from '../../protocol/arguments.js';
import {
  COMPLETE,
  EMPTY,
  INCOMPLETE,
  ParseState,
  parse,
  parseAhead,
} from '../../protocol/resp_parser.js';

/** What became of a stream of bytes. */
export interface Outcome {
  /** Arguments of each request, one character per byte. */
  readonly requests: string[][];
  /** The protocol error that ended it, or null. */
  readonly error: string | null;
  /** Bytes that belong to no whole request; 0 after an error. */
  readonly pending: number;
}

/** The bytes a stray read would meet: what headers are made of, and rubbish. */
const MARGIN = Buffer.from('\r\n*1$9\r\n\r\n\0\xff"\'\n', 'latin1');
const MARGIN_BYTES = 40;

/** Copies bytes into a larger buffer, so that reads outside of them would be noticed. */
function embed(bytes: Uint8Array, salt: number): { buffer: Uint8Array; start: number } {
  const buffer = new Uint8Array(bytes.length + 2 * MARGIN_BYTES);
  for (let i = 0; i < buffer.length; i++) {
    buffer[i] = MARGIN[(i * 7 + salt) % MARGIN.length]!;
  }
  const start = salt % MARGIN_BYTES;
  buffer.set(bytes, start);
  return { buffer, start };
}

/**
 * Feeds bytes cut at the given offsets (ascending). Throws when the parser breaks its own contract.
 * @param salt chooses what lies around the bytes and where, and whether short requests are parsed ahead;
 *   it must not matter.
 */
export function drive(
  bytes: Uint8Array,
  cuts: readonly number[],
  options: { salt?: number; authenticated?: boolean } = {},
): Outcome {
  const state = new ParseState();
  state.authenticated = options.authenticated ?? true;
  const requests: string[][] = [];
  let from = 0;
  let needed = 1;
  let salt = options.salt ?? 0;
  for (const to of [...cuts, bytes.length]) {
    if (to - from < needed) {
      continue;
    }
    const { buffer, start } = embed(bytes.subarray(from, to), salt++);
    const end = start + to - from;
    let at = start;
    needed = 1;
    while (at < end) {
      const parsed = salt % 2 === 0 && state.isFresh() ? parseAhead(buffer, at, end, FRAMES) : 0;
      if (parsed > 0) {
        at = takeFrames(parsed, buffer, at, end, requests);
        continue;
      }
      const status = parse(state, buffer, at, end);
      if (status === INCOMPLETE) {
        needed = state.needed;
        if (needed <= end - at) {
          throw new Error(`needed ${needed} of ${end - at} bytes that are there`);
        }
        break;
      }
      if (status !== COMPLETE && status !== EMPTY) {
        return { requests, error: state.error, pending: 0 };
      }
      if (status === COMPLETE) {
        requests.push(takeRequest());
      }
      if (state.next <= at || state.next > end) {
        throw new Error(`next is ${state.next - start}, parsed from ${at - start} of ${to - from}`);
      }
      at = state.next;
    }
    from += at - start;
  }
  return { requests, error: null, pending: bytes.length - from };
}

/** Takes the requests that were parsed ahead; returns where the last one ends. */
function takeFrames(
  parsed: number,
  buffer: Uint8Array,
  start: number,
  end: number,
  requests: string[][],
): number {
  let at = start;
  for (const frame of args.frames.slice(0, parsed)) {
    if (frame.end <= at || frame.end > end) {
      throw new Error(`a frame of ${end - at} bytes ends at ${frame.end - at}`);
    }
    args.select(frame, buffer);
    requests.push(takeRequest());
    at = frame.end;
  }
  return at;
}

function takeRequest(): string[] {
  const texts: string[] = [];
  for (let i = 0; i < args.count; i++) {
    if (args.offsets[i]! < 0 || args.offsets[i]! + args.lengths[i]! > args.buffer.length) {
      throw new Error(`argument ${i} lies outside its buffer`);
    }
    texts.push(args.latin1(i));
  }
  // What another connection's request would do meanwhile.
  args.offsets.fill(-1, 0, args.count);
  args.lengths.fill(-1, 0, args.count);
  return texts;
}

export function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** A request as a multibulk. */
export function multibulk(...texts: string[]): string {
  return `*${texts.length}\r\n${texts.map((text) => `$${text.length}\r\n${text}\r\n`).join('')}`;
}
