// CPU time per request and requests per second of the commands on lists, sets, hashes, sorted sets and streams. The rows
// are in type_rows.ts.
import { loadCommands } from '../load/loader.js';
import type { BarPlot, Measurement } from '../report/result.js';
import { median } from '../report/statistics.js';
import { ServerProcess } from '../server/server_process.js';
import { type Bench, type Entrant, takeTurns, type Workload } from '../workload.js';
import { COST_NOTES, RequestCosts } from './request_cost.js';
import { TYPE_DATA, TYPE_ROWS } from './type_rows.js';

export const types: Workload = {
  name: 'types',
  title: 'CPU time per request, and requests per second, by type',
  about:
    'redis-benchmark with pipeline 16 and 50 connections, elements of 16 bytes, on one large list, set, hash ' +
    'and sorted set each and on 100k small ones each, at random. What is pushed or added is popped by the rows that ' +
    'follow, so none finds its key empty. Measured as in throughput.',
  options: {
    rounds: { about: 'rounds', whole: [3], quick: [1] },
    divide: { about: 'send the Nth part of the requests, to as many keys', whole: [1], quick: [5] },
  },
  run,
};

async function run(bench: Bench): Promise<Measurement> {
  const rounds = bench.one('rounds');
  const costs = new RequestCosts();
  bench.steps.plan(rounds * bench.entrants.length * (TYPE_ROWS.length + 1));
  await takeTurns(bench, rounds, async (entrant, round) => {
    const name = `round ${round + 1}, ${entrant.name}`;
    bench.steps.step(`${name}: loading`);
    const server = await start(entrant, bench.one('divide'));
    try {
      for (const row of TYPE_ROWS) {
        bench.steps.step(`${name}: ${row.label}`);
        await costs.measure(server, entrant.side, row, bench.one('divide'));
      }
    } finally {
      await server.stop();
    }
  });
  return {
    comparisons: costs.comparisons(TYPE_ROWS),
    plots: [plot(bench, costs)],
    notes: COST_NOTES,
  };
}

async function start(entrant: Entrant, divide: number): Promise<ServerProcess> {
  const server = await ServerProcess.start(entrant);
  try {
    for (const { command, times, fixed } of TYPE_DATA) {
      await loadCommands(server.port, fixed ? times : Math.ceil(times / divide), command);
    }
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function plot(bench: Bench, costs: RequestCosts): BarPlot {
  const rows = TYPE_ROWS.filter(({ id }) => !id.startsWith('lrange') && id !== 'mset');
  return {
    kind: 'bars',
    id: 'cpu',
    title: 'CPU time per request by command, pipeline 16',
    y: { name: 'us per request' },
    categories: rows.map(({ id }) => id),
    series: bench.entrants.map(({ name, side }) => ({
      name,
      side,
      values: rows.map(({ id }) => median(costs.cpu.of(id, side))),
    })),
  };
}
