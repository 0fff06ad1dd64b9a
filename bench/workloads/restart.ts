// From kill -9 to service: time from the start of the process to the first correct reply, and until
// all data is resident. The file was dropped from the page cache before, as after a reboot. Node's own
// start, below which no server on it can come, is measured in turn with more starts of Stillframe.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadKeys } from '../load/loader.js';
import type { Measurement } from '../report/result.js';
import { median } from '../report/statistics.js';
import { takeCheckpoint } from '../server/checkpoints.js';
import { Control, field } from '../server/control.js';
import { residentBytes } from '../server/memory_sampler.js';
import { ServerProcess } from '../server/server_process.js';
import { type Bench, type Entrant, Figures, takeTurns, type Workload } from '../workload.js';

const VALUE_BYTES = 512;
const RETRY_MILLIS = 1;
const POLL_MILLIS = 5;

interface Restart {
  readonly firstReplyMillis: number;
  readonly residentMillis: number;
  readonly residentBytes: number;
}

/** One of a pair that was measured one right after the other. */
interface Start {
  readonly nodeMillis: number;
  readonly firstReplyMillis: number;
}

/** The restarts of a server, and then starts up to the first reply only. */
interface Measured {
  readonly restarts: readonly Restart[];
  readonly starts: readonly Start[];
}

export const restart: Workload = {
  name: 'restart',
  title: 'From kill -9 to service',
  about:
    `Values of ${VALUE_BYTES} bytes, saved; the process is killed, the file dropped from the page cache as ` +
    'after a reboot, the process started again. Milliseconds from the start of the process to the first ' +
    'correct reply to a GET, and until all data is resident. Without Node: more starts of Stillframe up ' +
    'to the first reply, in turn with `node -e 0`, whose median is taken off.',
  options: {
    heap: { about: 'GiB of keys and values', whole: [1, 4], quick: [0.25], fraction: true },
    rounds: { about: 'restarts of each', whole: [2], quick: [1] },
    starts: { about: 'starts beside `node -e 0`', whole: [15], quick: [5] },
  },
  run,
};

async function run(bench: Bench): Promise<Measurement> {
  const starts: Start[] = [];
  const figures = new Figures();
  const heaps = bench.all('heap');
  const rounds = bench.one('rounds');
  bench.steps.plan(heaps.length * bench.entrants.length);
  for (const heap of heaps) {
    await takeTurns(bench, 1, async (entrant) => {
      bench.steps.step(`${heap} GiB, ${entrant.name}`);
      const measured = await measure(entrant, heap, rounds, bench.one('starts'));
      for (const one of measured.restarts) {
        figures.add(`first-${heap}`, entrant.side, one.firstReplyMillis);
        figures.add(`resident-${heap}`, entrant.side, one.residentMillis);
        figures.add(`size-${heap}`, entrant.side, one.residentBytes / 1e6);
      }
      const node = median(measured.starts.map(({ nodeMillis }) => nodeMillis));
      for (const { firstReplyMillis } of measured.starts) {
        figures.add(`without-node-${heap}`, entrant.side, firstReplyMillis - node);
      }
      starts.push(...measured.starts);
    });
  }
  const megabytes = { unit: 'MB', digits: 0, better: 'lower' } as const;
  return {
    comparisons: [
      {
        id: 'restart',
        title: 'Restart after kill -9',
        scale: { unit: 'ms', digits: 0, better: 'lower' },
        rows: heaps.flatMap((heap) => [
          figures.row(`first-${heap}`, `${heap} GiB: first correct reply`, { headline: true }),
          figures.row(`resident-${heap}`, `${heap} GiB: all data resident`, { requiredRatio: 1 }),
          figures.row(`size-${heap}`, `${heap} GiB: resident then`, { scale: megabytes }),
        ]),
      },
      {
        id: 'start',
        title: "First correct reply without Node's own start",
        scale: { unit: 'ms', digits: 0, better: 'lower' },
        rows: heaps.map((heap) =>
          figures.row(`without-node-${heap}`, `${heap} GiB`, { required: 100 }),
        ),
      },
    ],
    notes:
      starts.length === 0
        ? []
        : [
            '`node -e 0` alone takes ' +
              `${median(starts.map(({ nodeMillis }) => nodeMillis)).toFixed(0)} ms here (median of ` +
              `${starts.length}): no server on Node can be faster.`,
          ],
    detail: { starts },
  };
}

function nodeStartMillis(): number {
  const begin = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return performance.now() - begin;
}

async function measure(
  entrant: Entrant,
  gibibytes: number,
  rounds: number,
  startCount: number,
): Promise<Measured> {
  const keys = Math.floor((gibibytes * 2 ** 30) / (VALUE_BYTES + 16));
  let server = await ServerProcess.start(entrant);
  try {
    await loadKeys(server.port, keys, VALUE_BYTES);
    const control = await Control.open(server.port);
    await takeCheckpoint(control);
    control.close();
    const restartAfterKill = async () => {
      await server.kill();
      dropFromCache(server.dir);
      const begin = performance.now();
      server = ServerProcess.launch(entrant, server.dir, server.port);
      await firstReply(server.port, keys);
      return { begin, firstReplyMillis: performance.now() - begin };
    };
    const restarts: Restart[] = [];
    for (let round = 0; round < rounds; round++) {
      const { begin, firstReplyMillis } = await restartAfterKill();
      restarts.push({ firstReplyMillis, ...(await residency(server, begin)) });
    }
    const starts: Start[] = [];
    while (entrant.side === 'ours' && starts.length < startCount) {
      const nodeMillis = nodeStartMillis();
      const { firstReplyMillis } = await restartAfterKill();
      starts.push({ nodeMillis, firstReplyMillis });
    }
    return { restarts, starts };
  } finally {
    await server.stop();
  }
}

/** Waits until the server has all of its data. */
async function residency(
  server: ServerProcess,
  begin: number,
): Promise<Pick<Restart, 'residentMillis' | 'residentBytes'>> {
  const control = await Control.open(server.port);
  for (;;) {
    const info = await control.info('persistence');
    if (field(info, 'loading') === 0 && info.restore_in_progress !== '1') break;
    await delay(POLL_MILLIS);
  }
  const residentMillis = performance.now() - begin;
  control.close();
  return { residentMillis, residentBytes: residentBytes(server.pid) };
}

/** Asks until the value comes: refused connections and -LOADING are answers to try again. */
async function firstReply(port: number, keys: number): Promise<void> {
  // A key that no other reply could be taken for, and not the first of the file.
  const key = `key:${String(Math.floor(keys / 2)).padStart(12, '0')}`;
  const expected = `$${VALUE_BYTES}\r\n${'v'.repeat(VALUE_BYTES)}\r\n`;
  while ((await askOnce(port, key, expected.length)) !== expected) await delay(RETRY_MILLIS);
}

function askOnce(port: number, key: string, bytes: number): Promise<string> {
  return new Promise((resolve) => {
    let reply = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('connect', () => socket.write(`*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`));
    socket.on('data', (chunk: Buffer) => {
      reply += chunk.toString('latin1');
      if (reply.length >= bytes || reply.startsWith('-')) socket.destroy();
    });
    socket.on('error', () => undefined); // refused: the close that follows resolves
    socket.on('close', () => resolve(reply));
  });
}

/** Drops the files below a folder from the page cache. */
function dropFromCache(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(rdb|still)$/.test(name)) continue;
    const file = join(folder, name);
    execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
  }
}
