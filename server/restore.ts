// The restore of this start: what the log and INFO say of it, and what a damaged block leads to.
import { native } from '../native/index.js';
import type { LazyRestore } from '../storage/checkpoint/recovery.js';
import type { PersistenceFacts } from './info/info_source.js';
import { runtime } from './runtime.js';

/** Of the restore that has ended, in microseconds. */
let durationMicros = 0;

/** For a start that serves while it reads. */
export function lazyRestore(): LazyRestore {
  const { log } = runtime;
  const logDescriptor = log.openDescriptor();
  return {
    logDescriptor,
    onFilled: (error) => {
      log.closeDescriptor(logDescriptor);
      if (error === null) noteFilled();
      else stopServing(error);
    },
  };
}

/** The heap is there: all of it, or as much as has been touched. */
export function noteRestored(keys: number, path: string, isFilling: boolean, millis: number): void {
  const time = `${millis.toFixed(0)} ms`;
  if (!isFilling) {
    durationMicros = Math.round(millis * 1000);
    runtime.log.notice(`Restored ${keys} keys from ${path} in ${time}`);
    return;
  }
  const { bytesTotal } = native.restoreProgress();
  runtime.log.notice(
    `Restoring ${keys} keys from ${path}: opened in ${time}, ` +
      `${megabytes(bytesTotal)} MB are read in the background`,
  );
}

function noteFilled(): void {
  const progress = native.restoreProgress();
  durationMicros = progress.durationMicros;
  const seconds = durationMicros / 1e6;
  runtime.log.notice(
    `Restore ended: ${megabytes(progress.bytesDone)} MB in ${(seconds * 1000).toFixed(0)} ms ` +
      `(${(progress.bytesDone / 1e6 / seconds).toFixed(0)} MB/s), ` +
      `${progress.blocksTouched} blocks were read as they were touched`,
  );
}

/** A part of the data is missing for good: to serve on would be to answer wrongly, or to overwrite
 *  good checkpoints with a state that nobody can complete. */
function stopServing(error: Error): never {
  runtime.log.warning(`Cannot go on: ${error.message}`);
  process.stderr.write(`stillframe: ${error.message}\n`);
  process.exit(native.constants.damagedExitCode);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

/** For INFO persistence. */
export function restoreFacts(): Pick<
  PersistenceFacts,
  'isRestoring' | 'restoreBytesTotal' | 'restoreBytesDone' | 'restoreDurationMicros'
> {
  const progress = native.restoreProgress();
  return {
    isRestoring: progress.active,
    restoreBytesTotal: progress.bytesTotal,
    restoreBytesDone: progress.bytesDone,
    restoreDurationMicros: durationMicros,
  };
}
