// Encodes replies (RESP2 and RESP3) into the output buffer.
//
//   buffer   | replies of other connections | replies of this one |  free            |
//            0                              segmentStart          position      limit
//
// The server owns the buffer (the reactor's shared one) and attaches it with `onFull`. Before bytes are
// written, room for them is ensured; when they do not fit, onFull must pass on
// buffer[segmentStart, position) for the current connection and set segmentStart and position anew, with
// at least OUTPUT_BYTES_MIN bytes free. What is larger than the buffer goes out in several such steps.
//
// Replies whose element count is known only at the end are deferred: between deferArray() and settle()
// the writer fills a growable scratch buffer instead (`buffer`, `position` and `limit` then are the
// scratch's), and settle() of the outermost one puts header and content out. Deferred replies nest.
// Where a command can count first, that is cheaper.
//
// Invariants: segmentStart <= position <= limit = buffer.length; nothing is allocated for replies up to
// the size of the buffer, except from texts beyond ASCII.
import { Buffer } from 'node:buffer';
import { COPY_SHORT_MAX, copyShort } from './copy_bytes.js';
import {
  formatDouble17,
  formatInt64,
  formatInteger,
  int64IsSafe,
  int64ToNumber,
} from './number_text.js';

/** The smallest buffer that can be attached: every fixed part of a reply fits in it. */
export const OUTPUT_BYTES_MIN = 64;
/** A type byte, the longest number and the line end. */
const HEADER_BYTES_MAX = 24;

/** Deferred replies nest this deep at most (a constant of the code, not of its input). */
const DEFER_DEPTH_MAX = 16;
/** A deferred reply larger than this cannot be built; settle by counting first instead. */
export const DEFERRED_BYTES_MAX = 1 << 30;
/** A scratch buffer larger than this is given back after use. */
const SCRATCH_KEPT_BYTES_MAX = 1 << 20;
const SCRATCH_BYTES_MIN = 16 * 1024;

const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
const TYPE_SIMPLE = 0x2b; // +
const TYPE_ERROR = 0x2d; // -
const TYPE_INTEGER = 0x3a; // :
const TYPE_BULK = 0x24; // $
const TYPE_ARRAY = 0x2a; // *
const TYPE_NULL = 0x5f; // _
const TYPE_DOUBLE = 0x2c; // ,
const TYPE_BOOLEAN = 0x23; // #
const TYPE_BIG_NUMBER = 0x28; // (
const TYPE_VERBATIM = 0x3d; // =
const TYPE_MAP = 0x25; // %
const TYPE_SET = 0x7e; // ~
const TYPE_ATTRIBUTE = 0x7c; // |
const TYPE_PUSH = 0x3e; // >

const DOUBLED = 1;

/** Bytes of a value from which it is handed to onLarge rather than copied to the buffer. */
export const LARGE_BYTES_MIN = 128 * 1024;

export type OnFull = (writer: ReplyWriter) => void;
export type OnLarge = (
  writer: ReplyWriter,
  view: Uint8Array,
  offset: number,
  length: number,
) => void;

/** Names a deferred reply until it is settled. */
export type DeferMark = number;

export class ReplyWriter {
  buffer: Uint8Array = new Uint8Array(OUTPUT_BYTES_MIN);
  private data = new DataView(this.buffer.buffer);
  position = 0;
  segmentStart = 0;
  limit = OUTPUT_BYTES_MIN;
  /** RESP version of the connection that is being served. */
  protocol: 2 | 3 = 2;
  private onFull: OnFull = unattached;
  private onLarge: OnLarge | null = null;

  // The last source of a copy and its DataView: nearly always the same window of the arena.
  private source: Uint8Array = this.buffer;
  private sourceData = this.data;
  private readonly sources = new WeakMap<Uint8Array, DataView>();

  // While replies are deferred: the kinds and content starts of the open ones, and the true output.
  private depth = 0;
  private readonly deferTypes = new Uint8Array(DEFER_DEPTH_MAX);
  private readonly deferDoubled = new Uint8Array(DEFER_DEPTH_MAX);
  private readonly deferStarts = new Int32Array(DEFER_DEPTH_MAX);
  private scratch: Uint8Array = new Uint8Array(SCRATCH_BYTES_MIN);
  private outputBuffer: Uint8Array = this.buffer;
  private outputData = this.data;
  private outputPosition = 0;

