// All commands, and the look-up of one by the name in a request.
import { args } from '../../protocol/arguments.js';
import { Command, type CommandRow } from './command.js';
import { stringRows } from './string_rows.js';

const ROWS: readonly CommandRow[] = [...stringRows];

export const commands: readonly Command[] = ROWS.map((row) => new Command(row, null));

const byName = new Map(commands.map((command) => [command.row.name, command]));

/** A command by its full name in lower case ('get', 'config|get'), or null. */
export function findCommand(fullName: string): Command | null {
  const [name, sub] = fullName.split('|');
  const command = byName.get(name!) ?? null;
  if (command === null || sub === undefined) return command;
  return command.subcommands?.get(sub) ?? null;
}

// --- the hot look-up: open addressing over the names' bytes ---------------------------------------
const SLOTS = 1024;
const NAME_BYTES_MAX = 24;
const slotCommand: (Command | null)[] = new Array(SLOTS).fill(null);
const slotName: Uint8Array[] = new Array(SLOTS).fill(new Uint8Array(0));

if (commands.length > SLOTS / 2) throw new Error('the command table needs more slots');

for (const command of commands) {
  const name = Buffer.from(command.row.name, 'latin1');
  if (name.length > NAME_BYTES_MAX) throw new Error(`command name too long: ${command.row.name}`);
  let slot = hashName(name, 0, name.length);
  while (slotCommand[slot] !== null) slot = (slot + 1) & (SLOTS - 1);
  slotCommand[slot] = command;
  slotName[slot] = new Uint8Array(name);
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
