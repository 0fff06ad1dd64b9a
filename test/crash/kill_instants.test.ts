// kill -9 at random instants of a checkpoint, again and again on the same folder, with writers faster
// than the copier and so little memory for the run that they spill. When the run had not ended, the
// next start finds exactly the state that the last one found; else a later consistent cut.
//
// CRASH_KILLS makes it longer, CRASH_SEED replays.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { figure } from '../support/figures.js';
import { numberFromEnv, Random } from '../support/random.js';
import type { RawClient } from '../support/raw_client.js';
import {
  info,
  spawnServer,
  type TestServer,
  temporaryFolder,
  until,
} from '../support/spawn_server.js';
import { RoundWriter, readCut, resetSlots } from './round_writer.js';
import { makeSlots } from './slots.js';

const SEED = numberFromEnv('CRASH_SEED', 1);
const KILLS = numberFromEnv('CRASH_KILLS', 5);
const SLOTS = 1500;
const PADDING_MAX = 2000;
const BALLAST_KEYS = 60_000;
const BALLAST_BYTES = 600;
const TIMEOUT_MS = 60_000 + KILLS * 15_000;

let dir: string;
let server: TestServer | null = null;
beforeEach(() => {
  dir = temporaryFolder();
});
afterEach(async () => {
  await server?.stop();
  server = null;
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<RawClient> {
  server = await spawnServer({
    kind: 'stillframe',
    dir,
    args: ['--checkpoint-extra-memory', '8mb'],
  });
  return server.connect();
}

const files = (): string[] => readdirSync(join(dir, 'checkpoints')).sort();
const newest = (): string | undefined => files().findLast((name) => name.endsWith('.still'));

async function millisOfACheckpoint(admin: RawClient): Promise<number> {
  const begun = performance.now();
  await admin.call('BGSAVE');
  await until('BGSAVE is done', async () => {
    return (await info(admin, 'persistence')).get('rdb_bgsave_in_progress') === '0';
  });
  return performance.now() - begun;
}

test('kill -9 at random instants of a checkpoint', { timeout: TIMEOUT_MS }, async () => {
  const random = new Random(SEED);
  const slots = makeSlots(random, SLOTS, PADDING_MAX);
  let round = 10;
  let admin = await start();
  await admin.call('DEBUG', 'POPULATE', BALLAST_KEYS, 'ballast', BALLAST_BYTES);
  await resetSlots(admin, slots, round);
  const warmUp = new RoundWriter((server as TestServer).port, slots, round + 1);
  const millis = await millisOfACheckpoint(admin);
  await warmUp.stop();
  round = warmUp.sentRound;
  await admin.call('SAVE');
  let cut = await readCut(admin, slots);
  let halfWritten = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    round += 10;
    await resetSlots(admin, slots, round);
    const writer = new RoundWriter((server as TestServer).port, slots, round + 1);
    const before = newest();
    await admin.call('BGSAVE');
    const deadline = performance.now() + random.below(1000) * 0.0012 * millis;
    await until('the instant of death', () => performance.now() >= deadline);
    await server?.kill();
    await writer.closed;
    expect(writer.failure).toBeNull();

    if (files().some((name) => name.endsWith('.tmp'))) halfWritten++;
    const finished = newest() !== before;
    admin = await start();
    expect(files().filter((name) => !name.endsWith('.still'))).toEqual([]);
    const found = await readCut(admin, slots);
    if (finished) expect(found.round).toBeGreaterThanOrEqual(round);
    else expect(found).toEqual(cut);
    round = writer.sentRound + 1;
    expect(found.round).toBeLessThanOrEqual(round);
    expect(await admin.call('STRLEN', `ballast:${BALLAST_KEYS - 1}`)).toBe(BALLAST_BYTES);
    cut = found;
  }
  figure(`${KILLS} kills, ${halfWritten} of them left a checkpoint half written`);
});