  /**
   * Writes to `buffer` from its beginning from now on. See the top of this file for onFull. `onLarge`
   * does what onFull does and then passes on the bytes that it is given, which are valid during the call.
   */
  attach(buffer: Uint8Array, onFull: OnFull, onLarge: OnLarge | null = null): void {
    if (buffer.length < OUTPUT_BYTES_MIN) {
      throw new RangeError(`output buffer of ${buffer.length} bytes, at least ${OUTPUT_BYTES_MIN}`);
    }
    this.depth = 0;
    this.use(buffer, new DataView(buffer.buffer, buffer.byteOffset, buffer.length));
    this.position = 0;
    this.segmentStart = 0;
    this.onFull = onFull;
    this.onLarge = onLarge;
  }

  /** +OK */
  ok(): void {
    let at = this.reserve(8);
    const buffer = this.buffer;
    buffer[at++] = TYPE_SIMPLE;
    buffer[at++] = 0x4f;
    buffer[at++] = 0x4b;
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.position = at;
  }

  /** +PONG */
  pong(): void {
    this.simple('PONG');
  }

  /** +QUEUED */
  queued(): void {
    this.simple('QUEUED');
  }

  /** A simple string. Precondition: ASCII without CR and LF. */
  simple(text: string): void {
    this.line(TYPE_SIMPLE, text);
  }

  /**
   * An error, text without the '-': 'ERR syntax error'. One character is one byte, so bytes of a request
   * can be quoted in it (latin1); CR and LF become spaces as in Redis, or nothing at the end.
   */
  error(text: string): void {
    this.line(TYPE_ERROR, withoutLineEnd(text));
  }

  /** An integer. Precondition: safe, |n| <= 2^53 - 1. */
  integer(n: number): void {
    let at = this.reserve(HEADER_BYTES_MAX);
    const buffer = this.buffer;
    buffer[at++] = TYPE_INTEGER;
    if (n >= 0 && n < 10) {
      buffer[at++] = ZERO + n;
    } else {
      at += formatInteger(n, buffer, at);
    }
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.position = at;
  }

  /** An integer of the full signed 64-bit range: see int64 in number_text.ts. */
  integer64(hi: number, lo: number): void {
    if (int64IsSafe(hi, lo)) {
      this.integer(int64ToNumber(hi, lo));
      return;
    }
    let at = this.reserve(HEADER_BYTES_MAX);
    this.buffer[at++] = TYPE_INTEGER;
    at += formatInt64(hi, lo, this.buffer, at);
    this.endLine(at);
  }

  /** An int64 as a bulk string: INCR's value as GET returns it. */
  bulkInteger64(hi: number, lo: number): void {
    // $20 leaves two places for the length: write the digits first, then the header before them.
    const start = this.reserve(2 * HEADER_BYTES_MAX);
    const digits = formatInt64(hi, lo, this.buffer, start + HEADER_BYTES_MAX);
    const content = this.header(TYPE_BULK, digits);
    this.buffer.copyWithin(content, start + HEADER_BYTES_MAX, start + HEADER_BYTES_MAX + digits);
    this.endLine(content + digits);
  }

  /** A bulk string: view[offset, offset + length). */
  bulk(view: Uint8Array, offset: number, length: number): void {
    if (length > COPY_SHORT_MAX || this.position + length + HEADER_BYTES_MAX > this.limit) {
      this.header(TYPE_BULK, length);
      this.raw(view, offset, length);
      this.endLine(this.reserve(2));
      return;
    }
    if (view !== this.source) this.selectSource(view);
    const at = this.shortHeader(length);
    copyShort(this.buffer, this.data, at, view, this.sourceData, offset, length);
    this.endLine(at + length);
  }

