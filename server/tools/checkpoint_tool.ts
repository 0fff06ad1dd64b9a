// What `stillframe verify` and `stillframe inspect` share: opening a checkpoint, and making its data
// the arena of this process. Loaded instead of the engine; nothing here imports storage's arena
// before the file is known.
import { closeSync, openSync } from 'node:fs';
import {
  CheckpointError,
  type Manifest,
  readManifestFrom,
} from '../../storage/checkpoint/snapshot_format.js';
import { arenaOptions } from '../../storage/memory/arena_options.js';

export interface OpenCheckpoint {
  readonly path: string;
  readonly file: number;
  readonly manifest: Manifest;
}

/** Opens a checkpoint and checks footer and manifest. Throws an Error for the user, which names the
 *  file. */
export function openCheckpoint(path: string): OpenCheckpoint {
  const file = openSync(path, 'r');
  try {
    return { path, file, manifest: readManifestFrom(file, path) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** Storage modules that are imported from now on see the checkpoint as their arena. */
export function useAsArena({ file, manifest }: OpenCheckpoint): void {
  arenaOptions.file = file;
  arenaOptions.bytes = manifest.dataBytes;
}

/** What is wrong, as one line that begins with the file. */
export function problemLine(path: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const line = reason.replace(/\s+/g, ' ');
  return error instanceof CheckpointError ? line : `${path}: ${line}`;
}
