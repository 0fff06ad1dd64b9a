// Latency of SETs that come at a fixed rate while checkpoints are taken: idle, during each of them, and
// in the second after each. Open loop: see native/open_loop.cpp.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CheckpointSpan, takeCheckpoint } from './checkpoints.js';
import { Control } from './control.js';
import { loadKeys } from './loader.js';
import { type LatencyRecord, OpenLoop, type Percentiles } from './open_loop.js';
import type { Measurement } from './report/result.js';
import { type Contestant, ServerProcess } from './server_process.js';
import { type Bench, takeTurns, type Workload } from './workload.js';

const VALUE_BYTES = 128;
const CONNECTIONS = 50;
const TICK_MICROS = 200;
const SECONDS_MAX = 300;
/** What comes right after a checkpoint is given apart: work that is put off falls due there. */
const AFTER_MILLIS = 1000;
const STALL_MICROS = 3000;
const SLICE_MILLIS = 50;

interface Phase {
  readonly name: string;
  readonly seconds: number;
  readonly latency: Percentiles;
  readonly generatorLate: Percentiles;
}

interface Measured {
  readonly name: string;
  readonly phases: readonly Phase[];
  readonly detail: Record<string, unknown>;
}

export const latency: Workload = {
  name: 'latency',
  title: 'Latency of SETs that come at a fixed rate while checkpoints are taken',
  about:
    'Open loop: requests are due on a fixed schedule and their latency counts from the instant at which each ' +
    'was due. Every latency is kept, so percentiles are exact.',
  options: {
    keys: { about: 'keys', whole: [7_000_000], quick: [500_000] },
    rate: { about: 'SETs a second', whole: [50_000], quick: [20_000] },
    seconds: { about: 'seconds before the first checkpoint', whole: [10], quick: [2] },
    rounds: { about: 'checkpoints', whole: [3], quick: [1] },
  },
  run,
};

async function run(bench: Bench): Promise<Measurement> {
  const measured: Measured[] = [];
  bench.steps.plan(bench.entrants.length);
  await takeTurns(bench, 1, async (entrant) => {
    bench.steps.step(entrant.name);
    measured.push(await measure(entrant, bench));
  });
  return {
    tables: [
      {
        id: 'phases',
        title: 'SET latency in milliseconds, from the intended time',
        header: [
          'server, phase',
          's',
          'p50',
          'p99',
          'p99.9',
          'max',
          'p99.9 to idle',
          'generator p99.9',
          'max',
        ],
        rows: measured.flatMap(({ name, phases }) =>
          phases.map((phase) => row(name, phase, phases[0])),
        ),
      },
    ],
    detail: measured,
  };
}

function row(name: string, { name: phase, seconds, ...phase_ }: Phase, idle?: Phase): string[] {
  const millis = (micros: number): string => (micros / 1000).toFixed(2);
  const { latency: l, generatorLate: late } = phase_;
  return [
    `${name}, ${phase}`,
    seconds.toFixed(1),
    ...[l.p50, l.p99, l.p999, l.max].map(millis),
    idle === undefined ? '' : (l.p999 / idle.latency.p999).toFixed(2),
    millis(late.p999),
    millis(late.max),
  ];
}

async function measure(contestant: Contestant, bench: Bench): Promise<Measured> {
  const keys = bench.one('keys');
  const server = await ServerProcess.start(contestant);
  try {
    await loadKeys(server.port, keys, VALUE_BYTES);
    const control = await Control.open(server.port);
    const load = OpenLoop.start({
      port: server.port,
      rate: bench.one('rate'),
      tickMicros: TICK_MICROS,
      connections: CONNECTIONS,
      keys,
      valueBytes: VALUE_BYTES,
      secondsMax: SECONDS_MAX,
      seed: bench.seed,
      file: join(server.dir, 'latency'),
    });
    await delay(1000); // connections, warm-up
    const idleBegin = process.hrtime.bigint();
    await delay(bench.one('seconds') * 1000);
    const idle: [bigint, bigint] = [idleBegin, process.hrtime.bigint()];
    const checkpoints: CheckpointSpan[] = [];
    for (let i = 0; i < bench.one('rounds'); i++) {
      checkpoints.push(await takeCheckpoint(control));
      await delay(2 * AFTER_MILLIS);
    }
    const record = await load.stop();
    control.close();
    return { name: contestant.name, ...evaluate(record, idle, checkpoints) };
  } finally {
    await server.stop();
  }
}

function evaluate(
  record: LatencyRecord,
  idle: [bigint, bigint],
  checkpoints: readonly CheckpointSpan[],
): Omit<Measured, 'name'> {
  const phase = (name: string, begin: bigint, end: bigint): Phase => ({
    name,
    seconds: Number(end - begin) / 1e9,
    latency: record.between(begin, end),
    generatorLate: record.lateness(begin, end),
  });
  const phases = [phase('idle', ...idle)];
  checkpoints.forEach(({ beginNanos, endNanos }, i) => {
    phases.push(phase(`checkpoint ${i + 1}`, beginNanos, endNanos));
    phases.push(phase(`after ${i + 1}`, endNanos, endNanos + BigInt(AFTER_MILLIS * 1e6)));
  });
  const seconds = (nanos: bigint): number => Number(nanos - record.startNanos) / 1e9;
  const spans = checkpoints.map(({ beginNanos, endNanos, info }) => ({
    beginSeconds: seconds(beginNanos),
    endSeconds: seconds(endNanos),
    info,
  }));
  const stalls = record.stalls(STALL_MICROS).map(({ nanos, bursts, micros }) => {
    const ended = checkpoints.findIndex(({ endNanos }) => nanos < endNanos);
    const inside = ended >= 0 && nanos >= (checkpoints[ended] as CheckpointSpan).beginNanos;
    return {
      seconds: seconds(nanos),
      checkpoint: inside ? ended + 1 : null,
      sinceBegin: inside ? seconds(nanos) - (spans[ended]?.beginSeconds ?? 0) : null,
      bursts,
      micros,
    };
  });
  return { phases, detail: { spans, stalls, timeline: record.timeline(SLICE_MILLIS) } };
}
