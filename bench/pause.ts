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
import { machine, printTable, writeResult } from './report.js';
import { type Contestant, ServerProcess } from './server_process.js';

const VALUE_BYTES = 1024;
const CHECKPOINTS = 10;
const WRITE_MILLIS = 2000;

export interface PauseOptions {
  readonly contestants: readonly Contestant[];
  /** Bytes of keys and values, one heap each. */
  readonly heapGibibytes: readonly number[];
}

interface Measured {
  readonly name: string;
  readonly gibibytes: number;
  readonly keys: number;
  readonly pauseMicros: readonly number[];
}

export async function pause(options: PauseOptions): Promise<void> {
  const measured: Measured[] = [];
  for (const gibibytes of options.heapGibibytes) {
    for (const contestant of options.contestants) {
      measured.push(await measure(contestant, gibibytes));
    }
  }
  console.log('\nPause at the start of a checkpoint, in milliseconds, random writes in between');
  printTable(
    ['server, heap', 'first', 'second', 'tenth', 'worst'],
    measured.map(({ name, gibibytes, pauseMicros }) => [
      `${name}, ${gibibytes} GiB`,
      ...[pauseMicros[0], pauseMicros[1], pauseMicros.at(-1), Math.max(...pauseMicros)].map(
        (micros) => ((micros ?? Number.NaN) / 1000).toFixed(2),
      ),
    ]),
  );
  writeResult('pause', {
    machine: machine(options.contestants),
    load: { valueBytes: VALUE_BYTES, checkpoints: CHECKPOINTS, writeMillis: WRITE_MILLIS },
    results: measured,
  });
}

async function measure(contestant: Contestant, gibibytes: number): Promise<Measured> {
  const keys = Math.floor((gibibytes * 2 ** 30) / (VALUE_BYTES + 16));
  console.log(`${contestant.name}: loading ${gibibytes} GiB`);
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
    return { name: contestant.name, gibibytes, keys, pauseMicros };
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
