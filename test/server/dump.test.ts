// DUMP and RESTORE: every type in every form comes back as it was; payloads that are damaged or that say what
// no value can be are refused, with nothing changed and nothing lost. The handlers run here without a
// server. DUMP_SEED replays a run, DUMP_MUTATIONS lengthens it.
import { beforeEach, describe, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';
import type { Arg } from '../support/raw_client.js';

const allocator = await openTestArena(96 * 1024 * 1024);
const { native } = await import('../../native/index.js');
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { createHeap, flushHeap } = await import('../../storage/heap.js');
const { setClock } = await import('../../storage/structures/clock.js');
const { freeRetired } = await import('../../storage/values/retired.js');
const { runtime } = await import('../../server/runtime.js');
const { contents } = await import('../support/contents.js');
const { call } = await import('../support/run_command.js');

const SEED = numberFromEnv('DUMP_SEED', 20_408);
const MUTATIONS = numberFromEnv('DUMP_MUTATIONS', 400);
const NOW = 1_700_000_000_000;
const DAMAGED = 'ERR DUMP payload version or checksum are wrong';
const NO_VALUE = 'ERR Bad data format';

createHeap(2, () => 4711);

const numbers = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => String(i * 37));
const texts = (count: number, length: number): string[] =>
  Array.from({ length: count }, (_, i) => `${i}`.padEnd(length, '.'));
const pairs = (count: number, length: number): string[] =>
  texts(count, length).flatMap((text, i) => [text, `value ${i}`]);
const scored = (count: number, length: number): Arg[] =>
  texts(count, length).flatMap((text, i) => [String((i * 7919) % 101) + (i % 2 ? '.5' : ''), text]);

/** A name, the commands that make the value at `k`, and its encoding. */
const VALUES: readonly (readonly [string, readonly (readonly Arg[])[], string])[] = [
  ['an integer', [['SET', 'k', '-9223372036854775808']], 'int'],
  ['a short string', [['SET', 'k', 'hello']], 'embstr'],
  ['an empty string', [['SET', 'k', '']], 'embstr'],
  ['a long string', [['SET', 'k', 'x'.repeat(3000)]], 'raw'],
  ['a string of 300 KB', [['SET', 'k', 'y'.repeat(300_000)]], 'raw'],
  ['a HyperLogLog', [['PFADD', 'k', ...numbers(500)]], 'raw'],
  ['a list', [['RPUSH', 'k', ...texts(20, 16)]], 'quicklist'],
  ['a list of all lengths', [['RPUSH', 'k', '', ...texts(5, 300), 'z'.repeat(5000)]], 'quicklist'],
  ['a long list', [['RPUSH', 'k', ...texts(3000, 20)]], 'quicklist'],
  ['a set of integers', [['SADD', 'k', ...numbers(20), '-9223372036854775808']], 'intset'],
  ['a small set', [['SADD', 'k', ...texts(20, 16)]], 'hashtable'],
  ['a large set', [['SADD', 'k', ...texts(1000, 16)]], 'hashtable'],
  ['a large set of integers', [['SADD', 'k', ...numbers(600)]], 'hashtable'],
  ['a small hash', [['HSET', 'k', ...pairs(10, 7)]], 'listpack'],
  ['a large hash', [['HSET', 'k', ...pairs(600, 7)]], 'hashtable'],
  ['a hash with a long value', [['HSET', 'k', 'f', 'v'.repeat(5000)]], 'hashtable'],
  [
    'a hash whose fields expire',
    [
      ['HSET', 'k', ...pairs(10, 4)],
      ['HPEXPIREAT', 'k', NOW + 70_000, 'FIELDS', 2, '0...', '3...'],
      ['HPEXPIREAT', 'k', NOW + 50_000, 'FIELDS', 1, '5...'],
    ],
    'hashtable',
  ],
  [
    'a stream',
    [
      ['XADD', 'k', '5-1', ...pairs(3, 7)],
      ['XADD', 'k', '6', 'f', ''],
      ['XDEL', 'k', '5-1'],
    ],
    'stream',
  ],
  [
    'a stream with groups',
    [
      ...['1-1', '1-2', '2-0'].map((id): Arg[] => ['XADD', 'k', id, 'f', 'v']),
      ['XGROUP', 'CREATE', 'k', 'g', '0'],
      ['XGROUP', 'CREATE', 'k', '', '$', 'ENTRIESREAD', 7],
      ['XREADGROUP', 'GROUP', 'g', 'ann', 'COUNT', 2, 'STREAMS', 'k', '>'],
      ['XREADGROUP', 'GROUP', 'g', 'bob', 'STREAMS', 'k', '>'],
      ['XCLAIM', 'k', 'g', 'bob', 0, '1-1', 'RETRYCOUNT', '9223372036854775807'],
      ['XGROUP', 'CREATECONSUMER', 'k', 'g', 'idle'],
    ],
    'stream',
  ],
  [
    'an empty stream',
    [
      ['XADD', 'k', 'MAXLEN', 0, '5-1', 'f', 'v'],
      ['XSETID', 'k', '9'],
    ],
    'stream',
  ],
  ['a small sorted set', [['ZADD', 'k', ...scored(20, 16), 'inf', 'i', '-inf', 'j']], 'listpack'],
  ['a large sorted set', [['ZADD', 'k', ...scored(500, 16)]], 'skiplist'],
  ['a large sorted set with -0', [['ZADD', 'k', ...scored(200, 9), '-0', 'zero']], 'skiplist'],
];

