// The workloads run through, tiny: a table, a ratio, a result file that says on what it was measured.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Comparison, Result } from '../../bench/report/result.js';
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

  test('memory', async () => {
    const { result } = await bench('memory', '--keys', '50000', '--rounds', '1');
    expectRows(result.comparisons?.[0], 2, 1);
    expectRows(result.comparisons?.[1], 1, 1);
  });

  test('latency', async () => {
    const args = ['--keys', '20000', '--rate', '5000', '--seconds', '1', '--rounds', '1'];
    const { stdout } = await bench('latency', ...args);
    expect(stdout).toMatch(/^stillframe, checkpoint 1( +\d+\.\d+){8}$/m);
  });

  test('checkpoint', async () => {
    const args = ['--keys', '50000', '--seconds', '1', '--rounds', '1'];
    const { stdout, result } = await bench('checkpoint', ...args);
    expect(stdout).toMatch(/^redis-server, 1 /m);
    expect(stdout).toMatch(/^stillframe 64mb, 1 /m);
    expect(stdout).toMatch(/^stillframe 8mb, 1 /m);
    expect(result.comparisons?.[0]?.rows).toHaveLength(10);
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
