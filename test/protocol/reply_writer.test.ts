// The reply writer: the bytes of each reply, buffers that are full at every place, deferred replies.
import { beforeEach, describe, expect, test } from 'vitest';
import { DEFERRED_BYTES_MAX, OUTPUT_BYTES_MIN, ReplyWriter } from '../../protocol/reply_writer.js';
import { Random } from '../support/random.js';
import { plain, ReplyDecoder } from '../support/reply.js';

/** A writer whose output is gathered; every buffer size must give the same bytes. */
class Gathered {
  readonly writer = new ReplyWriter();
  private readonly chunks: Buffer[] = [];
  private readonly output: Uint8Array;

  constructor(bytes: number, protocol: 2 | 3 = 2) {
    this.output = new Uint8Array(bytes);
    this.writer.attach(this.output, (writer) => {
      this.take(writer.segmentStart, writer.position);
      writer.position = 0;
      writer.segmentStart = 0;
    });
    this.writer.protocol = protocol;
  }

  text(): string {
    this.take(this.writer.segmentStart, this.writer.position);
    this.writer.segmentStart = this.writer.position;
    return Buffer.concat(this.chunks.splice(0)).toString('latin1');
  }

  private take(start: number, end: number): void {
    this.chunks.push(Buffer.from(this.output.slice(start, end)));
  }
}

type Write = (writer: ReplyWriter) => void;

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const HELLO = bytes('say hello!');

/** What is written, its bytes in RESP2 and in RESP3. */
const REPLIES: readonly [string, Write, string, string?][] = [
  ['ok', (w) => w.ok(), '+OK\r\n'],
  ['pong', (w) => w.pong(), '+PONG\r\n'],
  ['queued', (w) => w.queued(), '+QUEUED\r\n'],
  ['simple', (w) => w.simple('string'), '+string\r\n'],
  ['error', (w) => w.error('ERR a\r\nb\xff'), '-ERR a  b\xff\r\n'],
  ['integer 0', (w) => w.integer(0), ':0\r\n'],
  ['integer 9', (w) => w.integer(9), ':9\r\n'],
  ['integer 10', (w) => w.integer(10), ':10\r\n'],
  ['integer -1', (w) => w.integer(-1), ':-1\r\n'],
  ['integer -2', (w) => w.integer(-2), ':-2\r\n'],
  ['integer 2^53', (w) => w.integer(2 ** 53), ':9007199254740992\r\n'],
  ['integer64 max', (w) => w.integer64(0x7fffffff, -1), ':9223372036854775807\r\n'],
  ['integer64 min', (w) => w.integer64(-0x80000000, 0), ':-9223372036854775808\r\n'],
  ['integer64 -1', (w) => w.integer64(-1, -1), ':-1\r\n'],
  ['bulkInteger64 7', (w) => w.bulkInteger64(0, 7), '$1\r\n7\r\n'],
  ['bulkInteger64 min', (w) => w.bulkInteger64(-0x80000000, 0), '$20\r\n-9223372036854775808\r\n'],
  ['bulk', (w) => w.bulk(HELLO, 4, 5), '$5\r\nhello\r\n'],
  ['empty bulk', (w) => w.bulk(HELLO, 10, 0), '$0\r\n\r\n'],
  ['bulkLatin1', (w) => w.bulkLatin1('\xe9'), '$1\r\n\xe9\r\n'],
  ['bulkText', (w) => w.bulkText('\xe9\u20ac'), '$5\r\n\xc3\xa9\xe2\x82\xac\r\n'],
  ['null', (w) => w.null(), '$-1\r\n', '_\r\n'],
  ['nullArray', (w) => w.nullArray(), '*-1\r\n', '_\r\n'],
  ['emptyArray', (w) => w.emptyArray(), '*0\r\n'],
  ['array', (w) => w.array(12), '*12\r\n'],
  ['map', (w) => w.map(7), '*14\r\n', '%7\r\n'],
  ['set', (w) => w.set(3), '*3\r\n', '~3\r\n'],
  ['push', (w) => w.push(3), '*3\r\n', '>3\r\n'],
  ['attribute', (w) => w.attribute(1), '|1\r\n'],
  ['double', (w) => w.double(0.1), '$19\r\n0.10000000000000001\r\n', ',0.10000000000000001\r\n'],
  ['double inf', (w) => w.double(-Infinity), '$4\r\n-inf\r\n', ',-inf\r\n'],
  ['true', (w) => w.boolean(true), ':1\r\n', '#t\r\n'],
  ['false', (w) => w.boolean(false), ':0\r\n', '#f\r\n'],
  [
    'verbatim',
    (w) => w.verbatim('a\nb\xe9', 'txt'),
    '$5\r\na\nb\xc3\xa9\r\n',
    '=9\r\ntxt:a\nb\xc3\xa9\r\n',
  ],
  ['bigNumber', (w) => w.bigNumber('123'), '$3\r\n123\r\n', '(123\r\n'],
  ['raw', (w) => w.raw(HELLO, 0, 3), 'say'],
  ['no raw', (w) => w.raw(HELLO, 0, 0), ''],
];

