// Sparse registers: runs of equal ones, as long as they take fewer bytes than the dense form.
//
//   ZERO    00nnnnnn             n + 1 registers are 0           1..64
//   XZERO   01nnnnnn nnnnnnnn    n + 1 registers are 0           1..16384, high bits first
//   VAL     1vvvvvnn             n + 1 registers are v + 1       1..4, values 1..32
//
// A sparse HyperLogLog is taken out of its string into `sketch` to be changed, and is written back when all
// is done: a change moves what lies behind it, and may need memory that is not there. Which opcodes a
// change makes (what is split, what is joined again) is part of the format: GET must equal Redis's.
//
// Invariant of what is sound: the runs cover REGISTERS registers. Whoever reads checks it, since SET and
// APPEND can write anything. A byte behind the end reads as 0.
import { histogram } from './estimate.js';
import {
  DENSE_BYTES,
  DENSE_ENCODING,
  forgetCardinality,
  HEADER_BYTES,
  isDense,
  REGISTERS,
  raiseDenseRegister,
  SPARSE_ENCODING,
  setDenseRegister,
  setEncoding,
  writeHeader,
} from './registers.js';

const ZERO_RUN_MAX = 64;
const VALUE_RUN_MAX = 4;
const VALUE_MAX = 32;
/** Opcodes that may be joined after a change, from the one before it. */
const JOIN_OPCODES = 5;

/** What changing a register came to. */
export const UNCHANGED = 0;
export const CHANGED = 1;
export const CORRUPT = -1;

/** Runs of one register each: no changes make a sketch longer by more. */
const GROWTH_MAX = REGISTERS;
/** Room for every sound sketch; longer strings (damaged ones) get room of their own for a time. */
const KEPT_BYTES_MAX = HEADER_BYTES + REGISTERS + GROWTH_MAX;

/** The HyperLogLog that is being changed, in either encoding: bytes [0, length). */
export const sketch = { bytes: new Uint8Array(KEPT_BYTES_MAX), length: 0 };

/** Takes a copy of bytes[offset, offset + length) into `sketch`. */
export function takeSketch(bytes: Uint8Array, offset: number, length: number): void {
  const room = Math.max(length + GROWTH_MAX, KEPT_BYTES_MAX);
  if (sketch.bytes.length !== room) sketch.bytes = new Uint8Array(room);
  sketch.bytes.set(bytes.subarray(offset, offset + length));
  sketch.length = length;
}

/** Makes `sketch` one that nothing was added to. */
export function emptySketch(): void {
  const { bytes } = sketch;
  writeHeader(bytes, 0, SPARSE_ENCODING);
  sketch.length = writeZeros(bytes, HEADER_BYTES, REGISTERS);
}

/**
 * Raises a register of `sketch` to `run`: UNCHANGED, CHANGED (the cached cardinality is marked as stale)
 * or CORRUPT. Above `sparseBytesMax` bytes, header included, it becomes dense.
 */
export function raiseRegister(index: number, run: number, sparseBytesMax: number): number {
  if (!isDense(sketch.bytes, 0)) return raiseSparse(index, run, sparseBytesMax);
  if (!raiseDenseRegister(sketch.bytes, 0, index, run)) return UNCHANGED;
  forgetCardinality(sketch.bytes, 0);
  return CHANGED;
}

// The opcode that covers a register: where it lies, the one before it, its first register and their count.
let opcodeAt = 0;
let previousAt = 0;
let firstCovered = 0;
let covered = 0;

function raiseSparse(index: number, run: number, sparseBytesMax: number): number {
  if (run > VALUE_MAX) return raisePromoted(index, run);
  if (!findOpcode(index)) return CORRUPT;
  const { bytes } = sketch;
  const opcode = bytes[opcodeAt]!;
  const isValue = opcode >= 0x80;
  if (isValue && valueIn(opcode) >= run) return UNCHANGED;
  if (covered === 1 && (isValue || opcode < 0x40)) {
    bytes[opcodeAt] = valueOpcode(run, 1);
  } else {
    const grown = sketch.length + splitGrowth(opcode, index);
    if (grown > sketch.length && grown > sparseBytesMax) return raisePromoted(index, run);
    splitOpcode(opcode, index, run, grown);
  }
  joinValues(previousAt);
  forgetCardinality(bytes, 0);
  return CHANGED;
}

function raisePromoted(index: number, run: number): number {
  if (!toDense()) return CORRUPT;
  raiseDenseRegister(sketch.bytes, 0, index, run);
  forgetCardinality(sketch.bytes, 0);
  return CHANGED;
}

/** False: no opcode covers the register. */
function findOpcode(index: number): boolean {
  const { bytes, length } = sketch;
  let at = HEADER_BYTES;
  let previous = HEADER_BYTES;
  let first = 0;
  while (at < length) {
    const run = runLength(bytes, at, length);
    if (index < first + run) {
      opcodeAt = at;
      previousAt = previous;
      firstCovered = first;
      covered = run;
      return true;
    }
    previous = at;
    at += opcodeBytes(bytes[at]!);
    first += run;
  }
  return false;
}

/** Bytes that an opcode takes more when a register in its run gets a value of its own. */
function splitGrowth(opcode: number, index: number): number {
  const before = index - firstCovered;
  const behind = firstCovered + covered - 1 - index;
  const isValue = opcode >= 0x80;
  return partBytes(isValue, before) + 1 + partBytes(isValue, behind) - opcodeBytes(opcode);
}

function partBytes(isValue: boolean, run: number): number {
  if (run === 0) return 0;
  return isValue || run <= ZERO_RUN_MAX ? 1 : 2;
}

