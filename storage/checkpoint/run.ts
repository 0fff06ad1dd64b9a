// One checkpoint from the cut to the durable file:
//
//   number    after all that are there                              seal.ts
//   prepare   memory of the run is touched in the background        (not for a blocking run)
//   protect   the file is created, objects are write-protected, in
//             the background                                        (likewise)
//   approach  dense metadata, and what was written since, in steps
//             between commands, until nothing is left               (likewise)
//   seal      between two commands: what the checkpoint holds       seal.ts
//   arm       the arena is write-protected: the only pause          native
//   copy      native threads copy the pages to the file, dense
//             metadata first                                        native
//   finish    manifest, fdatasync, rename, fsync                    native
//   prune     old ones are removed                                  here, by the thread pool
//
// One run at a time. On any failure the previous checkpoint stays as it was and the error is passed
// to `onDone`; nothing is thrown into a command.
import { type CheckpointCounters, native } from '../../native/index.js';
import {
  avoidPendingExtents,
  dropEmptyCursors,
  noteCut,
  useAllExtents,
} from '../memory/allocator.js';
import { describeExtents, setCheckpointExtents } from '../memory/extents.js';
import {
  checkpointDirectory,
  checkpointPath,
  pruneCheckpoints,
  pruneInBackground,
} from './checkpoint_files.js';
import { numberCheckpoint, type Seal, seal } from './seal.js';
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
/** Of the bound, what the native side takes at the cut, to copy as much dense metadata as can be at memory
 *  speed. It gives most of it back when that is in the file; the rest is for updates out of place, for
 *  which a byte does more than in the pool. */
const NATIVE_SHARE = 3 / 4;
/** But so much is left for updates out of place: without any, writes undo the protection as fast as it is
 *  made. */
const PLACEMENT_BYTES_MIN = 4 * 1024 * 1024;
/** Left over for what a run causes in passing: page tables, stacks, compiled code. */
const MARGIN_BYTES = 1536 * 1024;

/** Steps before the cut is made with whatever is left. A tenth is enough (native/snapshot/pre_arm.h). */
const APPROACH_STEPS_MAX = 400;
/** What updates out of place may take of that rest before the cut, so that some is left where it counts
 *  most. */
const SHARE_IN_PROTECTION = 0.5;
const SHARE_IN_APPROACH = 0.75;

interface Run {
  readonly request: CheckpointRequest;
  readonly path: string;
  /** Extents that were in use when protection began; null for a blocking run. */
  protectedExtents: Uint8Array | null;
}

let running = false;
let placementShare = 1;
/** A run between its preparation and its cut, and its next step. */
let approaching: { run: Run; stepsLeft: number; step: NodeJS.Immediate } | null = null;
/** Somebody stands still until the run has ended: it must leave nothing to be done later. */
let awaited = false;

export function isCheckpointRunning(): boolean {
  return running;
}

/** Starts a checkpoint in the background. The cut follows within tens to hundreds of milliseconds. */
export function startCheckpoint(request: CheckpointRequest): void {
  begin(request, (run) => {
    dropEmptyCursors(); // what is empty need not be captured
    const extents = describeExtents();
    native.checkpointPrepare({
      extents,
      memoryBytesMax: nativeBound(request, extents),
      onPrepared: (error) => {
        if (error !== null) end(request, error);
        else guarded(request, () => protect(run));
      },
    });
  });
}

/** Takes a checkpoint and returns when it has ended; onDone was called then. */
export function runCheckpoint(request: CheckpointRequest): void {
  begin(request, (run) => {
    avoidPendingExtents(describeExtents(), () => placementBound(request));
    cut(run);
  });
  waitForCheckpoint();
}

/** Whether a run is near its cut, and the less is written between two of its steps the smaller they are. */
export function isApproaching(): boolean {
  return approaching !== null;
}

/** Takes the next step of the approach now, between two commands, instead of after this turn of the loop. */
export function stepNow(): void {
  if (approaching === null) return;
  const { run, stepsLeft, step } = approaching;
  clearImmediate(step);
  approach(run, stepsLeft - 1);
}

