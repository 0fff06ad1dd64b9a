// Handler of COMMAND DOCS: what a command is for, its arguments, its history.
import { args } from '../../../protocol/arguments.js';
import { reply } from '../../../protocol/reply_writer.js';
import type { ArgumentDoc, Command } from '../../command_table/command.js';
import { commands, findCommand } from '../../command_table/command_registry.js';
import { replyField, replyStatuses } from './command_info.js';

/** COMMAND DOCS [command-name ...]: unknown names are left out. */
export function commandDocs(): void {
  if (args.count === 2) {
    replyDocs(commands);
    return;
  }
  const found: Command[] = [];
  for (let i = 2; i < args.count; i++) {
    const named = findCommand(args.latin1(i).toLowerCase());
    if (named !== null) found.push(named);
  }
  replyDocs(found);
}

/** A map of full names and documents. */
function replyDocs(documented: readonly Command[]): void {
  reply.map(documented.length);
  for (const each of documented) {
    reply.bulkLatin1(each.fullName);
    replyDocument(each);
  }
}

function replyDocument({ row, subcommands }: Command): void {
  const mark = reply.deferMap();
  let fields = 3;
  replyField('summary', row.summary);
  replyField('since', row.since);
  replyField('group', row.group);
  const optional = (name: string, isThere: boolean, write: () => void): void => {
    if (!isThere) return;
    fields++;
    reply.bulkLatin1(name);
    write();
  };
  const { complexity, deprecated, history, arguments: documents } = row;
  optional('complexity', complexity !== undefined, () => reply.bulkText(complexity!));
  const flags = [
    ...(deprecated === undefined ? [] : ['deprecated']),
    ...(row.isSystem === true ? ['syscmd'] : []),
  ];
  optional('doc_flags', flags.length > 0, () => replyStatuses(flags));
  optional('deprecated_since', deprecated !== undefined, () => reply.bulkText(deprecated!.since));
  optional('replaced_by', deprecated !== undefined, () => reply.bulkText(deprecated!.replacedBy));
  optional('history', history !== undefined, () => replyHistory(history!));
  optional('arguments', documents !== undefined, () => replyArguments(documents!));
  optional('subcommands', subcommands !== null, () => replyDocs([...subcommands!.values()]));
  reply.settle(mark, fields);
}

function replyHistory(history: NonNullable<Command['row']['history']>): void {
  reply.set(history.length);
  for (const [version, change] of history) {
    reply.array(2);
    reply.bulkText(version);
    reply.bulkText(change);
  }
}

function replyArguments(documents: readonly ArgumentDoc[]): void {
  reply.array(documents.length);
  for (const document of documents) replyArgument(document);
}

function replyArgument(document: ArgumentDoc): void {
  const { keySpec, token, since, deprecatedSince, displayText, flags } = document;
  const texts: readonly (readonly [string, string | undefined])[] = [
    ['token', token],
    ['since', since],
    ['deprecated_since', deprecatedSince],
    ['display_text', displayText],
  ];
  const given = texts.filter(([, text]) => text !== undefined) as [string, string][];
  const inner = document.arguments;
  const others = [keySpec, flags, inner].filter((value) => value !== undefined).length;
  reply.map(2 + given.length + others);
  replyField('name', document.name);
  replyField('type', document.type);
  if (keySpec !== undefined) {
    reply.bulkLatin1('key_spec_index');
    reply.integer(keySpec);
  }
  for (const [name, text] of given) replyField(name, text);
  if (flags !== undefined) {
    reply.bulkLatin1('flags');
    replyStatuses(flags);
  }
  if (inner !== undefined) {
    reply.bulkLatin1('arguments');
    replyArguments(inner);
  }
}
