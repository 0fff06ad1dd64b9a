// From a request in `args` to its handler: what the command is, whether it may run, and the
// bookkeeping around it. The order of the checks is Redis's, since clients see which one fails first.
import { args } from '../protocol/arguments.js';
import * as errors from '../protocol/error_replies.js';
import { reply } from '../protocol/reply_writer.js';
import { usedBytes } from '../storage/memory/allocator.js';
import { freeRetired } from '../storage/values/retired.js';
import { checkpointStatus } from './checkpoints.js';
import { type Client, REPLY_ON, REPLY_SKIP, type Transaction } from './client.js';
import { closeAtOnce } from './clients.js';
import { type Command, FLAG_BITS } from './command_table/command.js';
import { lookupCommand } from './command_table/command_table.js';
import { unwatchAll } from './effects.js';
import { execute } from './execute.js';
import { withoutReply } from './output.js';
import { isPaused } from './pause.js';
import { replyError } from './reply_error.js';
import { runtime } from './runtime.js';

/** What a queued request costs beside its bytes. */
const QUEUED_BYTES = 512;

/** Parts of retired values that are freed between two looks at the memory in use. */
const RECLAIM_PARTS = 256;

const config = runtime.config;

/**
 * Executes the request in `args`. Returns false, with nothing done, when the client must wait
 * (CLIENT PAUSE); the request is then given again later.
 */
export function dispatch(client: Client): boolean {
  reply.protocol = client.protocol;
  return client.replyMode === REPLY_ON ? route(client) : routeQuietly(client);
}

/** CLIENT REPLY OFF and SKIP: the command runs, its reply is dropped. */
function routeQuietly(client: Client): boolean {
  const mode = client.replyMode;
  if (mode === REPLY_SKIP) client.replyMode = REPLY_ON;
  let done = true;
  withoutReply(() => {
    done = route(client);
  });
  if (!done) client.replyMode = mode;
  return done;
}

function route(client: Client): boolean {
  let command = lookupCommand();
  client.lastCommand = command;
  if (command === null) {
    if (isHttp()) {
      runtime.log.warning(
        `Closing client ${client.id} (${client.address}): it speaks HTTP, as a web page that was ` +
          'made to attack this server would',
      );
      closeAtOnce(client);
      return true;
    }
    refuse(client, null, errors.unknownCommand(args));
    return true;
  }
  if (command.subcommands !== null && args.count > 1) {
    command = command.subcommands.get(args.latin1(1).toLowerCase()) ?? command;
    if (command.subcommands !== null) {
      client.lastCommand = null;
      refuse(client, command, errors.unknownSubcommand(command.row.name, args.latin1(1)));
      return true;
    }
    client.lastCommand = command;
  }
  if (!command.accepts(args.count)) {
    refuse(client, command, errors.wrongArity(command.fullName));
    return true;
  }
  const refusal = whyRefused(client, command);
  if (refusal !== null) {
    refuse(client, command, refusal);
    return true;
  }
  if (client.transaction !== null && !runsInsideMulti(command)) {
    if (isPaused(client, command)) return false;
    enqueue(client, client.transaction, command);
    return true;
  }
  if (isPaused(client, command)) return false;
  execute(client, command);
  return true;
}

/** Whether the request is a line of HTTP: a browser can be made to send one to any port. */
function isHttp(): boolean {
  return args.equals(0, 'post') || args.equals(0, 'host:');
}

/** MULTI keeps the request for EXEC. What is queued is bounded as unused input is. */
function enqueue(client: Client, transaction: Transaction, command: Command): void {
  transaction.queue.push({ command, request: args.capture() });
  transaction.flagBits |= command.flagBits;
  transaction.bytes += args.totalBytes() + QUEUED_BYTES;
  if (transaction.bytes > config.clientQueryBufferLimit) {
    runtime.log.warning(
      `Closing client ${client.id} (${client.address}): its transaction is over the query buffer limit`,
    );
    closeAtOnce(client);
    return;
  }
  reply.queued();
}

/**
 * Replies an error in place of running the command. Inside MULTI it dooms the transaction; an EXEC
 * that is refused ends it.
 */
function refuse(client: Client, command: Command | null, text: string): void {
  if (command !== null) command.rejected++;
  if (client.transaction !== null) client.transaction.failed = true;
  if (command?.row.name === 'exec') {
    client.transaction = null;
    unwatchAll(client);
    replyError(errors.execAborted(text.replace(/^ERR /, '')));
  } else {
    replyError(text);
  }
}

function runsInsideMulti(command: Command): boolean {
  switch (command.row.name) {
    case 'exec':
    case 'discard':
    case 'multi':
    case 'watch':
    case 'quit':
    case 'reset':
      return true;
    default:
      return false;
  }
}

/** Flags that a command inside MULTI is judged by: EXEC does what its queue does, queueing needs
 *  memory. */
function bitsInsideMulti(transaction: Transaction, command: Command): number {
  const name = command.row.name;
  if (name === 'exec') return command.flagBits | transaction.flagBits;
  if (name === 'discard' || name === 'quit' || name === 'reset') return command.flagBits;
  return command.flagBits | FLAG_BITS.denyoom;
}

/** What of deleted values is still to be freed counts as free: it is freed here as far as needed. */
function isOverMaxmemory(): boolean {
  while (usedBytes() > config.maxmemory) {
    if (freeRetired(RECLAIM_PARTS) === 0) return true;
  }
  return false;
}

/** The checks that depend on the server's state; null when the command may run. */
function whyRefused(client: Client, command: Command): string | null {
  const { transaction } = client;
  const bits = transaction === null ? command.flagBits : bitsInsideMulti(transaction, command);
  if (command.guard !== null) {
    const refusal = command.guard(client);
    if (refusal !== null) return refusal;
  }
  if (
    !client.authenticated &&
    config.requirepass !== '' &&
    (command.flagBits & FLAG_BITS.no_auth) === 0
  ) {
    return errors.NO_AUTH;
  }
  if (transaction !== null && (command.flagBits & FLAG_BITS.no_multi) !== 0) {
    return errors.NOT_IN_TRANSACTION;
  }
  if ((bits & FLAG_BITS.denyoom) !== 0 && config.maxmemory > 0 && isOverMaxmemory()) {
    return errors.OUT_OF_MEMORY;
  }
  if (
    (bits & FLAG_BITS.write) !== 0 &&
    config.stopWritesOnBgsaveError &&
    !checkpointStatus.lastSucceeded &&
    config.save.length > 0
  ) {
    return errors.MISCONF;
  }
  return null;
}
