// Where checkpoints lie and how they are named:  <dir>/checkpoints/<epoch, ten digits>.still
//
//   .still.tmp      a run that did not end; removed at the next start
//   .still.skipped  passed over on the user's word (restore-skip); kept for the user, never read
import { mkdirSync, readdirSync, renameSync, rmSync, unlink } from 'node:fs';
import { join } from 'node:path';

const NAME = /^(\d{10})\.still$/;
const TEMPORARY = /^\d{10}\.still\.tmp$/;

export interface CheckpointFile {
  readonly epoch: number;
  readonly path: string;
}

/** The folder of the checkpoints below the data directory, created when absent. */
export function checkpointDirectory(dataDirectory: string): string {
  const directory = join(dataDirectory, 'checkpoints');
  mkdirSync(directory, { recursive: true });
  return directory;
}

export function checkpointPath(directory: string, epoch: number): string {
  return join(directory, `${String(epoch).padStart(10, '0')}.still`);
}

/** All checkpoints, newest first. */
export function listCheckpoints(directory: string): CheckpointFile[] {
  const files: CheckpointFile[] = [];
  for (const name of readdirSync(directory)) {
    const match = NAME.exec(name);
    if (match !== null) files.push({ epoch: Number(match[1]), path: join(directory, name) });
  }
  return files.sort((a, b) => b.epoch - a.epoch);
}

/** The highest number that any file here bears, also a skipped one; 0 when there is none. */
export function highestEpoch(directory: string): number {
  let highest = 0;
  for (const name of readdirSync(directory)) {
    const match = /^(\d{10})\.still/.exec(name);
    if (match !== null) highest = Math.max(highest, Number(match[1]));
  }
  return highest;
}

/** Removes what runs that were killed have left. Returns the names. */
export function removeTemporaries(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => TEMPORARY.test(name));
  for (const name of names) rmSync(join(directory, name), { force: true });
  return names;
}

/** Removes all but the newest `keep` checkpoints before it returns. */
export function pruneCheckpoints(directory: string, keep: number): void {
  for (const file of listCheckpoints(directory).slice(keep)) rmSync(file.path, { force: true });
}

/**
 * The same on a thread of the pool: to remove a file of a gigabyte takes the file system 60 ms and
 * more. What cannot be removed stays for the next time.
 */
export function pruneInBackground(directory: string, keep: number): void {
  for (const file of listCheckpoints(directory).slice(keep)) {
    unlink(file.path, () => undefined);
  }
}

/** Takes a checkpoint out of the row without destroying it. Returns its new path. */
export function setAside(file: CheckpointFile): string {
  const path = `${file.path}.skipped`;
  renameSync(file.path, path);
  return path;
}
