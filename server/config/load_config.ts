// From files, standard input and the command line to a ServerConfig.
//
// Later directives win, whatever they stand in; `save` adds up (list_types.ts). Every text passes
// through applyDirective, so all sources accept the same things with the same messages.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Directive, decodeConf, parseConfLine } from './conf_lines.js';
import { ConfigError, nearestName, onOneLine, systemReason } from './config_error.js';
import {
  findOption,
  OPTIONS,
  OPTIONS_BY_NAME,
  type Option,
  type ServerConfig,
} from './config_table.js';
import { matchesGlob } from './glob.js';
import { InvalidValue } from './option_types.js';

/** Files within files, so that a file that includes itself is an error and not a hang. */
const INCLUDE_DEPTH_MAX = 16;

export interface ConfigSources {
  /** Path of the configuration file, or null. */
  readonly file: string | null;
  /** What standard input holds when '-' was given, or null. */
  readonly standardInput: string | null;
  readonly commandLine: readonly Directive[];
}

/** A configuration on its way: the values so far, and which options were given at all. */
export interface Draft {
  readonly config: ServerConfig;
  readonly given: Set<Option>;
}

/** All options at their defaults. The values are shared and never changed in place. */
export function defaultConfig(): ServerConfig {
  return Object.fromEntries(OPTIONS.map((row) => [row.field, row.initial])) as ServerConfig;
}

/** The value of an option, for code that handles all options alike. */
export function readField(config: ServerConfig, option: Option): unknown {
  return config[option.field];
}

export function writeField(config: ServerConfig, option: Option, value: unknown): void {
  (config as Record<string, unknown>)[option.field] = value;
}

export function newDraft(): Draft {
  return { config: defaultConfig(), given: new Set() };
}

/** Reads all sources. Throws ConfigError with a message of one line. */
export function loadConfig(sources: ConfigSources): ServerConfig {
  const draft = newDraft();
  if (sources.file !== null) applyFile(draft, resolve(sources.file), 0);
  if (sources.standardInput !== null) applyText(draft, sources.standardInput, 'stdin', 0);
  for (const directive of sources.commandLine) applyDirective(draft, directive, 0);
  checkTogether(draft.config);
  return draft.config;
}

/** Applies every directive of a text. `file` names it in messages. */
export function applyText(draft: Draft, text: string, file: string, depth: number): void {
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const directive = parseConfLine(lines[index]!, file, index + 1);
    if (directive !== null) applyDirective(draft, directive, depth);
  }
}

function applyFile(draft: Draft, path: string, depth: number): void {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new ConfigError(`${path}: cannot read the configuration file: ${systemReason(error)}`);
  }
  applyText(draft, decodeConf(bytes, path), path, depth);
}

function applyDirective(draft: Draft, directive: Directive, depth: number): void {
  if (directive.name.toLowerCase() === 'include') {
    applyInclude(draft, directive, depth);
    return;
  }
  const option = findOption(directive.name);
  if (option === null) throw unknownOption(directive);
  if (option.commandLineOnly && directive.place !== '') {
    throw refusal(directive, `expected on the command line only: --${option.name}`);
  }
  applyValue(draft, option, directive);
}

/** Sets one option from a directive that names it. Throws ConfigError. */
export function applyValue(draft: Draft, option: Option, directive: Directive): void {
  const { type } = option;
  const args = argumentsOf(option, directive.args);
  if (args === null) {
    throw refusal(directive, `expected one value: ${type.expected}`);
  }
  const isFirst = !draft.given.has(option);
  const base = isFirst && type.blank !== undefined ? type.blank : readField(draft.config, option);
  try {
    writeField(draft.config, option, type.parse(args, base));
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    throw refusal(directive, `expected ${error.expected}`);
  }
  draft.given.add(option);
}

/**
 * The arguments as the option's type wants them: lists may come as several words or as one with
 * spaces, and one empty word is the empty list. Null when there are too many or too few.
 */
export function argumentsOf(option: Option, args: readonly string[]): readonly string[] | null {
  if (option.type.argumentsMax === 1) return args.length === 1 ? args : null;
  if (args.length !== 1) return args;
  return args[0] === '' ? [] : args[0]!.split(' ');
}

function applyInclude(draft: Draft, directive: Directive, depth: number): void {
  if (directive.args.length !== 1) throw refusal(directive, 'expected the path of one file');
  if (depth === INCLUDE_DEPTH_MAX) {
    throw refusal(directive, `expected at most ${INCLUDE_DEPTH_MAX} files within each other`);
  }
  for (const path of includedFiles(directive)) {
    applyFile(draft, path, depth + 1);
  }
}

/** The files that an include names: wild cards in the last part of the path match in order of
 *  name, and may match nothing, as in Redis 7.0. Relative paths start in the working directory. */
function includedFiles(directive: Directive): string[] {
  const path = resolve(directive.args[0]!);
  const pattern = basename(path);
  if (!/[*?[]/.test(pattern)) return [path];
  const folder = dirname(path);
  try {
    const names = readdirSync(folder).filter(
      (name) => !name.startsWith('.') && matchesGlob(pattern, name),
    );
    return names.sort().map((name) => join(folder, name));
  } catch (error) {
    throw refusal(directive, `cannot read ${folder}: ${systemReason(error)}`);
  }
}

function checkTogether(config: ServerConfig): void {
  if (config.unixsocket !== '') return;
  if (config.port === 0) {
    throw new ConfigError("nowhere to listen: 'port' is 0 and 'unixsocket' is not set");
  }
  if (config.bind.length === 0) {
    throw new ConfigError("nowhere to listen: 'bind' is empty and 'unixsocket' is not set");
  }
}

function unknownOption(directive: Directive): ConfigError {
  const name = nearestName(directive.name.toLowerCase(), [...OPTIONS_BY_NAME.keys(), 'include']);
  const hint = name === null ? '' : `, did you mean '${name}'?`;
  return refusal(directive, `unknown option${hint} (--help lists all options)`);
}

function refusal(directive: Directive, reason: string): ConfigError {
  const place = directive.place === '' ? '' : `${directive.place}: `;
  return new ConfigError(`${place}'${onOneLine(directive.quote)}': ${reason}`);
}
