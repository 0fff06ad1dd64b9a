// CPU time per request and requests per second: commands, pipelines, connections, sizes of values,
// numbers of keys. The rows are in throughput_rows.ts.
import { loadKeys, loadValues } from '../load/loader.js';
import { redisBenchmark } from '../load/redis_benchmark.js';
import type { BarPlot, Measurement } from '../report/result.js';
import { median } from '../report/statistics.js';
import { ServerProcess } from '../server/server_process.js';
import { type Bench, type Entrant, Figures, takeTurns, type Workload } from '../workload.js';
import { COUNTERS, type DataSet, THROUGHPUT_ROWS, type ThroughputRow } from './throughput_rows.js';

/** Share of a row's requests that is sent before it is measured. */
const WARM_UP = 0.2;
/** Below this the server was waiting, for the generator or for a core. */
const BUSY = 0.9;
/** Data that takes longer to load than to measure, and how many rounds it gets at most. */
const LARGE_KEYS = 10_000_000;
const LARGE_ROUNDS = 2;

export const throughput: Workload = {
  name: 'throughput',
  title: 'CPU time per request, and requests per second',
  about:
    'redis-benchmark on random keys that are all there: a base of GET and SET with pipeline 16, 50 ' +
    'connections, values of 64 bytes and 1 million keys, and one dimension varied at a time. CPU time is ' +
    "user and system time of all the server's threads over the requests sent; unlike the rate it does not " +
    "depend on what the load generator's core can do. The note says what share of one core the server used: " +
    'well below 100 % it was the generator that set the rate.',
  options: {
    rounds: { about: 'rounds', whole: [3], quick: [1] },
    rows: {
      about: 'measure the first N rows',
      whole: [THROUGHPUT_ROWS.length],
      quick: [THROUGHPUT_ROWS.length],
    },
    divide: { about: 'send the Nth part of the requests, to as many keys', whole: [1], quick: [5] },
  },
  run,
};

async function run(bench: Bench): Promise<Measurement> {
  const rounds = bench.one('rounds');
  const divide = bench.one('divide');
  const cpu = new Figures();
  const rate = new Figures();
  const busy = new Figures();
  const rows = THROUGHPUT_ROWS.slice(0, bench.one('rows'));
  const dataSets = groupByData(rows);
  const roundsOf = ({ keys }: DataSet): number =>
    keys > LARGE_KEYS ? Math.min(rounds, LARGE_ROUNDS) : rounds;
  const turns = dataSets.map((one) => roundsOf(one.data) * (one.rows.length + 1));
  bench.steps.plan(bench.entrants.length * turns.reduce((sum, count) => sum + count, 0));
  for (const { data, rows } of dataSets) {
    await takeTurns(bench, roundsOf(data), async (entrant, round) => {
      const name = `round ${round + 1}, ${entrant.name}`;
      bench.steps.step(`${name}: ${data.keys} keys of ${data.valueBytes} bytes`);
      const server = await start(entrant, data, divide);
      try {
        for (const row of rows) {
          bench.steps.step(`${name}: ${row.label}`);
          const { micros, perSecond } = await measure(server, row, divide);
          cpu.add(row.id, entrant.side, micros);
          rate.add(row.id, entrant.side, perSecond);
          busy.add(row.id, entrant.side, (micros * perSecond) / 1e6);
        }
      } finally {
        await server.stop();
      }
    });
  }
  return evaluate(bench, rows, { cpu, rate, busy });
}

/** Rows that need the same data share a process. */
function groupByData(
  rows: readonly ThroughputRow[],
): { readonly data: DataSet; readonly rows: ThroughputRow[] }[] {
  const groups = new Map<string, { data: DataSet; rows: ThroughputRow[] }>();
  for (const row of rows) {
    const key = `${row.data.keys} ${row.data.valueBytes}`;
    const group = groups.get(key) ?? { data: row.data, rows: [] };
    group.rows.push(row);
    groups.set(key, group);
  }
  return [...groups.values()];
}

async function start(entrant: Entrant, data: DataSet, divide: number): Promise<ServerProcess> {
  const server = await ServerProcess.start(entrant);
  try {
    await loadKeys(server.port, Math.ceil(data.keys / divide), data.valueBytes);
    await loadValues(server.port, Math.ceil(COUNTERS / divide), '1', 'cnt:');
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function measure(
  server: ServerProcess,
  { load }: ThroughputRow,
  divide: number,
): Promise<{ micros: number; perSecond: number }> {
  const keys = Math.ceil(load.keys / divide);
  const requests = Math.ceil(load.requests / divide);
  const warmUp = Math.ceil(requests * WARM_UP);
  await redisBenchmark(server.port, { ...load, keys, requests: warmUp });
  const before = server.cpuMicros();
  const perSecond = await redisBenchmark(server.port, { ...load, keys, requests });
  return { micros: (server.cpuMicros() - before) / requests, perSecond };
}

function evaluate(
  bench: Bench,
  rows: readonly ThroughputRow[],
  { cpu, rate, busy }: Readonly<Record<'cpu' | 'rate' | 'busy', Figures>>,
): Measurement {
  return {
    comparisons: [
      {
        id: 'cpu',
        title: 'CPU time per request',
        scale: { unit: 'us', digits: 2, better: 'lower' },
        rows: rows.map(({ id, label, cpuRatio, headline }) =>
          cpu.row(id, label, {
            ...(cpuRatio === undefined ? {} : { requiredRatio: cpuRatio }),
            ...(headline === undefined ? {} : { headline }),
          }),
        ),
      },
      {
        id: 'rate',
        title: 'Requests per second',
        scale: { unit: '1/s', digits: 0, better: 'higher' },
        rows: rows.map(({ id, label }) =>
          rate.row(id, label, { requiredRatio: 1, note: busyNote(busy, id) }),
        ),
      },
    ],
    plots: [
      cpuPlot(cpu, bench, 'cpu-pipeline', 'CPU time per request by pipeline', {
        p1: 'P=1',
        p4: 'P=4',
        p16: 'P=16',
        p64: 'P=64',
      }),
      cpuPlot(cpu, bench, 'cpu-keys', 'CPU time per request by number of keys, pipeline 16', {
        '100k-keys': '100k',
        p16: '1M',
        '5M-keys': '5M',
        '20M-keys': '20M',
      }),
    ],
    notes: [
      `A server that used less than ${100 * BUSY} % of a core was not what limited the rate.`,
      'The random numbers of redis-benchmark cannot be seeded; the keys they choose are uniform.',
    ],
  };
}

function busyNote(busy: Figures, id: string): string {
  const percent = (side: 'peer' | 'ours'): string => {
    const share = median(busy.of(id, side));
    return Number.isNaN(share) ? '-' : `${(100 * share).toFixed(0)} %`;
  };
  return `used ${percent('peer')} / ${percent('ours')} of a core`;
}

/** GET and SET of the loads that `loads` names. */
function cpuPlot(
  cpu: Figures,
  bench: Bench,
  id: string,
  title: string,
  loads: Readonly<Record<string, string>>,
): BarPlot {
  const ids = Object.keys(loads).flatMap((load) => [`get-${load}`, `set-${load}`]);
  return {
    kind: 'bars',
    id,
    title,
    y: { name: 'us per request' },
    categories: Object.values(loads).flatMap((load) => [`GET ${load}`, `SET ${load}`]),
    series: bench.entrants.map(({ name, side }) => ({
      name,
      side,
      values: ids.map((load) => median(cpu.of(load, side))),
    })),
    headline: id === 'cpu-pipeline',
  };
}
