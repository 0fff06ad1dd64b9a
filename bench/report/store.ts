// Result files: one of each workload, the latest, below a folder that says what kind of run it was.
//
//     bench/results/NAME.json           whole runs against redis-server: committed
//     bench/results/PEER/NAME.json      whole runs against another peer
//     bench/results/quick/NAME.json     quick runs and those with options of their own: not committed
//
// REPORT.md and plots/ stand beside results/ for the first, else in the folder itself.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from './result.js';

/** Where the results, the report and the plots of a run go. */
export interface Folders {
  readonly results: string;
  readonly report: string;
}

/** `root` is the folder bench/ of the checkout, or another one. */
export function foldersFor(root: string, whole: boolean, peer: string): Folders {
  const results = join(root, 'results');
  if (whole && peer === 'redis-server') return { results, report: root };
  const own = join(results, whole ? peer : 'quick');
  return { results: own, report: own };
}

/** Writes NAME.json, replacing the last one as a whole; returns its path. */
export function writeResult(folder: string, result: Result): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${result.workload}.json`);
  writeFileSync(`${path}.new`, `${JSON.stringify(result, shortNumbers)}\n`);
  renameSync(`${path}.new`, path);
  return path;
}

/** All results in a folder, in the order of `names`, then of their own names. */
export function readResults(folder: string, names: readonly string[]): Result[] {
  const rank = (name: string): number => (names.includes(name) ? names.indexOf(name) : Infinity);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Result)
    .sort((a, b) => rank(a.workload) - rank(b.workload) || (a.workload < b.workload ? -1 : 1));
}

/** Six significant digits are more than any figure here is good for. */
function shortNumbers(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'number' || Number.isInteger(value)) return value;
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}