  /** A bulk string that lies in two parts of a view. */
  bulkOfTwo(
    view: Uint8Array,
    offset: number,
    length: number,
    second: number,
    secondLength: number,
  ): void {
    const total = length + secondLength;
    if (total > COPY_SHORT_MAX || this.position + total + HEADER_BYTES_MAX > this.limit) {
      this.header(TYPE_BULK, total);
      this.raw(view, offset, length);
      this.raw(view, second, secondLength);
      this.endLine(this.reserve(2));
      return;
    }
    if (view !== this.source) this.selectSource(view);
    const at = this.shortHeader(total);
    copyShort(this.buffer, this.data, at, view, this.sourceData, offset, length);
    copyShort(this.buffer, this.data, at + length, view, this.sourceData, second, secondLength);
    this.endLine(at + total);
  }

  /** Writes the header of a bulk string for which there is room; returns the position behind it. */
  private shortHeader(length: number): number {
    const buffer = this.buffer;
    let at = this.position;
    buffer[at++] = TYPE_BULK;
    if (length < 10) {
      buffer[at++] = ZERO + length;
    } else if (length < 100) {
      const tens = (length / 10) | 0;
      buffer[at++] = ZERO + tens;
      buffer[at++] = ZERO + length - tens * 10;
    } else {
      at += formatInteger(length, buffer, at);
    }
    buffer[at++] = CR;
    buffer[at++] = LF;
    return at;
  }

  /** A bulk string of one byte per character; characters must be below U+0100. */
  bulkLatin1(text: string): void {
    this.header(TYPE_BULK, text.length);
    this.latin1(text);
    this.endLine(this.reserve(2));
  }

  /** A bulk string in UTF-8. */
  bulkText(text: string): void {
    if (isAscii(text)) {
      this.bulkLatin1(text);
      return;
    }
    const bytes = utf8(text);
    this.bulk(bytes, 0, bytes.length);
  }

  /** No value: $-1, RESP3 _. */
  null(): void {
    if (this.protocol === 3) {
      this.endLine(this.typeByte(TYPE_NULL));
    } else {
      this.header(TYPE_BULK, -1);
    }
  }

  /** No array: *-1, RESP3 _. */
  nullArray(): void {
    if (this.protocol === 3) {
      this.endLine(this.typeByte(TYPE_NULL));
    } else {
      this.header(TYPE_ARRAY, -1);
    }
  }

  emptyArray(): void {
    this.header(TYPE_ARRAY, 0);
  }

  /** Header of an array; n replies follow. */
  array(n: number): void {
    this.header(TYPE_ARRAY, n);
  }

  /** Header of a map; n pairs of replies follow. RESP2: an array of 2n. */
  map(n: number): void {
    if (this.protocol === 3) {
      this.header(TYPE_MAP, n);
    } else {
      this.header(TYPE_ARRAY, 2 * n);
    }
  }

  /** Header of a set; n replies follow. RESP2: an array. */
  set(n: number): void {
    this.header(this.protocol === 3 ? TYPE_SET : TYPE_ARRAY, n);
  }

  /** Header of an out-of-band message; n replies follow. RESP2: an array. */
  push(n: number): void {
    this.header(this.protocol === 3 ? TYPE_PUSH : TYPE_ARRAY, n);
  }

  /** Header of an attribute; n pairs follow, then the reply they belong to. RESP3 only. */
  attribute(n: number): void {
    this.header(TYPE_ATTRIBUTE, n);
  }

  /** A double with 17 significant digits; RESP2: as a bulk string. */
  double(n: number): void {
    if (Number.isSafeInteger(n) && !Object.is(n, -0)) {
      this.wholeDouble(n);
      return;
    }
    this.doubleText(formatDouble17(n));
  }

  /** A double whose text is made by the caller; RESP2: as a bulk string. */
  doubleText(text: string): void {
    if (this.protocol === 3) {
      this.line(TYPE_DOUBLE, text);
    } else {
      this.bulkLatin1(text);
    }
  }

  /** As most scores are: no text is made. */
  private wholeDouble(n: number): void {
    const content = this.reserve(2 * HEADER_BYTES_MAX) + HEADER_BYTES_MAX;
    const digits = formatInteger(n, this.buffer, content);
    let at: number;
    if (this.protocol === 3) {
      at = this.typeByte(TYPE_DOUBLE);
    } else {
      at = this.header(TYPE_BULK, digits);
    }
    for (let i = 0; i < digits; i++) this.buffer[at + i] = this.buffer[content + i]!;
    this.endLine(at + digits);
  }

