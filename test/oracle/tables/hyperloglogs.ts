// HyperLogLogs, and the string commands that see and damage their bytes.
import type { Arg, Command } from '../../support/raw_client.js';
import type { CommandTable, Generator } from '../generator.js';

export const HYPERLOGLOG_KEYS: readonly string[] = ['h1', 'h2', 'h3', 'h4', 'h5'];

/** Elements of every length, so that each end of the hash is used. */
const element = (g: Generator): Arg => {
  const r = g.random;
  if (r.chance(0.3)) return g.value();
  return r.chance(0.5) ? `element:${r.below(3000)}` : r.bytes(r.below(20));
};

const elements = (g: Generator): Arg[] => {
  const count = g.random.chance(0.05) ? 400 : g.random.below(8);
  return Array.from({ length: count }, () => element(g));
};

/** A HyperLogLog as bytes: sound, or with something wrong. None ends in the middle of an opcode: Redis
 *  then reads what lies behind the string. */
function crafted(g: Generator): Buffer {
  const r = g.random;
  const header = Buffer.from('HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80', 'latin1');
  const bodies = [
    '\x7f\xff',
    '\x7f\xff\x80',
    '\x7f\xff\x00',
    '',
    '\x7f\xfe\x80',
    '\x00\x7f\xbf',
    '\x80\x80\x84\x83\x7f\xf7\x80',
    '\x40\x00\x7f\xfe',
    '\x40\x00\x40\x00\x3f\xfd\x7f\xbb\xff',
  ];
  if (r.chance(0.1)) return header.subarray(0, r.below(17));
  if (r.chance(0.1)) {
    return Buffer.concat([header, r.bytes(r.below(60)), Buffer.from([0x80])]);
  }
  return Buffer.concat([header, Buffer.from(r.pick(bodies), 'latin1')]);
}

export const hyperLogLogCommands: CommandTable = {
  PFADD: { weight: 8, args: (g) => [g.key(), ...elements(g)] },
  PFCOUNT: { weight: 4, args: (g) => (g.random.chance(0.5) ? [g.key()] : g.someKeys(4)) },
  PFMERGE: { weight: 2, args: (g) => g.someKeys(4) },
  'PFDEBUG ENCODING': (g) => [g.key()],
  'PFDEBUG DECODE': (g) => [g.key()],
  'PFDEBUG GETREG': { weight: 0.2, args: (g) => [g.key()] },
  'PFDEBUG TODENSE': { weight: 0.2, args: (g) => [g.key()] },
  PFDEBUG: { weight: 0.2, args: (g) => [g.random.pick(['junk', '', 'a\0b']), g.key()] },
  GET: { weight: 4, args: (g) => [g.key()] },
  STRLEN: (g) => [g.key()],
  'OBJECT ENCODING': (g) => [g.key()],
  SET: { weight: 0.7, args: (g) => [g.key(), g.random.chance(0.7) ? crafted(g) : g.value()] },
  SETRANGE: {
    weight: 0.2,
    args: (g) => [g.key(), g.random.below(16), g.random.bytes(1)],
  },
  APPEND: { weight: 0.1, args: (g) => [g.key(), g.random.pick(['\x80', '\0', '\xff'])] },
  DEL: { weight: 0.4, args: (g) => [g.key()] },
  COPY: { weight: 0.4, args: (g) => [g.key(), g.key(), 'REPLACE'] },
  'CONFIG SET': {
    weight: 0.2,
    args: (g) => ['hll-sparse-max-bytes', g.random.pick([0, 20, 100, 1000, 3000, 16_000, 100_000])],
  },
};

/** Each episode begins with the same threshold. */
export function seedHyperLogLogs(g: Generator): Command[] {
  const bytes = g.random.pick([60, 300, 3000, 15_000]);
  return [['CONFIG', 'SET', 'hll-sparse-max-bytes', bytes]];
}
