// What the differential tests send: for each command a small function that makes arguments, in
// tables by family (tables/*.ts). A new command is one more line in a table.
//
// The tables make mostly sensible requests; oddities that every command must bear (wrong arity,
// odd numbers, binary bytes, mixed case) are added here to all of them.
//
// Two rules keep a run the same on both servers:
//  - no relative expiry time below RELATIVE_SECONDS_MIN: nothing expires by itself during a run
//    (real expiry has tests of its own with absolute times);
//  - no size between SIZE_MAX and 2^32: it would be legal and cost half a gigabyte on each side.
import type { Random } from '../support/random.js';
import type { Arg } from '../support/raw_client.js';

export type ArgMaker = (g: Generator) => Arg[];

export interface Row {
  /** Makes the arguments after the name. */
  readonly args: ArgMaker;
  /** How often, against the others of the table. Default 1. */
  readonly weight?: number;
  /** False: no oddities are added, because they could make it slow or depend on the clock. */
  readonly odd?: boolean;
}

/** Command name (or `NAME SUBCOMMAND`) to the way its arguments are made. */
export type CommandTable = Readonly<Record<string, ArgMaker | Row>>;

export const RELATIVE_SECONDS_MIN = 100_000;
export const FAR_FUTURE_SECONDS = 4_102_444_800; // 2100-01-01
const SIZE_MAX = 100_000;

/** Numbers and non-numbers at every edge of the parsers. None is a small positive integer. */
export const ODD_NUMBERS: readonly string[] = [
  '',
  '-0',
  '+1',
  '01',
  ' 1',
  '1 ',
  '1.0',
  '1e3',
  '.5',
  '5.',
  'inf',
  '-inf',
  '+inf',
  'infinity',
  'nan',
  '-nan',
  '0x10',
  '0x',
  'abc',
  '-',
  '+',
  '--1',
  '1-',
  '1a',
  '1\n',
  '\x001',
  '1\x00',
  '-1',
  '0',
  '4294967296',
  '-4294967297',
  '9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '-9223372036854775809',
  '18446744073709551615',
  '18446744073709551616',
  '99999999999999999999999999',
  '1e308',
  '1e309',
  '-1e400',
  '1e-400',
  '1.7976931348623157e308',
  '00',
  '9223372036854775',
  '-9223372036854775',
  '9223372036854775808.0',
]; // prettier-ignore

export class Generator {
  constructor(
    readonly random: Random,
    readonly keys: readonly string[],
  ) {}

  key(): string {
    return this.random.pick(this.keys);
  }

  someKeys(most = 4): string[] {
    return Array.from({ length: this.random.between(1, most) }, () => this.key());
  }

  /** A string value: short text, number, binary, or up to a few hundred bytes. */
  value(): Arg {
    const r = this.random;
    switch (r.below(8)) {
      case 0:
        return r.between(-20, 20);
      case 1:
        return r.pick(ODD_NUMBERS);
      case 2:
        return r.bytes(r.below(24));
      case 3:
        return 'abcdefgh'.repeat(r.between(1, 40)).slice(r.below(8));
      case 4:
        return 'x'.repeat(r.pick([0, 1, 43, 44, 45, 63, 64, 65, 255, 256, 300]));
      case 5:
        return `${r.between(-99, 99)}.${r.below(1000)}`;
      case 6:
        return this.bigInteger();
      default:
        return r.pick(['', 'a', 'foo', 'Hello, World', 'ohmytext', 'mynewtext', '\r\n', '\x00']);
    }
  }

  /** A whole number of any size, often near a limit. */
  bigInteger(): string {
    const r = this.random;
    const power = 1n << BigInt(r.between(0, 63));
    const value = power + BigInt(r.between(-2, 2));
    return String(r.chance(0.5) ? value : -value);
  }

  /** An integer argument: small as a rule, sometimes huge, seldom no integer at all. */
  integer(): Arg {
    const r = this.random;
    if (r.chance(0.75)) return r.between(-10, 10);
    return r.chance(0.6) ? this.bigInteger() : r.pick(ODD_NUMBERS);
  }

  /** A position in a string of some hundred bytes, negative ones count from the end. */
  index(): Arg {
    const r = this.random;
    if (r.chance(0.8)) return r.between(-12, 12);
    return r.chance(0.7) ? r.between(-400, 400) : r.pick(ODD_NUMBERS);
  }

  /** An offset that a write may extend a string to. */
  offset(most = 300): Arg {
    const r = this.random;
    if (r.chance(0.9)) return r.below(most);
    return r.pick([-1, 0, 4294967296, '9223372036854775807', '9223372036854775800', 'abc', '']);
  }

  float(): Arg {
    const r = this.random;
    switch (r.below(5)) {
      case 0:
        return r.between(-10, 10);
      case 1:
        return (r.between(-100_000, 100_000) / 1000).toString();
      case 2:
        return `${r.between(-9, 9)}e${r.between(-20, 20)}`;
      case 3:
        return r.pick(ODD_NUMBERS);
      default:
        return r.pick(['0.1', '0.2', '3.0e3', '-0.0', '1.000000000000000000001', '5.0', '1e17']);
    }
  }