function make(commands: readonly (readonly Arg[])[]): void {
  for (const command of commands) call(...command);
}

function dump(key: string): Buffer {
  return Buffer.from(call('DUMP', key) as string, 'latin1');
}

function restore(key: string, payload: Buffer, ...more: Arg[]): string {
  return String(call('RESTORE', key, 0, payload, ...more));
}

/** A payload with these contents and a checksum that holds. */
function sealed(payload: Buffer, changed: Buffer): Buffer {
  const whole = Buffer.concat([payload.subarray(0, 12), changed, Buffer.alloc(4)]);
  whole.writeUInt32LE(changed.length, 8);
  whole.writeUInt32LE(native.crc32c(whole.subarray(0, -4)), whole.length - 4);
  return whole;
}

function contentsOf(payload: Buffer): Buffer {
  return payload.subarray(12, -4);
}

beforeEach(() => {
  flushHeap();
  setClock(NOW);
  runtime.config.hashMaxListpackEntries = 512;
  runtime.config.setMaxIntsetEntries = 512;
  runtime.config.zsetMaxListpackEntries = 128;
});

describe('a value comes back as it was', () => {
  test.each(VALUES)('%s', (_, commands, encoding) => {
    make(commands);
    expect(call('OBJECT', 'ENCODING', 'k')).toBe(encoding);
    const payload = dump('k');
    const before = contents('k');
    expect(restore('copy', payload)).toBe('OK');
    verifyHeap();
    expect(contents('copy')).toEqual(before);
    expect(call('OBJECT', 'ENCODING', 'copy')).toBe(encoding);
    expect(call('PTTL', 'copy')).toBe(-1);
    // A second one replaces the first, and the two are independent of each other and of the payload.
    payload.fill(0);
    expect(restore('copy', dump('k'), 'REPLACE')).toBe('OK');
    call('DEL', 'k');
    expect(contents('copy')).toEqual(before);
    call('DEL', 'copy');
    while (freeRetired(1000) > 0);
    verifyHeap();
    expect(call('DBSIZE')).toBe(0);
  });

  test('under a long key, with a time to live and a time of its last access', () => {
    const key = 'key'.repeat(3000);
    call('HSET', 'k', 'f', 'v');
    expect(String(call('RESTORE', key, 5000, dump('k'), 'IDLETIME', 77))).toBe('OK');
    expect(call('OBJECT', 'IDLETIME', key)).toBe(77);
    expect(call('PTTL', key)).toBe(5000);
    verifyHeap();
    expect(String(call('RESTORE', key, NOW + 9, dump('k'), 'ABSTTL', 'REPLACE'))).toBe('OK');
    expect(call('PEXPIRETIME', key)).toBe(NOW + 9);
    verifyHeap();
    expect(String(call('RESTORE', key, NOW, dump('k'), 'ABSTTL', 'REPLACE'))).toBe('OK');
    expect(call('EXISTS', key)).toBe(0);
    verifyHeap();
  });
});

