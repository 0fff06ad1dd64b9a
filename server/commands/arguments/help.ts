// HELP of commands with subcommands, in the form in which Redis prints it.
import { reply } from '../../../protocol/reply_writer.js';

/** What HELP says of one subcommand: how it is written, and what it does, a line each. */
export type HelpEntry = readonly [usage: string, ...lines: string[]];

/** Replies the help of a command. `command` is its name in upper case. */
export function replyHelp(command: string, entries: readonly HelpEntry[]): void {
  const all: readonly HelpEntry[] = [...entries, ['HELP', 'Print this help.']];
  reply.array(1 + all.reduce((lines, entry) => lines + entry.length, 0));
  reply.simple(`${command} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
  for (const [usage, ...lines] of all) {
    reply.simple(usage);
    for (const line of lines) reply.simple(`    ${line}`);
  }
}
