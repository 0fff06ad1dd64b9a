// CPU time of the server per request: user and system time of all its threads, divided by the
// requests that redis-benchmark sent. Unlike requests per second this does not depend on how fast
// the load generator is or whether it has a core of its own.
//
// Each round starts each server afresh, sets all keys once (else GET would measure misses and SET a
// growing table), and measures SET and GET at each pipeline depth; the servers take turns, so that a
// slow minute of the machine hits both.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { loadKeys } from './loader.js';
import { machine, median, printTable, writeResult } from './report.js';
import { type Contestant, ServerProcess } from './server_process.js';

const run = promisify(execFile);

const REDIS_BENCHMARK = '/usr/bin/redis-benchmark';
const CONNECTIONS = 50;
const KEYS = 1_000_000;
const VALUE_BYTES = 64;

export interface CpuOptions {
  readonly subject: Contestant;
  readonly peer: Contestant;
  readonly rounds: number;
  /** Divides the number of requests: 1 for figures, more for a quick look. */
  readonly divide: number;
}

interface Load {
  readonly command: 'set' | 'get';
  readonly pipeline: number;
  readonly requests: number;
}

const LOADS: readonly Load[] = [1, 16, 64].flatMap((pipeline) => {
  const requests = pipeline === 1 ? 400_000 : 2_000_000;
  return [
    { command: 'set' as const, pipeline, requests },
    { command: 'get' as const, pipeline, requests },
  ];
});

/** Microseconds of CPU per request by load, one list entry per round. */
type Figures = Map<Load, number[]>;

export async function cpuPerRequest(options: CpuOptions): Promise<void> {
  const contestants = [options.peer, options.subject];
  const figures = new Map<Contestant, Figures>(contestants.map((one) => [one, new Map()]));
  for (let round = 0; round < options.rounds; round++) {
    for (const contestant of contestants) {
      console.log(`round ${round + 1} of ${options.rounds}: ${contestant.name}`);
      await measureRound(contestant, options.divide, figures.get(contestant) as Figures);
    }
  }
  const peerFigures = figures.get(options.peer) as Figures;
  const subjectFigures = figures.get(options.subject) as Figures;
  const results = LOADS.map((load) => {
    const theirs = peerFigures.get(load) as number[];
    const ours = subjectFigures.get(load) as number[];
    return { load, theirs, ours, ratio: median(ours) / median(theirs) };
  });
  console.log(`\nCPU microseconds per request (median of ${options.rounds} rounds)`);
  printTable(
    ['load', options.peer.name, options.subject.name, 'ratio', 'ratios of the rounds'],
    results.map(({ load, theirs, ours, ratio }) => [
      `${load.command.toUpperCase()} P=${load.pipeline}`,
      median(theirs).toFixed(2),
      median(ours).toFixed(2),
      ratio.toFixed(2),
      ours.map((value, i) => (value / (theirs[i] as number)).toFixed(2)).join(' '),
    ]),
  );
  writeResult('throughput', {
    machine: machine(contestants),
    benchmark: { connections: CONNECTIONS, keys: KEYS, valueBytes: VALUE_BYTES },
    rounds: options.rounds,
    divide: options.divide,
    microsPerRequest: results.map(({ load, theirs, ours, ratio }) => ({
      ...load,
      requests: Math.ceil(load.requests / options.divide),
      [options.peer.name]: theirs,
      [options.subject.name]: ours,
      ratio,
    })),
  });
}

async function measureRound(contestant: Contestant, divide: number, into: Figures): Promise<void> {
  const server = await ServerProcess.start(contestant);
  try {
    await loadKeys(server.port, KEYS, VALUE_BYTES);
    for (const load of LOADS) {
      const requests = Math.ceil(load.requests / divide);
      const before = server.cpuMicros();
      await benchmark(server.port, { ...load, requests });
      const micros = (server.cpuMicros() - before) / requests;
      into.set(load, [...(into.get(load) ?? []), micros]);
    }
  } finally {
    await server.stop();
  }
}

async function benchmark(port: number, load: Load): Promise<void> {
  const numbers = {
    p: port,
    c: CONNECTIONS,
    r: KEYS,
    d: VALUE_BYTES,
    P: load.pipeline,
    n: load.requests,
  };
  const args = Object.entries(numbers).flatMap(([name, value]) => [`-${name}`, String(value)]);
  const { stdout, stderr } = await run(REDIS_BENCHMARK, [...args, '-t', load.command, '-q']);
  if (/error/i.test(stdout + stderr)) throw new Error(`redis-benchmark: ${stdout}${stderr}`);
}
