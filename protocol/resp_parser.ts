// Parses one request from a byte buffer into `args`, in place.
//
//   *3\r\n $3\r\n SET\r\n $3\r\n key\r\n $5\r\n value\r\n      multibulk: what client libraries send
//   SET key value\r\n                                          inline: see inline_parser.ts
//
// A request may arrive in any number of pieces. parse() is given the bytes from the request's first on;
// when they are not enough, the caller keeps them, appends what comes later and calls again. What was
// parsed already is kept in the connection's ParseState relative to `start`, so the bytes may have moved
// and the work over all calls is proportional to the bytes of the request. How a request is cut never
// changes its meaning.
//
// The rules are those of Redis 7.0, oddities included (each compared with it in the tests):
// - the byte behind a \r in a header, and the two behind a bulk's bytes, are skipped unread;
// - a zero byte hides the rest of a line, so such a line never ends and fails at its length limit;
// - a header that announces up to 2^31 - 1 arguments is accepted; arguments count as they arrive.
//
// Invariants: no byte outside buffer[start, end) is read; nothing is allocated for a request that is
// complete at its first call; nothing is thrown, whatever the bytes.
import { ARGUMENTS_MAX, args, FRAME_ARGUMENTS_MAX } from './arguments.js';
import { INLINE_BYTES_MAX, parseInline } from './inline_parser.js';
import { int64, int64ToNumber, parseInt64 } from './number_text.js';

/** The request is in `args`; it ends before state.next. */
export const COMPLETE = 0;
/** More bytes are needed: state.needed. */
export const INCOMPLETE = 1;
/** A blank line or a request of no arguments, to be skipped without a reply: go on at state.next. */
export const EMPTY = 2;
/** Not the protocol: send state.error as an error reply and close the connection. */
export const ERROR = 3;

export type ParseStatus = typeof COMPLETE | typeof INCOMPLETE | typeof EMPTY | typeof ERROR;

/** The longest header line or inline line. */
const LINE_BYTES_MAX = INLINE_BYTES_MAX;
/** What a client that has still to authenticate may send. */
const UNAUTHENTICATED_COUNT_MAX = 10;
const UNAUTHENTICATED_BULK_BYTES_MAX = 16384;
/** Offsets are int32, and no value is larger than a window of the arena. */
const BULK_BYTES_CEILING = 1 << 30;
const BULK_BYTES_FLOOR = 1 << 20;
/** A state keeps its table of arguments for the next request up to this many entries. */
const KEPT_ARGUMENTS_MAX = 64;

const CR = 0x0d;
const LF = 0x0a;
const DOLLAR = 0x24;
const STAR = 0x2a;
const ZERO = 0x30;

/** The smallest encoded argument: $0\r\n\r\n. */
const BULK_BYTES_MIN = 6;

let bulkBytesMax = 512 * 1024 * 1024;

/** Sets proto-max-bulk-len, in bytes, between 1 MiB (Redis's minimum) and 1 GiB. */
export function setBulkBytesMax(bytes: number): void {
  bulkBytesMax = Math.min(Math.max(bytes, BULK_BYTES_FLOOR), BULK_BYTES_CEILING);
}

/** What parse() knows of one connection. Offsets are relative to the request's first byte. */
export class ParseState {
  /** After COMPLETE and EMPTY: the offset in the buffer at which the next request starts. */
  next = 0;
  /** After INCOMPLETE: calling again is useless before this many bytes from `start` are there. It counts
   *  the current bulk alone, never what a header only announces. */
  needed = 0;
  /** After ERROR: the text of the error reply. */
  error = '';
  /** Set by the server: false while the client must authenticate first. */
  authenticated = true;

  /** Offset of the first byte that is not parsed; 0 = at the start of a request. */
  position = 0;
  /** Bytes before this offset were searched for a line end in vain. */
  searched = 0;
  /** Arguments announced by the header, and how many of them are in `kept`. */
  announced = 0;
  keptCount = 0;
  /** Length of the bulk whose header was read, or -1. */
  bulkLength = -1;
  /** [offset, length] of the arguments parsed by earlier calls. */
  kept: Int32Array | null = null;

  /** No request was begun: the next byte is the first of one. */
  isFresh(): boolean {
    return (this.position | this.searched) === 0;
  }

  /** Forgets a request that was begun: for a connection that starts anew. */
  reset(): void {
    this.position = 0;
    this.searched = 0;
    this.announced = 0;
    this.keptCount = 0;
    this.bulkLength = -1;
    if (this.kept !== null && this.kept.length > 2 * KEPT_ARGUMENTS_MAX) {
      this.kept = null;
    }
  }
}

/**
 * Parses one request from buffer[start, end), start < end. `start` is the request's first byte also when
 * an earlier call returned INCOMPLETE.
 */
