// Many runs of which every other fails at some system call: nothing of them stays, neither memory
// nor descriptors nor files nor protection. The long form: STILLFRAME_FAULTY_RUNS=1000
import { readdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { native } from '../../native/index.js';
import { figure } from '../support/figures.js';
import { numberFromEnv, Random } from '../support/random.js';
import { statusBytes } from '../support/spawn_server.js';
import { extentBytes, folder, openArena } from './checkpoint_harness.js';

const RUNS = numberFromEnv('STILLFRAME_FAULTY_RUNS', 120);
const WARM_UP = 40;
const EXTENTS = 6;
const MEMORY_BYTES = extentBytes + 256 * 1024; // a pool that overflows into the spill file
const NAMES = [
  'open',
  'ftruncate',
  'pwrite',
  'pread',
  'sync_file_range',
  'fdatasync',
  'rename',
  'fsync',
  'protect',
  'lift',
  'lift_caught',
];
const GROWTH_BYTES_MAX = 6 * 1024 * 1024;
const { EIO, ENOSPC, EMFILE } = constants.errno;

const { words } = openArena(EXTENTS);
const extents = new Uint8Array(EXTENTS).fill(1);
const temporaryPath = join(folder, 'faulty.tmp');
const random = new Random(7);

function attempt(act: (done: (error: Error | null) => void) => void): Error | null {
  let result: Error | null = new Error('no result');
  try {
    act((error) => {
      result = error;
    });
    for (let i = 0; i < words.length; i += 4099) words[i] = i;
    native.checkpointWait();
  } catch (error) {
    return error as Error;
  }
  return result;
}

/** A run up to its name; false when a call failed. */
function run(number: number): boolean {
  const request = { extents, memoryBytesMax: MEMORY_BYTES };
  const finalPath = join(folder, `faulty${number}.still`);
  const steps = [
    (done: (error: Error | null) => void) =>
      native.checkpointPrepare({ ...request, onPrepared: done }),
    (done: (error: Error | null) => void) =>
      native.checkpointProtect({ temporaryPath, extents, onProtected: done }),
    (done: (error: Error | null) => void) =>
      done(native.checkpointApproach() ? null : new Error('far from the cut')),
    (done: (error: Error | null) => void) =>
      native.checkpointStart({ ...request, temporaryPath, onCopied: done }),
    (done: (error: Error | null) => void) =>
      native.checkpointFinish({ tail: Buffer.from('tail'), finalPath, onFinished: done }),
  ];
  const good = steps.every((step) => attempt(step) === null);
  if (!good) native.checkpointAbort();
  return good;
}

function expectNothingProtected(): void {
  const before = native.checkpointCounters();
  for (let i = 0; i < words.length; i += 1024) words[i] = -i;
  const after = native.checkpointCounters();
  expect(after.faults - before.faults).toBe(0);
  expect(after.preArmFaults - before.preArmFaults).toBe(0);
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

test('runs that fail leave nothing', { timeout: 60_000 + RUNS * 2000 }, () => {
  const counts = countCalls();
  let failures = 0;
  let descriptorsBefore = 0;
  let bytesBefore = 0;
  for (let number = 1; number <= RUNS; number++) {
    if (number === WARM_UP) {
      descriptorsBefore = descriptors();
      bytesBefore = statusBytes(process.pid, 'VmRSS');
    }
    const faulty = number % 2 === 0;
    const outcome = random.pick(['short' as const, EIO, ENOSPC, EMFILE]);
    const call = random.pick(NAMES);
    // One of the first, or any.
    const nth = random.between(1, random.chance(0.5) ? 4 : (counts.get(call) ?? 1));
    const fault = { call, nth, outcome };
    native.injectFault(faulty ? fault : null);
    const good = run(number);
    native.injectFault(null);
    if (!faulty) expect(good).toBe(true);
    if (!good) failures++;
    expectNothingProtected();
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    removeFinished(number);
  }
  const growth = statusBytes(process.pid, 'VmRSS') - bytesBefore;
  figure(
    `${RUNS} runs, ${failures} of them failed: memory ${(growth / 1e6).toFixed(1)} MB more, ` +
      `descriptors ${descriptors() - descriptorsBefore} more, temporary files 0, pages protected 0`,
  );
  expect(failures).toBeGreaterThan(RUNS / 8);
  expect(descriptors()).toBe(descriptorsBefore);
  expect(growth).toBeLessThan(GROWTH_BYTES_MAX);
});

/** How often each system call is made in a good run; it must be one that spills. */
function countCalls(): Map<string, number> {
  native.injectFault({ nth: 0, outcome: 'crash' });
  expect(run(0)).toBe(true);
  native.injectFault(null);
  removeFinished(0);
  expect(native.checkpointCounters().poolOverflows).toBeGreaterThan(300);
  const counts = new Map(NAMES.map((name) => [name, 0]));
  for (const call of native.recordedCalls()) counts.set(call, (counts.get(call) ?? 0) + 1);
  expect([...counts.values()]).not.toContain(0);
  return counts;
}

function removeFinished(number: number): void {
  rmSync(join(folder, `faulty${number}.still`), { force: true });
}
