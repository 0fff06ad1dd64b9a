// LCS: the longest common subsequence of two strings, by dynamic programming.
//
// The usual table holds a length per pair of prefixes; Redis allocates it whole, 4 bytes each. Here two
// rows of lengths are kept, and of the table one bit a cell, which is all that the way back needs:
//
//   steps   bit (i, j): set when LCS(i - 1, j) > LCS(i, j - 1), so the way goes up, else left
//
// So a request takes 1/32 of what Redis takes; it is refused by the same rule all the same.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { NULL_REF, type Ref } from '../../../storage/memory/layout.js';
import { headerOf, TYPE_MASK, TYPE_STRING } from '../../../storage/structures/entry.js';
import type { Client } from '../../client.js';
import { replyError } from '../../reply_error.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { lookupArgument, readKey } from '../keys/keys_access.js';
import { copyText, isLengthAllowed, textLength } from './string_value.js';

/** Bytes of a cell in Redis's table. */
const CELL_BYTES = 4;

const NO_BYTES = new Uint8Array(0);

interface LcsOptions {
  indexes: boolean;
  length: boolean;
  matchLengths: boolean;
  matchLengthMin: number;
}

/** LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN] */
export function lcs(client: Client): void {
  readKey(client, 2); // may delete an expired key, which ends the life of Refs
  const first = readKey(client, 1);
  const second = lookupArgument(client.database, 2);
  if (!isStringOrAbsent(first) || !isStringOrAbsent(second)) {
    replyError(errors.LCS_NOT_STRINGS);
    return;
  }
  const options = readOptions();
  if (options === null) return;
  const cells = (lengthOf(first) + 1) * (lengthOf(second) + 1);
  if (!isLengthAllowed(cells * CELL_BYTES)) {
    replyError(errors.LCS_MEMORY);
    return;
  }
  const table = new LcsTable(textOf(first), textOf(second), !options.length);
  if (options.length) reply.integer(table.length);
  else if (options.indexes) replyMatches(table, options);
  else replySubsequence(table);
}

function isStringOrAbsent(ref: Ref): boolean {
  return ref === NULL_REF || (headerOf(ref) & TYPE_MASK) === TYPE_STRING;
}

function lengthOf(ref: Ref): number {
  return ref === NULL_REF ? 0 : textLength(ref);
}

function textOf(ref: Ref): Uint8Array {
  return ref === NULL_REF ? NO_BYTES : copyText(ref);
}

/** Null: an error was replied. */
function readOptions(): LcsOptions | null {
  const options = { indexes: false, length: false, matchLengths: false, matchLengthMin: 0 };
  for (let i = 3; i < args.count; i++) {
    if (args.equals(i, 'idx')) options.indexes = true;
    else if (args.equals(i, 'len')) options.length = true;
    else if (args.equals(i, 'withmatchlen')) options.matchLengths = true;
    else if (args.equals(i, 'minmatchlen') && i + 1 < args.count) {
      if (!readInt64(++i)) return null;
      options.matchLengthMin = int64ToNumber(int64.hi, int64.lo);
    } else {
      replyError(errors.SYNTAX_ERROR);
      return null;
    }
  }
  if (options.indexes && options.length) {
    replyError(errors.LCS_LENGTH_AND_INDEXES);
    return null;
  }
  return options;
}

class LcsTable {
  /** Length of the subsequence. */
  readonly length: number;
  private readonly steps: Uint8Array;

  /** Without `withSteps` only the length is known. */
  constructor(
    readonly a: Uint8Array,
    readonly b: Uint8Array,
    withSteps: boolean,
  ) {
    this.steps = withSteps ? new Uint8Array(((a.length * b.length) >>> 3) + 1) : NO_BYTES;
    this.length = withSteps ? fillSteps(a, b, this.steps) : subsequenceLength(a, b);
  }

  /** Whether the way back goes up from cell (i, j), counted from 1, to (i - 1, j). */
  goesUp(i: number, j: number): boolean {
    const cell = (i - 1) * this.b.length + j - 1;
    return (this.steps[cell >>> 3]! & (1 << (cell & 7))) !== 0;
  }
}

/** LCS(a, b) with one row of lengths: row[j] is LCS(a[0..i), b[0..j)). */
function subsequenceLength(a: Uint8Array, b: Uint8Array): number {
  const row = new Uint32Array(b.length + 1);
  for (let i = 0; i < a.length; i++) {
    const byte = a[i]!;
    let diagonal = 0;
    let left = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j]!;
      if (b[j - 1] === byte) left = diagonal + 1;
      else if (above > left) left = above;
      row[j] = left;
      diagonal = above;
    }
  }
  return row[b.length]!;
}

/** As subsequenceLength(), noting in `steps` where the way back goes up. */
function fillSteps(a: Uint8Array, b: Uint8Array, steps: Uint8Array): number {
  const row = new Uint32Array(b.length + 1);
  let cell = 0;
  for (let i = 0; i < a.length; i++) {
    const byte = a[i]!;
    let diagonal = 0;
    let left = 0;
    for (let j = 1; j <= b.length; j++, cell++) {
      const above = row[j]!;
      if (b[j - 1] === byte) {
        left = diagonal + 1;
      } else if (above > left) {
        left = above;
        steps[cell >>> 3]! |= 1 << (cell & 7);
      }
      row[j] = left;
      diagonal = above;
    }
  }
  return row[b.length]!;
}

function replySubsequence(table: LcsTable): void {
  const { a, b } = table;
  const found = new Uint8Array(table.length);
  let at = table.length;
  let i = a.length;
  let j = b.length;
  while (at > 0) {
    if (a[i - 1] === b[j - 1]) {
      found[--at] = a[i - 1]!;
      i--;
      j--;
    } else if (table.goesUp(i, j)) {
      i--;
    } else {
      j--;
    }
  }
  reply.bulk(found, 0, found.length);
}

/** The matching ranges from the last to the first, and the length. */
function replyMatches(table: LcsTable, options: LcsOptions): void {
  const { a, b } = table;
  reply.map(2);
  reply.bulkLatin1('matches');
  const mark = reply.deferArray();
  let ranges = 0;
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] !== b[j - 1]) {
      if (table.goesUp(i, j)) i--;
      else j--;
      continue;
    }
    const aEnd = i - 1;
    const bEnd = j - 1;
    while (i > 0 && j > 0 && a[i - 1] === b[j - 1]) {
      i--;
      j--;
    }
    if (aEnd - i + 1 < options.matchLengthMin) continue;
    replyRange(i, aEnd, j, bEnd, options.matchLengths);
    ranges++;
  }
  reply.settle(mark, ranges);
  reply.bulkLatin1('len');
  reply.integer(table.length);
}

function replyRange(
  aStart: number,
  aEnd: number,
  bStart: number,
  bEnd: number,
  withLength: boolean,
): void {
  reply.array(withLength ? 3 : 2);
  reply.array(2);
  reply.integer(aStart);
  reply.integer(aEnd);
  reply.array(2);
  reply.integer(bStart);
  reply.integer(bEnd);
  if (withLength) reply.integer(aEnd - aStart + 1);
}
