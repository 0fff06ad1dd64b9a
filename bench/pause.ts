// How long a checkpoint keeps the server waiting when it starts, by the size of the heap: the first
// and each of nine later checkpoints, with uniform random writes at full speed between them and
// while they run (they split huge pages, which is what could make a pause grow).
//
// A forking server's pause is its fork. Its child is then ended at once: what it would write is the
// business of other workloads, and with 12 GiB under writes it could need twice the memory.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { takeCheckpoint } from './checkpoints.js';
import { Control, field } from './control.js';
import { FullLoad } from './full_load.js';
import { loadKeys } from './loader.js';
import type { Measurement } from './report/result.js';
import { type Contestant, ServerProcess } from './server_process.js';
import { type Bench, Figures, takeTurns, type Workload } from './workload.js';

const VALUE_BYTES = 1024;
const CHECKPOINTS = 10;
const WRITE_MILLIS = 2000;

export const pause: Workload = {
  name: 'pause',
  title: "How long a checkpoint's start takes, by size of the heap",
  about:
    `The pause that the server tells of itself (the fork of one that forks), ${CHECKPOINTS} times with random ` +
    'writes at full speed in between.',
  options: { heap: { about: 'GiB of data', whole: [1, 4, 12], quick: [0.25], fraction: true } },
  run,
};

async function run(bench: Bench): Promise<Measurement> {
  const heaps = bench.all('heap');
  const figures = new Figures();
  bench.steps.plan(heaps.length * bench.entrants.length);
  for (const heap of heaps) {
    await takeTurns(bench, 1, async (entrant) => {
      bench.steps.step(`${heap} GiB, ${entrant.name}`);
      const micros = await measure(entrant, heap);
      for (const one of micros) figures.add(String(heap), entrant.side, one / 1000);
    });
  }
  return {
    comparisons: [
      {
        id: 'pause',
        title: 'Pause at the start of a checkpoint',
        scale: { unit: 'ms', digits: 2, better: 'lower' },
        rows: heaps.map((heap) => figures.row(String(heap), `${heap} GiB`, { required: 1 })),
      },
    ],
  };
}

async function measure(contestant: Contestant, gibibytes: number): Promise<number[]> {
  const keys = Math.floor((gibibytes * 2 ** 30) / (VALUE_BYTES + 16));
  const server = await ServerProcess.start(contestant);
  try {
    await loadKeys(server.port, keys, VALUE_BYTES);
    const control = await Control.open(server.port);
    // One checkpoint on the disk is enough, and 12 GiB of it are much.
    await control.ask('CONFIG', 'SET', 'checkpoint-keep', '1').catch(() => undefined);
    const forks = (await control.info('persistence')).checkpoint_last_pause_usec === undefined;
    const load = FullLoad.start(server.port, keys, VALUE_BYTES);
    const pauseMicros: number[] = [];
    try {
      for (let i = 0; i < CHECKPOINTS; i++) {
        await delay(WRITE_MILLIS);
        pauseMicros.push(await (forks ? forkPause(server, control) : ownPause(control)));
      }
    } finally {
      await load.stop();
    }
    control.close();
    return pauseMicros;
  } finally {
    await server.stop();
  }
}

async function ownPause(control: Control): Promise<number> {
  return field((await takeCheckpoint(control)).info, 'checkpoint_last_pause_usec');
}

async function forkPause(server: ServerProcess, control: Control): Promise<number> {
  await control.ask('BGSAVE');
  const micros = field(await control.info('stats'), 'latest_fork_usec');
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'latin1');
  for (const child of children.trim().split(' ').filter(Boolean)) {
    process.kill(Number(child), 'SIGKILL');
  }
  while (field(await control.info('persistence'), 'rdb_bgsave_in_progress') !== 0) {
    await delay(20);
  }
  return micros;
}
