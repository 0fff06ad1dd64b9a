// Handlers of CLIENT and its subcommands; CLIENT KILL has its own file.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { clock } from '../../../storage/structures/clock.js';
import { unblock } from '../../blocking/block.js';
import { type Client, REPLY_OFF, REPLY_ON, REPLY_SKIP } from '../../client.js';
import { allClients, clientById } from '../../clients.js';
import { keepReplies } from '../../output.js';
import { endPause, isPausing, type PauseMode, startPause } from '../../pause.js';
import { replyError } from '../../reply_error.js';
import { type HelpEntry, replyHelp } from '../arguments/help.js';
import { readInt64 } from '../arguments/integer_arguments.js';
import { describeClient, readClientType } from './client_list.js';
import { setClientName } from './connection.js';

export { clientKill } from './client_kill.js';

/** CLIENT ID */
export function clientId(client: Client): void {
  reply.integer(client.id);
}

/** CLIENT INFO */
export function clientInfo(client: Client): void {
  reply.verbatim(`${describeClient(client, client)}\n`, 'txt');
}

/** CLIENT LIST [TYPE type | ID id ...] */
export function clientList(client: Client): void {
  if (args.count === 4 && args.equals(2, 'type')) {
    const type = readClientType(3);
    if (type === null) replyError(errors.unknownClientType(args.latin1(3)));
    else replyLines(client, type === 'normal' ? allClients() : []);
  } else if (args.count > 3 && args.equals(2, 'id')) {
    const listed = readListedClients();
    if (listed === null) replyError(errors.CLIENT_LIST_ID);
    else replyLines(client, listed);
  } else if (args.count !== 2) {
    replyError(errors.SYNTAX_ERROR);
  } else {
    replyLines(client, allClients());
  }
}

function replyLines(caller: Client, clients: Iterable<Client>): void {
  let text = '';
  for (const client of clients) text += `${describeClient(client, caller)}\n`;
  reply.verbatim(text, 'txt');
}

/** The clients whose ids are in arguments 3 and up, or null when one of them is no number. */
function readListedClients(): Client[] | null {
  const listed: Client[] = [];
  for (let i = 3; i < args.count; i++) {
    if (!parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!)) return null;
    const client = clientById(int64ToNumber(int64.hi, int64.lo));
    if (client !== undefined) listed.push(client);
  }
  return listed;
}

/** CLIENT SETNAME connection-name */
export function clientSetName(client: Client): void {
  if (setClientName(client, 2)) reply.ok();
}

/** CLIENT GETNAME */
export function clientGetName(client: Client): void {
  if (client.name === '') reply.null();
  else reply.bulkLatin1(client.name);
}

/** CLIENT NO-EVICT ON|OFF */
export function clientNoEvict(client: Client): void {
  const on = args.equals(2, 'on');
  if (!on && !args.equals(2, 'off')) {
    replyError(errors.SYNTAX_ERROR);
    return;
  }
  client.noEvict = on;
  reply.ok();
}

/** CLIENT REPLY ON|OFF|SKIP. Only ON is answered, also when replies were off until now. */
export function clientReply(client: Client): void {
  if (args.equals(2, 'on')) {
    client.replyMode = REPLY_ON;
    keepReplies();
    reply.ok();
  } else if (args.equals(2, 'off')) {
    client.replyMode = REPLY_OFF;
  } else if (args.equals(2, 'skip')) {
    if (client.replyMode !== REPLY_OFF) client.replyMode = REPLY_SKIP;
  } else {
    replyError(errors.SYNTAX_ERROR);
  }
}

/** CLIENT PAUSE timeout [WRITE|ALL] */
export function clientPause(): void {
  if (args.count > 4) {
    replyError(errors.unknownSubcommandOrArity('CLIENT', args.latin1(1)));
    return;
  }
  let mode: PauseMode = 'all';
  if (args.count === 4) {
    if (args.equals(3, 'write')) mode = 'write';
    else if (!args.equals(3, 'all')) {
      replyError(errors.CLIENT_PAUSE_MODE);
      return;
    }
  }
  if (!parseInt64(args.buffer, args.offsets[2]!, args.lengths[2]!)) {
    replyError(errors.TIMEOUT_NOT_AN_INTEGER);
    return;
  }
  const millis = int64ToNumber(int64.hi, int64.lo);
  if (millis < 0) {
    replyError(errors.TIMEOUT_NEGATIVE);
    return;
  }
  // No time at all starts no pause, but makes one that is under way as strict as this one.
  if (millis > 0 || isPausing()) startPause(clock.nowMillis + millis, mode);
  reply.ok();
}

/** CLIENT UNPAUSE */
export function clientUnpause(): void {
  endPause();
  reply.ok();
}

/** CLIENT UNBLOCK client-id [TIMEOUT | ERROR] */
export function clientUnblock(): void {
  if (args.count > 4) {
    replyError(errors.unknownSubcommandOrArity('CLIENT', args.latin1(1)));
    return;
  }
  const withError = args.count === 4 && args.equals(3, 'error');
  if (args.count === 4 && !withError && !args.equals(3, 'timeout')) {
    replyError(errors.UNBLOCK_REASON);
    return;
  }
  if (!readInt64(2)) return;
  const target = clientById(int64ToNumber(int64.hi, int64.lo));
  reply.integer(target !== undefined && unblock(target, withError) ? 1 : 0);
}

const HELP: readonly HelpEntry[] = [
  ['GETNAME', 'Return the name of this connection.'],
  ['ID', 'Return the id of this connection.'],
  ['INFO', 'Describe this connection.'],
  ['KILL <ip:port>', 'Close the connection from that address.'],
  [
    'KILL <option> <value> [<option> <value> [...]]',
    'Close the connections that match all options:',
    '* ID <id>, USER <user>, TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
    '* ADDR (<ip:port>|<path>:0) of the client, LADDR of the server',
    '* SKIPME (YES|NO): spare this connection (default: yes)',
  ],
  ['LIST [TYPE <type> | ID <id> ...]', 'Describe all connections, or those.'],
  ['NO-EVICT (ON|OFF)', 'Exempt this connection from eviction of clients.'],
  ['PAUSE <milliseconds> [WRITE|ALL]', 'Let the commands of all clients wait.'],
  ['REPLY (ON|OFF|SKIP)', 'Switch the replies to this connection off and on.'],
  ['SETNAME <name>', 'Name this connection.'],
  ['UNBLOCK <client-id> [TIMEOUT|ERROR]', 'End the wait of a connection that is blocked.'],
  ['UNPAUSE', 'End a pause.'],
];

/** CLIENT HELP */
export function clientHelp(): void {
  replyHelp('CLIENT', HELP);
}
