// What one checkpoint costs a server that is under load: pause, duration, memory, bytes written, and the
// share of its throughput that is left.
//
// Figures come from outside where they can: memory is that of /proc, sampled; bytes written are the
// blocks of the file. Where only the server can know (pause, faults), from INFO.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { commandRate, countCommands } from '../load/full_load.js';
import { type CheckpointSpan, takeCheckpoint } from './checkpoints.js';
import { type Control, field, type Info } from './control.js';
import { MemorySampler } from './memory_sampler.js';
import type { ServerProcess } from './server_process.js';

const BLOCK_BYTES = 512;
const POLL_MILLIS = 20;

export interface Cost {
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

/** Takes one; `idleSeconds` before it the load is watched. */
export async function measureOne(
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

/**
 * The pause of a server that forks, in microseconds. Its child is ended at once: what it would write is
 * the business of measureOne, and with a large heap under writes it could need twice the memory.
 */
export async function forkPause(server: ServerProcess, control: Control): Promise<number> {
  await control.ask('BGSAVE');
  const micros = field(await control.info('stats'), 'latest_fork_usec');
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'latin1');
  for (const child of children.trim().split(' ').filter(Boolean)) {
    process.kill(Number(child), 'SIGKILL');
  }
  while (field(await control.info('persistence'), 'rdb_bgsave_in_progress') !== 0) {
    await delay(POLL_MILLIS);
  }
  return micros;
}
