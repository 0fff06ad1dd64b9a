// A checkpoint in which one system call fails, for every system call in turn; and one in which the
// process ends right after it. What a user may rely on: the server goes on serving and says what
// happened, the last good checkpoint stays and is found, nothing is left behind, and the next
// checkpoint works.
import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InjectedFault } from '../../native/index.js';
import { RawClient } from '../support/raw_client.js';
import {
  BUILD_ROOT,
  freePort,
  info,
  STILLFRAME_MAIN,
  temporaryFolder,
} from '../support/spawn_server.js'; // prettier-ignore

const { EIO, ENOSPC, EMFILE, ENOMEM } = constants.errno;
const WRAPPER = fileURLToPath(new URL('faulty_server.cjs', import.meta.url));
const CRASH_EXIT_CODE = 86;
const KEYS = 60;
const TIMEOUT_MS = 280_000;
/** Those without which there is no checkpoint. */
const NAMES = ['fdatasync', 'fsync', 'ftruncate', 'lift', 'open', 'protect', 'pwrite', 'rename'];

let dir: string;
let server: FaultyServer | null = null;
beforeEach(() => {
  dir = temporaryFolder();
});
afterEach(async () => {
  await server?.kill();
  server = null;
  rmSync(dir, { recursive: true, force: true });
});

class FaultyServer {
  log = '';
  readonly exited: Promise<number | null>;