  /** #t or #f; RESP2: 1 or 0. */
  boolean(value: boolean): void {
    if (this.protocol === 3) {
      this.line(TYPE_BOOLEAN, value ? 't' : 'f');
    } else {
      this.integer(value ? 1 : 0);
    }
  }

  /** A text with its format (three letters: txt, mkd), in UTF-8; RESP2: a bulk string. */
  verbatim(text: string, format: string): void {
    if (this.protocol === 2) {
      this.bulkText(text);
      return;
    }
    const bytes = utf8(text);
    this.header(TYPE_VERBATIM, bytes.length + 4);
    this.latin1(`${format}:`);
    this.raw(bytes, 0, bytes.length);
    this.endLine(this.reserve(2));
  }

  /** An integer of any size as decimal text; RESP2: a bulk string. */
  bigNumber(text: string): void {
    if (this.protocol === 3) {
      this.line(TYPE_BIG_NUMBER, text);
    } else {
      this.bulkLatin1(text);
    }
  }

  /** Bytes that are encoded already: view[offset, offset + length). */
  raw(view: Uint8Array, offset: number, length: number): void {
    if (length >= LARGE_BYTES_MIN && this.depth === 0 && this.onLarge !== null) {
      this.onLarge(this, view, offset, length);
      return;
    }
    let from = offset;
    let rest = length;
    while (rest > 0) {
      if (this.position === this.limit) {
        this.makeRoom(this.depth > 0 ? rest : 1);
      }
      const piece = Math.min(rest, this.limit - this.position);
      this.buffer.set(view.subarray(from, from + piece), this.position);
      this.position += piece;
      from += piece;
      rest -= piece;
    }
  }

  /** Begins an array whose count is not known yet: write its elements, then settle(). */
  deferArray(): DeferMark {
    return this.defer(TYPE_ARRAY, 0);
  }

  /** As deferArray() for map(n). */
  deferMap(): DeferMark {
    return this.protocol === 3 ? this.defer(TYPE_MAP, 0) : this.defer(TYPE_ARRAY, DOUBLED);
  }

  /** As deferArray() for set(n). */
  deferSet(): DeferMark {
    return this.defer(this.protocol === 3 ? TYPE_SET : TYPE_ARRAY, 0);
  }

  /** Ends the innermost deferred reply, which `mark` must name: it has n elements (map: pairs). */
  settle(mark: DeferMark, n: number): void {
    if (mark !== this.depth - 1) {
      throw new Error(`settle(${mark}) while ${this.depth} replies are deferred`);
    }
    const content = this.deferStarts[mark]!;
    const end = this.position;
    // The header goes right before the content, in the place that defer() left free.
    const count = this.deferDoubled[mark] === DOUBLED ? 2 * n : n;
    this.position = content - HEADER_BYTES_MAX;
    const start = this.position;
    const headerBytes = this.header(this.deferTypes[mark]!, count) - start;
    this.depth = mark;
    if (mark > 0) {
      this.buffer.copyWithin(start + headerBytes, content, end);
      this.position = start + headerBytes + end - content;
      return;
    }
    this.buffer.copyWithin(content - headerBytes, start, start + headerBytes);
    const scratch = this.buffer;
    this.leaveScratch();
    this.raw(scratch, content - headerBytes, end - content + headerBytes);
  }

  /** Drops all deferred replies, of which nothing was sent yet: for a command that failed in between. */
  abandon(): void {
    if (this.depth > 0) {
      this.depth = 0;
      this.leaveScratch();
    }
  }

