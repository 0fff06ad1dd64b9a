// Runs once before all tests: one folder for everything the tests write, removed at the end even
// when a test file failed half-way, and a word about what is missing on this machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerMissing } from './redis_peer.js';

/** Name of the variable that tells the test files where they may write. */
export const TEMPORARY_ROOT = 'STILLFRAME_TEST_TMP';

export function setup(): void {
  process.env[TEMPORARY_ROOT] = mkdtempSync(join(tmpdir(), 'stillframe-test-'));
  const missing = peerMissing();
  if (missing !== null) console.warn(`[tests] ${missing}`);
}

export function teardown(): void {
  const folder = process.env[TEMPORARY_ROOT];
  if (folder) rmSync(folder, { recursive: true, force: true });
}
