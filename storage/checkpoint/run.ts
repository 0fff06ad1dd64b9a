// One checkpoint from the cut to the durable file:
//
//   prepare   memory of the run is touched in the background        (not for a blocking run)
//   protect   the arena is write-protected in the background        (likewise)
//   approach  what was written since is protected again, in steps
//             between commands, until nothing is left               (likewise)
//   seal      between two commands: number and extents              seal.ts
//   arm       the arena is write-protected: the only pause          native
//   copy      a native thread copies the pages to the file          native
//   finish    manifest, fdatasync, rename, fsync                    native
//   prune     old ones are removed                                  here, by the thread pool
//
// One run at a time. On any failure the previous checkpoint stays as it was and the error is passed
// to `onDone`; nothing is thrown into a command.
import { type CheckpointCounters, native } from '../../native/index.js';
import { databaseCount } from '../heap.js';
import { avoidPendingExtents, useAllExtents, usedBytes } from '../memory/allocator.js';
import { describeExtents, setCheckpointExtents } from '../memory/extents.js';
import { databaseRoot } from '../memory/layout.js';
import { noteCut } from '../memory/settled.js';
import { tableCount } from '../structures/hash_table.js';
import {
  checkpointDirectory,
  checkpointPath,
  pruneCheckpoints,
  pruneInBackground,
} from './checkpoint_files.js';
import { type Seal, seal } from './seal.js';
import { describeCheckpoint, encodeTail } from './snapshot_format.js';

export interface CheckpointRequest {
  readonly dataDirectory: string;
  readonly memoryBytesMax: number;
  readonly keep: number;
  readonly serverVersion: string;
  readonly nowMillis: number;
  /** Called once, when the run has ended: null when the file is durable. */
  readonly onDone: (error: Error | null, counters: CheckpointCounters) => void;
  /** Called at the cut: what is changed from now on is not in this checkpoint. */
  readonly onCut: () => void;
}

/** The least that the native side needs: staging, a few pre-images, block table and page states. */
const NATIVE_BYTES_FIXED = 2 * 1024 * 1024 + 64 * 1024;
const NATIVE_BYTES_PER_EXTENT = 704;
/** Of the bound, what the native side takes at the cut. It gives most of it back when dense metadata is
 *  copied; the rest is for updates out of place, for which a byte does more than in the pool. */
const NATIVE_SHARE = 5 / 16;
/** Left over for what a run causes in passing: page tables, stacks, compiled code. */
const MARGIN_BYTES = 1280 * 1024;

/** Steps before the cut is made with whatever is left. A few are enough (native/snapshot/pre_arm.h). */
const APPROACH_STEPS_MAX = 100;
/** What updates out of place may take of that rest before the cut, so that some is left where it counts
 *  most. */
const SHARE_IN_PROTECTION = 0.5;
const SHARE_IN_APPROACH = 0.75;

let running = false;
let placementShare = 1;
/** A run between its preparation and its cut, and its next step. */
let approaching: { request: CheckpointRequest; step: NodeJS.Immediate } | null = null;
/** Somebody stands still until the run has ended: it must leave nothing to be done later. */
let awaited = false;

export function isCheckpointRunning(): boolean {
  return running;
}

/** Starts a checkpoint in the background. The cut follows within tens to hundreds of milliseconds. */
export function startCheckpoint(request: CheckpointRequest): void {
  running = true;
  const extents = describeExtents();
  guarded(request, () =>
    native.checkpointPrepare({
      extents,
      memoryBytesMax: nativeBound(request, extents),
      onPrepared: (error) => {
        if (error !== null) end(request, error);
        else protect(request);
      },
    }),
  );
}

/** From here on writes keep away from what is being protected, as they do after the cut. */
function protect(request: CheckpointRequest): void {
  const extents = describeExtents();
  guarded(request, () => {
    native.checkpointProtect({
      extents,
      onProtected: (error) => {
        if (error !== null) return end(request, error);
        placementShare = SHARE_IN_APPROACH;
        approach(request, APPROACH_STEPS_MAX);
      },
    });
    placementShare = SHARE_IN_PROTECTION;
    avoidPendingExtents(extents, () => placementBound(request));
  });
}

