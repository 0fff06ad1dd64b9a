// The keyed hash of every table: HalfSipHash-1-3 with a 64-bit key and a 32-bit result (Aumasson and
// Bernstein, "SipHash: a fast short-input PRF", 2012; the half variant works on 32-bit words, which
// is what JavaScript's integer arithmetic compiles to). A client that does not know the seed cannot
// make keys collide.

/**
 * Hash of bytes[offset, offset + length) as an int32. The seed is two int32 words.
 */
export function hashBytes(
  bytes: Uint8Array,
  offset: number,
  length: number,
  seed0: number,
  seed1: number,
): number {
  let v0 = seed0;
  let v1 = seed1;
  let v2 = seed0 ^ 0x6c796765;
  let v3 = seed1 ^ 0x74656462;
  const end = offset + length;
  const wordsEnd = end - (length & 3);
  let at = offset;
  let word = 0;
  for (;;) {
    if (at < wordsEnd) {
      word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    } else {
      word = length << 24;
      if (at < end) word |= bytes[at]!;
      if (at + 1 < end) word |= bytes[at + 1]! << 8;
      if (at + 2 < end) word |= bytes[at + 2]! << 16;
    }
    v3 ^= word;
    // one round per word
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
    if (at >= wordsEnd) break;
    at += 4;
  }
  v2 ^= 0xff;
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  return v1 ^ v3;
}
