// Who waits for which key, and which of these keys were changed by the running command.
//
//   key (database index:bytes as latin1) -> wait -> number of the key's argument    in the order of coming
//
// A key's waits are few and its name is made only while somebody waits for any key, so a server without waiting
// clients pays one comparison per change (effects.ts).
import type { CapturedRequest } from '../../protocol/arguments.js';
import { args } from '../../protocol/arguments.js';
import type { Ref } from '../../storage/memory/layout.js';
import type { Client } from '../client.js';

/** Writes the reply of a client whose request is in `args` from the entry of the key in argument `key`.
 *  False, with nothing written: there is nothing for it yet. */
export type ServeWait = (client: Client, key: number, ref: Ref) => boolean;

/** A client that waits for keys. */
export interface Wait {
  readonly client: Client;
  readonly request: CapturedRequest;
  /** The type of value that it waits for, as in the entry's header. */
  readonly type: number;
  readonly names: readonly string[];
  readonly serve: ServeWait;
  /** Writes the reply for when a key is there no more, or has another type; null: the client waits on. */
  readonly gone: (() => void) | null;
  /** Writes the reply for when the time is over. */
  readonly giveUp: () => void;
  /** CLIENT REPLY was off: nothing is sent. */
  readonly isQuiet: boolean;
  /** On the clock of performance.now(); infinite: no limit. */
  readonly untilMillis: number;
  timer: NodeJS.Timeout | null;
}

const waits = new Map<string, Map<Wait, number>>();
/** Keys with waits that were changed, in the order of the changes. */
const ready = new Set<string>();

/** The name of a key, given as latin1. */
export function waitName(databaseIndex: number, key: string): string {
  return `${databaseIndex}:${key}`;
}

export function anyoneWaits(): boolean {
  return waits.size > 0;
}

export function anyReady(): boolean {
  return ready.size > 0;
}

/** Enters a wait for the keys in arguments `keys` of the current request. A key named twice counts once. */
export function addWait(wait: Wait, keys: readonly number[]): void {
  wait.names.forEach((name, i) => {
    let waiting = waits.get(name);
    if (waiting === undefined) {
      waiting = new Map();
      waits.set(name, waiting);
    }
    if (!waiting.has(wait)) waiting.set(wait, keys[i]!);
  });
}

export function namesOf(databaseIndex: number, keys: readonly number[]): string[] {
  return keys.map((key) => waitName(databaseIndex, args.latin1(key)));
}

/** Takes a wait out; its client does not wait any more. */
export function removeWait(wait: Wait): void {
  for (const name of wait.names) {
    const waiting = waits.get(name);
    if (waiting === undefined) continue;
    waiting.delete(wait);
    if (waiting.size === 0) waits.delete(name);
  }
  if (wait.timer !== null) clearTimeout(wait.timer);
  wait.timer = null;
  wait.client.wait = null;
}

/** A client is gone: nothing is served to it. */
export function forgetWait(client: Client): void {
  if (client.wait !== null) removeWait(client.wait);
}

/** Notes that a key was changed, if anybody waits for it. */
export function noteReady(name: string): void {
  if (waits.has(name)) ready.add(name);
}

/** Notes every awaited key of a database for which `concerns(key)` is true: SWAPDB. */
export function noteDatabaseReady(databaseIndex: number, concerns: (key: string) => boolean): void {
  const prefix = waitName(databaseIndex, '');
  for (const name of waits.keys()) {
    if (name.startsWith(prefix) && concerns(name.slice(prefix.length))) ready.add(name);
  }
}

/** The names that were noted since the last call, which are forgotten. */
export function takeReady(): string[] {
  const names = [...ready];
  ready.clear();
  return names;
}

/** The waits for a key, first come first; they may be removed while they are walked. */
export function waitsFor(name: string): ReadonlyMap<Wait, number> | undefined {
  return waits.get(name);
}
