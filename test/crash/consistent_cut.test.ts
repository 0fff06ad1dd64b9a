// The consistent cut: a client overwrites slots in order, round after round, as fast as it can,
// while checkpoints are written; the server is killed at a random instant; what comes back must be
// the state between two commands, no older than the last checkpoint that was reported done.
//
// CRASH_SEED replays, CRASH_CYCLES makes it longer.

import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { numberFromEnv, Random } from '../support/random.js';
import type { RawClient } from '../support/raw_client.js';
import {
  info,
  spawnServer,
  subjectKind,
  type TestServer,
  temporaryFolder,
  until,
} from '../support/spawn_server.js';
import { RoundWriter, readCut, resetSlots } from './round_writer.js';
import { makeSlots, type Slot } from './slots.js';

const SEED = numberFromEnv('CRASH_SEED', 1);
const CYCLES = numberFromEnv('CRASH_CYCLES', 2);
const TIMEOUT_MS = 60_000 + CYCLES * 20_000;

interface Plan {
  readonly name: string;
  readonly slots: number;
  readonly paddingMax: number;
  /** Keys that only make the checkpoint larger and slower than the writer. */
  readonly ballastKeys: number;
  readonly args?: readonly string[];
}

const PLANS: readonly Plan[] = [
  { name: 'few small keys', slots: 50, paddingMax: 20, ballastKeys: 0 },
  { name: 'a thousand keys of up to 4 KiB', slots: 1000, paddingMax: 4000, ballastKeys: 20_000 },
  {
    name: 'writers far faster than the copier',
    slots: 3000,
    paddingMax: 500,
    ballastKeys: 150_000,
  },
  { name: 'large values', slots: 150, paddingMax: 30_000, ballastKeys: 20_000 },
  {
    name: 'a tenth of the extra memory',
    slots: 5000,
    paddingMax: 3000,
    ballastKeys: 50_000,
    args: ['--checkpoint-extra-memory', '8mb'],
  },
];

describe('a checkpoint is the state between two commands', () => {
  for (const [i, plan] of PLANS.entries()) {
    test(`${plan.name}, kill -9 at random instants`, { timeout: TIMEOUT_MS }, async () => {
      await new Cycle(plan, new Random(SEED * 1000 + i)).run();
    });
  }
});

class Cycle {
  private readonly dir = temporaryFolder();
  private readonly slots: Slot[];
  private server: TestServer | null = null;
  private round = 0;
  /** Pages whose old state a writer saved while the checkpoint was being copied. */
  private savedPages = 0;

  constructor(
    private readonly plan: Plan,
    private readonly random: Random,
  ) {
    this.slots = makeSlots(random, plan.slots, plan.paddingMax);
  }

  async run(): Promise<void> {
    try {
      for (let cycle = 0; cycle < CYCLES; cycle++) await this.once();
      // Else the writer was never in the copier's way, and nothing was tried.
      const tried = this.plan.ballastKeys > 0 && subjectKind() === 'stillframe';
      if (tried) expect(this.savedPages).toBeGreaterThan(0);
    } finally {
      await this.server?.stop();
      rmSync(this.dir, { recursive: true, force: true });
    }
  }

  /** Start, write while checkpoints are made, kill, restore, check. */
  private async once(): Promise<void> {
    const server = await this.start();
    const admin = await server.connect();
    await this.fill(admin);
    const first = this.round;
    const writer = new RoundWriter(server.port, this.slots, first + 1);
    let floor = first;
    for (let saves = this.random.between(1, 3); saves > 0; saves--) {
      const answered = writer.answeredRound;
      await admin.call('BGSAVE');
      this.savedPages += await bgsaveDone(admin);
      floor = answered;
    }
    // The fatal one: killed somewhere in the middle of it, or shortly after.
    const answered = writer.answeredRound;
    await admin.call('BGSAVE');
    const duration = this.random.chance(0.3) ? 0 : this.random.below(250);
    const deadline = Date.now() + duration;
    await until('the instant of death', () => Date.now() >= deadline);
    if ((await info(admin, 'persistence')).get('rdb_bgsave_in_progress') === '0') floor = answered;
    await server.kill();
    await writer.closed;
    expect(writer.failure).toBeNull();
    expect(writer.sentRound).toBeGreaterThan(first);
    await this.check(floor, writer.sentRound + 1);
  }

  private async start(): Promise<TestServer> {
    const args = subjectKind() === 'redis' ? [] : (this.plan.args ?? []);
    this.server = await spawnServer({ dir: this.dir, args });
    return this.server;
  }

  private async fill(admin: RawClient): Promise<void> {
    if (this.plan.ballastKeys > 0) {
      await admin.call('DEBUG', 'POPULATE', this.plan.ballastKeys, 'ballast', 600);
    }
    this.round += 10;
    await resetSlots(admin, this.slots, this.round);
    await admin.call('SAVE');
  }

  /** Restores and compares: a cut, not older than `floor`, not newer than what was sent. */
  private async check(floor: number, ceiling: number): Promise<void> {
    const server = await this.start();
    const client = await server.connect();
    const cut = await readCut(client, this.slots);
    expect(cut.round).toBeGreaterThanOrEqual(floor);
    expect(cut.round).toBeLessThanOrEqual(ceiling);
    const last = this.plan.ballastKeys - 1;
    if (last >= 0) expect(await client.call('STRLEN', `ballast:${last}`)).toBe(600);
    this.round = Math.max(this.round, ceiling);
    // Killed again at once: what was restored stays restorable without a new checkpoint.
    await server.kill();
    const again = await this.start();
    const reader = await again.connect();
    expect(await readCut(reader, this.slots)).toEqual(cut);
    await again.kill();
  }
}

/** Waits for BGSAVE; returns how many pages the writers saved (0 for Redis). */
async function bgsaveDone(admin: RawClient): Promise<number> {
  let savedPages = 0;
  await until('BGSAVE is done', async () => {
    const fields = await info(admin, 'persistence');
    if (fields.get('rdb_bgsave_in_progress') !== '0') return false;
    expect(fields.get('rdb_last_bgsave_status')).toBe('ok');
    savedPages = Number(fields.get('checkpoint_last_saved_pages') ?? 0);
    return true;
  });
  return savedPages;
}
