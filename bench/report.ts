// Tables for people, JSON for later comparison. Every result says on what it was measured.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Contestant } from './server_process.js';

/** Prints rows under a header, columns as wide as their widest cell; numbers to the right. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  for (const row of all) {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
    );
    console.log(cells.join('  '));
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The machine and the versions that a result holds for. */
export function machine(contestants: readonly Contestant[]): Record<string, unknown> {
  const processors = cpus();
  return {
    time: new Date().toISOString(),
    processor: processors[0]?.model ?? 'unknown',
    processors: processors.length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    versions: Object.fromEntries(contestants.map((one) => [one.name, version(one)])),
  };
}

function version(contestant: Contestant): string {
  const args = [...contestant.args, '--version'];
  return execFileSync(contestant.program, args, { encoding: 'utf8' }).trim();
}

/** Writes bench/results/NAME-TIME.json below the current folder and says so. */
export function writeResult(name: string, result: Record<string, unknown>): void {
  const folder = join('bench', 'results');
  mkdirSync(folder, { recursive: true });
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  const path = join(folder, `${name}-${time}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`\nwritten to ${path}`);
}