  /** Seconds from now, or now*1000 milliseconds: far enough away, at times just wrong. */
  relative(unit: 'seconds' | 'millis'): Arg {
    const r = this.random;
    const scale = unit === 'seconds' ? 1 : 1000;
    if (r.chance(0.8)) {
      return r.between(RELATIVE_SECONDS_MIN, RELATIVE_SECONDS_MIN * 1000) * scale;
    }
    return r.pick([0, -1, -100, ...ODD_NUMBERS]);
  }

  /** A point in time: one of a few in the far future (equal ones matter to GT and LT), or past. */
  absolute(unit: 'seconds' | 'millis'): Arg {
    const r = this.random;
    const scale = unit === 'seconds' ? 1 : 1000;
    if (r.chance(0.75)) return (FAR_FUTURE_SECONDS + r.below(4)) * scale + (scale > 1 ? 7 : 0);
    return r.pick([0, 1, -1, 1_000_000_000 * scale, ...ODD_NUMBERS]);
  }

  /** Each group with its own probability, in random order; `odd` ones conflict with others. */
  options(groups: readonly (readonly [number, () => Arg[]])[]): Arg[] {
    const chosen = groups.filter(([probability]) => this.random.chance(probability));
    return this.random.shuffle(chosen.slice()).flatMap(([, make]) => make());
  }

  /** A glob that matches some of the keys. */
  glob(): string {
    const r = this.random;
    const key = this.key();
    switch (r.below(8)) {
      case 0:
        return '*';
      case 1:
        return `${key.slice(0, r.below(3))}*`;
      case 2:
        return key.replace(/./, '?');
      case 3:
        return `*${key.slice(-1)}`;
      case 4:
        return r.pick([
          '[a-c]*',
          '[^a]*',
          '[c-a]*',
          '[\\a]*',
          '[a',
          '[]',
          '[^',
          '[-]',
          '[a-',
          '[[]*',
        ]);
      case 5:
        return r.pick(['', '\\', '\\*', '*\\', '**', '***?', '?', '??', '*?*', 'k?y*', '[k][e]*']);
      case 6:
        return `*${key.charAt(r.below(key.length + 1))}*`;
      default:
        return key;
    }
  }

  databaseIndex(): Arg {
    return this.random.chance(0.9)
      ? this.random.below(4)
      : this.random.pick([15, 16, -1, 'abc', '', '1.5', ...ODD_NUMBERS]);
  }

  mixedCase(text: string): string {
    return this.random.chance(0.5)
      ? text.toLowerCase()
      : text.replace(/[a-z]/gi, (c) => (this.random.chance(0.5) ? c.toLowerCase() : c));
  }
}

interface WeightedRow {
  readonly words: readonly string[];
  readonly args: ArgMaker;
  readonly odd: boolean;
  /** Sum of the weights up to and with this row. */
  readonly upTo: number;
}

/** Draws whole commands from a table. */
export class CommandSource {
  private readonly rows: WeightedRow[] = [];
  private total = 0;

  constructor(
    tables: readonly CommandTable[],
    private readonly oddProbability = 0.06,
  ) {
    for (const table of tables) {
      for (const [name, entry] of Object.entries(table)) {
        const row: Row = typeof entry === 'function' ? { args: entry } : entry;
        this.total += row.weight ?? 1;
        const words = name.split(' ');
        this.rows.push({ words, args: row.args, odd: row.odd ?? true, upTo: this.total });
      }
    }
  }

  draw(g: Generator): Arg[] {
    const point = (g.random.uint32() / 0x100000000) * this.total;
    const row = this.rows.find(({ upTo }) => point < upTo) as WeightedRow;
    const command: Arg[] = [...row.words, ...row.args(g)];
    if (g.random.chance(0.1)) command[0] = g.mixedCase(row.words[0] as string);
    if (row.odd && g.random.chance(this.oddProbability)) makeOdd(g, command);
    return command;
  }
}

function makeOdd(g: Generator, command: Arg[]): void {
  const r = g.random;
  const last = command.length - 1;
  switch (r.below(5)) {
    case 0:
      if (last > 0) command.pop();
      break;
    case 1:
      command.push(r.pick(['', 'junk', 'NX', 'GET', g.key(), ...ODD_NUMBERS]));
      break;
    case 2:
      if (last > 0) command[r.between(1, last)] = r.pick(ODD_NUMBERS);
      break;
    case 3: {
      const at = r.between(1, Math.max(1, last));
      const arg = command[at];
      if (typeof arg === 'string') command[at] = g.mixedCase(arg);
      break;
    }
    default:
      command.length = r.between(1, command.length);
  }
}

/** Sizes for commands that make a value of that size. */
export function moderateSize(g: Generator): number {
  return g.random.pick([0, 1, 2, 10, 100, 1000, SIZE_MAX]);
}