/** Makes the cut as soon as little is left to protect; commands run between the steps. */
function approach(request: CheckpointRequest, stepsLeft: number): void {
  approaching = null;
  guarded(request, () => {
    const isNear = native.checkpointApproach();
    if (isNear || stepsLeft === 0 || awaited) cut(request);
    else approaching = { request, step: setImmediate(approach, request, stepsLeft - 1) };
  });
}

/** Takes a checkpoint and returns when it has ended; onDone was called then. */
export function runCheckpoint(request: CheckpointRequest): void {
  running = true;
  avoidPendingExtents(describeExtents(), () => placementBound(request));
  cut(request);
  waitForCheckpoint();
}

/** Waits until the run that is active has ended. */
export function waitForCheckpoint(): void {
  awaited = true;
  if (approaching !== null) {
    const { request, step } = approaching;
    approaching = null;
    clearImmediate(step);
    cut(request);
  }
  while (running) native.checkpointWait();
  awaited = false;
}

/** What the native side may take; never less than it needs. */
function nativeBound(request: CheckpointRequest, extents: Uint8Array): number {
  const least = NATIVE_BYTES_FIXED + NATIVE_BYTES_PER_EXTENT * extents.length;
  return Math.max(Math.floor(request.memoryBytesMax * NATIVE_SHARE), least);
}

/** What updates out of place may take now: what the native side does not hold. */
function placementBound(request: CheckpointRequest): number {
  const held = native.checkpointCounters().extraBytes + MARGIN_BYTES;
  return (request.memoryBytesMax - held) * placementShare;
}

/** Seal and arm. */
function cut(request: CheckpointRequest): void {
  guarded(request, () => {
    const directory = checkpointDirectory(request.dataDirectory);
    const sealed = seal(directory);
    const path = checkpointPath(directory, sealed.epoch);
    const keys = Array.from({ length: databaseCount() }, (_, i) => tableCount(databaseRoot(i)));
    const used = usedBytes();
    native.checkpointStart({
      temporaryPath: `${path}.tmp`,
      extents: sealed.extents,
      memoryBytesMax: nativeBound(request, sealed.extents),
      onCopied: (error, tableChecksum) => {
        if (error !== null) end(request, error);
        else finish(request, sealed, tableChecksum, path, keys, used);
      },
    });
    setCheckpointExtents(sealed.extents);
    placementShare = 1;
    noteCut(native.checkpointCounters().epoch);
    request.onCut();
  });
}

function finish(
  request: CheckpointRequest,
  sealed: Seal,
  tableChecksum: number,
  path: string,
  keys: number[],
  used: number,
): void {
  guarded(request, () => {
    const manifest = describeCheckpoint(sealed.extents, {
      epoch: sealed.epoch,
      serverVersion: request.serverVersion,
      createdMillis: request.nowMillis,
      tableChecksum,
      pages: native.checkpointCounters().pagesTotal,
      keys,
      usedBytes: used,
    });
    native.checkpointFinish({
      tail: encodeTail(manifest),
      finalPath: path,
      onFinished: (error) => {
        if (error === null) prune(request);
        end(request, error);
      },
    });
  });
}

/** Makes one step of a run; an error in it ends the run and undoes what was done ahead. */
function guarded(request: CheckpointRequest, step: () => void): void {
  try {
    step();
  } catch (error) {
    native.checkpointAbort();
    end(request, asError(error));
  }
}

/** Old checkpoints that cannot be removed are no failure of the new one. */
function prune(request: CheckpointRequest): void {
  try {
    const directory = checkpointDirectory(request.dataDirectory);
    if (awaited) pruneCheckpoints(directory, request.keep);
    else pruneInBackground(directory, request.keep);
  } catch {
    // They are found and removed after the next checkpoint.
  }
}

function end(request: CheckpointRequest, error: Error | null): void {
  setCheckpointExtents(null);
  useAllExtents();
  running = false;
  request.onDone(error, native.checkpointCounters());
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
