// The server as a whole: recovers the heap, listens, and shuts down in order. Imported by serve.ts behind
// configure.ts, because importing storage opens the arena.
import { mkdirSync } from 'node:fs';
import { native, type ReactorHandle } from '../native/index.js';
import { setBulkBytesMax } from '../protocol/resp_parser.js';
import { fillHeap, recoverHeap } from '../storage/checkpoint/recovery.js';
import { waitForCheckpoint } from '../storage/checkpoint/run.js';
import { arena } from '../storage/memory/arena.js';
import { populateAhead } from '../storage/memory/extents.js';
import { setClock } from '../storage/structures/clock.js';
import { setNodeLimit } from '../storage/values/list.js';
import { checkpointStatus, saveNow } from './checkpoints.js';
import { noteUnixListener, startReactor } from './connections.js';
import { startCron, stopCron } from './cron.js';
import { lifecycle } from './lifecycle.js';
import { type Listeners, openListeners } from './listeners.js';
import { randomBytes, randomWord } from './random.js';
import { lazyRestore, noteRestored } from './restore.js';
import { runtime } from './runtime.js';
import { startWarmUp, stopWarmUp } from './warm_up.js';

let reactor: ReactorHandle | null = null;
let listeners: Listeners | null = null;

/** Recovers the data and starts to serve. Throws with a message for the user when it cannot. */
export function startEngine(): void {
  const { config, log } = runtime;
  runtime.runId = randomBytes(20).toString('hex');
  setClock(Date.now());
  setBulkBytesMax(config.protoMaxBulkLen);
  setNodeLimit(config.listMaxListpackSize);
  mkdirSync(config.dir, { recursive: true });
  log.notice(
    `Arena of ${Math.round(arena.bytes / 1048576)} MB; checkpoints by ${arena.mechanism}: ` +
      arena.mechanismReason,
  );
  native.serveFirst();
  const isFilling = recover();
  populateAhead();
  reactor = startReactor();
  listeners = openListeners(reactor, noteUnixListener);
  Object.assign(lifecycle, { exit, reopenListeners });
  startCron();
  startWarmUp();
  if (isFilling) fillHeap();
  log.notice('Ready to accept connections');
}

/** Returns whether most of the checkpoint is still to be read. */
function recover(): boolean {
  const { config, log } = runtime;
  const start = performance.now();
  const lazy = config.restore === 'lazy' ? lazyRestore() : null;
  const recovery = recoverHeap(config.dir, config.databases, config.restoreSkip, randomWord, lazy);
  for (const name of recovery.removed) log.notice(`Removed ${name}, left by a run that was killed`);
  for (const path of recovery.skipped) log.warning(`Passed over a checkpoint, now ${path}`);
  if (recovery.file === null) {
    log.notice('No checkpoint found: starting with an empty data set');
    return false;
  }
  checkpointStatus.keysLoaded = recovery.keys;
  const millis = performance.now() - start;
  noteRestored(recovery.keys, recovery.file.path, recovery.isFilling, millis);
  return recovery.isFilling;
}

/** Applies a change of `port` or `bind`: null, or why it cannot be. */
function reopenListeners(): string | null {
  return listeners?.reopen() ?? null;
}

function exit(save: boolean, force: boolean): void {
  if (shutDown(save, force)) process.exit(0);
}

/**
 * Stops serving. `save`: take a checkpoint first. Returns false, still serving, when that failed and
 * `force` is not set.
 */
export function shutDown(save: boolean, force: boolean): boolean {
  const { log } = runtime;
  waitForCheckpoint();
  if (save) {
    log.notice('Saving the final checkpoint before exiting.');
    if (!saveNow() && !force) {
      log.warning('Error trying to save the checkpoint, can not exit.');
      return false;
    }
  }
  stopCron();
  stopWarmUp();
  reactor?.shutdown();
  log.notice('Stillframe is now ready to exit, bye bye...');
  return true;
}
