// The request being executed: where each of its arguments lies in a byte buffer.
//
//   buffer   *2\r\n$3\r\nGET\r\n$5\r\nhello\r\n...
//                       ^offsets[0]=8   ^offsets[1]=17     lengths = 3, 5     count = 2
//
// There is one of these per isolate (`args`), filled by the parser and read by dispatch and the
// commands. Nothing is copied and nothing is allocated per request: the bytes stay where the socket
// put them, so they are valid only until the server takes the next bytes from that socket. Who needs
// a request for longer (MULTI) takes `capture()`.
//
// Short requests of a pipeline are parsed ahead, each into a frame, and made the current request one after
// the other; so what follows is known before the first is executed (server/connections.ts).
//
// Invariants: 0 <= offsets[i], offsets[i] + lengths[i] <= buffer.length for i < count; entries at and
// above `count` are rubbish. `buffer` is a plain Uint8Array, not a Buffer, to keep call sites
// monomorphic.
import { Buffer } from 'node:buffer';

/** Capacity at the start, and what trim() goes back to. */
const CAPACITY_MIN = 1024;

/**
 * More arguments than this in one request are refused by the parser as they arrive. Redis reads on
 * until memory ends; this bounds the two tables at 64 MiB each.
 */
export const ARGUMENTS_MAX = 1 << 24;

/** An owned copy of a request. */
export interface CapturedRequest {
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
  readonly lengths: Int32Array;
}

/** Requests that can be parsed ahead of the one that is executed, each with at most so many arguments. */
export const FRAMES = 32;
export const FRAME_ARGUMENTS_MAX = 9;

/** Where the arguments of a request that was parsed ahead lie, and where the request ends. */
interface Frame {
  readonly offsets: Int32Array;
  readonly lengths: Int32Array;
  count: number;
  end: number;
}

export class Arguments {
  buffer: Uint8Array = new Uint8Array(0);
  offsets: Int32Array = new Int32Array(CAPACITY_MIN);
  lengths: Int32Array = new Int32Array(CAPACITY_MIN);
  count = 0;

  /** The tables that grow; `offsets` and `lengths` are these or a frame's. */
  private wideOffsets = this.offsets;
  private wideLengths = this.lengths;
  readonly frames: readonly Frame[] = Array.from({ length: FRAMES }, () => ({
    offsets: new Int32Array(FRAME_ARGUMENTS_MAX),
    lengths: new Int32Array(FRAME_ARGUMENTS_MAX),
    count: 0,
    end: 0,
  }));

  /** Makes the request of a frame, parsed from `buffer`, the current one. */
  select(frame: Frame, buffer: Uint8Array): void {
    this.buffer = buffer;
    this.offsets = frame.offsets;
    this.lengths = frame.lengths;
    this.count = frame.count;
  }

  /** Makes room for at least `capacity` arguments and keeps those that are there. */
  grow(capacity: number): void {
    const { offsets, lengths } = this;
    if (capacity <= offsets.length) {
      return;
    }
    this.widen();
    if (capacity > this.offsets.length) {
      if (capacity > ARGUMENTS_MAX) {
        throw new RangeError(`a request holds at most ${ARGUMENTS_MAX} arguments, not ${capacity}`);
      }
      let size = this.offsets.length;
      while (size < capacity) {
        size *= 2;
      }
      this.wideOffsets = new Int32Array(size);
      this.wideLengths = new Int32Array(size);
      this.widen();
    }
    this.offsets.set(offsets);
    this.lengths.set(lengths);
  }

  /** Leaves the frames: what is parsed next may have any number of arguments. */
  widen(): void {
    this.offsets = this.wideOffsets;
    this.lengths = this.wideLengths;
  }

