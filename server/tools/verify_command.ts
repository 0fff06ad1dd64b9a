// `stillframe verify FILE|DIR`: proves checkpoint files sound without a server.
//
//   FILE   footer and manifest, block table, every block's checksum, then the walk over the heap
//   DIR    every checkpoint in DIR and in DIR/checkpoints, each in a process of its own, because a
//          process has one arena
//
// Standard output has one line per good file and one line per problem; progress is on standard error.
// Files are opened read-only and mapped so that a store would end the process.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkBlocks } from '../../storage/checkpoint/check_blocks.js';
import { listCheckpoints } from '../../storage/checkpoint/checkpoint_files.js';
import { humanBytes } from '../info/memory_fields.js';
import { type OpenCheckpoint, openCheckpoint, problemLine, useAsArena } from './checkpoint_tool.js';
import { Progress } from './progress.js';
import type { Tool } from './tool.js';

const HELP = `Usage: stillframe verify FILE|DIR

Checks a checkpoint, or every checkpoint in DIR and DIR/checkpoints: footer, manifest,
block table, the checksum of every block, then the whole heap: that each piece of memory
has one owner or is free, that every key is found where its hash says, that all counters
agree. Needs no server and changes nothing.

Prints a line for each good file and for each problem. Exit code 0: all are good; 1: not.
`;

/** Damaged blocks of a file that get a line of their own. */
const PROBLEM_LINES_MAX = 20;

export const verifyTool: Tool = { help: HELP, options: [], run: verify };

async function verify(path: string): Promise<number> {
  try {
    const kind = statSync(path);
    if (kind.isDirectory()) return await verifyDirectory(path);
    if (kind.isFile()) return await verifyFile(path);
    print(`${path}: expected a checkpoint file or a directory, found another kind of file`);
  } catch (error) {
    print(problemLine(path, error));
  }
  return 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

// --- one file ------------------------------------------------------------------------------------

async function verifyFile(path: string): Promise<number> {
  const start = performance.now();
  const checkpoint = openCheckpoint(path);
  try {
    const progress = new Progress(path, process.stderr);
    progress.begin('footer and manifest', 1);
    progress.end('footer and manifest are good');
    if (!checkAllBlocks(checkpoint, progress)) return 1;
    const keys = await walkHeap(checkpoint, progress);
    const { epoch, createdMillis, dataBytes } = checkpoint.manifest;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    print(
      `${path}: good: checkpoint ${epoch} of ${new Date(createdMillis).toISOString()}, ` +
        `${keys} keys, ${humanBytes(dataBytes)} of data, verified in ${seconds} s`,
    );
    return 0;
  } finally {
    closeSync(checkpoint.file);
  }
}

/** Prints what is wrong with the blocks; whether nothing is. */
function checkAllBlocks({ path, file, manifest }: OpenCheckpoint, progress: Progress): boolean {
  progress.begin('checksums', manifest.dataBytes);
  const report = checkBlocks(file, manifest, PROBLEM_LINES_MAX, (bytes) => progress.update(bytes));
  const isGood = report.problems.length === 0;
  progress.end(
    isGood
      ? `block table and checksums of ${report.blocks} blocks are good`
      : 'checksums are wrong: the heap is not walked',
  );
  for (const problem of report.problems) print(`${path}: ${problem}`);
  const more = report.damagedBlocks - report.problems.length;
  if (more > 0) print(`${path}: ${more} more blocks are damaged`);
  return isGood;
}

/** Walks the heap of the checkpoint as the arena of this process. Returns the number of keys. */
async function walkHeap(checkpoint: OpenCheckpoint, progress: Progress): Promise<number> {
  useAsArena(checkpoint);
  const { verifyMappedHeap } = await import('../../storage/checkpoint/verify_file.js');
  const { manifest } = checkpoint;
  progress.begin(
    'heap',
    manifest.keys.reduce((sum, keys) => sum + keys, 0),
  );
  try {
    const report = verifyMappedHeap(manifest, (keys) => progress.update(keys));
    progress.end(`heap is good: ${report.keys} keys, ${report.objects} objects`);
    return report.keys;
  } catch (error) {
    progress.end('heap is not good');
    throw new Error(`heap: ${error instanceof Error ? error.message : String(error)}`);
  }
}

// --- a directory ---------------------------------------------------------------------------------

async function verifyDirectory(directory: string): Promise<number> {
  const folders = [directory, join(directory, 'checkpoints')].filter((path) => existsSync(path));
  const files = folders.flatMap((folder) => listCheckpoints(folder));
  if (files.length === 0) {
    print(`${directory}: expected checkpoints (*.still) here or in 'checkpoints', found none`);
    return 1;
  }
  let damaged = 0;
  for (const { path } of files) {
    // A server that runs removes old checkpoints when a newer one is there.
    if (!existsSync(path)) print(`${path}: gone, removed since this command started`);
    else if (!(await verifyInProcess(path))) damaged++;
  }
  if (damaged > 0) print(`${directory}: ${damaged} of ${files.length} checkpoints are not good`);
  return damaged > 0 ? 1 : 0;
}

/** Runs this command for one file, with our streams. */
function verifyInProcess(path: string): Promise<boolean> {
  const args = [...process.execArgv, process.argv[1]!, 'verify', path];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal !== null) print(`${path}: verify ended with ${signal} while it read this file`);
      resolve(code === 0);
    });
  });
}
