// The arguments of the program, as redis-server understands them:
//
//   [FILE | -] [--option value ...] ... [-]
//
// FILE comes first; '-' as first or last argument reads standard input. After `--option` the next
// argument is a value whatever it looks like, and so is everything up to the next `--`; "--option
// value" may also be one argument. `--save` without a value means `--save ""`.
import { type Directive, quoteWord, splitWords } from './conf_lines.js';
import { ConfigError, onOneLine } from './config_error.js';

export interface CommandLine {
  readonly file: string | null;
  readonly readsStandardInput: boolean;
  readonly directives: readonly Directive[];
  /** Given flags, which are not options of the server. */
  readonly flags: ReadonlySet<Flag>;
}

export type Flag = 'check-config' | 'help' | 'version';

const FLAGS = new Map<string, Flag>([
  ['--check-config', 'check-config'],
  ['--help', 'help'],
  ['--version', 'version'],
]);
const SHORT_FLAGS = new Map<string, Flag>([
  ['-h', 'help'],
  ['-v', 'version'],
]);

/** Takes the arguments apart without looking at names and values. Throws ConfigError. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const flags = new Set<Flag>();
  const directives: Directive[] = [];
  let readsStandardInput = false;
  let file: string | null = null;
  let index = 0;
  const shortFlag = SHORT_FLAGS.get(args[0] ?? '');
  if (shortFlag !== undefined) {
    flags.add(shortFlag);
    index = 1;
  } else if (args.length > 0 && !args[0]!.startsWith('-')) {
    file = args[0]!;
    index = 1;
  }
  while (index < args.length) {
    const argument = args[index]!;
    const flag = FLAGS.get(argument);
    if (argument === '-' && (index === 0 || index === args.length - 1)) {
      readsStandardInput = true;
      index++;
    } else if (flag !== undefined) {
      flags.add(flag);
      index++;
    } else if (argument.startsWith('--')) {
      const end = endOfValues(args, index);
      directives.push(directiveOf(argument, args.slice(index + 1, end)));
      index = end;
    } else {
      throw new ConfigError(
        `'${onOneLine(argument)}': expected an option such as --port, after FILE if there is one`,
      );
    }
  }
  return { file, readsStandardInput, directives, flags };
}

/** Where the values of the option at `index` end. */
function endOfValues(args: readonly string[], index: number): number {
  const words = splitWords(args[index]!);
  const takesNext = words !== null && words.length === 1 && !isBareSave(args, index);
  let end = index + (takesNext && !isLastDash(args, index + 1) ? 2 : 1);
  while (end < args.length && !args[end]!.startsWith('--') && !isLastDash(args, end)) end++;
  return Math.min(end, args.length);
}

/** `--save --other`: an empty list of save points, which programs build from an empty array. */
function isBareSave(args: readonly string[], index: number): boolean {
  return args[index]!.toLowerCase() === '--save' && (args[index + 1] ?? '--').startsWith('--');
}

function isLastDash(args: readonly string[], index: number): boolean {
  return args[index] === '-' && index === args.length - 1;
}

function directiveOf(argument: string, values: readonly string[]): Directive {
  const words = splitWords(argument.slice(2));
  if (words === null) throw new ConfigError(`'${onOneLine(argument)}': expected closed quotes`);
  const [name = '', ...inlined] = words;
  const given = [...inlined, ...values];
  const args = given.length === 0 && name.toLowerCase() === 'save' ? [''] : given;
  return { name, args, place: '', quote: [argument, ...values.map(quoteWord)].join(' ') };
}
