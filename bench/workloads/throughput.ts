// CPU time per request and requests per second: commands, pipelines, connections, sizes of values,
// numbers of keys. The rows are in throughput_rows.ts.
import { loadKeys, loadValues } from '../load/loader.js';
import type { BarPlot, Measurement, Side } from '../report/result.js';
import { median } from '../report/statistics.js';
import { ServerProcess } from '../server/server_process.js';
import { type Bench, type Entrant, type Figures, takeTurns, type Workload } from '../workload.js';
import { COST_NOTES, RequestCosts } from './request_cost.js';
import { COUNTERS, type DataSet, THROUGHPUT_ROWS, type ThroughputRow } from './throughput_rows.js';

/** More data takes longer to load than to measure: both servers keep it, and their processes, from round to round. */
const FRESH_BYTES_MAX = 1e8;

export const throughput: Workload = {
  name: 'throughput',
  title: 'CPU time per request, and requests per second',
  about:
    'redis-benchmark on random keys that are all there: a base of GET and SET with pipeline 16, 50 ' +
    'connections, values of 64 bytes and 1 million keys, and one dimension varied at a time. CPU time is ' +
    "user and system time of all the server's threads over the requests sent; unlike the rate it does not " +
    "depend on what the load generator's core can do. The note says what share of one core the server used: " +
    'well below 100 % it was the generator that set the rate. Each round has fresh processes, but for data of ' +
    `more than ${FRESH_BYTES_MAX / 1e6} MB, which is loaded once.`,
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
  const costs = new RequestCosts();
  const rows = THROUGHPUT_ROWS.slice(0, bench.one('rows'));
  const dataSets = groupByData(rows);
  const turns = bench.entrants.length * rounds;
  bench.steps.plan(turns * (rows.length + dataSets.length));
  for (const { data, rows } of dataSets) {
    const running = new Map<Side, ServerProcess>();
    try {
      await takeTurns(bench, rounds, async (entrant, round) => {
        const { side } = entrant;
        const name = `round ${round + 1}, ${entrant.name}`;
        bench.steps.step(`${name}: ${data.keys} keys of ${data.valueBytes} bytes`);
        const server = running.get(side) ?? (await start(entrant, data, divide));
        running.set(side, server);
        for (const row of rows) {
          bench.steps.step(`${name}: ${row.label}`);
          await costs.measure(server, side, row, divide);
        }
        if (data.keys * data.valueBytes > FRESH_BYTES_MAX) return;
        running.delete(side);
        await server.stop();
      });
    } finally {
      for (const server of running.values()) await server.stop();
    }
  }
  return evaluate(bench, rows, costs);
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

function evaluate(bench: Bench, rows: readonly ThroughputRow[], costs: RequestCosts): Measurement {
  return {
    comparisons: costs.comparisons(rows),
    plots: [
      cpuPlot(costs.cpu, bench, 'cpu-pipeline', 'CPU time per request by pipeline', {
        p1: 'P=1',
        p4: 'P=4',
        p16: 'P=16',
        p64: 'P=64',
      }),
      cpuPlot(costs.cpu, bench, 'cpu-keys', 'CPU time per request by number of keys, pipeline 16', {
        '100k-keys': '100k',
        p16: '1M',
        '5M-keys': '5M',
        '20M-keys': '20M',
      }),
    ],
    notes: COST_NOTES,
  };
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
