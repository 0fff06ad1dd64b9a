// CPU time per request and requests per second of loads of redis-benchmark: how they are measured, and the
// two tables that are made of them. The workloads `throughput` and `types` differ in their rows and data.
import { type BenchmarkLoad, redisBenchmark } from '../load/redis_benchmark.js';
import type { Comparison, Side } from '../report/result.js';
import { median } from '../report/statistics.js';
import type { ServerProcess } from '../server/server_process.js';
import { Figures } from '../workload.js';

/** A row's load is sent before it is measured, half as often: what is compiled is compiled then. */
const WARM_UP = 0.5;
/** Below this the server was waiting, for the generator or for a core. */
const BUSY = 0.9;

export interface CostRow {
  readonly id: string;
  readonly label: string;
  readonly load: BenchmarkLoad;
  /** What the ratio of CPU time per request must be at most. */
  readonly cpuRatio?: number;
  readonly headline?: boolean;
}

export const COST_NOTES: readonly string[] = [
  `A server that used less than ${100 * BUSY} % of a core was not what limited the rate.`,
  'The random numbers of redis-benchmark cannot be seeded; the keys they choose are uniform.',
];

export class RequestCosts {
  readonly cpu = new Figures();
  private readonly rate = new Figures();
  private readonly busy = new Figures();

  /** Sends a row's load, and measures it. `divide`: the Nth part of the requests and of the keys. */
  async measure(server: ServerProcess, side: Side, row: CostRow, divide: number): Promise<void> {
    const { load } = row;
    const keys = Math.ceil(load.keys / divide);
    const requests = Math.ceil(load.requests / divide);
    const warmUp = Math.ceil(requests * WARM_UP);
    await redisBenchmark(server.port, { ...load, keys, requests: warmUp });
    const before = server.cpuMicros();
    const perSecond = await redisBenchmark(server.port, { ...load, keys, requests });
    const micros = (server.cpuMicros() - before) / requests;
    this.cpu.add(row.id, side, micros);
    this.rate.add(row.id, side, perSecond);
    this.busy.add(row.id, side, (micros * perSecond) / 1e6);
  }

  comparisons(rows: readonly CostRow[]): Comparison[] {
    return [
      {
        id: 'cpu',
        title: 'CPU time per request',
        scale: { unit: 'us', digits: 2, better: 'lower' },
        rows: rows.map(({ id, label, cpuRatio, headline }) =>
          this.cpu.row(id, label, {
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
          this.rate.row(id, label, { requiredRatio: 1, note: this.busyNote(id) }),
        ),
      },
    ];
  }

  private busyNote(id: string): string {
    const percent = (side: Side): string => {
      const share = median(this.busy.of(id, side));
      return Number.isNaN(share) ? '-' : `${(100 * share).toFixed(0)} %`;
    };
    return `used ${percent('peer')} / ${percent('ours')} of a core`;
  }
}