export function parse(
  state: ParseState,
  buffer: Uint8Array,
  start: number,
  end: number,
): ParseStatus {
  args.widen();
  if (state.isFresh()) {
    const next = parseShort(buffer, start, end, args.offsets, args.lengths);
    if (next > 0) {
      args.buffer = buffer;
      args.count = buffer[start + 1]! - ZERO;
      state.next = next;
      return COMPLETE;
    }
  }
  return parseAny(state, buffer, start, end);
}

/**
 * Parses the short requests that buffer[start, end) begins with, up to `limit`, into args.frames. Returns how
 * many; 0 when the first one needs parse(). Precondition: no request was begun (see ParseState.isFresh).
 */
export function parseAhead(buffer: Uint8Array, start: number, end: number, limit: number): number {
  const { frames } = args;
  let at = start;
  let parsed = 0;
  while (parsed < limit && at < end) {
    const frame = frames[parsed]!;
    const next = parseShort(buffer, at, end, frame.offsets, frame.lengths);
    if (next === 0) {
      break;
    }
    frame.count = buffer[at + 1]! - ZERO;
    frame.end = next;
    at = next;
    parsed++;
  }
  return parsed;
}

/**
 * The common request: up to 9 arguments of up to 9999 bytes, all there. Returns where it ends; 0 for any
 * other, of which nothing is remembered.
 */
function parseShort(
  buffer: Uint8Array,
  start: number,
  end: number,
  offsets: Int32Array,
  lengths: Int32Array,
): number {
  if (end - start < 4 || buffer[start] !== STAR || buffer[start + 2] !== CR) {
    return 0;
  }
  const count = buffer[start + 1]! - ZERO;
  if (count < 1 || count > FRAME_ARGUMENTS_MAX) {
    return 0;
  }
  let at = start + 4;
  for (let i = 0; i < count; i++) {
    if (end - at < BULK_BYTES_MIN || buffer[at] !== DOLLAR) {
      return 0;
    }
    let length = buffer[at + 1]! - ZERO;
    if (length >>> 0 > 9) {
      return 0;
    }
    at += 2;
    while (at < end && buffer[at] !== CR) {
      const digit = buffer[at]! - ZERO;
      if (digit >>> 0 > 9 || length === 0 || length >= 1000) {
        return 0;
      }
      length = length * 10 + digit;
      at++;
    }
    at += 2;
    if (end - at < length + 2) {
      return 0;
    }
    offsets[i] = at;
    lengths[i] = length;
    at += length + 2;
  }
  return at;
}

function parseAny(state: ParseState, buffer: Uint8Array, start: number, end: number): ParseStatus {
  if (buffer[start] !== STAR) {
    return parseLine(state, buffer, start, end);
  }
  if (state.position === 0) {
    const status = parseHeader(state, buffer, start, end);
    if (status !== COMPLETE) {
      return status;
    }
  }
  return parseBulks(state, buffer, start, end);
}

function parseLine(state: ParseState, buffer: Uint8Array, start: number, end: number): ParseStatus {
  const newline = findInLine(state, buffer, start, start, end, LF);
  if (newline < 0) {
    return end - start > LINE_BYTES_MAX
      ? fail(state, 'too big inline request')
      : incomplete(state, end - start + 1);
  }
  if (newline - start > LINE_BYTES_MAX) {
    return fail(state, 'too big inline request');
  }
  const lineEnd = newline > start && buffer[newline - 1] === CR ? newline - 1 : newline;
  const count = parseInline(buffer, start, lineEnd);
  if (count < 0) {
    return fail(state, 'unbalanced quotes in request');
  }
  state.searched = 0;
  state.next = newline + 1;
  return count === 0 ? EMPTY : COMPLETE;
}

/** Parses `*<count>\r\n`; COMPLETE when arguments follow. */
function parseHeader(
  state: ParseState,
  buffer: Uint8Array,
  start: number,
  end: number,
): ParseStatus {
  const lineEnd = findInLine(state, buffer, start, start, end, CR);
  if (lineEnd < 0 ? end - start > LINE_BYTES_MAX : lineEnd - start > LINE_BYTES_MAX) {
    return fail(state, 'too big mbulk count string');
  }
  if (lineEnd < 0 || lineEnd + 2 > end) {
    return incomplete(state, end - start + 1);
  }
  if (!parseInt64(buffer, start + 1, lineEnd - start - 1)) {
    return fail(state, 'invalid multibulk length');
  }
  const count = int64ToNumber(int64.hi, int64.lo);
  if (count > 0x7fffffff) {
    return fail(state, 'invalid multibulk length');
  }
  if (count > UNAUTHENTICATED_COUNT_MAX && !state.authenticated) {
    return fail(state, 'unauthenticated multibulk length');
  }
  if (count <= 0) {
    state.reset();
    state.next = lineEnd + 2;
    return EMPTY;
  }
  state.announced = count;
  state.position = lineEnd + 2 - start;
  return COMPLETE;
}