  private constructor(
    readonly child: ChildProcess,
    readonly client: RawClient,
  ) {
    this.exited = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  static async start(...args: string[]): Promise<FaultyServer> {
    const port = await freePort();
    const child = fork(WRAPPER, ['--port', `${port}`, '--dir', dir, '--save', '', ...args], {
      env: {
        ...process.env,
        FAULTY_ADDON: join(BUILD_ROOT, 'native/build/Release/stillframe.node'),
        FAULTY_MAIN: STILLFRAME_MAIN,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let log = '';
    await new Promise<void>((resolve, reject) => {
      const look = (chunk: Buffer): void => {
        log += chunk.toString('utf8');
        if (log.includes('Ready to accept connections')) resolve();
      };
      child.stdout?.on('data', look);
      child.stderr?.on('data', look);
      child.once('close', () => reject(new Error(`the server did not start:\n${log}`)));
    });
    const started = new FaultyServer(child, await RawClient.connect({ port }));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        started.log += chunk.toString('utf8');
      });
    }
    return started;
  }

  /** Sets a fault, or none, and returns the calls since the last time. */
  inject(fault: InjectedFault | null): Promise<string[]> {
    return new Promise((resolve) => {
      this.child.once('message', (message) => resolve((message as { calls: string[] }).calls));
      this.child.send({ fault });
    });
  }

  async write(round: number): Promise<void> {
    for (let i = 0; i < KEYS; i++) await this.client.call('SET', `key:${i}`, value(round, i));
  }

  /** The round that all keys are of. */
  async round(): Promise<number> {
    const round = Number(String(await this.client.call('GET', 'key:0')).split(':')[0]);
    for (let i = 0; i < KEYS; i++) {
      expect(await this.client.call('GET', `key:${i}`)).toBe(value(round, i));
    }
    return round;
  }

  /** BGSAVE with writes going on until it has ended. Returns its status. */
  async save(round: number): Promise<string> {
    await this.client.call('BGSAVE');
    for (let i = 0; ; i = (i + 1) % KEYS) {
      await this.client.call('SET', `key:${i}`, value(round, i));
      const facts = await info(this.client, 'persistence');
      if (facts.get('rdb_bgsave_in_progress') === '0') {
        return facts.get('rdb_last_bgsave_status') ?? '';
      }
    }
  }

  async kill(): Promise<void> {
    this.client.socket.destroy();
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

function value(round: number, key: number): string {
  return `${round}:${key}:`.padEnd(3000, String.fromCharCode(97 + (round % 26)));
}

function files(): string[] {
  return readdirSync(join(dir, 'checkpoints')).sort();
}

/** How a call can fail on a real system. */
function outcomesOf(call: string): (number | 'short')[] {
  if (call === 'pwrite') return [ENOSPC, EIO, 'short'];
  if (call === 'open') return [EMFILE];
  if (call === 'ftruncate') return [ENOSPC];
  if (call === 'protect' || call === 'lift') return [ENOMEM];
  return [EIO];
}

/** Each call of a run as its name and its number among those of the name. */
function numbered(calls: readonly string[]): { call: string; nth: number }[] {
  const counts = new Map<string, number>();
  return calls.map((call) => {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    return { call, nth };
  });
}

/** The calls of a checkpoint with writes going on. */
async function callsOfARun(server: FaultyServer, round: number): Promise<string[]> {
  await server.inject({ nth: 0, outcome: 'crash' });
  expect(await server.save(round)).toBe('ok');
  const calls = await server.inject(null);
  for (const name of NAMES) expect(calls).toContain(name);
  return calls;
}

describe.each(['userfaultfd', 'mprotect'])('every system call, %s', (mechanism) => {
  const start = (): Promise<FaultyServer> =>
    FaultyServer.start('--checkpoint-mechanism', mechanism);

  async function failing(server: FaultyServer, fault: InjectedFault, round: number) {
    const newest = files().at(-1);
    server.log = '';
    await server.inject(fault);
    const status = await server.save(round);
    await server.inject(null);
    const what = JSON.stringify(fault);
    expect(
      files().filter((name) => !name.endsWith('.still')),
      what,
    ).toEqual([]);
    expect(files(), what).toContain(newest);
    if (status === 'err') {
      expect(server.log, what).toMatch(/Checkpoint failed: .+/);
      // Only the sync of the directory comes after the name: then the file is whole, but it is not
      // known to survive a power failure.
      const named = fault.call === 'fsync' || (fault.call === 'open' && fault.nth === 3);
      if (!named) expect(files().at(-1), what).toBe(newest);
    }
    await server.write(round); // goes on as ever
    expect(await server.round(), what).toBe(round);
    expect(await server.save(round), what).toBe('ok');
    return status;
  }

  test(
    'that fails leaves the server serving and the last checkpoint in place',
    async () => {
      server = await start();
      let round = 1;
      await server.write(round);
      expect(await server.save(round)).toBe('ok');
      const failed = new Set<string>();
      for (const { call, nth } of numbered(await callsOfARun(server, round))) {
        for (const outcome of outcomesOf(call)) {
          const status = await failing(server, { call, nth, outcome }, ++round);
          if (status === 'err') failed.add(call);
        }
      }
      expect([...failed].sort()).toEqual(NAMES);
      await server.kill();
      server = await start();
      expect(await server.round()).toBe(round);
    },
    TIMEOUT_MS,
  );

  test(
    'after which the process ends leaves the last checkpoint, or the new one',
    async () => {
      server = await start();
      let round = 1;
      await server.write(round);
      expect(await server.save(round)).toBe('ok');
      for (const { call, nth } of numbered(await callsOfARun(server, round))) {
        const newest = files().at(-1);
        await server.write(++round);
        await server.inject({ call, nth, outcome: 'crash' });
        // What save() writes is of the same round: the cut holds it.
        const status = await server.save(round).catch(() => 'ended');
        if (status === 'ok') continue; // this run had fewer of the calls
        expect(await server.exited).toBe(CRASH_EXIT_CODE);
        const named =
          files()
            .filter((name) => name.endsWith('.still'))
            .at(-1) !== newest;
        if (call === 'rename' || call === 'fsync') expect(named).toBe(true);
        server = await start();
        expect(files().filter((name) => !name.endsWith('.still'))).toEqual([]);
        expect(await server.round(), `${call} ${nth}`).toBe(named ? round : round - 1);
        if (!named) round--;
      }
    },
    TIMEOUT_MS,
  );
});
