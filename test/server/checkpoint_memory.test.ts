// The memory of a checkpoint, seen from outside: while clients write to every page, the resident size
// of the process stays within `checkpoint-extra-memory` of what it was, from the first checkpoint on.
// What the same storm makes the process grow without a checkpoint (compiled code, V8's heap) is
// measured right before and does not count.
import { readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Random } from '../support/random.js';
import { type Command, encode, type RawClient } from '../support/raw_client.js';
import { info, spawnServer, type TestServer, temporaryFolder } from '../support/spawn_server.js';

const MB = 1024 * 1024;
const PAGE_BYTES = 4096;
const SAMPLE_MILLIS = 2;
/** Small, so that what waits in the server's input is small too. */
const BATCH = 10;
const BATCHES_AHEAD = 3;
const CLIENTS = 4;
const BATCHES_PER_INFO = 200;
const CHECKPOINTS = 3;
/** Strings that are changed in place, in every page; and entries that may be moved. */
const LARGE_STRINGS = 120;
const PAGES_OF_ONE = 256;
const ENTRIES = 40_000;
const ENTRY_BYTES = 2000;
const TIMEOUT_MS = 120_000;

let dir: string;
beforeEach(() => {
  dir = temporaryFolder();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Commands that write to every page of the heap, in random order, encoded in batches. */
function storm(): Buffer[] {
  const commands: Command[] = [];
  for (let i = 0; i < LARGE_STRINGS; i++) {
    for (let page = 0; page < PAGES_OF_ONE; page++) {
      commands.push(['SETRANGE', `large:${i}`, page * PAGE_BYTES + 2000, 'written']);
    }
  }
  const value = 'w'.repeat(ENTRY_BYTES);
  for (let i = 0; i < ENTRIES; i++) commands.push(['SET', `entry:${i}`, value]);
  new Random(11).shuffle(commands);
  const batches: Buffer[] = [];
  for (let i = 0; i + BATCH <= commands.length; i += BATCH) {
    batches.push(Buffer.concat(commands.slice(i, i + BATCH).map(encode)));
  }
  return batches;
}

/** Clients that send the batches over and over, a few at a time on each connection. */
class Storm {
  private next = 0;

  constructor(
    private readonly clients: readonly RawClient[],
    private readonly batches: readonly Buffer[],
  ) {}

  /** Sends so many batches and returns when all are answered. */
  async send(count: number): Promise<void> {
    const end = this.next + count;
    await Promise.all(this.clients.map((client) => this.sendOn(client, end)));
  }

  private async sendOn(client: RawClient, end: number): Promise<void> {
    let waiting = 0;
    while (this.next < end || waiting > 0) {
      for (; waiting < BATCHES_AHEAD && this.next < end; waiting++) {
        client.socket.write(this.batches[this.next++ % this.batches.length] as Buffer);
      }
      await client.readMany(BATCH);
      waiting--;
    }
  }
}

function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
}

/** Most that the process grew while something went on. */
async function growth(server: TestServer, act: () => Promise<void>): Promise<number> {
  const before = residentBytes(server.pid);
  let most = before;
  const look = (): void => {
    most = Math.max(most, residentBytes(server.pid));
  };
  const timer = setInterval(look, SAMPLE_MILLIS);
  await act();
  clearInterval(timer);
  look();
  return most - before;
}

/** A checkpoint under the storm. INFO is asked for now and then only, for its replies are memory too. */
async function checkpoint(admin: RawClient, writer: Storm): Promise<Map<string, string>> {
  await admin.call('BGSAVE');
  for (;;) {
    await writer.send(BATCHES_PER_INFO);
    const facts = await info(admin, 'persistence');
    if (facts.get('rdb_bgsave_in_progress') === '0') return facts;
  }
}

describe.each(['userfaultfd', 'mprotect'])('extra memory of a checkpoint, %s', (mechanism) => {
  test.each([8, 64])('stays within %i MB', { timeout: TIMEOUT_MS }, async (megabytes) => {
    const args = ['--checkpoint-extra-memory', `${megabytes}mb`];
    args.push('--checkpoint-mechanism', mechanism);
    const server = await spawnServer({ dir, args });
    const admin = await server.connect();
    await admin.call('DEBUG', 'POPULATE', ENTRIES, 'entry', ENTRY_BYTES);
    for (let i = 0; i < LARGE_STRINGS; i++) {
      await admin.call('SETRANGE', `large:${i}`, PAGES_OF_ONE * PAGE_BYTES - 1, 'x');
    }
    const batches = storm();
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => server.connect()));
    const writer = new Storm(clients, batches);
    await writer.send(batches.length);
    const withoutCheckpoint = await growth(server, () => writer.send(2 * batches.length));

    let saved = 0;
    let spilled = 0;
    for (let i = 1; i <= CHECKPOINTS; i++) {
      let facts = new Map<string, string>();
      const extra = await growth(server, async () => {
        facts = await checkpoint(admin, writer);
      });
      expect(facts.get('rdb_last_bgsave_status')).toBe('ok');
      saved += Number(facts.get('checkpoint_last_saved_pages'));
      spilled += Number(facts.get('checkpoint_last_overflows'));
      const what = `checkpoint ${i}: ${(extra / MB).toFixed(1)} MB, ${(withoutCheckpoint / MB).toFixed(1)} MB without`;
      expect(extra - withoutCheckpoint, what).toBeLessThanOrEqual(megabytes * MB);
    }
    // Else nobody wrote to what was being copied, and nothing was tried.
    expect(saved).toBeGreaterThan(1000);
    if (megabytes === 8) expect(spilled).toBeGreaterThan(500);
    await server.stop();
  });
});
