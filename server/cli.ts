// The arguments of a server's start: what it is to do, or what it is to print.
//
// Reads files and standard input but writes nothing, opens nothing and starts nothing.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CommandLine, parseCommandLine } from './config/command_line.js';
import { joinWords } from './config/conf_lines.js';
import { ConfigError } from './config/config_error.js';
import { OPTIONS, type Option, type ServerConfig } from './config/config_table.js';
import { loadConfig } from './config/load_config.js';
import { REDIS_VERSION, STILLFRAME_VERSION } from './version.js';

export type Command =
  /** Start with this configuration. `configFile` is absolute; null without one (or only '-'). */
  | { readonly kind: 'serve'; readonly config: ServerConfig; readonly configFile: string | null }
  /** Print the text on standard output and exit with code 0. */
  | { readonly kind: 'print'; readonly text: string }
  /** Print the line on standard error and exit with code 1. */
  | { readonly kind: 'refuse'; readonly line: string };

const WIDTH = 80;
const INDENT = '      ';

/** What the arguments (without node and script) ask for. Never throws for what a user wrote. */
export function readCommand(
  args: readonly string[],
  readStandardInput: () => string = () => readFileSync(0, 'utf8'),
): Command {
  try {
    const line = parseCommandLine(args);
    if (line.flags.has('help')) return { kind: 'print', text: helpText() };
    if (line.flags.has('version')) return { kind: 'print', text: versionText() };
    return configure(line, readStandardInput);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { kind: 'refuse', line: `stillframe: ${error.message}\n` };
  }
}

function configure(line: CommandLine, readStandardInput: () => string): Command {
  const file = line.file === null ? null : resolve(line.file);
  const config = loadConfig({
    file,
    standardInput: line.readsStandardInput ? readStandardInput() : null,
    commandLine: line.directives,
  });
  if (line.flags.has('check-config')) {
    return { kind: 'print', text: 'stillframe: the configuration is valid\n' };
  }
  return { kind: 'serve', config, configFile: file };
}

function versionText(): string {
  return `Stillframe ${STILLFRAME_VERSION} (Redis ${REDIS_VERSION} compatible), Node ${process.version}\n`;
}

function helpText(): string {
  const options = OPTIONS.map(describeOption).join('\n');
  return `Stillframe ${STILLFRAME_VERSION}: an in-memory key-value server that speaks the Redis protocol

Usage: stillframe [FILE.conf | -] [--option value ...]
       stillframe verify FILE|DIR
       stillframe inspect [--json] FILE

verify proves checkpoint files sound, inspect says what is in one; both need no server
('stillframe verify --help' says more; a FILE.conf of such a name is given as ./verify).

FILE.conf is in redis.conf syntax ('-' reads it from standard input); options on the
command line come after it. Examples:
  stillframe
  stillframe /etc/stillframe.conf --port 7000
  stillframe --port 7000 --dir ./other --save 60 1000 --save 3600 1
  stillframe --save ""

  --help, -h
      Print this text
  --version, -v
      Print the version
  --check-config
      Read the configuration, say whether it is valid, and exit

${options}
`;
}

function describeOption(option: Option): string {
  const stated = option.type.lines(option.initial).map((words) => joinWords('', words).trim());
  const value = `Expects ${option.type.expected}. Default: ${stated.join(', ')}`;
  const name = [option.name, ...option.aliases].map((each) => `--${each}`).join(', ');
  return [`  ${name}`, ...wrap(`${option.about}.`), ...wrap(value)].join('\n');
}

/** The words of a text on lines of at most WIDTH characters, indented. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = INDENT;
  for (const word of text.split(' ')) {
    if (line !== INDENT && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = INDENT;
    }
    line += line === INDENT ? word : ` ${word}`;
  }
  return [...lines, line];
}
