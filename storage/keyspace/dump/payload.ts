// The payload of DUMP and RESTORE: one value, whatever holds it, as bytes that any Stillframe can make a
// value of again. It is ours alone: Redis's own cannot be restored here, nor ours there.
//
//   payload    | 'SFDV' | version: 1 | type: 1 | 0: 2 | length: 4 | contents | CRC32C: 4 |
//              0        4            5         6      8           12         12 + length
//   count      1 to 5 bytes of 7 bits, the lowest first, the top bit set in all but the last
//   block      | count of bytes | bytes |
//
// Contents, by type (the numbers of structures/entry.ts); numbers are little-endian:
//
//   string      | 0 | bytes ...                              | 1 | int64 |
//   list        | count | block ...                          from the first element to the last
//   set         | 0 | count | block ...                      | 1 | count | int64 ...
//   hash        | 0 | count | field block, value block ...   | 1 | count | field, value, time ...
//   sorted set  | count | member block, score: a double ...  from the lowest rank to the highest
//
//   stream      | 0 | last id | greatest deleted id | entries ever added: int64 | count | entry ...
//               | 1 | ... and its groups: stream_groups_codec.ts
//   entry       | id: two int64, milliseconds and sequence number | count of fields | name block, value block ...
//
//   time        int64, milliseconds of Unix time at which the field expires; 0: it does not
//
// The checksum is over all that precedes it. It finds damage, not malice: whoever makes a payload can make
// its checksum. So the contents are read as a stranger's: a length leads nowhere beyond them, a count of
// more elements than there are bytes is refused before the first is made, and codecs.ts refuses what no
// value can be. Cost beside the value's own bytes: 16, and 1 or 2 for each element.
import { native } from '../../../native/index.js';
import { copyBytes } from '../../memory/bytes.js';

const MAGIC = 0x56444653; // 'SFDV'
export const PAYLOAD_VERSION = 1;
const VERSION_AT = 4;
const TYPE_AT = 5;
const LENGTH_AT = 8;
const CONTENTS_AT = 12;
const CHECKSUM_BYTES = 4;

const BUFFER_BYTES_MIN = 4096;
/** A buffer larger than this is given back after use. */
const BUFFER_KEPT_BYTES_MAX = 1 << 20;

/** Builds one payload at a time in a buffer that is used again. */
export class PayloadWriter {
  bytes = new Uint8Array(BUFFER_BYTES_MIN);
  private view = new DataView(this.bytes.buffer);
  private at = 0;
  private bytesMax = 0;
  /** The payload would be larger than begin() allowed; what is written is dropped. */
  isFull = false;

  /** Begins the payload of a value of this type, of at most `bytesMax` bytes. */
  begin(type: number, bytesMax: number): void {
    this.at = 0;
    this.isFull = false;
    this.bytesMax = bytesMax;
    this.word(MAGIC);
    this.byte(PAYLOAD_VERSION);
    this.byte(type);
    this.byte(0);
    this.byte(0);
    this.word(0);
  }

  /** Ends the payload, bytes[0, length). Returns the length; -1 when it became too large. */
  end(): number {
    if (this.isFull || this.at + CHECKSUM_BYTES > this.bytesMax) return -1;
    this.view.setUint32(LENGTH_AT, this.at - CONTENTS_AT, true);
    this.word(native.crc32c(this.bytes.subarray(0, this.at)));
    return this.at;
  }

  /** Gives the buffer back when it is large. */
  release(): void {
    if (this.bytes.length <= BUFFER_KEPT_BYTES_MAX) return;
    this.bytes = new Uint8Array(BUFFER_BYTES_MIN);
    this.view = new DataView(this.bytes.buffer);
  }

  byte(value: number): void {
    if (this.makeRoom(1)) this.bytes[this.at++] = value;
  }

  word(value: number): void {
    if (!this.makeRoom(4)) return;
    this.view.setUint32(this.at, value >>> 0, true);
    this.at += 4;
  }

