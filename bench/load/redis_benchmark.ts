// One run of redis-benchmark: a command as often and as many at once as told, and how many a second it
// got through. `__rand_int__` in the command becomes 12 random digits below `keys`, so `key:__rand_int__`
// is a key of the loader. Its random numbers cannot be seeded.
import { startChild } from '../server/children.js';

const PROGRAM = '/usr/bin/redis-benchmark';

export interface BenchmarkLoad {
  /** A command line; when `valueBytes` is given, a value of that size follows. */
  readonly command: readonly string[];
  readonly valueBytes?: number;
  readonly pipeline: number;
  readonly connections: number;
  readonly requests: number;
  /** Random keys are below this. */
  readonly keys: number;
}

/** Requests per second. Rejects when one of them failed. */
export async function redisBenchmark(port: number, load: BenchmarkLoad): Promise<number> {
  const numbers = {
    p: port,
    c: load.connections,
    r: load.keys,
    P: load.pipeline,
    n: load.requests,
  };
  const options = Object.entries(numbers).flatMap(([name, value]) => [`-${name}`, String(value)]);
  const fromInput = load.valueBytes === undefined ? [] : ['-x'];
  const args = [...options, '--csv', ...fromInput, ...load.command];
  const output = await run(args, 'v'.repeat(load.valueBytes ?? 0));
  // A header line, then: "the command line",rate,latencies.
  const rate = Number(/","([\d.]+)"[^\n]*\n?$/.exec(output)?.[1]?.trim() ?? Number.NaN);
  if (!(rate > 0) || /error/i.test(output)) throw new Error(`redis-benchmark: ${output}`);
  return rate;
}

function run(args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = startChild(PROGRAM, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => output.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      const text = Buffer.concat(output).toString('latin1');
      if (code === 0) resolve(text);
      else reject(new Error(`redis-benchmark ended with ${code}: ${text.slice(-500)}`));
    });
    child.stdin?.on('error', () => undefined); // it may end before it has read everything
    child.stdin?.end(input);
  });
}
