// A HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, 2007) as Redis lays it out in a string, so that GET and
// SET exchange it with Redis byte for byte: 16,384 registers of 6 bits, dense or sparse (sparse.ts).
//
//   0   'HYLL'
//   4   encoding     0 dense, 1 sparse
//   5   not used     3 bytes
//   8   cardinality  64 bits, low byte first; the top bit says that it does not hold any more
//   16  registers    dense: 12,288 bytes, register i in bits 6i..6i+5, lowest bits first
//
// An element chooses a register by the low 14 bits of its hash; the register keeps the longest run seen of
// zeros (counted with the 1 behind them) in the other 50. Standard error: 1.04 / sqrt(16384) = 0.81 %.
import { hashMurmur, murmur } from './murmur.js';

export const REGISTERS = 16_384;
const INDEX_BITS = 14;
const HASH_BITS = 64 - INDEX_BITS;
/** A register's value is at most this if it comes from a hash; 6 bits hold more. */
export const RUN_MAX = HASH_BITS + 1;
/** Values that 6 bits hold. */
export const REGISTER_VALUES = 64;

export const HEADER_BYTES = 16;
export const DENSE_BYTES = HEADER_BYTES + (REGISTERS * 6) / 8;
export const DENSE_ENCODING = 0;
export const SPARSE_ENCODING = 1;

const ENCODING_AT = 4;
const CARDINALITY_AT = 8;
const STALE_AT = 15;
const STALE_BIT = 0x80;

/** The register of an element and the value that it asks for. */
export const observation = { index: 0, run: 0 };

/** Fills `observation` for the element in bytes[offset, offset + length). */
export function observe(bytes: Uint8Array, offset: number, length: number): void {
  hashMurmur(bytes, offset, length);
  const { high, low } = murmur;
  observation.index = low & (REGISTERS - 1);
  const rest = (low >>> INDEX_BITS) | (high << (32 - INDEX_BITS));
  // A 1 behind the 50 bits ends every run.
  const upper = (high >>> INDEX_BITS) | (1 << (HASH_BITS - 32));
  observation.run = rest !== 0 ? trailingZeros(rest) + 1 : trailingZeros(upper) + 33;
}

/** Of a word that is not 0. */
function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Whether bytes[offset, offset + length) can be a HyperLogLog; its registers may still be damaged. */
export function isHyperLogLog(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < HEADER_BYTES) return false;
  const isNamed =
    bytes[offset] === 0x48 &&
    bytes[offset + 1] === 0x59 &&
    bytes[offset + 2] === 0x4c &&
    bytes[offset + 3] === 0x4c;
  if (!isNamed) return false;
  const encoding = bytes[offset + ENCODING_AT]!;
  return encoding === SPARSE_ENCODING || (encoding === DENSE_ENCODING && length === DENSE_BYTES);
}

export function isDense(bytes: Uint8Array, offset: number): boolean {
  return bytes[offset + ENCODING_AT] === DENSE_ENCODING;
}

/** Writes the header of one that nothing was added to. */
export function writeHeader(bytes: Uint8Array, offset: number, encoding: number): void {
  bytes.fill(0, offset, offset + HEADER_BYTES);
  bytes[offset] = 0x48;
  bytes[offset + 1] = 0x59;
  bytes[offset + 2] = 0x4c;
  bytes[offset + 3] = 0x4c;
  bytes[offset + ENCODING_AT] = encoding;
}

export function setEncoding(bytes: Uint8Array, offset: number, encoding: number): void {
  bytes[offset + ENCODING_AT] = encoding;
}

// --- the cached cardinality ----------------------------------------------------------------------

/** The cardinality that was read, or is to be stored: an int64 as two words. */
export const cardinality = { high: 0, low: 0 };

/** Marks the cached cardinality as stale: a register has changed. */
export function forgetCardinality(bytes: Uint8Array, offset: number): void {
  bytes[offset + STALE_AT] = bytes[offset + STALE_AT]! | STALE_BIT;
}

/** Fills `cardinality` from the cache; false when it is stale. */
export function loadCardinality(bytes: Uint8Array, offset: number): boolean {
  if ((bytes[offset + STALE_AT]! & STALE_BIT) !== 0) return false;
  cardinality.low = readWord(bytes, offset + CARDINALITY_AT);
  cardinality.high = readWord(bytes, offset + CARDINALITY_AT + 4);
  return true;
}

export function storeCardinality(bytes: Uint8Array, offset: number): void {
  const { high, low } = cardinality;
  for (let i = 0; i < 4; i++) {
    bytes[offset + CARDINALITY_AT + i] = low >>> (i << 3);
    bytes[offset + CARDINALITY_AT + 4 + i] = high >>> (i << 3);
  }
}

function readWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

// --- dense registers: `offset` is where the HyperLogLog begins ------------------------------------

export function denseRegister(bytes: Uint8Array, offset: number, index: number): number {
  const bit = index * 6;
  const at = offset + HEADER_BYTES + (bit >>> 3);
  // The last register ends with its byte: what lies behind it is not read.
  const shift = bit & 7;
  const next = shift > 2 ? bytes[at + 1]! : 0;
  return ((bytes[at]! >>> shift) | (next << (8 - shift))) & 63;
}

export function setDenseRegister(
  bytes: Uint8Array,
  offset: number,
  index: number,
  run: number,
): void {
  const bit = index * 6;
  const at = offset + HEADER_BYTES + (bit >>> 3);
  const shift = bit & 7;
  bytes[at] = (bytes[at]! & ~(63 << shift)) | (run << shift);
  if (shift > 2) bytes[at + 1] = (bytes[at + 1]! & ~(63 >>> (8 - shift))) | (run >>> (8 - shift));
}

/** Raises a register to `run`; false when it is as high already. */
export function raiseDenseRegister(
  bytes: Uint8Array,
  offset: number,
  index: number,
  run: number,
): boolean {
  if (denseRegister(bytes, offset, index) >= run) return false;
  setDenseRegister(bytes, offset, index, run);
  return true;
}

/** Raises each register of `target` (a byte each) to that of a dense HyperLogLog. */
export function mergeDense(target: Uint8Array, bytes: Uint8Array, offset: number): void {
  // Four registers take three bytes.
  for (let i = 0, at = offset + HEADER_BYTES; i < REGISTERS; i += 4, at += 3) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    raise(target, i, word & 63);
    raise(target, i + 1, (word >>> 6) & 63);
    raise(target, i + 2, (word >>> 12) & 63);
    raise(target, i + 3, word >>> 18);
  }
}

function raise(target: Uint8Array, index: number, run: number): void {
  if (run > target[index]!) target[index] = run;
}
