// `npm run bench [-- WORKLOAD...] [options]`: see bench/README.md.
import { join } from 'node:path';
import { Progress } from '../server/tools/progress.js';
import { type Options, parseOptions, usage } from './options.js';
import { environment } from './report/environment.js';
import { comparisonTable, comparisonTitle } from './report/markdown.js';
import type { Result } from './report/result.js';
import { type Folders, foldersFor, writeResult } from './report/store.js';
import { textTable } from './report/text_table.js';
import { writeReport } from './report/write_report.js';
import { packageRoot, peer, stillframe } from './server/server_process.js';
import type { Bench, Entrant, Steps, Workload } from './workload.js';
import { WORKLOADS } from './workloads/all.js';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), WORKLOADS);
  if (options.help) {
    console.log(usage(WORKLOADS));
    return;
  }
  const root = options.output ?? join(packageRoot(), 'bench');
  const theirs: Entrant = { ...peer(options.peer), side: 'peer' };
  const subject = options.subject === null ? stillframe() : peer(options.subject);
  const ours: Entrant = { ...subject, side: 'ours' };
  const folders = foldersFor(root, options.whole, theirs.name);
  for (const [index, workload] of options.workloads.entries()) {
    const place = `${index + 1} of ${options.workloads.length}`;
    try {
      await runOne(workload, place, options, [theirs, ours], folders);
    } catch (error) {
      // The others still give their results; the last one of this workload stays.
      console.error(`${workload.name}: ${error instanceof Error ? error.message : error}`);
      process.exitCode = 1;
    }
  }
  const names = WORKLOADS.map(({ name }) => name);
  console.log(`report: ${writeReport(root, folders, names)}`);
}

async function runOne(
  workload: Workload,
  place: string,
  options: Options,
  [theirs, ours]: readonly [Entrant, Entrant],
  folders: Folders,
): Promise<void> {
  const progress = new Progress('bench', process.stderr);
  const bench: Bench = {
    entrants: [theirs, ours].filter(
      ({ side }) => options.only === null || (options.only === 'peer') === (side === 'peer'),
    ),
    seed: options.seed,
    steps: stepsOn(progress, `${workload.name} (${place})`),
    one: (name) => options.numbers(workload, name)[0] as number,
    all: (name) => options.numbers(workload, name),
  };
  const begin = performance.now();
  const measurement = await workload.run(bench);
  const seconds = (performance.now() - begin) / 1000;
  progress.end(`${workload.name} (${place}) took ${seconds.toFixed(0)} s`);
  const result: Result = {
    workload: workload.name,
    title: workload.title,
    about: workload.about,
    whole: options.whole,
    seconds,
    options: Object.fromEntries(
      Object.keys(workload.options).map((name) => [name, options.numbers(workload, name)]),
    ),
    environment: environment(theirs, ours, options.seed),
    ...measurement,
  };
  print(result);
  console.log(`written to ${writeResult(folders.results, result)}\n`);
}

function stepsOn(progress: Progress, subject: string): Steps {
  let total = 1;
  let done = -1;
  return {
    plan: (steps) => {
      total = steps;
    },
    step: (label) => progress.begin(`${subject}: ${label}`, total, ++done),
  };
}

function print(result: Result): void {
  for (const comparison of result.comparisons ?? []) {
    const { header, rows } = comparisonTable(comparison, result.environment);
    console.log(`\n${comparisonTitle(comparison)}\n${textTable(header, rows)}`);
  }
  for (const { title, header, rows } of result.tables ?? []) {
    console.log(`\n${title}\n${textTable(header, rows)}`);
  }
  for (const note of result.notes ?? []) console.log(`- ${note}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
