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
import { machine, printTable, writeResult } from './report.js';
import { type Contestant, ServerProcess } from './server_process.js';

const VALUE_BYTES = 128;
const BOUND = 'checkpoint-extra-memory';
const BOUNDS = ['64mb', '8mb'];
const BLOCK_BYTES = 512;

export interface CheckpointCostOptions {
  readonly contestants: readonly Contestant[];
  readonly keys: number;
  readonly idleSeconds: number;
  readonly checkpoints: number;
}

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
  readonly name: string;
  readonly costs: readonly Cost[];
}

export async function checkpointCost(options: CheckpointCostOptions): Promise<void> {
  const measured: Measured[] = [];
  for (const contestant of options.contestants) {
    for (const bound of BOUNDS) {
      const one = await measure(contestant, bound, options);
      if (one !== null) measured.push(one);
    }
  }
  console.log(
    `\nCheckpoints of ${options.keys} keys of ${VALUE_BYTES} bytes under random SETs at full ` +
      `speed, pipeline 16\n(extra: resident memory over that before, of the server + of its child)`,
  );
  printTable(
    [
      'server',
      's',
      'pause ms',
      'SET/s idle',
      'during',
      '%',
      'extra MB',
      'file MB',
      'to used',
      'faults',
      'saved',
      'overflows',
    ],
    measured.flatMap(({ name, costs }) => costs.map((cost, i) => row(`${name}, ${i + 1}`, cost))),
  );
  writeResult('checkpoint', {
    machine: machine(options.contestants),
    load: { keys: options.keys, valueBytes: VALUE_BYTES, idleSeconds: options.idleSeconds },
    results: measured,
  });
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
async function measure(
  contestant: Contestant,
  bound: string,
  options: CheckpointCostOptions,
): Promise<Measured | null> {
  const server = await ServerProcess.start(contestant);
  try {
    const control = await Control.open(server.port);
    const bounded = await configure(control, BOUND, bound);
    if (!bounded && bound !== BOUNDS[0]) return null;
    const name = bounded ? `${contestant.name} ${bound}` : contestant.name;
    console.log(`${name}: loading ${options.keys} keys`);
    await loadKeys(server.port, options.keys, VALUE_BYTES);
    const load = FullLoad.start(server.port, options.keys, VALUE_BYTES);
    const costs: Cost[] = [];
    try {
      await delay(1000); // connections, warm-up
      for (let i = 0; i < options.checkpoints; i++) {
        console.log(`${name}: checkpoint ${i + 1} of ${options.checkpoints}`);
        costs.push(await measureOne(server, control, options.idleSeconds));
      }
    } finally {
      await load.stop();
    }
    control.close();
    return { name, costs };
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
