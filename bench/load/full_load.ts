// Uniform random SETs as fast as the server takes them: redis-benchmark without end, its rate read
// from the server's own count of commands.
import type { ChildProcess } from 'node:child_process';
import { killChild, startChild } from '../server/children.js';
import { type Control, field } from '../server/control.js';

const REDIS_BENCHMARK = '/usr/bin/redis-benchmark';
const CONNECTIONS = 50;
const PIPELINE = 16;
/** Of one round of redis-benchmark's endless loop. */
const REQUESTS = 1_000_000_000;

export class FullLoad {
  private constructor(private readonly child: ChildProcess) {}

  /** Keys are those of the loader: `key:` and 12 digits. */
  static start(port: number, keys: number, valueBytes: number): FullLoad {
    const numbers = { p: port, c: CONNECTIONS, P: PIPELINE, r: keys, d: valueBytes, n: REQUESTS };
    const args = Object.entries(numbers).flatMap(([name, value]) => [`-${name}`, String(value)]);
    const run = [...args, '-t', 'set', '-q'];
    return new FullLoad(startChild(REDIS_BENCHMARK, run, { stdio: 'ignore' }));
  }

  async stop(): Promise<void> {
    await killChild(this.child);
  }
}

/** Commands that a server has done, and when it said so. */
export interface CommandCount {
  readonly nanos: bigint;
  readonly commands: number;
}

export async function countCommands(control: Control): Promise<CommandCount> {
  const info = await control.info('stats');
  return { nanos: process.hrtime.bigint(), commands: field(info, 'total_commands_processed') };
}

/** Commands per second between two counts. */
export function commandRate(from: CommandCount, to: CommandCount): number {
  return (to.commands - from.commands) / (Number(to.nanos - from.nanos) / 1e9);
}
