// Splits an inline command (a line typed into telnet) into arguments, with Redis's quoting rules:
//
//   SET key "a \"quoted\"\r\n\x00value" 'it\'s raw'
//
// Words are separated by white space. In double quotes \n \r \t \b \a and \xHH mean a byte and any
// other \c means c; in single quotes only \' is special. A quote may open inside a word (ab"cd" is
// abcd), but what follows a closing quote must be white space or the end of the line.
//
// Without quotes the arguments stay in the caller's buffer. With quotes they are written to a scratch
// buffer, which is valid until the next quoted line: `args.buffer` says which one it is.
import { args } from './arguments.js';

/** The longest line, without its line end, that the parser hands over. */
export const INLINE_BYTES_MAX = 64 * 1024;

const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;

/** Unescaped text is never longer than the line it comes from. */
const scratch = new Uint8Array(INLINE_BYTES_MAX);

/** Where the last word() ended in the line, and in the scratch buffer. */
let lineNext = 0;
let scratchNext = 0;

/**
 * Parses the line buffer[start, end) (without line end) into `args`.
 * @returns the number of arguments (0 for a blank line), or -1 when quotes are unbalanced.
 */
export function parseInline(buffer: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (buffer[at] === DOUBLE_QUOTE || buffer[at] === SINGLE_QUOTE) {
      return parseQuoted(buffer, start, end);
    }
  }
  args.buffer = buffer;
  let count = 0;
  let at = start;
  for (;;) {
    while (at < end && isSpace(buffer[at]!)) {
      at++;
    }
    if (at === end) {
      args.count = count;
      return count;
    }
    const word = at;
    while (at < end && !endsWord(buffer[at]!)) {
      at++;
    }
    addArgument(count++, word, at - word);
  }
}

function parseQuoted(buffer: Uint8Array, start: number, end: number): number {
  args.buffer = scratch;
  lineNext = start;
  scratchNext = 0;
  let count = 0;
  for (;;) {
    while (lineNext < end && isSpace(buffer[lineNext]!)) {
      lineNext++;
    }
    if (lineNext === end) {
      args.count = count;
      return count;
    }
    const word = scratchNext;
    if (!unquoteWord(buffer, end)) {
      return -1;
    }
    addArgument(count++, word, scratchNext - word);
  }
}

/** Copies one word from the line to the scratch buffer; false when its quotes are unbalanced. */
function unquoteWord(buffer: Uint8Array, end: number): boolean {
  while (lineNext < end) {
    const byte = buffer[lineNext]!;
    if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) {
      const closed =
        byte === DOUBLE_QUOTE ? unquoteDouble(buffer, end) : unquoteSingle(buffer, end);
      return closed && (lineNext === end || isSpace(buffer[lineNext]!));
    }
    if (endsWord(byte)) {
      return true;
    }
    scratch[scratchNext++] = byte;
    lineNext++;
  }
  return true;
}

function unquoteDouble(buffer: Uint8Array, end: number): boolean {
  for (let at = lineNext + 1; at < end; at++) {
    let byte = buffer[at]!;
    if (byte === DOUBLE_QUOTE) {
      lineNext = at + 1;
      return true;
    }
    if (byte === BACKSLASH && at + 1 < end) {
      const high = at + 3 < end ? hexDigit(buffer[at + 2]!) : -1;
      const low = at + 3 < end ? hexDigit(buffer[at + 3]!) : -1;
      if (buffer[at + 1] === 0x78 && high >= 0 && low >= 0) {
        byte = high * 16 + low;
        at += 3;
      } else {
        byte = unescapeByte(buffer[at + 1]!);
        at += 1;
      }
    }
    scratch[scratchNext++] = byte;
  }
  return false;
}

function unquoteSingle(buffer: Uint8Array, end: number): boolean {
  for (let at = lineNext + 1; at < end; at++) {
    let byte = buffer[at]!;
    if (byte === SINGLE_QUOTE) {
      lineNext = at + 1;
      return true;
    }
    if (byte === BACKSLASH && at + 1 < end && buffer[at + 1] === SINGLE_QUOTE) {
      byte = SINGLE_QUOTE;
      at += 1;
    }
    scratch[scratchNext++] = byte;
  }
  return false;
}

function unescapeByte(byte: number): number {
  switch (byte) {
    case 0x6e: // n
      return 0x0a;
    case 0x72: // r
      return 0x0d;
    case 0x74: // t
      return 0x09;
    case 0x62: // b
      return 0x08;
    case 0x61: // a
      return 0x07;
    default:
      return byte;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) {
    return byte - 0x30;
  }
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** C's isspace: space, \t \n \v \f \r. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** What ends an unquoted word: unlike between words, \v and \f do not. */
function endsWord(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function addArgument(index: number, offset: number, length: number): void {
  if (index === args.offsets.length) {
    args.grow(index + 1);
  }
  args.offsets[index] = offset;
  args.lengths[index] = length;
}
