// The request parser: every rule of the grammar, requests cut at every byte, limits.
import { describe, expect, test } from 'vitest';
import { args } from '../../protocol/arguments.js';
import {
  COMPLETE,
  ERROR,
  INCOMPLETE,
  ParseState,
  parse,
  setBulkBytesMax,
} from '../../protocol/resp_parser.js';
import { drive, latin1, multibulk } from './drive.js';
import { abbreviated, STREAMS } from './protocol_cases.js';
import { referenceParse } from './reference_parser.js';

const LINE_MAX = 65536;

function everyByte(bytes: Uint8Array): number[] {
  return Array.from({ length: Math.max(0, bytes.length - 1) }, (_, i) => i + 1);
}

describe('requests', () => {
  test.each(STREAMS.map((text) => [abbreviated(text), text]))('%s', (_, text) => {
    const bytes = latin1(text);
    const expected = referenceParse(text);
    expect(drive(bytes, [])).toEqual(expected);
    expect(drive(bytes, everyByte(bytes), { salt: 11 })).toEqual(expected);
    for (let cut = 1; cut < Math.min(bytes.length, 100); cut++) {
      expect(drive(bytes, [cut], { salt: cut })).toEqual(expected);
    }
  });

  test('the reference itself knows what requests mean', () => {
    expect(referenceParse('*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nPING "a\\x41"\r\n*')).toEqual({
      requests: [
        ['ECHO', 'hi'],
        ['PING', 'aA'],
      ],
      error: null,
      pending: 1,
    });
    expect(referenceParse('*1\r\n$-1\r\n').error).toBe('ERR Protocol error: invalid bulk length');
  });
});

describe('what a client may send', () => {
  test('an unauthenticated one 10 arguments of 16384 bytes', () => {
    const limit = { authenticated: false };
    const long = multibulk('x'.repeat(16384));
    expect(drive(latin1(long), [], limit).requests).toHaveLength(1);
    expect(drive(latin1('*1\r\n$16385\r\n'), [], limit).error).toBe(
      'ERR Protocol error: unauthenticated bulk length',
    );
    const ten = Array.from({ length: 10 }, (_, i) => String(i));
    expect(drive(latin1(multibulk(...ten)), [], limit).requests).toEqual([ten]);
    expect(drive(latin1('*11\r\n'), [], limit).error).toBe(
      'ERR Protocol error: unauthenticated multibulk length',
    );
  });

  test.each([
    ['inline', 'x', '\n', 'too big inline request'],
    ['multibulk count', '*1', '\r\n', 'too big mbulk count string'],
    ['bulk count', '*1\r\n$1', '\r\n', 'too big bulk count string'],
  ])('a line of 64 KiB: %s', (_, head, lineEnd, reason) => {
    const lineStart = head.lastIndexOf('\n') + 1;
    const full = head + '1'.repeat(LINE_MAX - (head.length - lineStart));
    expect(drive(latin1(full), [1000, 40000]).error).toBe(null);
    expect(drive(latin1(full + lineEnd), [1000, 40000]).error ?? '').not.toContain('too big');
    const tooLong = `ERR Protocol error: ${reason}`;
    expect(drive(latin1(`${full}1`), [1000, 40000]).error).toBe(tooLong);
    expect(drive(latin1(`${full}1${lineEnd}`), []).error).toBe(tooLong);
    expect(drive(latin1(`${full}1${lineEnd}`), [LINE_MAX]).error).toBe(tooLong);
  });

  test('bulks up to proto-max-bulk-len', () => {
    setBulkBytesMax(1024 * 1024);
    try {
      expect(drive(latin1('*1\r\n$1048576\r\n'), []).error).toBe(null);
      expect(drive(latin1('*1\r\n$1048577\r\n'), []).error).toBe(
        'ERR Protocol error: invalid bulk length',
      );
    } finally {
      setBulkBytesMax(512 * 1024 * 1024);
    }
  });
});

describe('requests in pieces', () => {
  test('needed tells the size of the current bulk and nothing more', () => {
    const state = new ParseState();
    const bytes = latin1('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\nabc');
    expect(parse(state, bytes, 0, bytes.length)).toBe(INCOMPLETE);
    expect(state.needed).toBe(bytes.length - 3 + 500000000 + 2);
    const huge = latin1('*2147483647\r\n');
    expect(parse(new ParseState(), huge, 0, huge.length)).toBe(INCOMPLETE);
    const header = new ParseState();
    parse(header, huge, 0, huge.length);
    expect(header.needed).toBe(huge.length + 1);
  });

  test('a large bulk goes on where it stopped, at another place', () => {
    const value = 'v'.repeat(300000);
    const bytes = latin1(multibulk('SET', 'key', value) + multibulk('PING'));
    const cuts = [5, 30, 31, 32, 33, 100000, 200000, 300030];
    expect(drive(bytes, cuts, { salt: 5 }).requests).toEqual([['SET', 'key', value], ['PING']]);
  });

  test('a million arguments in pieces cost time proportional to their bytes', () => {
    const count = 1_000_000;
    const body = latin1(`*${count}\r\n${'$1\r\nx\r\n'.repeat(count)}`);
    const state = new ParseState();
    let status: number = INCOMPLETE;
    let calls = 0;
    const begin = process.hrtime.bigint();
    for (let end = 1400; status === INCOMPLETE; end = Math.min(end + 1400, body.length)) {
      status = parse(state, body, 0, end);
      calls++;
    }
    const millis = Number(process.hrtime.bigint() - begin) / 1e6;
    expect(status).toBe(COMPLETE);
    expect(calls).toBe(Math.ceil(body.length / 1400));
    expect(args.count).toBe(count);
    expect(args.lengths[count - 1]).toBe(1);
    expect(args.offsets[count - 1]).toBe(body.length - 3);
    // Parsing it anew in each of the 5,000 calls would take minutes.
    expect(millis).toBeLessThan(5000);
    args.trim();
    expect(args.offsets.length).toBeLessThan(2000);
  });

  test('a half request leaves a small state behind and none after the whole one', () => {
    const state = new ParseState();
    const many = latin1(multibulk(...Array.from({ length: 5000 }, (_, i) => String(i))));
    expect(parse(state, many, 0, many.length - 1)).toBe(INCOMPLETE);
    expect(state.kept).not.toBe(null);
    expect(parse(state, many, 0, many.length)).toBe(COMPLETE);
    expect(state.kept).toBe(null);
    expect(args.latin1(4999)).toBe('4999');
  });

  test('after an error a state is fresh', () => {
    const state = new ParseState();
    const bad = latin1('*2\r\n$4\r\nPING\r\nx\r\n');
    expect(parse(state, bad, 0, bad.length)).toBe(ERROR);
    const good = latin1(multibulk('PING'));
    expect(parse(state, good, 0, good.length)).toBe(COMPLETE);
    expect(state.next).toBe(good.length);
  });
});
