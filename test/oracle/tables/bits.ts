// Bit operations on strings.
import type { Arg } from '../../support/raw_client.js';
import type { CommandTable, Generator } from '../generator.js';

/** GET, SET and INCRBY parts of a BITFIELD, with types and offsets good and bad. */
function bitfieldParts(g: Generator, readOnly: boolean): (string | number)[] {
  const r = g.random;
  const type = (): string =>
    r.chance(0.9)
      ? `${r.pick(['i', 'u'])}${r.pick([1, 2, 3, 5, 7, 8, 9, 13, 16, 31, 32, 33, 62, 63])}`
      : r.pick(['i64', 'u64', 'i65', 'u0', 'i0', 'x8', 'u', 'I8', 'U8', '', 'i-1', 'u8 ', 'u08']);
  const offset = (): string | number =>
    r.chance(0.85)
      ? r.below(200)
      : r.pick(['#0', '#1', '#7', '#', '-1', '#-1', 'abc', '4294967296', '#9223372036854775807']);
  const value = (): string | number =>
    r.chance(0.6) ? r.between(-300, 300) : r.pick([g.bigInteger(), 'abc', '', '1.5']);
  const parts: (string | number)[] = [];
  for (let count = r.between(0, 4); count > 0; count--) {
    const kind = readOnly && r.chance(0.9) ? 0 : r.below(5);
    if (kind <= 1) parts.push('GET', type(), offset());
    else if (kind === 2) parts.push('SET', type(), offset(), value());
    else if (kind === 3) parts.push('INCRBY', type(), offset(), value());
    else parts.push('OVERFLOW', r.pick(['WRAP', 'SAT', 'FAIL', 'sat', 'junk', '']));
  }
  if (r.chance(0.03)) parts.push(r.pick(['GET', 'SET', 'u8', 'junk']));
  return parts;
}

const range = (g: Generator): (string | number)[] => {
  const unit = g.random.chance(0.5) ? [g.random.pick(['BYTE', 'BIT', 'byte', 'bits', ''])] : [];
  return [g.index() as string | number, g.index() as string | number, ...unit];
};

const bit = (g: Generator): string | number =>
  g.random.chance(0.9) ? g.random.below(2) : g.random.pick([2, -1, 'a', '', '01', '1.0']);

export const bitCommands: CommandTable = {
  SET: { weight: 2, args: (g) => [g.key(), g.value()] },
  GET: { weight: 2, args: (g) => [g.key()] },
  SETBIT: { weight: 4, args: (g) => [g.key(), g.offset(2000), bit(g)] },
  GETBIT: { weight: 2, args: (g) => [g.key(), g.offset(2000)] },
  BITCOUNT: {
    weight: 3,
    args: (g) => [g.key(), ...(g.random.chance(0.7) ? range(g) : g.random.chance(0.2) ? [1] : [])],
  },
  BITPOS: {
    weight: 4,
    args: (g) => [
      g.key(),
      bit(g),
      ...(g.random.chance(0.6) ? range(g) : g.random.chance(0.5) ? [g.index()] : []),
    ],
  },
  BITOP: {
    weight: 3,
    args: (g) => [
      g.random.pick(['AND', 'OR', 'XOR', 'NOT', 'and', 'NOT', 'nand', '']),
      g.key(),
      ...g.someKeys(g.random.chance(0.3) ? 1 : 4),
    ],
  },
  BITFIELD: { weight: 6, args: (g) => [g.key(), ...bitfieldParts(g, false)] },
  BITFIELD_RO: { weight: 2, args: (g) => [g.key(), ...bitfieldParts(g, true)] },
  STRLEN: (g) => [g.key()],
  DEL: (g) => [g.key()],
  EXPIREAT: (g) => [g.key(), g.absolute('seconds')],
  'OBJECT ENCODING': (g) => [g.key()],
};

/** Values long enough for work by words, at odd and even lengths, and with long runs of one bit. */
export function seedBits(g: Generator): (readonly [string, string, Arg])[] {
  const r = g.random;
  return g.keys.map((key) => {
    const run = Buffer.alloc(r.between(60, 5000), r.pick([0, 0xff, 0xaa]));
    const value = r.chance(0.3) ? run : Buffer.concat([run, r.bytes(r.below(300)), run]);
    return ['SET', key, value] as const;
  });
}
