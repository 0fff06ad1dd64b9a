// DEBUG: what tests need and users do not. Switched by the option enable-debug-command.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { reply } from '../../../protocol/reply_writer.js';
import { setClock } from '../../../storage/structures/clock.js';
import type { Client } from '../../client.js';
import { switchActiveExpiry } from '../../cron.js';
import { replyError } from '../../reply_error.js';
import { runtime } from '../../runtime.js';
import { type HelpEntry, replyHelp } from '../arguments/help.js';
import {
  debugKeyTableStats,
  debugObject,
  debugPopulate,
  debugReload,
  debugTableStats,
  debugVerify,
} from './debug_data.js';
import { debugProtocol } from './debug_protocol.js';

interface Subcommand {
  /** Bounds on the number of arguments, with DEBUG and the subcommand. */
  readonly least: number;
  readonly most: number;
  readonly run: (client: Client) => void;
}

const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map([
  ['error', { least: 3, most: 3, run: debugError }],
  ['help', { least: 2, most: 2, run: debugHelp }],
  ['htstats', { least: 3, most: 3, run: debugTableStats }],
  ['htstats-key', { least: 3, most: 3, run: debugKeyTableStats }],
  ['object', { least: 3, most: 3, run: debugObject }],
  ['populate', { least: 3, most: 5, run: debugPopulate }],
  ['protocol', { least: 3, most: 3, run: debugProtocol }],
  ['reload', { least: 2, most: Number.POSITIVE_INFINITY, run: debugReload }],
  ['set-active-expire', { least: 3, most: 3, run: debugSetActiveExpire }],
  ['sleep', { least: 3, most: 3, run: debugSleep }],
  ['verify', { least: 2, most: 2, run: debugVerify }],
]);

/** The guard of DEBUG: null, or why this client may not use it. */
export function whyNoDebug(client: Client): string | null {
  const allowed = runtime.config.enableDebugCommand;
  if (allowed === 'yes' || (allowed === 'local' && client.isLocal())) return null;
  return errors.commandSwitchedOff('DEBUG', 'enable-debug-command');
}

/** DEBUG subcommand [arg ...] */
export function debug(client: Client): void {
  const name = args.latin1(1);
  const subcommand = SUBCOMMANDS.get(name.toLowerCase());
  if (subcommand === undefined || args.count < subcommand.least || args.count > subcommand.most) {
    replyError(errors.unknownSubcommandOrArity('DEBUG', name));
    return;
  }
  subcommand.run(client);
}

/** DEBUG ERROR text: an error reply of the client's own making; no error of ours, so not counted. */
function debugError(): void {
  reply.error(args.latin1(2));
}

/** DEBUG SET-ACTIVE-EXPIRE 0|1 */
function debugSetActiveExpire(): void {
  switchActiveExpiry(Number.parseInt(args.latin1(2), 10) !== 0);
  reply.ok();
}

/** DEBUG SLEEP seconds: the whole server waits, as under a command that takes long. */
function debugSleep(): void {
  const seconds = Number.parseFloat(args.latin1(2));
  if (seconds > 0) {
    const never = new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(never, 0, 0, seconds * 1000);
    setClock(Date.now());
  }
  reply.ok();
}

const HELP: readonly HelpEntry[] = [
  ['ERROR <text>', 'Reply that text as an error.'],
  ['HTSTATS <dbid>', 'Describe the hash table of a database.'],
  ['HTSTATS-KEY <key>', 'Describe the hash table of a value.'],
  ['OBJECT <key>', 'Describe a value: encoding, length, last access.'],
  [
    'POPULATE <count> [<prefix>] [<size>]',
    'Create string keys <prefix>:<number>, prefix "key" unless given.',
  ],
  [
    'PROTOCOL <type>',
    'Reply a value of that type: string, integer, double, bignum, null, array, set,',
    'map, attrib, push, verbatim, true, false.',
  ],
  ['RELOAD [NOSAVE]', 'Write a checkpoint and restore it, or restore the newest one.'],
  ['SET-ACTIVE-EXPIRE <0|1>', 'Switch the deletion of expired keys in the background.'],
  ['SLEEP <seconds>', 'Stop serving for that long; decimals allowed.'],
  ['VERIFY', 'Check the whole heap for consistency.'],
];

function debugHelp(): void {
  replyHelp('DEBUG', HELP);
}
