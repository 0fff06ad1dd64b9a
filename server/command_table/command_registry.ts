// All commands and the look-up of one by the name in a request. Filled once by command_table.ts;
// apart from the table, so that commands about commands (COMMAND, INFO) can read it.
import { args } from '../../protocol/arguments.js';
import { Command, type CommandRow } from './command.js';

const SLOTS = 1024;
const NAME_BYTES_MAX = 24;

/** Top-level commands in the order of the table; each knows its subcommands. */
export const commands: Command[] = [];

const byName = new Map<string, Command>();

// Open addressing over the names' bytes: the hot look-up.
const slotCommand: (Command | null)[] = new Array(SLOTS).fill(null);
const slotName: Uint8Array[] = new Array(SLOTS).fill(new Uint8Array(0));

/** Makes commands of rows. Throws when a name is taken or too long for the look-up. */
export function registerCommands(rows: readonly CommandRow[]): void {
  for (const row of rows) addCommand(new Command(row, null));
}

function addCommand(command: Command): void {
  const { name } = command.row;
  const bytes = Buffer.from(name, 'latin1');
  if (byName.has(name)) throw new Error(`two commands are named ${name}`);
  if (bytes.length > NAME_BYTES_MAX) throw new Error(`command name too long: ${name}`);
  if (commands.length === SLOTS / 2) throw new Error('the command table needs more slots');
  commands.push(command);
  byName.set(name, command);
  let slot = hashName(bytes, 0, bytes.length);
  while (slotCommand[slot] !== null) slot = (slot + 1) & (SLOTS - 1);
  slotCommand[slot] = command;
  slotName[slot] = new Uint8Array(bytes);
}

/** A command by its full name in lower case ('get', 'config|get'), or null. */
export function findCommand(fullName: string): Command | null {
  const [name, sub, ...rest] = fullName.split('|');
  const command = byName.get(name!) ?? null;
  if (command === null || sub === undefined) return command;
  return rest.length > 0 ? null : (command.subcommands?.get(sub) ?? null);
}

/** Every command and subcommand, each container before its subcommands. */
export function* allCommands(): Generator<Command> {
  for (const command of commands) {
    yield command;
    if (command.subcommands !== null) yield* command.subcommands.values();
  }
}

function hashName(bytes: Uint8Array, offset: number, length: number): number {
  let hash = length;
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + (bytes[offset + i]! | 0x20)) | 0;
  return (hash ^ (hash >>> 10)) & (SLOTS - 1);
}

/** The command that argument 0 of the current request names, in any letter case; null: unknown. */
export function lookupCommand(): Command | null {
  const buffer = args.buffer;
  const offset = args.offsets[0]!;
  const length = args.lengths[0]!;
  if (length > NAME_BYTES_MAX) return null;
  let slot = hashName(buffer, offset, length);
  for (;;) {
    const command = slotCommand[slot]!;
    if (command === null) return null;
    if (isName(slotName[slot]!, buffer, offset, length)) return command;
    slot = (slot + 1) & (SLOTS - 1);
  }
}

function isName(name: Uint8Array, buffer: Uint8Array, offset: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) {
    let byte = buffer[offset + i]!;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    if (byte !== name[i]) return false;
  }
  return true;
}
