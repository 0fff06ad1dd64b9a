// What checkpoints cost by size of the heap, under random writes at full speed.
import { totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { FullLoad } from '../load/full_load.js';
import { loadKeys } from '../load/loader.js';
import type { LinePlot, Measurement, Row, Scale, Side, Table } from '../report/result.js';
import { median } from '../report/statistics.js';
import { type Cost, forkPause, measureOne } from '../server/checkpoint_cost.js';
import { configure } from '../server/checkpoints.js';
import { Control } from '../server/control.js';
import { ServerProcess } from '../server/server_process.js';
import { type Bench, type Entrant, Figures, takeTurns, type Workload } from '../workload.js';

const KEY_BYTES = 16;
const VALUE_BYTES = 1024;
const BOUND = 'checkpoint-extra-memory';
/** What a heap is measured with, and what the smallest is measured with besides. */
const USUAL_BOUND = '64mb';
const TIGHT_BOUND = '8mb';
const SETTLE_MILLIS = 1000;
const BETWEEN_MILLIS = 1000;
/** A server that forks may need this much of the user's bytes before it is done. */
const FORK_MEMORY = 2.6;
const MEBIBYTE = 2 ** 20;

interface Case {
  readonly id: string;
  readonly label: string;
  readonly gibibytes: number;
  readonly bound: string;
}

/** Of one server at one size. A pause more than costs where the child was ended. */
interface Measured {
  readonly entrant: Entrant;
  readonly one: Case;
  readonly pauseMicros: readonly number[];
  readonly costs: readonly Cost[];
}

export const heaps: Workload = {
  name: 'heaps',
  title: 'What a checkpoint costs, by size of the heap',
  about:
    `Values of ${VALUE_BYTES} bytes, uniform random SETs at full speed (redis-benchmark, pipeline 16) all the ` +
    'while, several checkpoints in one process. The pause and the faults are what the server says of itself (the ' +
    'fork of one that forks, which takes its last checkpoint in full and has its child ended after the others); ' +
    'extra memory is the largest resident size of the server during the run, sampled, over that before, and for ' +
    'one that forks what its child copied; bytes written are blocks of the file. A size at which a fork ' +
    'could need more memory than there is gives only the pause.',
  options: {
    heap: { about: 'GiB of data', whole: [0.5, 2, 6, 12], quick: [0.25], fraction: true },
    seconds: { about: 'seconds before each checkpoint', whole: [2], quick: [1], fraction: true },
    rounds: { about: 'checkpoints of each', whole: [3], quick: [2] },
  },
  run,
};

async function run(bench: Bench): Promise<Measurement> {
  const sizes = bench.all('heap');
  const cases = sizes.map((size): Case => makeCase(size, USUAL_BOUND));
  const tight = makeCase(sizes[0] as number, TIGHT_BOUND);
  const measured: Measured[] = [];
  bench.steps.plan(cases.length * bench.entrants.length + 1);
  for (const one of [...cases, tight]) {
    await takeTurns(bench, 1, async (entrant) => {
      if (one === tight && entrant.side === 'peer') return; // it has no bound
      bench.steps.step(`${entrant.name}, ${one.label}`);
      measured.push(await measure(entrant, one, bench));
    });
  }
  return {
    comparisons: [
      {
        id: 'cost',
        title: 'Cost of a checkpoint under full load',
        scale: PAUSE,
        rows: rows([...cases, tight], measured, cases.at(-1) as Case),
      },
    ],
    tables: [checkpointTable(measured)],
    plots: [
      plot(bench, measured, 'pause', 'Pause at the start', 'ms', (one) =>
        median(one.pauseMicros.map((micros) => micros / 1000)),
      ),
      plot(bench, measured, 'extra', 'Extra memory during a checkpoint', 'MiB', (one) =>
        median(one.costs.map(extraMebibytes)),
      ),
    ],
    notes: [`Stillframe's ${BOUND} is ${USUAL_BOUND}, where the row does not say ${TIGHT_BOUND}.`],
    detail: measured,
  };
}

function makeCase(gibibytes: number, bound: string): Case {
  const tight = bound === TIGHT_BOUND;
  return {
    id: `${gibibytes}${tight ? '-tight' : ''}`,
    label: `${gibibytes} GiB${tight ? `, bound ${bound}` : ''}`,
    gibibytes,
    bound,
  };
}

async function measure(entrant: Entrant, one: Case, bench: Bench): Promise<Measured> {
  const bytes = one.gibibytes * 2 ** 30;
  const keys = Math.floor(bytes / (KEY_BYTES + VALUE_BYTES));
  const rounds = bench.one('rounds');
  const server = await ServerProcess.start(entrant);
  try {
    const control = await Control.open(server.port);
    await configure(control, BOUND, one.bound);
    await configure(control, 'checkpoint-keep', '1'); // 12 GiB of them are much
    await loadKeys(server.port, keys, VALUE_BYTES);
    const own = (await control.info('persistence')).checkpoint_last_pause_usec !== undefined;
    const full = own || bytes * FORK_MEMORY < totalmem();
    const pauseMicros: number[] = [];
    const costs: Cost[] = [];
    const load = FullLoad.start(server.port, keys, VALUE_BYTES);
    try {
      await delay(SETTLE_MILLIS);
      for (let i = 0; i < rounds; i++) {
        if (own || (full && i === rounds - 1)) {
          const cost = await measureOne(server, control, bench.one('seconds'));
          pauseMicros.push(cost.pauseMicros);
          costs.push(cost);
        } else {
          await delay(BETWEEN_MILLIS);
          pauseMicros.push(await forkPause(server, control));
        }
      }
    } finally {
      await load.stop();
    }
    control.close();
    return { entrant, one, pauseMicros, costs };
  } finally {
    await server.stop();
  }
}

const PAUSE: Scale = { unit: 'ms', digits: 2, better: 'lower' };
const SECONDS: Scale = { unit: 's', digits: 2, better: 'lower' };
const PER_SECOND: Scale = { unit: '1/s', digits: 0, better: 'higher' };
const PERCENT: Scale = { unit: '%', digits: 0, better: 'higher' };
const MEBIBYTES: Scale = { unit: 'MiB', digits: 0, better: 'lower' };
const COUNT: Scale = { unit: 'faults', digits: 0, better: 'lower' };

function extraMebibytes(cost: Cost): number {
  return (cost.extraBytes + cost.forkBytes) / MEBIBYTE;
}

/** The row of `headline` is shown in the README. */
function rows(cases: readonly Case[], measured: readonly Measured[], headline: Case): Row[] {
  const figures = new Figures();
  const add = (name: string, side: Side, values: readonly number[]): void => {
    for (const value of values) figures.add(name, side, value);
  };
  for (const { entrant, one, pauseMicros, costs } of measured) {
    const { side } = entrant;
    const of = (pick: (cost: Cost) => number): number[] => costs.map(pick);
    add(
      `pause-${one.id}`,
      side,
      pauseMicros.map((micros) => micros / 1000),
    );
    add(
      `seconds-${one.id}`,
      side,
      of((cost) => cost.seconds),
    );
    add(
      `share-${one.id}`,
      side,
      of((cost) => (100 * cost.rate) / cost.idleRate),
    );
    add(`extra-${one.id}`, side, of(extraMebibytes));
    add(
      `faults-${one.id}`,
      side,
      of((cost) => cost.faults),
    );
    add(
      `file-${one.id}`,
      side,
      of((cost) => cost.fileBytes / MEBIBYTE),
    );
  }
  return cases.flatMap(({ id, label, bound }) => {
    // The peer has no bound: its figures stand beside those with the usual one.
    const compared = bound === USUAL_BOUND ? { requiredRatio: 1 } : {};
    return [
      figures.row(`pause-${id}`, `${label}: pause`, {
        scale: PAUSE,
        required: 1,
        headline: id === headline.id,
      }),
      figures.row(`seconds-${id}`, `${label}: duration`, { scale: SECONDS, ...compared }),
      figures.row(`rate-${id}`, `${label}: SETs during it`, { scale: PER_SECOND, ...compared }),
      figures.row(`share-${id}`, `${label}: SETs during it, of those before`, {
        scale: PERCENT,
      }),
      figures.row(`extra-${id}`, `${label}: extra memory`, {
        scale: MEBIBYTES,
        required: Number.parseInt(bound, 10),
        headline: id === headline.id,
      }),
      figures.row(`faults-${id}`, `${label}: caught writes`, { scale: COUNT }),
      figures.row(`file-${id}`, `${label}: written`, { scale: MEBIBYTES }),
    ];
  });
}

function checkpointTable(measured: readonly Measured[]): Table {
  const known = (value: number): string => (Number.isNaN(value) ? '-' : String(value));
  const mebibytes = (bytes: number): string => (bytes / MEBIBYTE).toFixed(0);
  return {
    id: 'checkpoints',
    title: 'Each full checkpoint',
    header: [
      'server, heap',
      's',
      'pause ms',
      'SET/s before',
      'during',
      'extra MiB',
      'written MiB',
      'to used',
      'caught',
      'pages saved',
      'beyond the pool',
    ],
    rows: measured.flatMap(({ entrant, one, costs }) =>
      costs.map((cost) => [
        `${entrant.name}, ${one.label}`,
        cost.seconds.toFixed(2),
        (cost.pauseMicros / 1000).toFixed(2),
        cost.idleRate.toFixed(0),
        cost.rate.toFixed(0),
        mebibytes(cost.extraBytes) +
          (cost.forkBytes > 0 ? ` + ${mebibytes(cost.forkBytes)} of the child` : ''),
        mebibytes(cost.fileBytes),
        (cost.fileBytes / cost.usedBytes).toFixed(2),
        known(cost.faults),
        known(cost.savedPages),
        known(cost.overflows),
      ]),
    ),
  };
}

function plot(
  bench: Bench,
  measured: readonly Measured[],
  id: string,
  title: string,
  unit: string,
  pick: (one: Measured) => number,
): LinePlot {
  const usual = measured.filter(({ one }) => one.bound === USUAL_BOUND);
  return {
    kind: 'lines',
    id,
    title: `${title}, by size of the heap`,
    x: { name: 'GiB of data' },
    y: { name: unit, logarithmic: true },
    series: bench.entrants.map(({ name, side }) => ({
      name,
      side,
      points: usual
        .filter(({ entrant }) => entrant.side === side)
        .map((one) => {
          const figure = pick(one);
          return [one.one.gibibytes, Number.isNaN(figure) ? null : figure] as const;
        }),
    })),
    headline: id === 'pause',
  };
}