describe('the form of a value', () => {
  test('is the one that the limits of the day give it', () => {
    call('HSET', 'h', ...pairs(20, 7));
    call('SADD', 's', ...numbers(20));
    call('ZADD', 'z', ...scored(20, 7));
    const payloads = ['h', 's', 'z'].map(dump);
    runtime.config.hashMaxListpackEntries = 10;
    runtime.config.setMaxIntsetEntries = 10;
    runtime.config.zsetMaxListpackEntries = 10;
    const encodings = ['h', 's', 'z'].map((key, i) => {
      const before = contents(key);
      expect(restore(`${key}2`, payloads[i]!)).toBe('OK');
      expect(contents(`${key}2`)).toEqual(before);
      return call('OBJECT', 'ENCODING', `${key}2`);
    });
    expect(encodings).toEqual(['hashtable', 'hashtable', 'skiplist']);
    runtime.config.setMaxIntsetEntries = 512;
    restore('s3', dump('s2'));
    expect(call('OBJECT', 'ENCODING', 's3')).toBe('intset');
    verifyHeap();
  });

  test('of a text that was put together and is a number is an integer', () => {
    call('SET', 'k', '12');
    call('APPEND', 'k', '3');
    expect(call('OBJECT', 'ENCODING', 'k')).toBe('raw');
    restore('copy', dump('k'));
    expect([call('GET', 'copy'), call('OBJECT', 'ENCODING', 'copy')]).toEqual(['123', 'int']);
  });

  test('fields whose time has passed are not dumped, and go where it passes later', () => {
    call('HSET', 'k', ...pairs(3, 4));
    call('HPEXPIRE', 'k', 1000, 'FIELDS', 2, '0...', '1...');
    const payload = dump('k');
    setClock(NOW + 2000);
    restore('late', payload);
    expect(call('HKEYS', 'late')).toEqual(['2...']);
    expect(dump('k').length).toBeLessThan(payload.length / 2);
    call('HPEXPIRE', 'k', 1000, 'FIELDS', 1, '2...');
    setClock(NOW + 4000);
    expect(call('DUMP', 'k')).toBe(null);
    verifyHeap();
  });
});