/** Parses the arguments from state.position on. */
function parseBulks(
  state: ParseState,
  buffer: Uint8Array,
  start: number,
  end: number,
): ParseStatus {
  let at = start + state.position;
  let count = state.keptCount;
  while (count < state.announced) {
    if (state.bulkLength < 0) {
      const lineEnd = findInLine(state, buffer, start, at, end, CR);
      const status = checkBulkHeader(state, buffer, at, lineEnd, end);
      if (status === ERROR) {
        return ERROR;
      }
      if (status === INCOMPLETE) {
        return keep(state, start, at, count, end - start + 1);
      }
      at = lineEnd + 2;
    }
    const length = state.bulkLength;
    if (end - at < length + 2) {
      return keep(state, start, at, count, at - start + length + 2);
    }
    if (count >= args.offsets.length) {
      if (count >= ARGUMENTS_MAX) {
        return fail(state, 'invalid multibulk length');
      }
      args.grow(count + 1);
    }
    args.offsets[count] = at;
    args.lengths[count] = length;
    count++;
    at += length + 2;
    state.bulkLength = -1;
  }
  restoreKept(state, start);
  args.buffer = buffer;
  args.count = count;
  state.reset();
  state.next = at;
  return COMPLETE;
}

/** Reads `$<length>\r\n` at `at`, its \r at lineEnd (-1: not found), into state.bulkLength. */
function checkBulkHeader(
  state: ParseState,
  buffer: Uint8Array,
  at: number,
  lineEnd: number,
  end: number,
): ParseStatus {
  if (lineEnd < 0 ? end - at > LINE_BYTES_MAX : lineEnd - at > LINE_BYTES_MAX) {
    return fail(state, 'too big bulk count string');
  }
  if (lineEnd < 0 || lineEnd + 2 > end) {
    return INCOMPLETE;
  }
  if (buffer[at] !== DOLLAR) {
    return fail(state, `expected '$', got '${String.fromCharCode(buffer[at]!)}'`);
  }
  if (!parseInt64(buffer, at + 1, lineEnd - at - 1)) {
    return fail(state, 'invalid bulk length');
  }
  const length = int64ToNumber(int64.hi, int64.lo);
  if (length < 0 || length > bulkBytesMax) {
    return fail(state, 'invalid bulk length');
  }
  if (length > UNAUTHENTICATED_BULK_BYTES_MAX && !state.authenticated) {
    return fail(state, 'unauthenticated bulk length');
  }
  state.bulkLength = length;
  return COMPLETE;
}

/** The offset of `wanted` in the line that begins at `from`, or -1. Goes on where it last stopped. */
function findInLine(
  state: ParseState,
  buffer: Uint8Array,
  start: number,
  from: number,
  end: number,
  wanted: number,
): number {
  let at = Math.max(from, start + state.searched);
  for (; at < end; at++) {
    const byte = buffer[at]!;
    if (byte === wanted) {
      return at;
    }
    if (byte === 0) {
      break;
    }
  }
  state.searched = at - start;
  return -1;
}

function incomplete(state: ParseState, needed: number): ParseStatus {
  state.needed = needed;
  return INCOMPLETE;
}

/** Notes in the state what this call parsed: arguments [keptCount, count) and the position. */
function keep(
  state: ParseState,
  start: number,
  at: number,
  count: number,
  needed: number,
): ParseStatus {
  if (count > state.keptCount) {
    let kept = state.kept;
    if (kept === null || kept.length < 2 * count) {
      let capacity = kept === null ? 16 : kept.length;
      while (capacity < 2 * count) {
        capacity *= 2;
      }
      const grown = new Int32Array(capacity);
      if (kept !== null) {
        grown.set(kept);
      }
      kept = grown;
      state.kept = grown;
    }
    for (let i = state.keptCount; i < count; i++) {
      kept[2 * i] = args.offsets[i]! - start;
      kept[2 * i + 1] = args.lengths[i]!;
    }
    state.keptCount = count;
  }
  state.position = at - start;
  return incomplete(state, needed);
}

/** Puts the arguments of earlier calls back into `args`. */
function restoreKept(state: ParseState, start: number): void {
  const kept = state.kept;
  if (kept === null) {
    return;
  }
  for (let i = 0; i < state.keptCount; i++) {
    args.offsets[i] = kept[2 * i]! + start;
    args.lengths[i] = kept[2 * i + 1]!;
  }
}

function fail(state: ParseState, reason: string): ParseStatus {
  state.reset();
  state.error = `ERR Protocol error: ${reason}`;
  return ERROR;
}
