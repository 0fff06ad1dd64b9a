// CLIENT PAUSE: until a deadline, all commands (ALL) or those that may write (WRITE) wait.
import type { Client } from './client.js';
import { type Command, FLAG_BITS } from './command_table/command.js';

export type PauseMode = 'write' | 'all';

const pause = { untilMillis: 0, mode: 'write' as PauseMode };
let resume: () => void = () => {};
let timer: NodeJS.Timeout | null = null;

/** `resumeClients` is called when a pause ends. */
export function attachPause(resumeClients: () => void): void {
  resume = resumeClients;
}

/** Starts a pause. One that is under way keeps the later end and the stricter mode, as in Redis. */
export function startPause(untilMillis: number, mode: PauseMode): void {
  const active = timer !== null;
  if (active && pause.mode === 'all') mode = 'all';
  pause.mode = mode;
  pause.untilMillis = active ? Math.max(pause.untilMillis, untilMillis) : untilMillis;
  if (timer !== null) clearTimeout(timer);
  timer = setTimeout(endPause, Math.min(pause.untilMillis - Date.now(), 0x7fffffff));
  timer.unref();
}

/** CLIENT UNPAUSE, and the end of the deadline. */
export function endPause(): void {
  if (timer === null) return;
  clearTimeout(timer);
  timer = null;
  pause.untilMillis = 0;
  resume();
}

export function isPausing(): boolean {
  return timer !== null;
}

const WRITES = FLAG_BITS.write | FLAG_BITS.may_replicate;

/** Whether this command of this client must wait now. */
export function isPaused(client: Client, command: Command): boolean {
  if (timer === null) return false;
  if (pause.mode === 'all') return command.row.name !== 'quit';
  if ((command.flagBits & WRITES) !== 0) return true;
  if (command.row.name !== 'exec') return false;
  return client.transaction !== null && (client.transaction.flagBits & WRITES) !== 0;
}