describe.each([2, 3] as const)('RESP%d', (protocol) => {
  test.each(REPLIES)('%s', (_, write, resp2, resp3 = resp2) => {
    const expected = protocol === 2 ? resp2 : resp3;
    for (let filled = 0; filled <= OUTPUT_BYTES_MIN; filled++) {
      const out = new Gathered(OUTPUT_BYTES_MIN, protocol);
      out.writer.raw(new Uint8Array(filled).fill(0x78), 0, filled);
      write(out.writer);
      expect(out.text().slice(filled)).toBe(expected);
    }
  });
});

describe('bulks', () => {
  test('of every length around the ways they are copied', () => {
    const random = new Random(1);
    const source = new Uint8Array(random.bytes(3000));
    const small = new Gathered(200);
    const large = new Gathered(1 << 20);
    for (let length = 0; length < 1100; length++) {
      const offset = random.below(1900);
      const content = Buffer.from(source.subarray(offset, offset + length)).toString('latin1');
      const expected = `$${length}\r\n${content}\r\n`;
      small.writer.bulk(source, offset, length);
      large.writer.bulk(source, offset, length);
      expect(small.text()).toBe(expected);
      expect(large.text()).toBe(expected);
    }
  });

  test('from several sources, also views that begin inside their memory', () => {
    const memory = new Uint8Array(100).map((_, i) => i);
    const views = [memory.subarray(10, 60), memory.subarray(20), memory, bytes('x'.repeat(40))];
    const out = new Gathered(4096);
    for (let round = 0; round < 8; round++) {
      const view = views[round % 4]!;
      out.writer.bulk(view, 5, 33);
      const content = Buffer.from(view.slice(5, 38)).toString('latin1');
      expect(out.text()).toBe(`$33\r\n${content}\r\n`);
    }
  });

  test('write no byte behind the limit', () => {
    const memory = new Uint8Array(300);
    const writer = new ReplyWriter();
    writer.attach(memory.subarray(100, 200), (full) => {
      full.position = 0;
      full.segmentStart = 0;
    });
    for (let length = 0; length < 400; length++) {
      writer.bulk(new Uint8Array(400).fill(0x41), 0, length);
      writer.error('E'.repeat(length));
      writer.integer(length * 1e12);
    }
    expect(memory.subarray(0, 100).every((byte) => byte === 0)).toBe(true);
    expect(memory.subarray(200).every((byte) => byte === 0)).toBe(true);
  });
});

