// Running one command and counting it: the step that dispatch and EXEC share.
import type { Client } from './client.js';
import { type Command, FLAG_BITS } from './command_table/command.js';
import { LatencyHistogram, watchLatency } from './latency.js';
import { failure } from './reply_error.js';
import { runtime } from './runtime.js';
import { stats } from './stats.js';

/** commandstats times one call in so many and scales: two clock reads cost as much as a GET. */
const SAMPLE_CALLS = 16;

const config = runtime.config;

/** Runs the request in `args`, which has passed the checks of dispatch. */
export function execute(client: Client, command: Command): void {
  failure.text = null;
  const isSample = command.calls % SAMPLE_CALLS === 0;
  if (isSample || config.latencyMonitorThreshold > 0) executeTimed(client, command, isSample);
  else command.handler(client);
  // After the handler, so that CONFIG RESETSTAT counts itself and INFO does not, as in Redis.
  stats.commandsProcessed++;
  command.calls++;
  if (failure.text !== null) command.failed++;
}

function executeTimed(client: Client, command: Command, isSample: boolean): void {
  const start = performance.now();
  command.handler(client);
  const micros = (performance.now() - start) * 1000;
  if (isSample) {
    command.micros += micros * SAMPLE_CALLS;
    command.latencies ??= new LatencyHistogram();
    command.latencies.add(micros);
  }
  watchLatency((command.flagBits & FLAG_BITS.fast) !== 0 ? 'fast-command' : 'command', micros);
}
