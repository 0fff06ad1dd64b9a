// The mechanisms workload: the program notices every write under each mechanism that this kernel has,
// and says of the others why not; claims are judged by the figures.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nativeProgram } from '../../bench/native_program.js';
import { claimNotes, claimsTable, type Medians } from '../../bench/workloads/mechanism_claims.js';
import { runTool } from '../support/run_tool.js';
import { BUILD_ROOT, temporaryFolder } from '../support/spawn_server.js';

const MIB = 8;
const PAGES = MIB * 256;

function run(name: string, hugePages: boolean): Record<string, unknown> {
  const args = [name, String(MIB), String(PAGES), hugePages ? '1' : '0', '42'];
  return JSON.parse(execFileSync(nativeProgram('mechanisms'), args, { encoding: 'utf8' }));
}

test.each([
  ['uffd-sigbus', true],
  ['uffd-thread', true],
  ['uffd-async', false],
  ['mprotect-4k', true],
  ['fork', true],
])('%s notices each page that was written', (name, keeps) => {
  for (const hugePages of [true, false]) {
    const result = run(name, hugePages);
    if (result.reason !== undefined) {
      expect(name).toMatch(/^uffd-/); // containers often refuse it; the others are always there
      continue;
    }
    const { touched, found } = result as { touched: number; found: number };
    expect(touched).toBeGreaterThan(PAGES / 2);
    expect(result).toMatchObject({ keeps, wrong: 0, failure: '' });
    if (name !== 'fork') expect(found).toBe(touched);
    if (keeps) expect(result.extra).toBeGreaterThanOrEqual(touched * 4096);
    expect((result.first as { p50: number }).p50).toBeGreaterThan(0);
  }
});

test('mprotect by larger granules saves whole ones', () => {
  const { touched, found } = run('mprotect-64k', true) as { touched: number; found: number };
  expect(found).toBeGreaterThan(touched);
  expect(found % 16).toBe(0);
});

test('soft-dirty bits are there, or the reason why not', () => {
  const result = run('soft-dirty', false);
  if (result.reason === undefined)
    expect(result.found).toBeGreaterThanOrEqual(result.touched as number);
  else expect(result.reason).toContain('CONFIG_MEM_SOFT_DIRTY');
});

test('without protection nothing is noticed', () => {
  expect(run('none', false)).toMatchObject({ found: 0, mappings: 0 });
});

test('the workload makes a row of each, and judges the claims', async () => {
  const folder = temporaryFolder();
  try {
    const main = join(BUILD_ROOT, 'dist/bench/main.js');
    const args = [main, 'mechanisms', '--mib', '4', '--rounds', '1', '--output', folder];
    const { code, stdout } = await runTool(process.execPath, args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^mprotect \+ SIGSEGV, 4 KiB +on +\d+\.\d\d /m);
    expect(stdout).toMatch(/^fork, copy-on-write +off +\d+\.\d\d /m);
    expect(stdout).toMatch(/^soft-dirty bits +on +(not to be had: |\d)/m);
    expect(existsSync(join(folder, 'results/quick/plots/mechanisms-arm.svg'))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a claim holds, does not hold, or cannot be known', () => {
  const medians = (firstP50: number, failure = ''): Medians => {
    const same = { arm: 1, armAgain: 1, firstP99: 1, cpu: 5e6, mappings: 3, extra: 1 };
    return { ...same, firstP50, failure };
  };
  const rows = claimsTable((name, hugePages) => {
    if (name === 'fork') return null;
    if (name === 'mprotect-4k') return medians(10_000, hugePages ? 'out of mappings' : '');
    return name === 'uffd-thread' ? medians(9_500) : medians(5_000);
  }).rows;
  const holds = (what: string): string[] =>
    rows.filter(([measured]) => measured?.startsWith(what)).map((row) => row.at(-1) as string);
  expect(holds('caught write, p50: handler thread')).toEqual(['no: the same', 'no: the same']);
  expect(holds('caught write, p50: SIGBUS')).toEqual(['yes', 'yes']);
  expect(holds('CPU time of the whole run: SIGBUS')).toEqual(['yes', 'no: the same']);
  expect(holds('arming, memory')).toEqual(['not known', 'not known']);
  expect(claimNotes().join()).toContain('January 2019');
});
