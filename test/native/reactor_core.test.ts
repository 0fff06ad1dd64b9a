// The reactor's C++ core without Node: its native tests, plain and under ASan and UBSan.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const NATIVE = new URL('../../native/', import.meta.url).pathname;
const FLAGS = ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-Wall', '-Wextra', '-Werror'];
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-g'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(process.env.STILLFRAME_TEST_TMP ?? tmpdir(), 'reactor-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sources(subfolder: string, prefix: string): string[] {
  return readdirSync(NATIVE + subfolder)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.cpp'))
    .map((name) => join(NATIVE, subfolder, name));
}

function buildAndRun(name: string, flags: readonly string[]): string {
  const program = join(folder, name);
  const files = [...sources('reactor', ''), ...sources('test', 'reactor_')];
  execFileSync('g++', [...FLAGS, ...flags, ...files, '-o', program], { stdio: 'inherit' });
  // setarch -R: the sanitizer's fixed shadow addresses do not go with the widest randomisation.
  // Sockets of the tests are named in TMPDIR, and gone afterwards.
  const env = { ...process.env, TMPDIR: mkdtempSync(join(folder, 'sockets-')) };
  const printed = execFileSync('setarch', ['-R', program], { encoding: 'utf8', env });
  rmdirSync(env.TMPDIR);
  expect(() => execFileSync('setarch', ['-R', program], { env, stdio: 'pipe' })).toThrow(
    'mkdtemp(path_.data())',
  );
  return printed;
}

test.each([
  ['plain', ['-O2']],
  ['sanitized', ['-O1', ...SANITIZERS]],
])('native tests, %s', { timeout: 240_000 }, (name, flags) => {
  expect(buildAndRun(name, flags)).toMatch(/^\d+ passed$/m);
});
