// Latency at 70 % of what the peer can do: requests on a fixed schedule, both servers at the same rate.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadKeys } from '../load/loader.js';
import { type LatencyRecord, OpenLoop, type Percentiles } from '../load/open_loop.js';
import { type BenchmarkLoad, redisBenchmark } from '../load/redis_benchmark.js';
import type { BarPlot, Measurement, Row } from '../report/result.js';
import { median } from '../report/statistics.js';
import { type Contestant, ServerProcess } from '../server/server_process.js';
import { type Bench, type Entrant, Figures, takeTurns, type Workload } from '../workload.js';

const VALUE_BYTES = 64;
const CONNECTIONS = 50;
const SHARE = 0.7;
/** Of the peer's rate at each load, by which its saturation is found. */
const SATURATION_ROUNDS = 3;
/** Left out at the beginning: connections, first calls. */
const SETTLE_MILLIS = 500;

interface Load {
  readonly id: string;
  readonly label: string;
  readonly verb: 'SET' | 'GET';
  readonly pipeline: number;
}

const LOADS: readonly Load[] = [1, 16].flatMap((pipeline) =>
  (['GET', 'SET'] as const).map((verb) => ({
    id: `${verb.toLowerCase()}-p${pipeline}`,
    label: `${verb}, pipeline ${pipeline}`,
    verb,
    pipeline,
  })),
);

const PERCENTILES = ['p50', 'p99', 'p999', 'p9999', 'max'] as const;
const NAMES: Readonly<Record<(typeof PERCENTILES)[number], string>> = {
  p50: 'p50',
  p99: 'p99',
  p999: 'p99.9',
  p9999: 'p99.99',
  max: 'max',
};

export const latency: Workload = {
  name: 'latency',
  title: 'Latency at 70 % of what the peer can do',
  about:
    `The peer's rate is measured with redis-benchmark (${CONNECTIONS} connections), then both servers get ` +
    `${100 * SHARE} % of it from an open-loop generator: requests are due on a fixed schedule and latency ` +
    'counts from the instant at which each was due. Every latency is kept, so percentiles are exact. The ' +
    'generator shares the machine; how late it was by itself stands in the note.',
  options: {
    keys: { about: 'keys', whole: [1_000_000], quick: [200_000] },
    seconds: { about: 'seconds of each load', whole: [3], quick: [1], fraction: true },
    rounds: { about: 'rounds', whole: [3], quick: [1] },
  },
  run,
};

async function run(bench: Bench): Promise<Measurement> {
  const rounds = bench.one('rounds');
  const figures = new Figures();
  const late = new Figures();
  bench.steps.plan(1 + rounds * bench.entrants.length * LOADS.length);
  const reference = bench.entrants[0] as Entrant;
  bench.steps.step(`what ${reference.name} can do`);
  const rates = await saturation(reference, bench);
  await takeTurns(bench, rounds, async (entrant, round) => {
    const server = await ServerProcess.start(entrant);
    try {
      await loadKeys(server.port, bench.one('keys'), VALUE_BYTES);
      for (const load of LOADS) {
        bench.steps.step(`round ${round + 1}, ${entrant.name}: ${load.label}`);
        const rate = SHARE * (rates.get(load) as number);
        const { latency, generator } = await measure(server, load, rate, bench);
        for (const name of PERCENTILES) {
          figures.add(`${load.id}-${name}`, entrant.side, latency[name]);
        }
        late.add(load.id, entrant.side, generator.p99);
      }
    } finally {
      await server.stop();
    }
  });
  return evaluate(bench, figures, late, rates);
}

/** Requests per second of a server under each load, all connections at full speed. */
async function saturation(contestant: Contestant, bench: Bench): Promise<Map<Load, number>> {
  const server = await ServerProcess.start(contestant);
  try {
    await loadKeys(server.port, bench.one('keys'), VALUE_BYTES);
    const rates = new Map<Load, number>();
    for (const load of LOADS) {
      const found: number[] = [];
      for (let i = 0; i < SATURATION_ROUNDS; i++) {
        found.push(await redisBenchmark(server.port, fullSpeed(load, bench)));
      }
      rates.set(load, median(found));
    }
    return rates;
  } finally {
    await server.stop();
  }
}

function fullSpeed({ verb, pipeline }: Load, bench: Bench): BenchmarkLoad {
  const perSecond = pipeline === 1 ? 20_000 : 150_000;
  return {
    command: [verb, 'key:__rand_int__'],
    ...(verb === 'SET' ? { valueBytes: VALUE_BYTES } : {}),
    pipeline,
    connections: CONNECTIONS,
    requests: Math.ceil(perSecond * bench.one('seconds')),
    keys: bench.one('keys'),
  };
}

async function measure(
  server: ServerProcess,
  load: Load,
  rate: number,
  bench: Bench,
): Promise<{ latency: Percentiles; generator: Percentiles }> {
  const keys = bench.one('keys');
  const seconds = bench.one('seconds');
  await redisBenchmark(server.port, fullSpeed(load, bench)); // warm-up
  const generator = OpenLoop.start({
    port: server.port,
    verb: load.verb,
    rate,
    pipeline: load.pipeline,
    connections: CONNECTIONS,
    keys,
    valueBytes: VALUE_BYTES,
    secondsMax: seconds + 2,
    seed: bench.seed,
    file: join(server.dir, 'latency'),
  });
  await delay(SETTLE_MILLIS + seconds * 1000);
  const record: LatencyRecord = await generator.stop();
  const begin = record.startNanos + BigInt(SETTLE_MILLIS * 1e6);
  const end = begin + BigInt(seconds * 1e9);
  return { latency: record.between(begin, end), generator: record.lateness(begin, end) };
}

function evaluate(
  bench: Bench,
  figures: Figures,
  late: Figures,
  rates: ReadonlyMap<Load, number>,
): Measurement {
  const rows = LOADS.flatMap((load) =>
    (['p50', 'p99', 'p999'] as const).map((name): Row => {
      const lateness = (['peer', 'ours'] as const).map((side) => median(late.of(load.id, side)));
      const rate = ((SHARE * (rates.get(load) as number)) / 1000).toFixed(0);
      const label = `${load.label}, ${rate}k/s: ${NAMES[name]}`;
      if (name !== 'p99') return figures.row(`${load.id}-${name}`, label);
      return figures.row(`${load.id}-${name}`, label, {
        requiredRatio: 1,
        headline: true,
        note: `generator late: p99 ${lateness.map((one) => one.toFixed(0)).join(' / ')} us`,
      });
    }),
  );
  return {
    comparisons: [
      {
        id: 'latency',
        title: `Latency at ${100 * SHARE} % of the peer's rate`,
        scale: { unit: 'us', digits: 0, better: 'lower' },
        rows,
      },
    ],
    plots: LOADS.map((load) => plot(bench, figures, load)),
  };
}

function plot(bench: Bench, figures: Figures, load: Load): BarPlot {
  return {
    kind: 'bars',
    id: load.id,
    title: `Latency at ${100 * SHARE} % load: ${load.label}`,
    y: { name: 'us', logarithmic: true },
    categories: PERCENTILES.map((name) => NAMES[name]),
    series: bench.entrants.map(({ name, side }) => ({
      name,
      side,
      values: PERCENTILES.map((one) => median(figures.of(`${load.id}-${one}`, side))),
    })),
  };
}
