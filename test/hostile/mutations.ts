// Damaged requests for the protocol fuzz: valid streams of commands with bytes and lengths changed.
import type { Random } from '../support/random.js';
import { type Command, encode } from '../support/raw_client.js';

const NUMBERS = [
  '-1',
  '0',
  '1',
  '2147483647',
  '2147483648',
  '4294967296',
  '536870913',
  '9223372036854775808',
  '-99999',
  '',
  'x',
  '1.5',
  '+1',
  '00001',
  '99999999999999999999999999',
];

const TOKENS = [
  '*',
  '$',
  '\r',
  '\n',
  '\r\n',
  '*-1\r\n',
  '$-1\r\n',
  '*1\r\n$4\r\nPING\r\n',
  '"',
  "'",
  '\x00',
  ':',
  '+',
  '-',
  '%',
  '~',
  '>',
];

const KEYS = ['f1', 'f2', 'f3'];

/** Commands that are cheap and may do anything to the databases of small numbers. */
function someCommand(r: Random): Command {
  const key = r.pick(KEYS);
  return r.pick<Command>([
    ['PING'],
    ['GET', key],
    ['SET', key, r.bytes(r.below(40))],
    ['MGET', ...KEYS],
    ['APPEND', key, 'x'],
    ['INCR', key],
    ['SETRANGE', key, r.below(100), 'abc'],
    ['BITCOUNT', key],
    ['DEL', key],
    ['MULTI'],
    ['EXEC'],
    ['WATCH', key],
    ['ECHO', r.bytes(r.below(200))],
    ['SCAN', 0],
    ['HELLO', r.between(2, 3)],
    ['CLIENT', 'INFO'],
    ['EXPIRE', key, 100],
    ['OBJECT', 'ENCODING', key],
    ['TYPE', key],
    ['SELECT', r.below(3)],
    ['CONFIG', 'GET', '*max*'],
    ['COMMAND', 'INFO', 'get'],
    ['BITFIELD', key, 'INCRBY', 'i5', 3, 7],
    ['LCS', 'f1', 'f2', 'IDX'],
    ['MEMORY', 'USAGE', key],
    ['RESET'],
    ['INFO', 'server'],
  ]); // prettier-ignore
}

/** The bytes of a few requests, damaged in one to five places; sometimes only noise. */
export function damagedStream(r: Random): Buffer {
  if (r.chance(0.1)) return r.bytes(r.between(1, 2000));
  const count = r.between(1, 12);
  let bytes: Buffer = Buffer.concat(Array.from({ length: count }, () => encode(someCommand(r))));
  for (let damage = r.between(1, 5); damage > 0; damage--) bytes = damageOnce(r, bytes);
  return bytes;
}

function damageOnce(r: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return r.bytes(3);
  const at = r.below(bytes.length);
  const splice = (from: number, to: number, middle: Buffer): Buffer =>
    Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]);
  switch (r.below(8)) {
    case 0: {
      const copy = Buffer.from(bytes);
      copy[at] = r.uint32() & 0xff;
      return copy;
    }
    case 1: {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] as number) ^ (1 << r.below(8));
      return copy;
    }
    case 2:
      return splice(at, Math.min(bytes.length, at + r.between(1, 8)), Buffer.alloc(0));
    case 3:
      return splice(at, at, Buffer.from(r.pick(TOKENS), 'latin1'));
    case 4: {
      // Another length in a header: the most fruitful damage, so it has two cases.
      return damageLength(r, bytes, at);
    }
    case 5:
      return damageLength(r, bytes, at);
    case 6:
      return bytes.subarray(0, at);
    default: {
      const from = r.below(bytes.length);
      return splice(at, at, Buffer.from(bytes.subarray(from, from + r.below(60))));
    }
  }
}

function damageLength(r: Random, bytes: Buffer, near: number): Buffer {
  const text = bytes.toString('latin1');
  const header = /[*$](-?\d+)\r\n/g;
  header.lastIndex = near;
  const match = header.exec(text) ?? /[*$](-?\d+)\r\n/.exec(text);
  if (match === null) return bytes;
  const from = match.index + 1;
  const number = r.chance(0.4) ? String(r.between(-3, 40)) : r.pick(NUMBERS);
  return Buffer.from(
    text.slice(0, from) + number + text.slice(from + (match[1] as string).length),
    'latin1',
  );
}
