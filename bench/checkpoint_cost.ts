// What a checkpoint costs a server under full load: pause, duration, memory, bytes written, and the
// share of its throughput that is left. Uniform random SETs over the loaded keys, pipeline 16, before
// and during each checkpoint; the server that bounds its extra memory is measured at two
// bounds, each in a fresh process.
//
// Figures come from outside where they can: memory is that of /proc, sampled; bytes written are the
// blocks of the file. Where only the server can know (pause, faults), from INFO.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CheckpointSpan, configure, takeCheckpoint } from './checkpoints.js';
import { Control, field, type Info } from './control.js';
import { commandRate, countCommands, FullLoad } from './full_load.js';
import { loadKeys } from './loader.js';
import { MemorySampler } from './memory_sampler.js';
import type { Measurement, Row, Table } from './report/result.js';
import { ServerProcess } from './server_process.js';
import { type Bench, type Entrant, Figures, takeTurns, type Workload } from './workload.js';

const VALUE_BYTES = 128;
const BOUND = 'checkpoint-extra-memory';
const BOUNDS = ['64mb', '8mb'];
const BLOCK_BYTES = 512;
const MEBIBYTE = 2 ** 20;

interface Cost {
  readonly seconds: number;
  readonly pauseMicros: number;
  readonly idleRate: number;
  readonly rate: number;
  /** Resident memory above that before the run, of the server's own process. */
  readonly extraBytes: number;
  /** Memory that a forked child had copied, where there is one. */
  readonly forkBytes: number;
  readonly fileBytes: number;
  readonly usedBytes: number;
  readonly faults: number;
  readonly savedPages: number;
  readonly overflows: number;
  readonly info: Info;
}

interface Measured {
  readonly entrant: Entrant;
  readonly bound: string | null;
  readonly costs: readonly Cost[];
}

export const checkpointCost: Workload = {
  name: 'checkpoint',
  title: 'What a checkpoint costs under full load',
  about:
    `Values of ${VALUE_BYTES} bytes, uniform random SETs at full speed (redis-benchmark, pipeline 16). The ` +
    "share of throughput is that of the server's own command counter during the run and right before it. " +
    'Extra memory is the largest resident size during the run, sampled, over that before; for a server that ' +
    'forks, what it says that its child copied comes on top. Bytes written are blocks of the file.',
  options: {
    keys: { about: 'keys', whole: [8_000_000], quick: [500_000] },
    seconds: { about: 'seconds before each checkpoint', whole: [4], quick: [1] },
    rounds: { about: 'checkpoints of each', whole: [3], quick: [1] },
  },
  run,
};

async function run(bench: Bench): Promise<Measurement> {
  const measured: Measured[] = [];
  bench.steps.plan(bench.entrants.length * BOUNDS.length);
  for (const bound of BOUNDS) {
    await takeTurns(bench, 1, async (entrant) => {
      bench.steps.step(`${entrant.name}, bound ${bound}`);
      const one = await measure(entrant, bound, bench);
      if (one !== null) measured.push(one);
    });
  }
  return { comparisons: [compare(measured)], tables: [table(measured)], detail: measured };
}

function compare(measured: readonly Measured[]) {
  const figures = new Figures();
  const add = (name: string, pick: (cost: Cost) => number): void => {
    for (const { entrant, bound, costs } of measured) {
      // The peer has no bound: its figures stand beside each of ours.
      for (const row of bound === null ? BOUNDS : [bound]) {
        for (const cost of costs) figures.add(`${name}-${row}`, entrant.side, pick(cost));
      }
    }
  };
  add('pause', (cost) => cost.pauseMicros / 1000);
  add('seconds', (cost) => cost.seconds);
  add('rate', (cost) => (100 * cost.rate) / cost.idleRate);
  add('extra', (cost) => (cost.extraBytes + cost.forkBytes) / MEBIBYTE);
  add('file', (cost) => cost.fileBytes / MEBIBYTE);
  const rows = BOUNDS.flatMap((bound): Row[] => [
    figures.row(`pause-${bound}`, `${bound}: pause`, {
      required: 1,
      headline: bound === BOUNDS[0],
    }),
    figures.row(`seconds-${bound}`, `${bound}: duration`, {
      scale: { unit: 's', digits: 2, better: 'lower' },
      requiredRatio: 1,
      headline: bound === BOUNDS[0],
    }),
    figures.row(`rate-${bound}`, `${bound}: throughput during it, of that before`, {
      scale: { unit: '%', digits: 0, better: 'higher' },
      requiredRatio: 1,
      headline: bound === BOUNDS[0],
    }),
    figures.row(`extra-${bound}`, `${bound}: extra memory`, {
      scale: { unit: 'MiB', digits: 0, better: 'lower' },
      required: Number.parseInt(bound, 10),
      headline: bound === BOUNDS[0],
    }),
    figures.row(`file-${bound}`, `${bound}: bytes written`, {
      scale: { unit: 'MiB', digits: 0, better: 'lower' },
    }),
  ]);
  const scale = { unit: 'ms', digits: 2, better: 'lower' } as const;
  return {
    id: 'cost',
    title: `Cost of a checkpoint, by ${BOUND}`,
    scale,
    rows: rows.map((row) => ({ ...row, scale: row.scale ?? scale })),
  };
}

