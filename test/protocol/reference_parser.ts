// The request grammar written down a second time, plainly, over a whole string: what resp_parser.ts must
// agree with on any bytes. Only for tests.
import type { Outcome } from './drive.js';

const LINE_MAX = 65536;

/** The line from `at` up to `end`: null while it is not there, or 'long'. */
function line(text: string, at: number, end: string): string | null | 'long' {
  const zero = text.indexOf('\0', at);
  const found = text.indexOf(end, at);
  const present = found >= 0 && (zero < 0 || found < zero);
  if (present ? found - at > LINE_MAX : text.length - at > LINE_MAX) {
    return 'long';
  }
  return present ? text.slice(at, found) : null;
}

/** Redis's string2ll, in which the protocol's numbers are written. */
function integer(text: string): bigint | null {
  if (!/^(?:0|-?[1-9][0-9]*)$/.test(text) || /\n/.test(text)) {
    return null;
  }
  const value = BigInt(text);
  return value >= -(2n ** 63n) && value < 2n ** 63n ? value : null;
}

/** Splits an inline command into words; null when quotes are unbalanced. */
export function splitInline(text: string): string[] | null {
  const words: string[] = [];
  let rest = text.replace(/^[ \t\n\v\f\r]+/, '');
  while (rest !== '') {
    let word = '';
    let closed = false;
    while (rest !== '' && !/^[ \t\n\r]/.test(rest) && !closed) {
      const quoted =
        /^(?:"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\'|\\(?!'))*)')(?=[ \t\n\v\f\r]|$)/.exec(rest);
      if (quoted) {
        word +=
          quoted[1] === undefined
            ? (quoted[2] ?? '').replaceAll("\\'", "'")
            : unquoteDouble(quoted[1]);
        rest = rest.slice(quoted[0].length);
        closed = true;
      } else if (rest[0] === '"' || rest[0] === "'") {
        return null;
      } else {
        word += rest[0];
        rest = rest.slice(1);
      }
    }
    words.push(word);
    rest = rest.replace(/^[ \t\n\v\f\r]+/, '');
  }
  return words;
}

function unquoteDouble(text: string): string {
  const names: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
  return text.replace(/\\(x[0-9a-fA-F]{2}|[\s\S])/g, (_, code: string) =>
    code.length === 3
      ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
      : (names[code] ?? code),
  );
}

/** What the whole text means. */
export function referenceParse(text: string, authenticated = true): Outcome {
  const requests: string[][] = [];
  let at = 0;
  const fail = (reason: string): Outcome => ({
    requests,
    error: `ERR Protocol error: ${reason}`,
    pending: 0,
  });
  while (at < text.length) {
    const pending: Outcome = { requests, error: null, pending: text.length - at };
    if (text[at] !== '*') {
      const content = line(text, at, '\n');
      if (content === 'long') return fail('too big inline request');
      if (content === null) return pending;
      const words = splitInline(content.replace(/\r$/, ''));
      if (words === null) return fail('unbalanced quotes in request');
      if (words.length > 0) requests.push(words);
      at += content.length + 1;
      continue;
    }
    const header = line(text, at, '\r');
    if (header === 'long') return fail('too big mbulk count string');
    if (header === null || at + header.length + 2 > text.length) return pending;
    const count = integer(header.slice(1));
    if (count === null || count > 2147483647n) return fail('invalid multibulk length');
    if (count > 10n && !authenticated) return fail('unauthenticated multibulk length');
    at += header.length + 2;
    const request: string[] = [];
    while (BigInt(request.length) < count) {
      const bulk = line(text, at, '\r');
      if (bulk === 'long') return fail('too big bulk count string');
      if (bulk === null || at + bulk.length + 2 > text.length) return pending;
      if (bulk[0] !== '$') return fail(`expected '$', got '${text[at]}'`);
      const length = integer(bulk.slice(1));
      if (length === null || length < 0n || length > 536870912n) return fail('invalid bulk length');
      if (length > 16384n && !authenticated) return fail('unauthenticated bulk length');
      at += bulk.length + 2;
      if (at + Number(length) + 2 > text.length) return pending;
      request.push(text.slice(at, at + Number(length)));
      at += Number(length) + 2;
    }
    if (request.length > 0) requests.push(request);
  }
  return { requests, error: null, pending: 0 };
}
