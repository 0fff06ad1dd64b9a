// How CLIENT LIST and CLIENT INFO describe a client, field for field as Redis 7.0:
//
//   id=3 addr=127.0.0.1:52555 laddr=127.0.0.1:6379 fd=8 name= age=8 idle=0 flags=N db=0 sub=0 ...
//
// Fields of what does not exist here (subscriptions, a reply buffer per client) are zero.
import { args } from '../../../protocol/arguments.js';
import { clock } from '../../../storage/structures/clock.js';
import { type Client, HELD_BY_BLOCK, HELD_BY_PAUSE } from '../../client.js';
import { queuedBytes } from '../../clients.js';
import { DEFAULT_USER } from './authentication.js';

/** The types of clients that CLIENT LIST and KILL know; all clients here are `normal`. */
export type ClientType = 'normal' | 'master' | 'replica' | 'pubsub';

const TYPES = new Map<string, ClientType>([
  ['normal', 'normal'],
  ['master', 'master'],
  ['slave', 'replica'],
  ['replica', 'replica'],
  ['pubsub', 'pubsub'],
]);

/** The type that argument i names, or null. */
export function readClientType(i: number): ClientType | null {
  return TYPES.get(args.latin1(i).toLowerCase()) ?? null;
}

/** One letter each for a transaction, a pause or a wait, a broken WATCH, an end, a Unix socket, NO-EVICT. */
function flagLetters(client: Client): string {
  let letters = '';
  if (client.transaction !== null) letters += 'x';
  if ((client.held & (HELD_BY_PAUSE | HELD_BY_BLOCK)) !== 0) letters += 'b';
  if (client.watchedChanged) letters += 'd';
  if (client.closing) letters += 'c';
  if (client.isUnixSocket) letters += 'U';
  if (client.noEvict) letters += 'e';
  return letters === '' ? 'N' : letters;
}

function transactionBytes(client: Client): number {
  let bytes = 0;
  for (const { request } of client.transaction?.queue ?? []) bytes += request.bytes.length;
  return bytes;
}

/** Seconds since a time, as whole numbers. */
function secondsSince(millis: number): number {
  return Math.max(0, Math.floor((clock.nowMillis - millis) / 1000));
}

/** The line of a client, without line end. `caller` is the client whose request is being served. */
export function describeClient(client: Client, caller: Client): string {
  const queued = queuedBytes(client);
  const multiBytes = transactionBytes(client);
  const argumentBytes = client === caller ? args.totalBytes() : 0;
  const fields: readonly (readonly [string, string | number])[] = [
    ['id', client.id],
    ['addr', client.address],
    ['laddr', client.localAddress],
    ['fd', client.fd],
    ['name', client.name],
    ['age', secondsSince(client.createdMillis)],
    ['idle', secondsSince(client.lastMillis)],
    ['flags', flagLetters(client)],
    ['db', client.databaseIndex],
    ['sub', 0],
    ['psub', 0],
    ['ssub', 0],
    ['multi', client.transaction?.queue.length ?? -1],
    ['qbuf', client.pendingLength],
    ['qbuf-free', client.pending.length - client.pendingLength],
    ['argv-mem', argumentBytes],
    ['multi-mem', multiBytes],
    ['rbs', 0],
    ['rbp', 0],
    ['obl', 0],
    ['oll', queued > 0 ? 1 : 0],
    ['omem', queued],
    ['tot-mem', client.pending.length + argumentBytes + multiBytes + queued],
    ['events', queued > 0 ? 'rw' : 'r'],
    ['cmd', client.lastCommand?.fullName ?? 'NULL'],
    ['user', DEFAULT_USER],
    ['redir', -1],
    ['resp', client.protocol],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(' ');
}
