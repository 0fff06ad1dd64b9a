// What a write leaves behind beside the data: the count of changes that save points look at, the marks on
// transactions that watch the key, and the notes that clients may wait for it.
import { args } from '../protocol/arguments.js';
import { anyoneWaits, noteDatabaseReady, noteReady, waitName } from './blocking/waits.js';
import type { Client } from './client.js';

/** Changes since the last checkpoint: rdb_changes_since_last_save. */
export const changes = { sinceLastSave: 0 };

/** Clients by watched key; the key of the map is `database index:key bytes as latin1`. */
const watchers = new Map<string, Set<Client>>();

/** Notes that the key in argument `index` changed in a database. Every write command calls it. */
export function keyChanged(databaseIndex: number, index: number): void {
  changes.sinceLastSave++;
  if (isObserved()) noteKey(databaseIndex, args.latin1(index));
}

/** keyChanged() for a change of `elements` elements of the key's value, which count as a change each. */
export function elementsChanged(databaseIndex: number, index: number, elements: number): void {
  keyChanged(databaseIndex, index);
  changes.sinceLastSave += elements - 1;
}

/** elementsChanged() where elements only went, which ends nobody's wait: XDEL, XTRIM. */
export function elementsRemoved(databaseIndex: number, index: number, elements: number): void {
  changes.sinceLastSave += elements;
  if (watchers.size > 0) markWatchers(`${databaseIndex}:${args.latin1(index)}`);
}

/** keyChanged() for a key that is not an argument; bytes as latin1. */
export function namedKeyChanged(databaseIndex: number, key: string): void {
  changes.sinceLastSave++;
  if (isObserved()) noteKey(databaseIndex, key);
}

/** Notes a second key that a change, counted already, has touched: RENAME, MOVE. */
export function alsoChanged(databaseIndex: number, index: number): void {
  if (isObserved()) noteKey(databaseIndex, args.latin1(index));
}

/** Notes that clients that wait for the key in argument `index` are to be looked after, though it has not changed:
 *  XGROUP DESTROY. */
export function wakeWaiting(databaseIndex: number, index: number): void {
  if (anyoneWaits()) noteReady(waitName(databaseIndex, args.latin1(index)));
}

/** Whether anybody watches a key or waits for one: else no key needs a name. */
function isObserved(): boolean {
  return watchers.size > 0 || anyoneWaits();
}

function noteKey(databaseIndex: number, key: string): void {
  const name = `${databaseIndex}:${key}`;
  noteReady(name);
  markWatchers(name);
}

function markWatchers(name: string): void {
  const clients = watchers.get(name);
  if (clients === undefined) return;
  for (const client of clients) client.watchedChanged = true;
}

/** Notes every key of a database for which `concerns(key)` is true: FLUSHDB, SWAPDB. */
export function databaseChanged(databaseIndex: number, concerns: (key: string) => boolean): void {
  noteDatabaseReady(databaseIndex, concerns);
  const prefix = `${databaseIndex}:`;
  for (const [watched, clients] of watchers) {
    if (!watched.startsWith(prefix) || !concerns(watched.slice(prefix.length))) continue;
    for (const client of clients) client.watchedChanged = true;
  }
}

/** WATCH of one key. Watching a key twice is watching it once. */
export function watchKey(client: Client, key: string): void {
  const name = `${client.databaseIndex}:${key}`;
  client.watched ??= [];
  if (client.watched.includes(name)) return;
  client.watched.push(name);
  let clients = watchers.get(name);
  if (clients === undefined) {
    clients = new Set();
    watchers.set(name, clients);
  }
  clients.add(client);
}

/** UNWATCH, and what EXEC, DISCARD and the end of a connection do. */
export function unwatchAll(client: Client): void {
  client.watchedChanged = false;
  client.watchedUntilMillis = Number.POSITIVE_INFINITY;
  if (client.watched === null) return;
  for (const name of client.watched) {
    const clients = watchers.get(name);
    clients?.delete(client);
    if (clients?.size === 0) watchers.delete(name);
  }
  client.watched = null;
}
