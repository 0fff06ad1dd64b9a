// The workloads run through, tiny: a table, a ratio, a result file that says on what it was measured.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Comparison, LinePlot, Result } from '../../bench/report/result.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { runTool } from '../support/run_tool.js';
import { BUILD_ROOT, temporaryFolder } from '../support/spawn_server.js';

const MAIN = join(BUILD_ROOT, 'dist/bench/main.js');

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a workload; returns what it printed and the result it wrote. */
async function bench(
  workload: string,
  ...args: string[]
): Promise<{ stdout: string; result: Result }> {
  const all = [MAIN, workload, ...args, '--output', folder];
  const { code, stdout, stderr } = await runTool(process.execPath, all);
  expect(stderr).toMatch(new RegExp(`^bench: ${workload} \\(1 of 1\\) took \\d+ s\n$`));
  expect(code).toBe(0);
  const quick = join(folder, 'results/quick');
  expect(existsSync(join(quick, 'REPORT.md'))).toBe(true);
  return { stdout, result: JSON.parse(readFileSync(join(quick, `${workload}.json`), 'utf8')) };
}

/** Every row has a figure above zero of each server, for each round. */
function expectRows(comparison: Comparison | undefined, rows: number, rounds: number): void {
  expect(comparison?.rows).toHaveLength(rows);
  for (const { peer, ours } of comparison?.rows ?? []) {
    expect(peer).toHaveLength(rounds);
    expect(ours).toHaveLength(rounds);
    for (const figure of [...peer, ...ours]) expect(figure).toBeGreaterThan(0);
  }
}

describeWithPeer('npm run bench', () => {
  test('throughput', async () => {
    const args = ['--rounds', '2', '--divide', '200', '--rows', '6'];
    const { stdout, result } = await bench('throughput', ...args);
    expect(stdout).toMatch(/^GET, pipeline 1 +[\d.]+ \(\d+ %\) +[\d.]+ \(\d+ %\) +\d+\.\d\d \(/m);
    for (const comparison of result.comparisons ?? []) expectRows(comparison, 6, 2);
    expect(result.environment).toMatchObject({ node: process.version, seed: 42 });
    expect(result.environment.versions.peer.version).toContain('v=7.0');
    expect(result.whole).toBe(false);
  });

  test('types', async () => {
    const { stdout, result } = await bench('types', '--rounds', '2', '--divide', '500');
    expect(stdout).toMatch(/^HSET, one hash +[\d.]+ \(\d+ %\) +[\d.]+ \(\d+ %\) +\d+\.\d\d \(/m);
    for (const comparison of result.comparisons ?? []) expectRows(comparison, 23, 2);
  });

  test('memory', async () => {
    const { result } = await bench(
      'memory',
      ...['--keys', '200000', '--rounds', '1', '--steady', '0.1'],
    );
    expectRows(result.comparisons?.[0], 2, 1);
    expectRows(result.comparisons?.[1], 5, 1);
    expectRows(result.comparisons?.[2], 1, 1);
  });

  test('latency', async () => {
    const { stdout, result } = await bench(
      'latency',
      ...['--keys', '20000', '--seconds', '0.1', '--rounds', '1'],
    );
    expect(stdout).toMatch(
      /^SET, pipeline 16, \d+k\/s: p99 .* generator late: p99 \d+ \/ \d+ us$/m,
    );
    expectRows(result.comparisons?.[0], 12, 1);
    expect(result.plots).toHaveLength(4);
  });

  test('checkpoint', async () => {
    const args = ['--keys', '20000', '--rate', '5000', '--seconds', '0.3', '--rounds', '1'];
    const { result } = await bench('checkpoint', ...args);
    expectRows(result.comparisons?.[0], 12, 1);
    expectRows(result.comparisons?.[1], 5, 1);
    for (const plot of result.plots as LinePlot[]) {
      for (const { points } of plot.series) {
        expect(points[0]?.[0]).toBeLessThan(0); // it begins before BGSAVE
        expect(points.at(-1)?.[0]).toBeGreaterThan(0.5);
      }
    }
  });

  test('heaps', async () => {
    const { stdout, result } = await bench(
      'heaps',
      ...['--heap', '0.03', '--seconds', '0.3', '--rounds', '2'],
    );
    expect(stdout).toMatch(/^redis-server, 0.03 GiB +\d+\.\d\d /m);
    expect(stdout).toMatch(/^stillframe, 0.03 GiB, bound 8mb +\d+\.\d\d /m);
    const pause = result.comparisons?.[0]?.rows[0];
    expect(pause?.peer).toHaveLength(2);
    expect(pause?.ours).toHaveLength(2);
  });

  test('restart', async () => {
    const args = ['--heap', '0.03', '--rounds', '1', '--starts', '3'];
    const { result } = await bench('restart', ...args);
    expectRows(result.comparisons?.[0], 3, 1);
    expect(result.comparisons?.[1]?.rows[0]?.ours).toHaveLength(3);
  });

  test('an unknown workload is refused with the usage', async () => {
    const { code, stderr } = await runTool(process.execPath, [MAIN, 'nosuch']);
    expect(code).toBe(1);
    expect(stderr).toContain("unknown workload 'nosuch'");
    expect(stderr).toContain('npm run bench -- ');
  });
});
