// When checkpoints are taken and what INFO says of them: BGSAVE, SAVE, save points, SHUTDOWN.
import { type CheckpointCounters, native } from '../native/index.js';
import { isCheckpointRunning, runCheckpoint, startCheckpoint } from '../storage/checkpoint/run.js';
import { relocatedPeak } from '../storage/memory/settled.js';
import { changes } from './effects.js';
import { startFaultWatch, stopFaultWatch } from './fault_bursts.js';
import { recordLatency } from './latency.js';
import { runtime } from './runtime.js';
import { STILLFRAME_VERSION } from './version.js';

/** After a failed checkpoint, save points wait this long before they try again (as Redis does). */
const RETRY_MILLIS = 5000;

export const checkpointStatus = {
  lastSucceeded: true,
  lastSaveMillis: runtime.startMillis,
  lastAttemptMillis: 0,
  /** -1 until there was one. */
  lastSeconds: -1,
  startedMillis: 0,
  /** BGSAVE SCHEDULE while one is running: another follows. */
  scheduled: false,
  saves: 0,
  /** Keys of the checkpoint that was restored at the start. */
  keysLoaded: 0,
  last: null as CheckpointCounters | null,
  /** Of that run: most bytes that updates out of place held, and what caught writes cost in the worst
   *  turn of the loop. */
  lastRelocatedBytesPeak: 0,
  lastFaultBurstMicros: 0,
};

/** Starts a checkpoint in the background; none must be running. */
export function startBackgroundSave(): void {
  begin();
  startCheckpoint(request());
}

/** After FLUSHALL: where save points are set, what was flushed must not come back by a restart. */
export function saveSoon(): void {
  if (runtime.config.save.length === 0) return;
  if (isCheckpointRunning()) checkpointStatus.scheduled = true;
  else startBackgroundSave();
}

/** Takes a checkpoint before it returns: SAVE, SHUTDOWN. Returns whether it succeeded. */
export function saveNow(): boolean {
  begin();
  runCheckpoint(request());
  return checkpointStatus.lastSucceeded;
}

export { isCheckpointRunning };

function begin(): void {
  checkpointStatus.startedMillis = Date.now();
  checkpointStatus.lastAttemptMillis = checkpointStatus.startedMillis;
}

function request(): Parameters<typeof startCheckpoint>[0] {
  const config = runtime.config;
  let changesAtCut = 0;
  return {
    dataDirectory: config.dir,
    memoryBytesMax: config.checkpointExtraMemory,
    keep: config.checkpointKeep,
    serverVersion: STILLFRAME_VERSION,
    nowMillis: Date.now(),
    onCut: () => {
      changesAtCut = changes.sinceLastSave;
      recordLatency('checkpoint-pause', native.checkpointCounters().pauseMicros);
      startFaultWatch();
    },
    onDone: (error, counters) => ended(error, counters, changesAtCut),
  };
}

function ended(error: Error | null, counters: CheckpointCounters, changesAtCut: number): void {
  const status = checkpointStatus;
  const faultBurstMicros = stopFaultWatch();
  if (faultBurstMicros > 0) recordLatency('checkpoint-fault-burst', faultBurstMicros);
  status.lastSeconds = Math.round((Date.now() - status.startedMillis) / 1000);
  status.lastSucceeded = error === null;
  if (error !== null) {
    runtime.log.warning(`Checkpoint failed: ${error.message}`);
    return;
  }
  status.last = counters;
  status.lastRelocatedBytesPeak = relocatedPeak();
  status.lastFaultBurstMicros = faultBurstMicros;
  status.lastSaveMillis = Date.now();
  status.saves++;
  changes.sinceLastSave -= changesAtCut;
  runtime.log.notice(`Checkpoint saved: ${describeRun(counters)}`);
}

/** What a run cost, for the log. */
function describeRun(counters: CheckpointCounters): string {
  const { lastRelocatedBytesPeak, lastFaultBurstMicros } = checkpointStatus;
  const megabytes = (bytes: number): string => `${(bytes / 1048576).toFixed(1)} MB`;
  return [
    `${counters.pagesTotal} pages in ${(counters.durationMicros / 1000).toFixed(0)} ms`,
    `${megabytes(counters.fileBytes)} written`,
    `pause ${counters.pauseMicros} us`,
    `${counters.faults} faults (at most ${lastFaultBurstMicros} us in a turn)`,
    `${counters.pagesSaved} pages saved by writers`,
    `${counters.poolOverflows} past the pool`,
    `${megabytes(counters.extraBytesPeak)} extra memory`,
    `${megabytes(lastRelocatedBytesPeak)} relocated`,
  ].join(', ');
}

/** Part of the periodic work: save points and scheduled checkpoints. */
export function checkSavePoints(nowMillis: number): void {
  if (isCheckpointRunning()) return;
  const status = checkpointStatus;
  if (status.scheduled) {
    status.scheduled = false;
    startBackgroundSave();
    return;
  }
  if (!status.lastSucceeded && nowMillis - status.lastAttemptMillis < RETRY_MILLIS) return;
  const seconds = (nowMillis - status.lastSaveMillis) / 1000;
  for (const point of runtime.config.save) {
    if (changes.sinceLastSave < point.changes || seconds < point.seconds) continue;
    runtime.log.notice(
      `${point.changes} changes in ${point.seconds} seconds. Saving a checkpoint...`,
    );
    startBackgroundSave();
    return;
  }
}
