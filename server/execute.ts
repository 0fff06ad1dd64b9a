// Running one command and counting it: the step that dispatch and EXEC share.
import { performance } from 'node:perf_hooks'; // the global one is a getter: 10 ns more a call
import type { Client } from './client.js';
import { type Command, FLAG_BITS } from './command_table/command.js';
import { LatencyHistogram, watchLatency } from './latency.js';
import { failure } from './reply_error.js';
import { runtime } from './runtime.js';
import { stats } from './stats.js';

/** Two clock reads cost as much as a GET: of a hot command that was cheap, so many calls are not timed. */
const UNTIMED_CALLS = 15;
/** Longer calls are not cheap: each stands for itself, and the next one is timed again. */
const CHEAP_MICROS = 100;
/** As hot and as cheap as what Redis calls fast. */
const HOT_COMMANDS: ReadonlySet<string> = new Set(['set', 'del', 'mset']);

const config = runtime.config;

/** When the request before ended, where nothing but parsing has happened since; NaN: it was not timed. */
let previousEnd = Number.NaN;

/** Before the requests of another input, or anything else that takes time, is served. */
export function breakTiming(): void {
  previousEnd = Number.NaN;
}

/** Runs the request in `args`, which has passed the checks of dispatch. */
export function execute(client: Client, command: Command): void {
  failure.text = null;
  if (command.calls >= command.timedAt || config.latencyMonitorThreshold > 0) {
    executeTimed(client, command);
  } else {
    command.handler(client);
    previousEnd = Number.NaN;
  }
  // After the handler, so that CONFIG RESETSTAT counts itself and INFO does not, as in Redis.
  stats.commandsProcessed++;
  command.calls++;
  if (failure.text !== null) command.failed++;
}

/**
 * Times a call, with one look at the clock where the request before it was timed, too. It stands for the calls since the last one that was timed, too, as far as it is cheap: a rare
 * slow one adds its own time and at most 15 * CHEAP_MICROS.
 */
function executeTimed(client: Client, command: Command): void {
  const untimed = command.calls - command.timedThrough;
  const start = Number.isNaN(previousEnd) ? performance.now() : previousEnd;
  command.handler(client);
  const end = performance.now();
  previousEnd = end;
  const micros = (end - start) * 1000;
  const isFast = (command.flagBits & FLAG_BITS.fast) !== 0;
  const skips = micros < CHEAP_MICROS && (isFast || HOT_COMMANDS.has(command.fullName));
  command.micros += micros + untimed * Math.min(micros, CHEAP_MICROS);
  command.timedThrough = command.calls + 1;
  command.timedAt = command.timedThrough + (skips ? UNTIMED_CALLS : 0);
  command.latencies ??= new LatencyHistogram();
  command.latencies.add(micros);
  watchLatency(isFast ? 'fast-command' : 'command', micros);
}