  /** Gives back the tables of an unusually long request; for periodic work, between two commands. */
  trim(): void {
    this.count = 0;
    this.buffer = new Uint8Array(0);
    if (this.wideOffsets.length > CAPACITY_MIN) {
      this.wideOffsets = new Int32Array(CAPACITY_MIN);
      this.wideLengths = new Int32Array(CAPACITY_MIN);
    }
    this.widen();
  }

  /** Argument i, one character per byte: exact for any bytes. */
  latin1(i: number): string {
    const offset = this.offsets[i]!;
    const length = this.lengths[i]!;
    const buffer = this.buffer;
    if (length > 24) {
      return asBuffer(buffer).toString('latin1', offset, offset + length);
    }
    let text = '';
    for (let at = offset; at < offset + length; at++) {
      text += String.fromCharCode(buffer[at]!);
    }
    return text;
  }

  /** Argument i as UTF-8; malformed bytes become U+FFFD. For names that people read, not for keys. */
  utf8(i: number): string {
    const offset = this.offsets[i]!;
    return asBuffer(this.buffer).toString('utf8', offset, offset + this.lengths[i]!);
  }

  /** Whether argument i is this word in any letter case. `word` is ASCII in lower case. */
  equals(i: number, word: string): boolean {
    const length = this.lengths[i]!;
    if (length !== word.length) {
      return false;
    }
    const buffer = this.buffer;
    const offset = this.offsets[i]!;
    for (let at = 0; at < length; at++) {
      let byte = buffer[offset + at]!;
      if (byte >= 0x41 && byte <= 0x5a) {
        byte += 0x20;
      }
      if (byte !== word.charCodeAt(at)) {
        return false;
      }
    }
    return true;
  }

  /** Whether arguments i and j hold the same bytes. */
  same(i: number, j: number): boolean {
    const length = this.lengths[i]!;
    if (length !== this.lengths[j]!) {
      return false;
    }
    const buffer = this.buffer;
    const left = this.offsets[i]!;
    const right = this.offsets[j]!;
    for (let at = 0; at < length; at++) {
      if (buffer[left + at] !== buffer[right + at]) {
        return false;
      }
    }
    return true;
  }

  /** An owned copy of argument i. */
  copyBytes(i: number): Uint8Array {
    const offset = this.offsets[i]!;
    return this.buffer.slice(offset, offset + this.lengths[i]!);
  }

  /** Bytes of all arguments together, without protocol framing. */
  totalBytes(): number {
    let total = 0;
    for (let i = 0; i < this.count; i++) {
      total += this.lengths[i]!;
    }
    return total;
  }

  /** An owned copy of the whole request: the arguments packed one after the other. */
  capture(): CapturedRequest {
    const count = this.count;
    const bytes = new Uint8Array(this.totalBytes());
    const offsets = new Int32Array(count);
    const lengths = this.lengths.slice(0, count);
    let next = 0;
    for (let i = 0; i < count; i++) {
      const offset = this.offsets[i]!;
      bytes.set(this.buffer.subarray(offset, offset + lengths[i]!), next);
      offsets[i] = next;
      next += lengths[i]!;
    }
    return { bytes, offsets, lengths };
  }

  /** Makes a captured request the current one. Its bytes are used in place. */
  load(request: CapturedRequest): void {
    const count = request.offsets.length;
    this.grow(count);
    this.offsets.set(request.offsets);
    this.lengths.set(request.lengths);
    this.buffer = request.bytes;
    this.count = count;
  }

  /** Makes these texts (UTF-8) the current request: for commands the server issues itself. */
  loadTexts(texts: readonly string[]): void {
    const parts = texts.map((text) => new TextEncoder().encode(text));
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    this.grow(parts.length);
    let next = 0;
    parts.forEach((part, i) => {
      bytes.set(part, next);
      this.offsets[i] = next;
      this.lengths[i] = part.length;
      next += part.length;
    });
    this.buffer = bytes;
    this.count = parts.length;
  }
}

/** The same bytes as a Buffer, for its string decoders. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The request being executed. */
export const args = new Arguments();
