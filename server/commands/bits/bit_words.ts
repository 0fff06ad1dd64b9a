// Bit work on ranges of bytes: counting, searching, combining. Long ranges go four bytes at a time,
// through an Int32Array laid over the part of the buffer that is aligned for it; the order of bytes in
// a word does not matter to any of these.

/** Shorter ranges are not worth a view. */
const WORD_RANGE_BYTES_MIN = 64;

export const AND = 0;
export const OR = 1;
export const XOR = 2;
export const NOT = 3;
/** `target = target op source`; NOT: `target = ~source`. */
export type BitOperation = typeof AND | typeof OR | typeof XOR | typeof NOT;

const bitsOfByte = Uint8Array.from({ length: 256 }, (_, byte) => bitsOfWord(byte));

/** Number of set bits of a 32-bit word: sums of 2, 4 and 8 bits side by side, then of the bytes. */
function bitsOfWord(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The first index from `start` on that lies on a word boundary, at most `end`. */
function alignedStart(view: Uint8Array, start: number, end: number): number {
  return Math.min(end, start + (-(view.byteOffset + start) & 3));
}

/** The words of view[start, end); start must be aligned. */
function wordsOf(view: Uint8Array, start: number, end: number): Int32Array {
  return new Int32Array(view.buffer, view.byteOffset + start, (end - start) >>> 2);
}

/** Number of set bits of view[start, end). */
export function countBits(view: Uint8Array, start: number, end: number): number {
  let count = 0;
  let at = start;
  if (end - start >= WORD_RANGE_BYTES_MIN) {
    const aligned = alignedStart(view, start, end);
    while (at < aligned) count += bitsOfByte[view[at++]!]!;
    const words = wordsOf(view, aligned, end);
    const { length } = words;
    for (let i = 0; i < length; i++) count += bitsOfWord(words[i]!);
    at += length << 2;
  }
  while (at < end) count += bitsOfByte[view[at++]!]!;
  return count;
}

/** Index of the first byte of view[start, end) that is not `byte`, 0 or 255; `end` if there is none. */
export function skipBytes(view: Uint8Array, start: number, end: number, byte: number): number {
  let at = start;
  if (end - start >= WORD_RANGE_BYTES_MIN) {
    const aligned = alignedStart(view, start, end);
    while (at < aligned && view[at] === byte) at++;
    if (at < aligned) return at;
    const words = wordsOf(view, aligned, end);
    const word = byte === 0 ? 0 : -1;
    const { length } = words;
    let i = 0;
    while (i < length && words[i] === word) i++;
    at += i << 2;
  }
  while (at < end && view[at] === byte) at++;
  return at;
}

/** Combines `length` bytes of the source into the target. */
export function combineBits(
  operation: BitOperation,
  target: Uint8Array,
  targetStart: number,
  source: Uint8Array,
  sourceStart: number,
  length: number,
): void {
  const end = targetStart + length;
  const distance = sourceStart - targetStart;
  let at = targetStart;
  const sameAlignment = ((source.byteOffset + distance - target.byteOffset) & 3) === 0;
  if (sameAlignment && length >= WORD_RANGE_BYTES_MIN) {
    const aligned = alignedStart(target, targetStart, end);
    combineBytes(operation, target, at, source, at + distance, aligned - at);
    const words = wordsOf(target, aligned, end);
    combineWords(operation, words, wordsOf(source, aligned + distance, end + distance));
    at = aligned + (words.length << 2);
  }
  combineBytes(operation, target, at, source, at + distance, end - at);
}

function combineBytes(
  operation: BitOperation,
  target: Uint8Array,
  to: number,
  source: Uint8Array,
  from: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const byte = source[from + i]!;
    if (operation === AND) target[to + i]! &= byte;
    else if (operation === OR) target[to + i]! |= byte;
    else if (operation === XOR) target[to + i]! ^= byte;
    else target[to + i] = ~byte;
  }
}

/** A loop for each operation: here the time goes. */
function combineWords(operation: BitOperation, target: Int32Array, source: Int32Array): void {
  const { length } = target;
  if (operation === AND) {
    for (let i = 0; i < length; i++) target[i]! &= source[i]!;
  } else if (operation === OR) {
    for (let i = 0; i < length; i++) target[i]! |= source[i]!;
  } else if (operation === XOR) {
    for (let i = 0; i < length; i++) target[i]! ^= source[i]!;
  } else {
    for (let i = 0; i < length; i++) target[i] = ~source[i]!;
  }
}
