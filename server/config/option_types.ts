// The kinds of values that options have: how a text becomes a value, and a value text again.
//
// One object per kind, used by the rows of config_table.ts. Parsing is strict and never guesses:
// `parse` throws InvalidValue with two texts, because two readers wait for them:
//   message    the reply of CONFIG SET, word for word as Redis 7.0 words it
//   expected   what completes "expected ..." in the one line that stops a start
//
// Values are JavaScript text and numbers. Whole numbers beyond 2^53 - 1 saturate there: a limit of
// 8 PiB and one of 16 EiB are the same limit.

/** A value that an option does not accept. */
export class InvalidValue extends Error {
  constructor(
    message: string,
    /** What is accepted, as it completes "expected ...". */
    readonly expected: string,
  ) {
    super(message);
    this.name = 'InvalidValue';
  }
}

export interface OptionType<T> {
  /** What is accepted: completes "expected ..." and describes the value in the help text. */
  readonly expected: string;
  /** Most arguments of one occurrence. Above 1, a single argument is split at its spaces. */
  readonly argumentsMax: number;
  /** For options whose occurrences add up: what the first one adds to, in place of the default.
   *  CONFIG SET always starts from it. Without it, an occurrence sees the value so far. */
  readonly blank?: T;
  /** The value that the arguments give on top of `base`. Throws InvalidValue. */
  parse(args: readonly string[], base: T): T;
  /** The value as CONFIG GET shows it. */
  print(value: T): string;
  /** The arguments of the lines that state the value in a file, one list per line. */
  lines(value: T): string[][];
}

/** A kind of value that takes exactly one argument. */
function single<T>(
  expected: string,
  parseText: (text: string) => T,
  print: (value: T) => string,
  printInFile: (value: T) => string = print,
): OptionType<T> {
  return {
    expected,
    argumentsMax: 1,
    parse: (args) => parseText(args[0] ?? ''),
    print,
    lines: (value) => [[printInFile(value)]],
  };
}

const INT64_MAX = 9223372036854775807n;

/** The number that a decimal text means (no sign but '-', no leading zeros, 64 bits), or null. */
function parseDecimal(text: string): bigint | null {
  if (!/^(0|-?[1-9][0-9]{0,18})$/.test(text)) return null;
  const value = BigInt(text);
  return value > INT64_MAX || value < -INT64_MAX - 1n ? null : value;
}

