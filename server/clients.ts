// All clients of this server, by connection and by id.
import type { ReactorHandle } from '../native/index.js';
import { forgetWait } from './blocking/waits.js';
import { type Client, HELD_BY_BLOCK, HELD_BY_PAUSE } from './client.js';
import { unwatchAll } from './effects.js';

const byConnection: (Client | undefined)[] = [];
const byId = new Map<number, Client>();
let lastId = 0;
let reactor: ReactorHandle;

export function attachClients(handle: ReactorHandle): void {
  reactor = handle;
}

export function nextClientId(): number {
  return ++lastId;
}

export function addClient(client: Client): void {
  byConnection[client.connection] = client;
  byId.set(client.id, client);
}

export function clientOf(connection: number): Client | undefined {
  return byConnection[connection];
}

export function clientById(id: number): Client | undefined {
  return byId.get(id);
}

/** In the order in which they connected. */
export function allClients(): IterableIterator<Client> {
  return byId.values();
}

export function clientCount(): number {
  return byId.size;
}

/** The connection is gone: forget its client. */
export function removeClient(client: Client): void {
  unwatchAll(client);
  forgetWait(client);
  client.transaction = null;
  client.closing = true;
  client.dropPending();
  // The number may be another client's by now.
  if (byConnection[client.connection] === client) byConnection[client.connection] = undefined;
  byId.delete(client.id);
}

/** Closes a client's connection once what it was replied is sent. */
export function closeGently(client: Client): void {
  client.closing = true;
  client.dropPending();
  reactor.closeAfterSend(client.connection);
}

/** Closes a client's connection now; the client is gone when this returns. */
export function closeAtOnce(client: Client): void {
  if (clientOf(client.connection) !== client) return;
  removeClient(client);
  reactor.close(client.connection);
}

/** Bytes of replies that wait for a client's socket. */
export function queuedBytes(client: Client): number {
  return reactor.queuedBytes(client.connection);
}

/** Bytes of requests and replies that are held for clients. */
export function connectionBytes(): number {
  let bytes = 0;
  for (const client of byId.values()) bytes += client.pending.length;
  return bytes + reactor.queuedBytesTotal();
}

/** Bytes that came and went over all connections since the start. */
export function networkBytes(): { bytesIn: number; bytesOut: number } {
  return reactor.counters();
}

/**
 * Stops or resumes reading from a client as its `held` bits say. One that waits for a key is read from, since
 * the end of its connection is seen only so.
 */
export function updateReading(client: Client): void {
  reactor.setReading(client.connection, (client.held & ~HELD_BY_BLOCK) === 0);
}

export function holdForPause(client: Client): void {
  client.held |= HELD_BY_PAUSE;
  updateReading(client);
}