describe('what is refused leaves everything as it was', () => {
  /** The heap around a payload that is not taken: the key keeps its value, and nothing leaks. */
  function expectRefused(payload: Buffer, error: string | RegExp): void {
    const before = allocator.usedBytes();
    expect(restore('there', payload, 'REPLACE')).toMatch(error);
    while (freeRetired(1000) > 0);
    expect(allocator.usedBytes()).toBe(before);
    expect(call('GET', 'there')).toBe('still');
  }

  test.each(VALUES)('%s, cut off anywhere or with any byte changed', (_, commands) => {
    make(commands);
    call('SET', 'there', 'still');
    const random = new Random(SEED);
    const payload = dump('k');
    const step = Math.max(1, Math.floor(payload.length / 300));
    for (let at = 0; at < payload.length; at += at < 40 ? 1 : random.between(1, step)) {
      expectRefused(payload.subarray(0, at), DAMAGED);
      const flipped = Buffer.from(payload);
      flipped[at] = flipped[at]! ^ (1 << random.below(8));
      expectRefused(flipped, DAMAGED);
    }
    expectRefused(Buffer.concat([payload, Buffer.from([0])]), DAMAGED);
    verifyHeap();
  });

  test.each(VALUES)('%s, changed, with a checksum that holds', (_, commands) => {
    make(commands);
    call('SET', 'there', 'still');
    const random = new Random(SEED);
    const payload = dump('k');
    const original = contentsOf(payload);
    const mutations = original.length > 20_000 ? MUTATIONS / 10 : MUTATIONS;
    for (let i = 0; i < mutations; i++) {
      let changed: Buffer = Buffer.from(original);
      // The counts and forms are at the beginning, so that is where most of it hurts.
      const spot = random.chance(0.5) ? random.below(Math.min(6, changed.length)) : undefined;
      const at = spot ?? random.below(changed.length);
      const choice = random.below(4);
      if (choice === 0) changed = changed.subarray(0, at);
      else if (choice === 1) changed[at] = random.pick([0, 1, 2, 0x7f, 0x80, 0xff]);
      else if (choice === 2)
        changed.fill(0xff, at, Math.min(changed.length, at + random.between(1, 8)));
      else
        changed = Buffer.concat([changed.subarray(0, at), random.bytes(3), changed.subarray(at)]);
      const before = allocator.usedBytes();
      const outcome = restore('taken', sealed(payload, changed));
      if (outcome === 'OK') {
        contents('taken');
        dump('taken');
        if (i % 10 === 0) verifyHeap();
        call('DEL', 'taken');
      } else {
        expect(outcome).toBe(NO_VALUE);
      }
      while (freeRetired(1000) > 0);
      expect(allocator.usedBytes()).toBe(before);
    }
    verifyHeap();
    expect(call('GET', 'there')).toBe('still');
  });

  test('contents that no value has', () => {
    call('SET', 'there', 'still');
    const of = (...command: Arg[]): Buffer => {
      call('DEL', 'k');
      call(...command);
      return dump('k');
    };
    const count = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]);
    const wrong = (payload: Buffer, ...parts: (Buffer | number[] | string)[]): void => {
      const changed = Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1')));
      expectRefused(sealed(payload, changed), NO_VALUE);
    };
    const nan = Buffer.alloc(8);
    nan.writeDoubleLE(Number.NaN);
    const set = of('SADD', 'k', 'a', 'b');
    const integers = of('SADD', 'k', 1, 2);
    const hash = of('HSET', 'k', 'f', 'v');
    const zset = of('ZADD', 'k', 1, 'a', 2, 'b');
    const list = of('RPUSH', 'k', 'a');
    const text = of('SET', 'k', 'a');
    wrong(set, [0, 0]); // nothing in it
    wrong(set, [0, 2], '\x01a\x01a'); // a member twice
    wrong(set, [0, 1], '\x01a\x01b'); // bytes behind the end
    wrong(set, [0, 3], '\x01a\x01b'); // fewer than counted
    wrong(set, [0], count, '\x01a'); // a count of billions
    wrong(set, [0, 0xff, 0xff, 0xff, 0xff, 0x7f]); // more than 32 bits
    wrong(set, [0, 1], count, 'a'); // a length of billions
    wrong(set, [7, 1], '\x01a'); // no such form
    wrong(
      integers,
      [1, 2],
      contentsOf(integers).subarray(2, 10),
      contentsOf(integers).subarray(2, 10),
    );
    wrong(integers, [1], count, contentsOf(integers).subarray(2));
    wrong(hash, [0, 0]);
    wrong(hash, [0, 2], '\x01f\x01v\x01f\x01w');
    wrong(hash, [0, 1], '\x01f');
    wrong(hash, [0, 2], '\x01f\x01v\x01g');
    wrong(hash, [1, 1], '\x01f\x01v', Buffer.alloc(8, 0xff)); // a time before 1970
    wrong(hash, [1, 1], '\x01f\x01v', Buffer.alloc(8, 0x7f)); // one that no double holds
    wrong(hash, [1, 2], '\x01f\x01v', [1, 0, 0, 0, 0, 0, 0, 0], '\x01f\x01v', Buffer.alloc(8));
    const stream = of('XADD', 'k', '0-1', 'f', 'v');
    const head = [
      Buffer.from([0]),
      Buffer.alloc(16, 1),
      Buffer.alloc(16),
      [9, 0, 0, 0, 0, 0, 0, 0],
    ];
    const entry = [Buffer.alloc(16, 1), '\x01\x01f\x01v'] as const;
    wrong(stream, ...head, [1], Buffer.alloc(16), '\x01\x01f\x01v'); // id 0-0
    wrong(stream, ...head, [1], Buffer.alloc(16, 2), '\x01\x01f\x01v'); // behind the last id
    wrong(stream, ...head, [2], ...entry, ...entry); // twice
    wrong(stream, ...head, [1], Buffer.alloc(16, 1), [0]); // no fields
    wrong(stream, ...head, [1], Buffer.alloc(16, 1), '\x02\x01f\x01v');
    type Parts = (Buffer | number[] | string)[];
    const grouped: Parts = [Buffer.from([1]), ...head.slice(1), [1], ...entry];
    const group: Parts = ['\x01g', Buffer.alloc(16 + 8)];
    const pending: Parts = [Buffer.alloc(16), [0], Buffer.alloc(16)];
    wrong(stream, ...grouped, [0]); // no groups
    wrong(stream, ...grouped, [2], ...group, [0, 0], ...group, [0, 0]); // the same twice
    wrong(stream, ...grouped, [1], ...group, [0, 1], ...pending); // no such consumer
    wrong(stream, ...grouped, [1], ...group, [1], '\x01c', Buffer.alloc(8, 0xff), [0]); // a time
    wrong(
      stream,
      ...grouped,
      [1],
      ...group,
      [1],
      '\x01c',
      Buffer.alloc(8),
      [2],
      ...pending,
      ...pending,
    );
    wrong(zset, [0]);
    wrong(zset, [1], '\x01a', nan);
    wrong(zset, [2], '\x01a', Buffer.alloc(8), '\x01a', Buffer.alloc(8, 1));
    wrong(zset, [1], '\x01a', Buffer.alloc(7));
    wrong(list, [0]);
    wrong(list, [2], '\x01a');
    wrong(list, [1], '\x05a');
    wrong(text, []);
    wrong(text, [2, 65]);
    wrong(text, [1], Buffer.alloc(7));
    wrong(text, [1], Buffer.alloc(9));
    for (const type of [5, 7, 99, 255]) {
      const other = Buffer.from(text);
      other[5] = type;
      expectRefused(sealed(other, contentsOf(other)), NO_VALUE);
    }
    const later = Buffer.from(text);
    later[4] = 2;
    expectRefused(sealed(later, contentsOf(later)), DAMAGED);
    expectRefused(Buffer.from('\x00\xc0\x01\n\x00&x\xe7\xb6\xd1\x01\x11\xfc', 'latin1'), DAMAGED);
    verifyHeap();
  });

  test('an arena that is full at any point of it', () => {
    for (const [name, commands] of VALUES) {
      flushHeap();
      make(commands);
      const payload = dump('k');
      const before = contents('k');
      let refused = 0;
      // The arena is filled to the last byte, then freed bit by bit until the payload is taken.
      const ballast: string[] = [];
      for (const length of [400_000, 30_000, 5000, 2000, 900, 300, 100, 40]) {
        for (let i = 0; ; i++) {
          const key = `ballast:${length}:${i}`;
          if (/^OOM/.test(String(call('SET', key, 'b'.repeat(length))))) break;
          ballast.push(key);
        }
      }
      const random = new Random(SEED);
      random.shuffle(ballast);
      while (restore('k', payload, 'REPLACE') !== 'OK') {
        refused++;
        while (freeRetired(1000) > 0);
        if (refused % 16 === 1) verifyHeap();
        expect(contents('k')).toEqual(before);
        for (const key of ballast.splice(0, 1 + (ballast.length >>> 5))) call('DEL', key);
      }
      expect([name, contents('k')]).toEqual([name, before]);
      verifyHeap();
    }
  }, 60_000);
});