  int64(high: number, low: number): void {
    this.word(low);
    this.word(high);
  }

  double(value: number): void {
    if (!this.makeRoom(8)) return;
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  count(value: number): void {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.byte(0x80 | (rest & 0x7f));
    this.byte(rest);
  }

  block(view: Uint8Array, offset: number, length: number): void {
    this.count(length);
    this.raw(view, offset, length);
  }

  /** Bytes without their length. */
  raw(view: Uint8Array, offset: number, length: number): void {
    if (!this.makeRoom(length)) return;
    copyBytes(this.bytes, this.at, view, offset, length);
    this.at += length;
  }

  private makeRoom(bytes: number): boolean {
    const needed = this.at + bytes;
    if (needed > this.bytesMax) this.isFull = true;
    if (this.isFull) return false;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(
        Math.min(Math.max(needed, 2 * this.bytes.length), this.bytesMax),
      );
      grown.set(this.bytes.subarray(0, this.at));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return true;
  }
}

/**
 * Reads the contents of one payload at a time. What cannot be read sets `isBad`, which stays; then and
 * behind the end every number is 0 and every block empty.
 */
export class PayloadReader {
  bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.bytes.buffer);
  private at = 0;
  private end = 0;
  isBad = false;
  /** The value's type, of structures/entry.ts. */
  type = 0;
  /** The block read last: bytes[offset, offset + length). */
  offset = 0;
  length = 0;
  /** The int64 read last. */
  high = 0;
  low = 0;

  /** Begins to read bytes[start, start + length). False: it is no payload of ours, or is damaged. */
  open(bytes: Uint8Array, start: number, length: number): boolean {
    this.isBad = false;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const contents = length - CONTENTS_AT - CHECKSUM_BYTES;
    if (contents < 0 || this.view.getUint32(start, true) !== MAGIC) return false;
    if (bytes[start + VERSION_AT] !== PAYLOAD_VERSION) return false;
    if (this.view.getUint32(start + LENGTH_AT, true) !== contents) return false;
    this.type = bytes[start + TYPE_AT]!;
    this.at = start + CONTENTS_AT;
    this.end = this.at + contents;
    const summed = bytes.subarray(start, this.end);
    return native.crc32c(summed) === this.view.getUint32(this.end, true);
  }

  /** Forgets the bytes, which are another's. */
  close(): void {
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Bytes that are not read yet. */
  get left(): number {
    return this.end - this.at;
  }

  /** Takes so many bytes and returns where they begin; -1 when there are fewer. */
  private take(bytes: number): number {
    if (this.isBad || bytes > this.end - this.at) {
      this.isBad = true;
      return -1;
    }
    this.at += bytes;
    return this.at - bytes;
  }

  byte(): number {
    const at = this.take(1);
    return at < 0 ? 0 : this.bytes[at]!;
  }

  /** Fills `high` and `low`. */
  int64(): void {
    const at = this.take(8);
    this.low = at < 0 ? 0 : this.view.getInt32(at, true);
    this.high = at < 0 ? 0 : this.view.getInt32(at + 4, true);
  }

  double(): number {
    const at = this.take(8);
    return at < 0 ? 0 : this.view.getFloat64(at, true);
  }

  /** A count of things of at least `bytesEach` bytes; one that the bytes left contradict is bad. */
  count(bytesEach: number): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 5; i++, scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte > 0x7f) continue;
      if (value * bytesEach > this.left) this.isBad = true;
      return this.isBad ? 0 : value;
    }
    this.isBad = true;
    return 0;
  }

  /** Fills `offset` and `length` with the next block. */
  block(): void {
    this.rest(this.count(1));
  }

  /** Fills `offset` and `length` with the next `length` bytes. */
  rest(length: number): void {
    const at = this.take(length);
    this.offset = at < 0 ? 0 : at;
    this.length = at < 0 ? 0 : length;
  }
}