function saturate(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

/** The upper bound of an option that Redis stores in a signed 64-bit number. */
export const UNBOUNDED = Number.POSITIVE_INFINITY;

function rangeError(min: number, max: number, expected: string): InvalidValue {
  const most = max === UNBOUNDED ? INT64_MAX : max;
  return new InvalidValue(`argument must be between ${min} and ${most} inclusive`, expected);
}

/** A whole number from min to max, both included. */
export function integer(min: number, max: number): OptionType<number> {
  const expected = `an integer ${max === UNBOUNDED ? `from ${min} up` : `from ${min} to ${max}`}`;
  const parseText = (text: string) => {
    const value = parseDecimal(text);
    if (value === null) {
      throw new InvalidValue("argument couldn't be parsed into an integer", expected);
    }
    const number = saturate(value);
    if (number < min || number > max) throw rangeError(min, max, expected);
    return number;
  };
  return single(expected, parseText, String);
}

const MEMORY_UNITS = new Map([
  ['', 1n],
  ['b', 1n],
  ['k', 1000n],
  ['kb', 1n << 10n],
  ['m', 1000n ** 2n],
  ['mb', 1n << 20n],
  ['g', 1000n ** 3n],
  ['gb', 1n << 30n],
]);

/** Bytes in a text such as '64mb' (kb, mb, gb are powers of 1024; k, m, g of 1000), or null. */
export function parseMemory(text: string): number | null {
  const match = /^([0-9]+)([a-z]*)$/i.exec(text);
  if (match === null) return null;
  const unit = MEMORY_UNITS.get(match[2]!.toLowerCase());
  return unit === undefined ? null : saturate(BigInt(match[1]!) * unit);
}

/** Bytes as a file states them: in the largest binary unit that divides them. */
export function printMemory(bytes: number): string {
  if (bytes > 0) {
    if (bytes % 2 ** 30 === 0) return `${bytes / 2 ** 30}gb`;
    if (bytes % 2 ** 20 === 0) return `${bytes / 2 ** 20}mb`;
    if (bytes % 2 ** 10 === 0) return `${bytes / 2 ** 10}kb`;
  }
  return String(bytes);
}

/** A size in bytes from min to max, rounded up to a multiple. Bytes for CONFIG GET. */
export function memory(min: number, max: number, multiple = 1): OptionType<number> {
  const least = min === 0 ? '' : ` of at least ${printMemory(min)}`;
  const most = max === UNBOUNDED ? '' : `${min === 0 ? ' of' : ' and'} at most ${printMemory(max)}`;
  const expected = `a size such as 64mb or 1gb${least}${most}`;
  const parseText = (text: string) => {
    const bytes = parseMemory(text);
    if (bytes === null) throw new InvalidValue('argument must be a memory value', expected);
    if (bytes < min || bytes > max) throw rangeError(min, max, expected);
    return Math.ceil(bytes / multiple) * multiple;
  };
  return single(expected, parseText, String, printMemory);
}

/** 'yes' or 'no'. */
export function yesNo(): OptionType<boolean> {
  const parseText = (text: string) => {
    const lower = text.toLowerCase();
    if (lower === 'yes') return true;
    if (lower === 'no') return false;
    throw new InvalidValue("argument must be 'yes' or 'no'", 'yes or no');
  };
  return single('yes or no', parseText, (value) => (value ? 'yes' : 'no'));
}

/** One of several words, in any case of letters. */
export function oneOf<const W extends string>(words: readonly W[]): OptionType<W> {
  const last = words[words.length - 1];
  const expected = words.length === 1 ? `${last}` : `${words.slice(0, -1).join(', ')} or ${last}`;
  const parseText = (text: string) => {
    const word = words.find((candidate) => candidate === text.toLowerCase());
    if (word !== undefined) return word;
    const message = `argument(s) must be one of the following: ${words.join(', ')}`;
    throw new InvalidValue(message, expected);
  };
  return single(expected, parseText, (value) => value);
}

/** A kind of which Redis knows more values than this version has. They are refused with `why`. */
export function onlySupported<T>(
  type: OptionType<T>,
  isSupported: (value: T) => boolean,
  supported: string,
  why: string,
): OptionType<T> {
  return {
    ...type,
    expected: supported,
    parse(args, base) {
      const value = type.parse(args, base);
      if (isSupported(value)) return value;
      throw new InvalidValue(why, `${supported} (${why})`);
    },
  };
}

/** Any text, stored as `normalize` returns it. */
export function text(
  expected: string,
  normalize: (text: string) => string = (given) => given,
): OptionType<string> {
  return single(expected, normalize, (value) => value);
}

/** File permissions in octal, 0 to 777; 0 leaves them to the umask. */
export function octalMode(): OptionType<number> {
  const expected = 'an octal number from 0 to 777';
  const parseText = (given: string) => {
    if (!/^[0-7]+$/.test(given)) {
      throw new InvalidValue("argument couldn't be parsed as an octal number", expected);
    }
    const mode = Number.parseInt(given, 8);
    if (mode > 0o777) {
      throw new InvalidValue('argument must be between 0 and 777 inclusive', expected);
    }
    return mode;
  };
  return single(expected, parseText, (mode) => mode.toString(8));
}

/** Up to `countMax` words. A single empty argument is the empty list. */
export function words(
  expected: string,
  countMax: number,
  tooMany: string,
): OptionType<readonly string[]> {
  return {
    expected,
    argumentsMax: Number.POSITIVE_INFINITY,
    parse(args) {
      if (args.length > countMax) throw new InvalidValue(tooMany, expected);
      return args;
    },
    print: (value) => value.join(' '),
    lines: (value) => [value.length === 0 ? [''] : [...value]],
  };
}

/** A number that is moved to the nearest bound instead of being refused. */
export function clamped(type: OptionType<number>, min: number, max: number): OptionType<number> {
  return {
    ...type,
    parse: (args, base) => Math.min(max, Math.max(min, type.parse(args, base))),
  };
}
