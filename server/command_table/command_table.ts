// All commands: the rows of every family. Whoever needs the table complete imports from here.
import type { CommandRow } from './command.js';
import { registerCommands } from './command_registry.js';
import { stringRows } from './string_rows.js';

const ROWS: readonly CommandRow[] = [...stringRows];

registerCommands(ROWS);

export { commands, findCommand, lookupCommand } from './command_registry.js';