function table(measured: readonly Measured[]): Table {
  return {
    id: 'checkpoints',
    title: 'Each checkpoint',
    header: [
      'server',
      's',
      'pause ms',
      'SET/s before',
      'during',
      '%',
      'extra MB',
      'file MB',
      'to used',
      'faults',
      'saved',
      'overflows',
    ],
    rows: measured.flatMap(({ entrant, bound, costs }) =>
      costs.map((cost, i) =>
        row(`${entrant.name}${bound === null ? '' : ` ${bound}`}, ${i + 1}`, cost),
      ),
    ),
  };
}

function row(name: string, cost: Cost): string[] {
  const known = (value: number): string => (Number.isNaN(value) ? '-' : String(value));
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  return [
    name,
    cost.seconds.toFixed(2),
    (cost.pauseMicros / 1000).toFixed(2),
    cost.idleRate.toFixed(0),
    cost.rate.toFixed(0),
    ((100 * cost.rate) / cost.idleRate).toFixed(0),
    megabytes(cost.extraBytes) + (cost.forkBytes > 0 ? ` + ${megabytes(cost.forkBytes)}` : ''),
    megabytes(cost.fileBytes),
    (cost.fileBytes / cost.usedBytes).toFixed(2),
    known(cost.faults),
    known(cost.savedPages),
    known(cost.overflows),
  ];
}

/** Null for the second bound of a server that has none. */
async function measure(entrant: Entrant, bound: string, bench: Bench): Promise<Measured | null> {
  const keys = bench.one('keys');
  const server = await ServerProcess.start(entrant);
  try {
    const control = await Control.open(server.port);
    const bounded = await configure(control, BOUND, bound);
    if (!bounded && bound !== BOUNDS[0]) return null;
    await loadKeys(server.port, keys, VALUE_BYTES);
    const load = FullLoad.start(server.port, keys, VALUE_BYTES);
    const costs: Cost[] = [];
    try {
      await delay(1000); // connections, warm-up
      for (let i = 0; i < bench.one('rounds'); i++) {
        costs.push(await measureOne(server, control, bench.one('seconds')));
      }
    } finally {
      await load.stop();
    }
    control.close();
    return { entrant, bound: bounded ? bound : null, costs };
  } finally {
    await server.stop();
  }
}

async function measureOne(
  server: ServerProcess,
  control: Control,
  idleSeconds: number,
): Promise<Cost> {
  const idleFrom = await countCommands(control);
  await delay(idleSeconds * 1000);
  const from = await countCommands(control);
  const used = field(await control.info('memory'), 'used_memory');
  const sampler = new MemorySampler(server.pid);
  let span: CheckpointSpan;
  let extraBytes = 0;
  try {
    span = await takeCheckpoint(control);
  } finally {
    extraBytes = sampler.stop();
  }
  const to = await countCommands(control);
  const { info } = span;
  const ownPause = field(info, 'checkpoint_last_pause_usec');
  const ownDuration = field(info, 'checkpoint_last_duration_usec');
  return {
    seconds: Number.isNaN(ownDuration) ? span.seconds : ownDuration / 1e6,
    pauseMicros: Number.isNaN(ownPause)
      ? field(await control.info('stats'), 'latest_fork_usec')
      : ownPause,
    idleRate: commandRate(idleFrom, from),
    rate: commandRate(from, to),
    extraBytes,
    forkBytes: Number.isNaN(ownPause) ? field(info, 'rdb_last_cow_size') : 0,
    fileBytes: newestFileBytes(server.dir),
    usedBytes: used,
    faults: field(info, 'checkpoint_last_faults'),
    savedPages: field(info, 'checkpoint_last_saved_pages'),
    overflows: field(info, 'checkpoint_last_overflows'),
    info,
  };
}

/** Bytes that the newest file below a folder takes on the disk: holes are not counted. */
function newestFileBytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .filter((file) => file.isFile())
    .sort((a, b) => b.mtimeMs - a.mtimeMs);
  return (files[0]?.blocks ?? 0) * BLOCK_BYTES;
}
