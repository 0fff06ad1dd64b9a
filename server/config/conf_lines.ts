// The syntax of redis.conf: a text becomes lines, a line becomes words, and words a line again.
//
//   # a comment                          one directive per line: name, then its arguments;
//   maxmemory 1gb                        no comments behind a directive
//   requirepass "a \"quoted\" \x41"      quotes as in an inline command (protocol/inline_parser)
//
// Files are UTF-8. A line is at most INLINE_BYTES_MAX bytes long, a file CONF_BYTES_MAX.
import { Buffer } from 'node:buffer';
import { args } from '../../protocol/arguments.js';
import { INLINE_BYTES_MAX, parseInline } from '../../protocol/inline_parser.js';
import { ConfigError, onOneLine } from './config_error.js';

/** No sensible file comes near; it keeps a wrong path (a dump, a device) from filling memory. */
export const CONF_BYTES_MAX = 16 * 2 ** 20;

/** One directive and where it stands, for error messages. */
export interface Directive {
  /** As written; option names are compared in lower case. */
  readonly name: string;
  readonly args: readonly string[];
  /** `FILE:LINE`, or '' for the command line. */
  readonly place: string;
  /** The directive as the user wrote it, for messages. */
  readonly quote: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** The text of a file. Throws ConfigError when it is too long or not UTF-8. */
export function decodeConf(bytes: Uint8Array, file: string): string {
  if (bytes.length > CONF_BYTES_MAX) {
    throw new ConfigError(
      `${file}: expected a configuration file of at most ${CONF_BYTES_MAX} bytes, found ` +
        `${bytes.length}`,
    );
  }
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ConfigError(`${file}: expected UTF-8 text`);
  }
}

/** The directive on a line of a file, or null for a blank line or a comment. Throws ConfigError. */
export function parseConfLine(line: string, file: string, number: number): Directive | null {
  const quote = line.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
  if (quote === '' || quote.startsWith('#')) return null;
  const place = `${file}:${number}`;
  const words = splitWords(quote);
  if (words === null) {
    throw new ConfigError(
      `${place}: '${onOneLine(quote)}': expected closed quotes, UTF-8 text and at most ` +
        `${INLINE_BYTES_MAX} bytes`,
    );
  }
  const [name, ...values] = words;
  return name === undefined ? null : { name, args: values, place, quote };
}

/** The words of a line, or null when quotes are not closed, or it is too long or not UTF-8. */
export function splitWords(line: string): string[] | null {
  const bytes = Buffer.from(line, 'utf8');
  if (bytes.length > INLINE_BYTES_MAX) return null;
  // The parser fills the tables of the request that is being executed, which may be CONFIG REWRITE.
  const request = args.capture();
  try {
    const count = parseInline(bytes, 0, bytes.length);
    if (count < 0) return null;
    const words: string[] = [];
    for (let index = 0; index < count; index++) {
      words.push(utf8.decode(args.copyBytes(index)));
    }
    return words;
  } catch (error) {
    // An escape such as \xff gave bytes that are not UTF-8.
    if (error instanceof TypeError) return null;
    throw error;
  } finally {
    args.load(request);
  }
}

/** The word as it must be written in a file to be read back: quoted where it has to be. */
export function quoteWord(word: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped
  if (/^[^\s"'\\\u0000-\u001f\u007f]+$/u.test(word)) return word;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped
  const escaped = word.replace(/["\\\u0000-\u001f\u007f]/g, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}

/** One line of a file: the name and its arguments. */
export function joinWords(name: string, words: readonly string[]): string {
  return [name, ...words.map(quoteWord)].join(' ');
}
