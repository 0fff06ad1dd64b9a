// CLIENT KILL: closes the connections that match an address (old form) or all filters (new form).
//
//   CLIENT KILL ip:port                                the caller too, when it is the one
//   CLIENT KILL [ID id] [TYPE type] [USER user] [ADDR ip:port] [LADDR ip:port] [SKIPME yes|no] ...
import { args } from '../../../protocol/arguments.js';
import * as errors from '../../../protocol/error_replies.js';
import { int64, int64ToNumber, parseInt64 } from '../../../protocol/number_text.js';
import { reply } from '../../../protocol/reply_writer.js';
import type { Client } from '../../client.js';
import { allClients, closeAtOnce, closeGently } from '../../clients.js';
import { replyError } from '../../reply_error.js';
import { DEFAULT_USER } from './authentication.js';
import { type ClientType, readClientType } from './client_list.js';

interface Filters {
  /** 0: any. */
  id: number;
  type: ClientType | null;
  address: string | null;
  localAddress: string | null;
  skipsCaller: boolean;
}

export function clientKill(client: Client): void {
  const filters: Filters = {
    id: 0,
    type: null,
    address: null,
    localAddress: null,
    skipsCaller: true,
  };
  if (args.count === 3) {
    filters.address = args.latin1(2);
    filters.skipsCaller = false;
    if (kill(client, filters) > 0) reply.ok();
    else replyError(errors.NO_SUCH_CLIENT);
  } else if (readFilters(filters)) {
    reply.integer(kill(client, filters));
  }
}

/** False: an error was replied. */
function readFilters(filters: Filters): boolean {
  for (let i = 2; i < args.count; i += 2) {
    const error = i + 1 < args.count ? readFilter(filters, i) : errors.SYNTAX_ERROR;
    if (error === null) continue;
    replyError(error);
    return false;
  }
  return true;
}

/** Reads the filter in arguments i and i + 1; returns null or the error. */
function readFilter(filters: Filters, i: number): string | null {
  const value = i + 1;
  if (args.equals(i, 'id')) {
    filters.id = readId(value);
    return filters.id > 0 ? null : errors.CLIENT_ID;
  }
  if (args.equals(i, 'type')) {
    filters.type = readClientType(value);
    return filters.type === null ? errors.unknownClientType(args.latin1(value)) : null;
  }
  if (args.equals(i, 'addr')) {
    filters.address = args.latin1(value);
    return null;
  }
  if (args.equals(i, 'laddr')) {
    filters.localAddress = args.latin1(value);
    return null;
  }
  // Every client is the default user, so the filter that names it holds for all.
  if (args.equals(i, 'user')) {
    const user = args.latin1(value);
    return user === DEFAULT_USER ? null : errors.noSuchUser(user);
  }
  if (args.equals(i, 'skipme')) {
    if (!args.equals(value, 'yes') && !args.equals(value, 'no')) return errors.SYNTAX_ERROR;
    filters.skipsCaller = args.equals(value, 'yes');
    return null;
  }
  return errors.SYNTAX_ERROR;
}

/** A client id of at least 1, or 0. */
function readId(i: number): number {
  if (!parseInt64(args.buffer, args.offsets[i]!, args.lengths[i]!)) return 0;
  return Math.max(0, int64ToNumber(int64.hi, int64.lo));
}

/** Returns how many were killed. A caller among them is closed once its reply is sent. */
function kill(caller: Client, filters: Filters): number {
  let killed = 0;
  for (const client of allClients()) {
    if (!matches(client, filters) || (client === caller && filters.skipsCaller)) continue;
    if (client === caller) closeGently(client);
    else closeAtOnce(client);
    killed++;
  }
  return killed;
}

function matches(client: Client, filters: Filters): boolean {
  if (filters.address !== null && client.address !== filters.address) return false;
  if (filters.localAddress !== null && client.localAddress !== filters.localAddress) return false;
  if (filters.type !== null && filters.type !== 'normal') return false;
  return filters.id === 0 || client.id === filters.id;
}