/** Waits until the run that is active has ended. */
export function waitForCheckpoint(): void {
  awaited = true;
  if (approaching !== null) {
    const { run, step } = approaching;
    approaching = null;
    clearImmediate(step);
    guarded(run.request, () => cut(run));
  }
  while (running) native.checkpointWait();
  awaited = false;
}

/** What the native side may take; never less than it needs. */
function nativeBound(request: CheckpointRequest, extents: Uint8Array): number {
  const least = NATIVE_BYTES_FIXED + NATIVE_BYTES_PER_EXTENT * extents.length;
  const bound = request.memoryBytesMax;
  const share = Math.min(Math.floor(bound * NATIVE_SHARE), bound - PLACEMENT_BYTES_MIN);
  return Math.max(share, least);
}

/** What updates out of place may take now: what the native side does not hold. */
function placementBound(request: CheckpointRequest): number {
  const held = native.checkpointCounters().extraBytes + MARGIN_BYTES;
  return (request.memoryBytesMax - held) * placementShare;
}

// --- the phases, in their order ------------------------------------------------------------------

function begin(request: CheckpointRequest, first: (run: Run) => void): void {
  running = true;
  guarded(request, () => {
    const directory = checkpointDirectory(request.dataDirectory);
    const path = checkpointPath(directory, numberCheckpoint(directory));
    first({ request, path, protectedExtents: null });
  });
}

/** From here on writes keep away from what is being protected, as they do after the cut. */
function protect(run: Run): void {
  const { request, path } = run;
  const extents = describeExtents();
  native.checkpointProtect({
    temporaryPath: temporaryOf(path),
    extents,
    onProtected: (error) => {
      if (error !== null) {
        end(request, error);
        return;
      }
      placementShare = SHARE_IN_APPROACH;
      approach(run, APPROACH_STEPS_MAX);
    },
  });
  run.protectedExtents = extents;
  placementShare = SHARE_IN_PROTECTION;
  avoidPendingExtents(extents, () => placementBound(request));
}

/** Makes the cut as soon as little is left to protect; commands run between the steps. */
function approach(run: Run, stepsLeft: number): void {
  approaching = null;
  guarded(run.request, () => {
    const isNear = native.checkpointApproach();
    if (isNear || stepsLeft === 0 || awaited) cut(run);
    else approaching = { run, stepsLeft, step: setImmediate(approach, run, stepsLeft - 1) };
  });
}

/** Seal and arm. */
function cut(run: Run): void {
  const { request, path } = run;
  const sealed = seal();
  native.checkpointStart({
    temporaryPath: temporaryOf(path),
    extents: orderOfCopy(sealed.extents, run.protectedExtents),
    memoryBytesMax: nativeBound(request, sealed.extents),
    onCopied: (error, tableChecksum) => {
      if (error !== null) end(request, error);
      else guarded(request, () => finish(run, sealed, tableChecksum));
    },
  });
  setCheckpointExtents(sealed.extents);
  placementShare = 1;
  noteCut(native.checkpointCounters().epoch);
  request.onCut();
}

/** Extents that came into use since protection began are where objects are made now: they go first, with
 *  dense metadata. */
function orderOfCopy(extents: Uint8Array, before: Uint8Array | null): Uint8Array {
  if (before === null) return extents;
  return extents.map((kind, extent) => (kind === 1 && (before[extent] ?? 0) === 0 ? 2 : kind));
}

function finish(run: Run, sealed: Seal, tableChecksum: number): void {
  const { request, path } = run;
  const manifest = describeCheckpoint(sealed.extents, {
    epoch: sealed.epoch,
    serverVersion: request.serverVersion,
    createdMillis: request.nowMillis,
    tableChecksum,
    pages: native.checkpointCounters().pagesTotal,
    keys: sealed.keys,
    usedBytes: sealed.usedBytes,
  });
  native.checkpointFinish({
    tail: encodeTail(manifest),
    finalPath: path,
    onFinished: (error) => {
      if (error === null) prune(request);
      end(request, error);
    },
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

function temporaryOf(path: string): string {
  return `${path}.tmp`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
