// Handlers of the commands about one's own connection: PING, ECHO, AUTH, HELLO, QUIT, RESET.
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import { type Client, REPLY_OFF, REPLY_ON } from '../../client.js';
import { closeGently } from '../../clients.js';
import { unwatchAll } from '../../effects.js';
import { keepReplies } from '../../output.js';
import { replyError } from '../../reply_error.js';
import { runtime } from '../../runtime.js';
import { REDIS_VERSION } from '../../version.js';
import { authenticate } from './authentication.js';

function replyArgument(i: number): void {
  reply.bulk(args.buffer, args.offsets[i]!, args.lengths[i]!);
}

/** PING [message] */
export function ping(): void {
  if (args.count > 2) replyError(errors.wrongArity('ping'));
  else if (args.count === 2) replyArgument(1);
  else reply.pong();
}

/** ECHO message */
export function echo(): void {
  replyArgument(1);
}

/** AUTH [username] password */
export function auth(client: Client): void {
  if (args.count > 3) {
    replyError(errors.SYNTAX_ERROR);
  } else if (args.count === 2 && runtime.config.requirepass === '') {
    replyError(errors.AUTH_WITHOUT_PASSWORD);
  } else if (authenticate(client, args.count === 3 ? 1 : -1, args.count - 1)) {
    reply.ok();
  } else {
    replyError(errors.WRONG_PASS);
  }
}

/** HELLO [protover [AUTH username password] [SETNAME clientname]] */
export function hello(client: Client): void {
  const protocol = args.count > 1 ? readProtocol() : client.protocol;
  if (protocol === 0) return;
  for (let i = 2; i < args.count; i++) {
    const following = args.count - 1 - i;
    if (args.equals(i, 'auth') && following >= 2) {
      if (!authenticate(client, i + 1, i + 2)) {
        replyError(errors.WRONG_PASS);
        return;
      }
      i += 2;
    } else if (args.equals(i, 'setname') && following >= 1) {
      if (!setClientName(client, ++i)) return;
    } else {
      replyError(errors.helloOption(args.latin1(i)));
      return;
    }
  }
  if (!client.authenticated) {
    replyError(errors.NO_AUTH_HELLO);
    return;
  }
  client.protocol = protocol;
  reply.protocol = protocol;
  greet(client);
}

/** Argument 1 of HELLO: 2 or 3, or 0 after an error reply. */
function readProtocol(): 0 | 2 | 3 {
  if (!parseInt64(args.buffer, args.offsets[1]!, args.lengths[1]!)) {
    replyError(errors.PROTOCOL_VERSION);
    return 0;
  }
  if (int64.hi === 0 && (int64.lo === 2 || int64.lo === 3)) return int64.lo;
  replyError(errors.NO_PROTO);
  return 0;
}

/** What HELLO replies. The names are Redis's: clients choose by them what they may ask for. */
function greet(client: Client): void {
  reply.map(7);
  reply.bulkLatin1('server');
  reply.bulkLatin1('redis');
  reply.bulkLatin1('version');
  reply.bulkLatin1(REDIS_VERSION);
  reply.bulkLatin1('proto');
  reply.integer(client.protocol);
  reply.bulkLatin1('id');
  reply.integer(client.id);
  reply.bulkLatin1('mode');
  reply.bulkLatin1('standalone');
  reply.bulkLatin1('role');
  reply.bulkLatin1('master');
  reply.bulkLatin1('modules');
  reply.emptyArray();
}

/** Names a client as argument i says; empty takes the name away. False: an error was replied. */
export function setClientName(client: Client, i: number): boolean {
  const name = args.latin1(i);
  if (!/^[!-~]*$/.test(name)) {
    replyError(errors.CLIENT_NAME);
    return false;
  }
  client.name = name;
  return true;
}

/** QUIT */
export function quit(client: Client): void {
  reply.ok();
  closeGently(client);
}

/** RESET: the connection as it was when it was new, apart from its id and CLIENT NO-EVICT. */
export function reset(client: Client): void {
  client.transaction = null;
  unwatchAll(client);
  client.selectDatabase(0);
  client.protocol = 2;
  client.name = '';
  client.setAuthenticated(runtime.config.requirepass === '');
  if (client.replyMode === REPLY_OFF) {
    client.replyMode = REPLY_ON;
    keepReplies();
  }
  reply.protocol = 2;
  reply.simple('RESET');
}