describe('deferred replies', () => {
  let random: Random;
  beforeEach(() => {
    random = new Random(7);
  });

  /** Writes a random tree of replies: with counts first, or deferred; both must give the same bytes. */
  function tree(writer: ReplyWriter, choices: Random, depth: number, deferred: boolean): void {
    const kind = choices.below(depth > 0 ? 8 : 4);
    if (kind < 4) {
      const leaves: Write[] = [
        (w) => w.integer(choices.below(1e9)),
        (w) => w.bulk(new Uint8Array(choices.bytes(300)), 0, choices.below(300)),
        (w) => w.null(),
        (w) => w.bulkText('\u20ac'.repeat(choices.below(40))),
      ];
      leaves[kind]!(writer);
      return;
    }
    const count = choices.below(5);
    let mark = -1;
    if (kind === 4) {
      writer.array(count);
    } else if (deferred) {
      mark = [() => writer.deferArray(), () => writer.deferMap(), () => writer.deferSet()][
        kind - 5
      ]!();
    } else {
      [() => writer.array(count), () => writer.map(count), () => writer.set(count)][kind - 5]!();
    }
    for (let i = kind === 6 ? 2 * count : count; i > 0; i--) {
      tree(writer, choices, depth - 1, deferred);
    }
    if (mark >= 0) {
      writer.settle(mark, count);
    }
  }

  test.each([2, 3] as const)('equal counted ones, nested, in RESP%d', (protocol) => {
    for (let round = 0; round < 300; round++) {
      const seed = random.uint32();
      const counted = new Gathered(1 << 20, protocol);
      tree(counted.writer, new Random(seed), 6, false);
      const expected = counted.text();
      for (const size of [OUTPUT_BYTES_MIN, 100 + random.below(500), 1 << 16]) {
        const out = new Gathered(size, protocol);
        out.writer.ok();
        tree(out.writer, new Random(seed), 6, true);
        expect(out.text()).toBe(`+OK\r\n${expected}`);
      }
      const decoder = new ReplyDecoder();
      decoder.feed(Buffer.from(expected, 'latin1'));
      expect(decoder.take()).not.toBe(null);
      expect(decoder.pendingBytes).toBe(0);
    }
  });

  test('larger than the scratch buffer, and the next ones start small again', () => {
    const out = new Gathered(4096);
    for (let round = 0; round < 3; round++) {
      const mark = out.writer.deferArray();
      for (let i = 0; i < 30000; i++) {
        out.writer.bulkLatin1(`key:${i}:${'x'.repeat(60)}`);
      }
      out.writer.settle(mark, 30000);
      const decoder = new ReplyDecoder();
      decoder.feed(Buffer.from(out.text(), 'latin1'));
      const keys = plain(decoder.take()!) as string[];
      expect(keys).toHaveLength(30000);
      expect(keys[29999]).toBe(`key:29999:${'x'.repeat(60)}`);
    }
  });

  test('can be dropped', () => {
    const out = new Gathered(256);
    out.writer.ok();
    out.writer.deferArray();
    out.writer.deferMap();
    out.writer.bulkLatin1('x'.repeat(100000));
    out.writer.abandon();
    out.writer.error('ERR failed');
    expect(out.text()).toBe('+OK\r\n-ERR failed\r\n');
  });

  test('are settled innermost first', () => {
    const { writer } = new Gathered(256);
    const outer = writer.deferArray();
    writer.deferArray();
    expect(() => writer.settle(outer, 0)).toThrow('settle(0) while 2 replies are deferred');
  });

  test('have a limit', () => {
    const out = new Gathered(256);
    out.writer.deferArray();
    // The check comes before the memory, so the bytes need not exist.
    expect(() => out.writer.raw(HELLO, 0, DEFERRED_BYTES_MAX)).toThrow(RangeError);
    out.writer.abandon();
    out.writer.error('ERR too large');
    expect(out.text()).toBe('-ERR too large\r\n');
  });
});

describe('the contract with the server', () => {
  test('a buffer has a smallest size', () => {
    expect(() => new ReplyWriter().attach(new Uint8Array(63), () => {})).toThrow(RangeError);
  });

  test('onFull that frees nothing is an error, not a loop', () => {
    const writer = new ReplyWriter();
    writer.attach(new Uint8Array(64), () => {});
    expect(() => writer.bulkLatin1('x'.repeat(100))).toThrow('onFull left 0 bytes free');
  });

  test('replies of several connections share the buffer by segments', () => {
    const output = new Uint8Array(64);
    const sent: string[] = [];
    const writer = new ReplyWriter();
    writer.attach(output, (full) => {
      sent.push(Buffer.from(output.subarray(full.segmentStart, full.position)).toString());
      full.position = 0;
      full.segmentStart = 0;
    });
    writer.ok();
    writer.segmentStart = writer.position;
    writer.bulkLatin1('y'.repeat(80));
    expect(`${sent.join('')}${Buffer.from(output.subarray(0, writer.position)).toString()}`).toBe(
      `$80\r\n${'y'.repeat(80)}\r\n`,
    );
  });
});
