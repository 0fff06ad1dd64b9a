// Handlers of COMMAND GETKEYS and GETKEYSANDFLAGS: where the keys of a request are, by the key
// specifications of its command (Redis documentation, "Command key specifications").
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { parseInteger } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import type { Command, KeySpec } from '../../command_table/command.js';
import { findCommand } from '../../command_table/command_registry.js';
import { replyError } from '../../reply_error.js';
import { replyStatuses } from './command_info.js';

/** The request begins at this argument: COMMAND GETKEYS <name> ... */
const REQUEST = 2;

interface FoundKey {
  readonly argument: number;
  readonly flags: readonly string[];
}

/** COMMAND GETKEYS command [arg ...] */
export function commandGetKeys(): void {
  const keys = readKeys();
  if (keys === null) return;
  reply.array(keys.length);
  for (const key of keys) replyKey(key);
}

/** COMMAND GETKEYSANDFLAGS command [arg ...] */
export function commandGetKeysAndFlags(): void {
  const keys = readKeys();
  if (keys === null) return;
  reply.array(keys.length);
  for (const key of keys) {
    reply.array(2);
    replyKey(key);
    replyStatuses(key.flags);
  }
}

function replyKey({ argument }: FoundKey): void {
  reply.bulk(args.buffer, args.offsets[argument]!, args.lengths[argument]!);
}

/** The keys of the request, or null after an error reply. */
function readKeys(): FoundKey[] | null {
  const command = readCommand();
  const count = args.count - REQUEST;
  const specs = command?.row.keySpecs ?? [];
  if (command === null) replyError(errors.COMMAND_INVALID);
  else if (specs.length === 0) replyError(errors.COMMAND_NO_KEYS);
  else if (!command.accepts(count)) replyError(errors.COMMAND_ARGUMENT_COUNT);
  else {
    const keys: FoundKey[] = [];
    if (specs.every((spec) => findKeys(command, spec, keys))) {
      if (keys.length > 0 || command.has('no_mandatory_keys')) return keys;
    }
    replyError(errors.COMMAND_ARGUMENTS);
  }
  return null;
}

/** The command of the request; of a container without a known subcommand there is none. */
function readCommand(): Command | null {
  const command = findCommand(args.latin1(REQUEST).toLowerCase());
  if (command === null || command.subcommands === null || args.count === REQUEST + 1) {
    return command;
  }
  return command.subcommands.get(args.latin1(REQUEST + 1).toLowerCase()) ?? null;
}

/** Adds the keys of one specification. False when the request is not of its form. */
function findKeys(command: Command, spec: KeySpec, keys: FoundKey[]): boolean {
  const begin = beginOf(spec);
  const { find } = spec;
  if (spec.begin === 'unknown' && begin >= 0) {
    keys.push({ argument: begin, flags: spec.flags });
    return true;
  }
  if (begin < 0 || find === 'unknown') return begin < 0;
  let first = begin;
  let last: number;
  if ('lastKey' in find) {
    last = find.lastKey < 0 ? args.count + find.lastKey : begin + find.lastKey;
    // STREAMS key ... id ...: the first part of what follows holds the keys.
    if (find.lastKey === -1 && find.limit > 1) {
      last = begin + Math.floor((args.count - begin) / find.limit) - 1;
    }
  } else {
    const at = begin + find.keyNumIndex;
    if (at >= args.count) return false;
    const count = parseInteger(args.buffer, args.offsets[at]!, args.lengths[at]!);
    if (!(count >= 0)) return false;
    first = begin + find.firstKey;
    last = first + (count - 1) * find.keyStep;
  }
  if (last >= args.count) return false;
  const flags = command.row.keyFlags?.(REQUEST) ?? spec.flags;
  for (let argument = first; argument <= last; argument += find.keyStep) {
    keys.push({ argument, flags });
  }
  return true;
}

/** The argument at which the keys of a specification begin, or -1: a keyword that is not there. */
function beginOf({ begin, locate }: KeySpec): number {
  if (begin === 'unknown') return locate?.(REQUEST) ?? -1;
  if ('index' in begin) return REQUEST + begin.index;
  const word = begin.keyword.toLowerCase();
  const step = begin.startFrom < 0 ? -1 : 1;
  let i = begin.startFrom < 0 ? args.count + begin.startFrom : REQUEST + begin.startFrom;
  for (; i > REQUEST && i < args.count; i += step) {
    if (args.equals(i, word)) return i + 1;
  }
  return -1;
}
