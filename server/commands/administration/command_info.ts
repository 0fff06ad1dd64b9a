// Handlers of COMMAND, COMMAND COUNT, INFO, LIST and HELP: what the table says of each command.
import { Buffer } from 'node:buffer';
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { globMatch } from '../../../protocol/glob.js';
import { reply } from '../../../protocol/reply_writer.js';
import { ACL_CATEGORIES, categoriesOf } from '../../command_table/acl_categories.js';
import type { Command, KeySpec } from '../../command_table/command.js';
import { allCommands, commands, findCommand } from '../../command_table/command_registry.js';
import { replyError } from '../../reply_error.js';
import { type HelpEntry, replyHelp } from '../arguments/help.js';

/** COMMAND */
export function command(): void {
  replyAll();
}

/** COMMAND COUNT */
export function commandCount(): void {
  reply.integer(commands.length);
}

/** COMMAND INFO [command-name ...] */
export function commandInfo(): void {
  if (args.count === 2) {
    replyAll();
    return;
  }
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const found = findCommand(args.latin1(i).toLowerCase());
    if (found === null) reply.null();
    else replyInfo(found);
  }
}

function replyAll(): void {
  reply.array(commands.length);
  for (const each of commands) replyInfo(each);
}

function replyInfo(described: Command): void {
  const { row } = described;
  const [first, last, step] = row.keys ?? [0, 0, 0];
  reply.array(10);
  reply.bulkLatin1(described.fullName);
  reply.integer(row.arity);
  replyStatuses(row.flags);
  reply.integer(first);
  reply.integer(last);
  reply.integer(step);
  replyStatuses(categoriesOf(described).map((category) => `@${category}`));
  reply.set(row.tips?.length ?? 0);
  for (const tip of row.tips ?? []) reply.bulkLatin1(tip);
  reply.set(row.keySpecs?.length ?? 0);
  for (const spec of row.keySpecs ?? []) replyKeySpec(spec);
  replySubcommands(described);
}

/** An array, or the empty set that Redis sends in place of an empty array. */
function replySubcommands({ subcommands }: Command): void {
  if (subcommands === null) {
    reply.set(0);
    return;
  }
  reply.array(subcommands.size);
  for (const subcommand of subcommands.values()) replyInfo(subcommand);
}

/** A set of simple strings. */
export function replyStatuses(words: readonly string[]): void {
  reply.set(words.length);
  for (const word of words) reply.simple(word);
}

function replyKeySpec(spec: KeySpec): void {
  reply.map(spec.notes === undefined ? 3 : 4);
  if (spec.notes !== undefined) replyField('notes', spec.notes);
  reply.bulkLatin1('flags');
  replyStatuses(spec.flags);
  reply.bulkLatin1('begin_search');
  if (spec.begin === 'unknown') replySearch('unknown', {});
  else if ('index' in spec.begin) replySearch('index', { index: spec.begin.index });
  else {
    const { keyword, startFrom } = spec.begin;
    replySearch('keyword', { keyword, startfrom: startFrom });
  }
  reply.bulkLatin1('find_keys');
  const { find } = spec;
  if (find === 'unknown') replySearch('unknown', {});
  else if ('lastKey' in find) {
    replySearch('range', { lastkey: find.lastKey, keystep: find.keyStep, limit: find.limit });
  } else {
    const { keyNumIndex, firstKey, keyStep } = find;
    replySearch('keynum', { keynumidx: keyNumIndex, firstkey: firstKey, keystep: keyStep });
  }
}

/** One half of a key specification: its type, and the numbers and words it is made of. */
function replySearch(type: string, values: Readonly<Record<string, number | string>>): void {
  reply.map(2);
  replyField('type', type);
  reply.bulkLatin1('spec');
  reply.map(Object.keys(values).length);
  for (const [name, value] of Object.entries(values)) {
    reply.bulkLatin1(name);
    if (typeof value === 'number') reply.integer(value);
    else reply.bulkLatin1(value);
  }
}

/** A name and a text, both as bulk strings. */
export function replyField(name: string, text: string): void {
  reply.bulkLatin1(name);
  reply.bulkText(text);
}

/** COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
export function commandList(): void {
  if (args.count === 2) {
    replyNames(() => true);
  } else if (args.count !== 5 || !args.equals(2, 'filterby')) {
    replyError(errors.SYNTAX_ERROR);
  } else if (args.equals(3, 'module')) {
    replyNames(() => false); // there are no modules
  } else if (args.equals(3, 'aclcat')) {
    const category = ACL_CATEGORIES.find((name) => args.equals(4, name));
    replyNames((each) => category !== undefined && categoriesOf(each).includes(category));
  } else if (args.equals(3, 'pattern')) {
    replyNames(matchesPattern);
  } else {
    replyError(errors.SYNTAX_ERROR);
  }
}

/** Whether a command's full name matches the pattern in argument 4, in any case of letters. */
function matchesPattern({ fullName }: Command): boolean {
  const name = Buffer.from(fullName, 'latin1');
  const { buffer, offsets, lengths } = args;
  return globMatch(buffer, offsets[4]!, lengths[4]!, name, 0, name.length, true);
}

function replyNames(isListed: (command: Command) => boolean): void {
  const names = [...allCommands()].filter(isListed).map((each) => each.fullName);
  reply.array(names.length);
  for (const name of names) reply.bulkLatin1(name);
}

const HELP: readonly HelpEntry[] = [
  ['(no subcommand)', 'Describe all commands.'],
  ['COUNT', 'Return the number of commands.'],
  ['LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]', 'Return their names.'],
  ['INFO [<command-name> ...]', 'Describe these commands, or all.'],
  ['DOCS [<command-name> ...]', 'Document these commands, or all.'],
  ['GETKEYS <full-command>', 'Return the keys of a request.'],
  ['GETKEYSANDFLAGS <full-command>', 'Return the keys of a request and what is done to each.'],
];

/** COMMAND HELP */
export function commandHelp(): void {
  replyHelp('COMMAND', HELP);
}
