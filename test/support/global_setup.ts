// Runs once before all tests: one folder for everything the tests write, removed at the end even
// when a test file failed half-way, with the servers that it left behind; and a word about what is
// missing on this machine.
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerMissing } from './redis_peer.js';

/** Name of the variable that tells the test files where they may write. */
export const TEMPORARY_ROOT = 'STILLFRAME_TEST_TMP';

/** File in that folder with the pids of all servers started, one a line. */
export const PID_LIST = 'pids';

export function setup(): void {
  process.env[TEMPORARY_ROOT] = mkdtempSync(join(tmpdir(), 'stillframe-test-'));
  const missing = peerMissing();
  if (missing !== null) console.warn(`[tests] ${missing}`);
}

export function teardown(): void {
  const folder = process.env[TEMPORARY_ROOT];
  if (!folder) return;
  for (const pid of startedPids(folder)) {
    if (isOurs(pid, folder)) process.kill(pid, 'SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
}

/** The processes that spawn_server.ts noted down. */
function startedPids(folder: string): number[] {
  const list = join(folder, PID_LIST);
  if (!existsSync(list)) return [];
  return readFileSync(list, 'utf8').trim().split('\n').map(Number);
}

/** Whether a pid is still the process of a test, and not somebody else's that got its number. */
function isOurs(pid: number, folder: string): boolean {
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return commandLine.includes(folder) || readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
  } catch {
    return false; // it has ended
  }
}
