// Running one command and counting it: the step that dispatch and EXEC share.
import type { Client } from './client.js';
import type { Command } from './command_table/command.js';
import { failure } from './reply_error.js';
import { stats } from './stats.js';

/** commandstats times one call in so many and scales: two clock reads cost as much as a GET. */
const SAMPLE_CALLS = 16;

/** Runs the request in `args`, which has passed the checks of dispatch. */
export function execute(client: Client, command: Command): void {
  failure.text = null;
  if (command.calls % SAMPLE_CALLS === 0) {
    const start = performance.now();
    command.handler(client);
    command.micros += (performance.now() - start) * 1000 * SAMPLE_CALLS;
  } else {
    command.handler(client);
  }
  // After the handler, so that CONFIG RESETSTAT counts itself and INFO does not, as in Redis.
  stats.commandsProcessed++;
  command.calls++;
  if (failure.text !== null) command.failed++;
}