/** Splits the found opcode around a register that gets a value; `grown` is the length afterwards. */
function splitOpcode(opcode: number, index: number, run: number, grown: number): void {
  const { bytes, length } = sketch;
  const before = index - firstCovered;
  const behind = firstCovered + covered - 1 - index;
  const next = opcodeAt + opcodeBytes(opcode);
  if (next < length) bytes.copyWithin(next + grown - length, next, length);
  sketch.length = grown;
  let at = opcodeAt;
  if (opcode >= 0x80) {
    const value = valueIn(opcode);
    if (before > 0) bytes[at++] = valueOpcode(value, before);
    bytes[at++] = valueOpcode(run, 1);
    if (behind > 0) bytes[at] = valueOpcode(value, behind);
    return;
  }
  if (before > 0) at = writeZeros(bytes, at, before);
  bytes[at++] = valueOpcode(run, 1);
  if (behind > 0) writeZeros(bytes, at, behind);
}

/** Joins neighbouring runs of the same value, from the opcode before a change on. */
function joinValues(from: number): void {
  const { bytes } = sketch;
  let at = from;
  for (let left = JOIN_OPCODES; left > 0 && at < sketch.length; left--) {
    const opcode = bytes[at]!;
    if (opcode < 0x80) {
      at += opcodeBytes(opcode);
      continue;
    }
    const next = at + 1 < sketch.length ? bytes[at + 1]! : 0;
    const run = valueRun(opcode) + valueRun(next);
    if (next >= 0x80 && valueIn(next) === valueIn(opcode) && run <= VALUE_RUN_MAX) {
      bytes.copyWithin(at, at + 1, sketch.length);
      bytes[at] = valueOpcode(valueIn(opcode), run);
      sketch.length--;
    } else {
      at++;
    }
  }
}

// --- opcodes -------------------------------------------------------------------------------------

function opcodeBytes(opcode: number): number {
  return (opcode & 0xc0) === 0x40 ? 2 : 1;
}

/** Registers that the opcode at `at` covers. */
function runLength(bytes: Uint8Array, at: number, end: number): number {
  const opcode = bytes[at]!;
  if (opcode >= 0x80) return valueRun(opcode);
  if (opcode < 0x40) return opcode + 1;
  return (((opcode & 0x3f) << 8) | (at + 1 < end ? bytes[at + 1]! : 0)) + 1;
}

function valueIn(opcode: number): number {
  return ((opcode >>> 2) & 0x1f) + 1;
}

function valueRun(opcode: number): number {
  return (opcode & 3) + 1;
}

function valueOpcode(value: number, run: number): number {
  return 0x80 | ((value - 1) << 2) | (run - 1);
}

/** Writes a run of zeros in its shortest form; returns where it ends. */
function writeZeros(bytes: Uint8Array, at: number, run: number): number {
  if (run <= ZERO_RUN_MAX) {
    bytes[at] = run - 1;
    return at + 1;
  }
  bytes[at] = 0x40 | ((run - 1) >>> 8);
  bytes[at + 1] = (run - 1) & 0xff;
  return at + 2;
}

// --- whole sketches: `offset` and `length` are those of the string ---------------------------------

/** Counts the registers of a sparse HyperLogLog into `histogram`. False: it is corrupt. */
export function countSparse(bytes: Uint8Array, offset: number, length: number): boolean {
  histogram.fill(0);
  const end = offset + length;
  let index = 0;
  for (let at = offset + HEADER_BYTES; at < end; at += opcodeBytes(bytes[at]!)) {
    const opcode = bytes[at]!;
    const run = runLength(bytes, at, end);
    const value = opcode >= 0x80 ? valueIn(opcode) : 0;
    histogram[value] = histogram[value]! + run;
    index += run;
    if (index > REGISTERS) return false;
  }
  return index === REGISTERS;
}

/** Raises each register of `target` (a byte each) to that of a sparse HyperLogLog. False: it is corrupt. */
export function mergeSparse(
  target: Uint8Array,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  const end = offset + length;
  let index = 0;
  for (let at = offset + HEADER_BYTES; at < end; at += opcodeBytes(bytes[at]!)) {
    const opcode = bytes[at]!;
    const run = runLength(bytes, at, end);
    if (index + run > REGISTERS) return false;
    if (opcode >= 0x80) {
      const value = valueIn(opcode);
      for (let i = index; i < index + run; i++) if (value > target[i]!) target[i] = value;
    }
    index += run;
  }
  return index === REGISTERS;
}

const registers = new Uint8Array(REGISTERS);

/** Makes `sketch` dense, with its cached cardinality. False: it is corrupt, and unchanged. */
export function toDense(): boolean {
  const { bytes, length } = sketch;
  registers.fill(0);
  if (!mergeSparse(registers, bytes, 0, length)) return false;
  bytes.fill(0, HEADER_BYTES, DENSE_BYTES);
  for (let i = 0; i < REGISTERS; i++) {
    if (registers[i] !== 0) setDenseRegister(bytes, 0, i, registers[i]!);
  }
  setEncoding(bytes, 0, DENSE_ENCODING);
  sketch.length = DENSE_BYTES;
  return true;
}

/** The opcodes of a sparse HyperLogLog as PFDEBUG DECODE prints them: "Z:9 v:3,1 z:6". */
export function describeSparse(bytes: Uint8Array, offset: number, length: number): string {
  const end = offset + length;
  const words: string[] = [];
  for (let at = offset + HEADER_BYTES; at < end; at += opcodeBytes(bytes[at]!)) {
    const opcode = bytes[at]!;
    const run = runLength(bytes, at, end);
    if (opcode >= 0x80) words.push(`v:${valueIn(opcode)},${run}`);
    else words.push(`${opcode < 0x40 ? 'z' : 'Z'}:${run}`);
  }
  return words.join(' ');
}
