// Recovery: finds the newest checkpoint, checks it and takes its heap over. A damaged checkpoint
// stops the start: what to do with it is the user's decision, never ours.
//
// Lazily, only footer, manifest and block table are read before the heap is used; a damaged block is
// noticed when it is touched, which ends the process, or by the background threads.
import { native } from '../../native/index.js';
import { attachHeap, createHeap, databaseCount, isFormatted, type Random } from '../heap.js';
import { freeEmptyExtents } from '../memory/allocator.js';
import { arena, extentCount } from '../memory/arena.js';
import { setFilling } from '../memory/extents.js';
import { databaseRoot, EXTENT_BYTES } from '../memory/layout.js';
import { tableCount } from '../structures/hash_table.js';
import {
  type CheckpointFile,
  checkpointDirectory,
  listCheckpoints,
  removeTemporaries,
  setAside,
} from './checkpoint_files.js';
import { CheckpointError, type Manifest, readManifest } from './snapshot_format.js';

/** How a lazy restore tells what becomes of it. */
export interface LazyRestore {
  /** Descriptor of the log, for a message that cannot wait; open until onFilled. */
  readonly logDescriptor: number;
  /** Everything is in memory, or the rest cannot be read: the error says why and what to do. */
  readonly onFilled: (error: Error | null) => void;
}

export interface Recovery {
  /** The checkpoint that was restored, or null: the heap is new and empty. */
  readonly file: CheckpointFile | null;
  readonly keys: number;
  /** Most of the file is still to be read: call fillHeap(); onFilled follows. */
  readonly isFilling: boolean;
  /** Temporary files of runs that were killed, removed now. */
  readonly removed: readonly string[];
  /** Checkpoints that were passed over, with their new paths. */
  readonly skipped: readonly string[];
}

/**
 * Restores the newest checkpoint below a data directory, or formats a new heap when there is none.
 * `skip`: how many of the newest to pass over. `lazy`: null reads everything before it returns, and so
 * does a mechanism without missing pages. Throws CheckpointError (or another Error of the file
 * system) when the checkpoint cannot be used.
 */
export function recoverHeap(
  dataDirectory: string,
  databases: number,
  skip: number,
  random: Random,
  lazy: LazyRestore | null,
): Recovery {
  const directory = checkpointDirectory(dataDirectory);
  const removed = removeTemporaries(directory);
  const files = listCheckpoints(directory);
  if (skip > files.length) {
    throw new Error(
      `restore-skip is ${skip}, but ${directory} has ${files.length} checkpoints: ` +
        'there is none behind them',
    );
  }
  const file = files[skip] ?? null;
  const fill = arena.mechanism === 'userfaultfd' ? lazy : null;
  if (file === null) createHeap(databases, random);
  else restoreOrAdvise(files, skip, databases, random, fill);
  const skipped = files.slice(0, skip).map(setAside);
  return { file, keys: totalKeys(), isFilling: file !== null && fill !== null, removed, skipped };
}

/**
 * Starts to read what a lazy restore has not read yet, in the background. Not before the server serves:
 * the threads would take the disk and a core from the start.
 */
export function fillHeap(): void {
  native.startFilling();
}

/**
 * Puts the newest checkpoint into the arena again, in place of what is there. Throws when there is
 * none or it cannot be used; the heap is then what it was, or empty when the file failed its
 * checksums on the way. No checkpoint must be running.
 */
export function reloadHeap(dataDirectory: string, databases: number, random: Random): void {
  const directory = checkpointDirectory(dataDirectory);
  const newest = listCheckpoints(directory)[0];
  if (newest === undefined) throw new Error(`there is no checkpoint in ${directory}`);
  try {
    restoreHeap(newest.path, databases, random, null);
  } catch (error) {
    if (!isFormatted()) createHeap(databases, random);
    throw error;
  }
}

/** restoreHeap() of files[skip]; a failure names the way out beside what is wrong. */
function restoreOrAdvise(
  files: readonly CheckpointFile[],
  skip: number,
  databases: number,
  random: Random,
  lazy: LazyRestore | null,
): void {
  const older = files[skip + 1];
  const next = older === undefined ? 'with an empty data set' : `from ${older.path}`;
  const advice = `To start ${next} instead: --restore-skip ${skip + 1}`;
  try {
    const fill = lazy === null ? null : { ...lazy, advice };
    restoreHeap(files[skip]!.path, databases, random, fill);
  } catch (error) {
    throw new Error(`${messageOf(error)}. ${advice}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Puts the heap of a checkpoint into the arena, in place of what is there. */
function restoreHeap(
  path: string,
  databases: number,
  random: Random,
  lazy: (LazyRestore & { readonly advice: string }) | null,
): void {
  const manifest = readManifest(path);
  if (manifest.extents.length > extentCount) {
    throw new CheckpointError(
      path,
      `an arena of at least ${manifest.extents.length * EXTENT_BYTES} bytes (arena-size)`,
      `${extentCount * EXTENT_BYTES}`,
    );
  }
  const { extents, tableOffset, tableChecksum } = manifest;
  const request = { path, extents, tableOffset, tableChecksum };
  setFilling(lazy !== null);
  if (lazy === null) {
    native.restoreExtents(request);
  } else {
    const { advice, logDescriptor } = lazy;
    native.restoreLazily({
      ...request,
      advice,
      logDescriptor,
      onFilled: (error) => {
        setFilling(false);
        freeEmptyExtents();
        lazy.onFilled(error === null ? null : new Error(`${error.message}. ${advice}`));
      },
    });
  }
  try {
    attachHeap(databases, random);
    compareWithManifest(path, manifest);
  } catch (error) {
    throw error instanceof CheckpointError ? error : new Error(`${path}: ${messageOf(error)}`);
  }
}

function compareWithManifest(path: string, manifest: Manifest): void {
  manifest.keys.forEach((keys, i) => {
    const found = i < databaseCount() ? tableCount(databaseRoot(i)) : 0;
    if (found !== keys)
      throw new CheckpointError(path, `${keys} keys in database ${i}`, `${found}`);
  });
}

function totalKeys(): number {
  let keys = 0;
  for (let i = 0; i < databaseCount(); i++) keys += tableCount(databaseRoot(i));
  return keys;
}
