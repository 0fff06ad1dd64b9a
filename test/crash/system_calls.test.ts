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
import { numberFromEnv } from '../support/random.js';
import { type Command, RawClient } from '../support/raw_client.js';
import { plain } from '../support/reply.js';
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
const small = Array.from({ length: 60 }, (_, i) => i);
const smallValue = (round: number, key: number): string =>
  `${round}:${key}:`.padEnd(3000, String.fromCharCode(97 + (round % 26)));
const large = Array.from({ length: 12 }, (_, i) => i);
/** One in every page of a large string, the last first. */
const marks = Array.from({ length: 256 }, (_, i) => (255 - i) * 4096 + 100);
const mark = (round: number): string => `${round}:`.padStart(10, '0');

/** What there is to save. Each round writes all of it anew. */
interface Heap {
  readonly args: readonly string[];
  readonly write: (round: number) => Command[];
  readonly read: readonly Command[];
  readonly expected: (round: number) => string[];
}

/** So little that every call of a run can be tried. */
const SMALL: Heap = {
  args: [],
  write: (round) => small.map((i) => ['SET', `key:${i}`, smallValue(round, i)]),
  read: small.map((i) => ['GET', `key:${i}`]),
  expected: (round) => small.map((i) => smallValue(round, i)),
};

/** Large strings that are changed where they lie, in every page, with so little memory for the run that
 *  writers put pre-images into the spill file. */
const SPILLING: Heap = {
  args: ['--checkpoint-extra-memory', '8mb'],
  write: (round) =>
    large.flatMap((i) => marks.map((at) => ['SETRANGE', `large:${i}`, at, mark(round)])),
  read: large.map((i) => ['GET', `large:${i}`]),
  expected: (round) => {
    const text = marks.toReversed().reduce((so, at) => so.padEnd(at, '\0') + mark(round), '');
    return large.map(() => text);
  },
};

/** Of the calls of a run so many of a name are tried, the first, last and some between: how often it protects
 *  follows what is written meanwhile, hundreds of times on a busy machine. */
const TRIED_MAX = numberFromEnv('CRASH_CALLS', 10);
/** Of a run that spills, which takes longer. */
const TRIED_OF_SPILL_MAX = Math.ceil(TRIED_MAX / 3);
const SPILL_CALLS = ['pread', 'pwrite', 'sync_file_range'];
const TIMEOUT_MS = 280_000;
/** Those without which there is no checkpoint. (A writer whose own lift is refused tries again.) */
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
    private readonly heap: Heap,
  ) {
    this.exited = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  static async start(heap: Heap, mechanism: string): Promise<FaultyServer> {
    const port = await freePort();
    const args = ['--checkpoint-mechanism', mechanism, ...heap.args];
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
    const started = new FaultyServer(child, await RawClient.connect({ port }), heap);
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
    await this.client.pipeline(this.heap.write(round));
  }

  /** The round that all keys are of. */
  async round(): Promise<number> {
    const found = (await this.client.pipeline(this.heap.read)).map(plain);
    const round = Number(/\d+(?=:)/.exec(String(found[0]))?.[0]);
    const expected = this.heap.expected(round);
    expect(found.findIndex((value, i) => value !== expected[i])).toBe(-1);
    return round;
  }

  /** BGSAVE with writes going on until it has ended. Returns what INFO says of it. */
  async save(round: number): Promise<Map<string, string>> {
    await this.client.call('BGSAVE');
    for (;;) {
      await this.write(round);
      const facts = await info(this.client, 'persistence');
      if (facts.get('rdb_bgsave_in_progress') === '0') return facts;
    }
  }

  async kill(): Promise<void> {
    this.client.socket.destroy();
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

function files(): string[] {
  return readdirSync(join(dir, 'checkpoints')).sort();
}

/** How a call can fail on a real system. */
function outcomesOf(call: string): (number | 'short')[] {
  if (call === 'pwrite') return [ENOSPC, EIO, 'short'];
  if (call === 'open') return [EMFILE];
  if (call === 'ftruncate') return [ENOSPC];
  if (call === 'protect' || call.startsWith('lift')) return [ENOMEM];
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
  expect((await server.save(round)).get('rdb_last_bgsave_status')).toBe('ok');
  return server.inject(null);
}

/** At most `limit` of a list: the first, the last and some between. */
function spread<T>(list: readonly T[], limit: number): T[] {
  if (list.length <= limit) return [...list];
  return Array.from({ length: limit }, (_, i) => {
    return list[Math.round((i * (list.length - 1)) / (limit - 1))]!;
  });
}

/** Of the calls of a run that spilled, some of each name that has to do with it. */
async function spillCallsOfARun(
  server: FaultyServer,
  round: number,
): Promise<{ call: string; nth: number }[]> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const all = numbered(await callsOfARun(server, round));
    const of = (name: string): typeof all => all.filter(({ call }) => call === name);
    if (SPILL_CALLS.some((name) => of(name).length === 0)) continue; // the copier was too quick
    return SPILL_CALLS.flatMap((name) => spread(of(name), TRIED_OF_SPILL_MAX));
  }
  throw new Error('no run spilled');
}

