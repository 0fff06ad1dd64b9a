// The benches run through, tiny: a table, a ratio, a result file that says on what it was measured.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { runTool } from '../support/run_tool.js';
import { BUILD_ROOT, temporaryFolder } from '../support/spawn_server.js';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a workload in a folder of its own; returns what it printed and the result it wrote. */
async function bench(
  ...args: string[]
): Promise<{ stdout: string; result: Record<string, unknown> }> {
  const main = join(BUILD_ROOT, 'dist/bench/main.js');
  const shell = ['-c', `cd '${folder}' && exec "$0" '${main}' "$@"`, process.execPath, ...args];
  const { code, stdout, stderr } = await runTool('/bin/sh', shell);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const results = join(folder, 'bench/results');
  const [name] = readdirSync(results);
  return { stdout, result: JSON.parse(readFileSync(join(results, name as string), 'utf8')) };
}

describeWithPeer('npm run bench', () => {
  test('throughput', async () => {
    const { stdout, result } = await bench('throughput', '--rounds', '1', '--divide', '100');
    for (const load of ['SET P=1', 'GET P=1', 'SET P=16', 'GET P=16', 'SET P=64', 'GET P=64']) {
      expect(stdout).toMatch(
        new RegExp(`^${load} +\\d+\\.\\d\\d +\\d+\\.\\d\\d +\\d+\\.\\d\\d`, 'm'),
      );
    }
    expect(result.microsPerRequest).toHaveLength(6);
    expect(result.machine).toMatchObject({ node: process.version });
  });

  test('memory', async () => {
    const { stdout, result } = await bench('memory', '--keys', '50000');
    expect(stdout).toContain('Resident memory with 50000 keys of 16 + 64 bytes');
    expect(result.results).toHaveLength(2);
  });

  test('latency', async () => {
    const args = ['--keys', '20000', '--rate', '5000', '--seconds', '1', '--rounds', '1'];
    const { stdout, result } = await bench('latency', ...args);
    expect(stdout).toMatch(/^stillframe, checkpoint 1( +\d+\.\d+){8}$/m);
    const results = result.results as { phases: { name: string; latency: { count: number } }[] }[];
    for (const { phases } of results) {
      expect(phases.map((phase) => phase.name)).toEqual(['idle', 'checkpoint 1', 'after 1']);
      const count = phases[0]?.latency.count as number;
      expect(count).toBeGreaterThan(4500); // a second at 5,000 requests a second
      expect(count).toBeLessThan(10_000);
    }
  });

  test('checkpoint', async () => {
    const args = ['--keys', '50000', '--seconds', '1', '--rounds', '1'];
    const { stdout, result } = await bench('checkpoint', ...args);
    expect(stdout).toMatch(/^redis-server, 1 /m);
    expect(stdout).toMatch(/^stillframe 64mb, 1 /m);
    expect(stdout).toMatch(/^stillframe 8mb, 1 /m);
    for (const { costs } of result.results as { costs: { rate: number; fileBytes: number }[] }[]) {
      expect(costs[0]?.rate).toBeGreaterThan(0);
      expect(costs[0]?.fileBytes).toBeGreaterThan(1_000_000);
    }
  });

  test('restart', async () => {
    const { stdout, result } = await bench('restart', '--heap', '0.03', '--rounds', '1');
    expect(stdout).toMatch(/^stillframe, 0.03 GiB +\d+ +-?\d+ +\d+ +\d+$/m);
    expect(result.results).toHaveLength(2);
  });

  test('an unknown workload is refused with the usage', async () => {
    const main = join(BUILD_ROOT, 'dist/bench/main.js');
    const { code, stderr } = await runTool(process.execPath, [main, 'nosuch']);
    expect(code).toBe(1);
    expect(stderr).toContain("unknown workload 'nosuch'");
    expect(stderr).toContain('npm run bench -- ');
  });
});
