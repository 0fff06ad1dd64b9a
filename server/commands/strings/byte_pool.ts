// Byte strings one behind the other in one buffer, numbered in the order they came: copies of what a
// command needs when the keyspace may change meanwhile. Given back when the command is done.

const BYTES_MIN = 4096;
const STRINGS_MIN = 256;
/** Above this a command has to give up. */
const POOL_BYTES_MAX = 2 ** 30;

export class BytePool {
  bytes = new Uint8Array(BYTES_MIN);
  offsets = new Int32Array(STRINGS_MIN);
  lengths = new Int32Array(STRINGS_MIN);
  count = 0;
  private used = 0;

  /** Adds a copy. False: the pool is full. */
  add(view: Uint8Array, offset: number, length: number): boolean {
    if (this.used + length > POOL_BYTES_MAX) return false;
    if (this.used + length > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(2 * this.bytes.length, this.used + length));
      bytes.set(this.bytes.subarray(0, this.used));
      this.bytes = bytes;
    }
    if (this.count === this.offsets.length) {
      this.offsets = doubled(this.offsets);
      this.lengths = doubled(this.lengths);
    }
    this.bytes.set(view.subarray(offset, offset + length), this.used);
    this.offsets[this.count] = this.used;
    this.lengths[this.count] = length;
    this.count++;
    this.used += length;
    return true;
  }

  /** -1, 0 or 1 as string i comes before string k, byte by byte; a beginning comes before the whole. */
  compare(i: number, k: number): number {
    const { bytes } = this;
    const left = this.offsets[i]!;
    const right = this.offsets[k]!;
    const shared = Math.min(this.lengths[i]!, this.lengths[k]!);
    for (let at = 0; at < shared; at++) {
      const difference = bytes[left + at]! - bytes[right + at]!;
      if (difference !== 0) return difference < 0 ? -1 : 1;
    }
    return Math.sign(this.lengths[i]! - this.lengths[k]!);
  }

  /** compare() as C's strings compare: each ends at its first zero byte. */
  compareTexts(i: number, k: number): number {
    const { bytes } = this;
    const left = this.offsets[i]!;
    const right = this.offsets[k]!;
    const leftEnd = left + this.lengths[i]!;
    const rightEnd = right + this.lengths[k]!;
    for (let at = 0; ; at++) {
      const a = left + at < leftEnd ? bytes[left + at]! : 0;
      const b = right + at < rightEnd ? bytes[right + at]! : 0;
      if (a !== b) return a < b ? -1 : 1;
      if (a === 0) return 0;
    }
  }
}

function doubled(words: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(2 * words.length);
  grown.set(words);
  return grown;
}