describe.each(['userfaultfd', 'mprotect'])('every system call, %s', (mechanism) => {
  /** A run in which one call fails, and one after it. Returns the status of the first. */
  async function failing(server: FaultyServer, fault: InjectedFault, round: number) {
    const newest = files().at(-1);
    server.log = '';
    await server.inject(fault);
    const status = (await server.save(round)).get('rdb_last_bgsave_status');
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
      const named = fault.call === 'fsync' || (fault.call === 'open' && fault.nth === 4);
      if (!named) expect(files().at(-1), what).toBe(newest);
    }
    await server.write(round); // goes on as ever
    expect(await server.round(), what).toBe(round);
    expect((await server.save(round)).get('rdb_last_bgsave_status'), what).toBe('ok');
    return status;
  }

  async function tryFailures(heap: Heap, choose: typeof spillCallsOfARun): Promise<Set<string>> {
    server = await FaultyServer.start(heap, mechanism);
    let round = 1;
    await server.write(round);
    expect((await server.save(round)).get('rdb_last_bgsave_status')).toBe('ok');
    const failed = new Set<string>();
    for (const { call, nth } of await choose(server, round)) {
      for (const outcome of outcomesOf(call)) {
        const status = await failing(server, { call, nth, outcome }, ++round);
        if (status === 'err') failed.add(call);
      }
    }
    await server.kill();
    server = await FaultyServer.start(heap, mechanism);
    expect(await server.round()).toBe(round);
    return failed;
  }

  async function tryCrashes(heap: Heap, choose: typeof spillCallsOfARun): Promise<Set<string>> {
    server = await FaultyServer.start(heap, mechanism);
    let round = 1;
    await server.write(round);
    expect((await server.save(round)).get('rdb_last_bgsave_status')).toBe('ok');
    const crashed = new Set<string>();
    for (const { call, nth } of await choose(server, round)) {
      const newest = files().at(-1);
      await server.write(++round);
      await server.inject({ call, nth, outcome: 'crash' });
      // What save() writes is of the same round: the cut holds it.
      const ended = await server.save(round).then(
        () => false,
        () => true,
      );
      if (!ended) continue; // this run had fewer of the calls
      crashed.add(call);
      expect(await server.exited).toBe(CRASH_EXIT_CODE);
      const checkpoints = files().filter((name) => name.endsWith('.still'));
      const named = checkpoints.at(-1) !== newest;
      if (call === 'rename' || call === 'fsync') expect(named).toBe(true);
      server = await FaultyServer.start(heap, mechanism);
      expect(files().filter((name) => !name.endsWith('.still'))).toEqual([]);
      expect(await server.round(), `${call} ${nth}`).toBe(named ? round : round - 1);
      if (!named) round--;
    }
    return crashed;
  }

  const everyCall = async (server: FaultyServer, round: number) => {
    const calls = await callsOfARun(server, round);
    for (const name of NAMES) expect(calls).toContain(name);
    const all = numbered(calls);
    return [...new Set(calls)].flatMap((name) =>
      spread(
        all.filter(({ call }) => call === name),
        TRIED_MAX,
      ),
    );
  };

  test(
    'that fails leaves the server serving and the last checkpoint in place',
    async () => {
      expect([...(await tryFailures(SMALL, everyCall))].sort()).toEqual(NAMES);
    },
    TIMEOUT_MS,
  );

  test(
    'after which the process ends leaves the last checkpoint, or the new one',
    async () => {
      await tryCrashes(SMALL, everyCall);
    },
    TIMEOUT_MS,
  );

  test(
    'of a run that spills: the same when it fails',
    async () => {
      const failed = await tryFailures(SPILLING, spillCallsOfARun);
      expect([...failed]).toContain('pwrite');
    },
    TIMEOUT_MS,
  );

  test(
    'of a run that spills: the same when the process ends after it',
    async () => {
      expect([...(await tryCrashes(SPILLING, spillCallsOfARun))]).toContain('pwrite');
    },
    TIMEOUT_MS,
  );
});