  private defer(type: number, doubled: number): DeferMark {
    const mark = this.depth;
    if (mark === DEFER_DEPTH_MAX) {
      throw new Error(`more than ${DEFER_DEPTH_MAX} replies deferred`);
    }
    if (mark === 0) {
      this.outputBuffer = this.buffer;
      this.outputData = this.data;
      this.outputPosition = this.position;
      this.use(this.scratch, new DataView(this.scratch.buffer));
      this.position = 0;
    }
    this.depth = mark + 1;
    this.deferTypes[mark] = type;
    this.deferDoubled[mark] = doubled;
    this.position = this.reserve(HEADER_BYTES_MAX) + HEADER_BYTES_MAX;
    this.deferStarts[mark] = this.position;
    return mark;
  }

  private leaveScratch(): void {
    const kept = this.buffer.length <= SCRATCH_KEPT_BYTES_MAX;
    this.scratch = kept ? this.buffer : new Uint8Array(SCRATCH_BYTES_MIN);
    this.use(this.outputBuffer, this.outputData);
    this.position = this.outputPosition;
  }

  private use(buffer: Uint8Array, data: DataView): void {
    this.buffer = buffer;
    this.data = data;
    this.limit = buffer.length;
  }

  /** Ensures room for n bytes and returns the position. */
  private reserve(n: number): number {
    if (this.position + n > this.limit) {
      this.makeRoom(n);
    }
    return this.position;
  }

  private makeRoom(n: number): void {
    if (this.depth > 0) {
      this.growScratch(this.position + n);
      return;
    }
    this.onFull(this);
    if (this.position + n > this.limit) {
      throw new RangeError(`onFull left ${this.limit - this.position} bytes free, not ${n}`);
    }
  }

  private growScratch(needed: number): void {
    if (needed > DEFERRED_BYTES_MAX) {
      throw new RangeError(`deferred reply above ${DEFERRED_BYTES_MAX} bytes`);
    }
    let size = this.buffer.length;
    while (size < needed) {
      size *= 2;
    }
    const grown = new Uint8Array(size);
    grown.set(this.buffer.subarray(0, this.position));
    this.use(grown, new DataView(grown.buffer));
  }

  private selectSource(view: Uint8Array): void {
    let data = this.sources.get(view);
    if (data === undefined) {
      data = new DataView(view.buffer, view.byteOffset, view.byteLength);
      this.sources.set(view, data);
    }
    this.source = view;
    this.sourceData = data;
  }

  /** Writes a type byte, a number and the line end; returns the position behind them. */
  private header(type: number, n: number): number {
    let at = this.reserve(HEADER_BYTES_MAX);
    const buffer = this.buffer;
    buffer[at++] = type;
    at += formatInteger(n, buffer, at);
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.position = at;
    return at;
  }

  /** Writes a type byte; returns the position behind it, where two more bytes fit. */
  private typeByte(type: number): number {
    const at = this.reserve(4);
    this.buffer[at] = type;
    return at + 1;
  }

  /** Ends the reply at `at` with CR LF; room for them was reserved. */
  private endLine(at: number): void {
    this.buffer[at] = CR;
    this.buffer[at + 1] = LF;
    this.position = at + 2;
  }

  /** A whole one-line reply. CR and LF in the text become spaces. */
  private line(type: number, text: string): void {
    this.position = this.typeByte(type);
    const length = text.length;
    for (let i = 0; i < length; i++) {
      if (this.position === this.limit) {
        this.makeRoom(1);
      }
      const byte = text.charCodeAt(i);
      this.buffer[this.position++] = byte === CR || byte === LF ? 0x20 : byte;
    }
    this.endLine(this.reserve(2));
  }

  private latin1(text: string): void {
    const length = text.length;
    for (let i = 0; i < length; i++) {
      if (this.position === this.limit) {
        this.makeRoom(1);
      }
      this.buffer[this.position++] = text.charCodeAt(i);
    }
  }
}

function unattached(): void {
  throw new Error('reply writer has no output buffer: attach() comes first');
}

/** The text without the CRs and LFs at its end. */
function withoutLineEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === CR || text.charCodeAt(end - 1) === LF)) end--;
  return end === text.length ? text : text.slice(0, end);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) {
      return false;
    }
  }
  return true;
}

/** The text's bytes as a plain Uint8Array: a Buffer would make the copies polymorphic. */
function utf8(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The writer of this isolate. */
export const reply = new ReplyWriter();
