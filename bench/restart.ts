// From kill -9 to service: time from the start of the process to the first correct reply, and until
// all data is resident. The file was dropped from the page cache before, as after a reboot; Node's
// own start is measured beside it, because no server on it can be faster.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { takeCheckpoint } from './checkpoints.js';
import { Control, field } from './control.js';
import { loadKeys } from './loader.js';
import { residentBytes } from './memory_sampler.js';
import { machine, median, printTable, writeResult } from './report.js';
import { type Contestant, ServerProcess } from './server_process.js';

const VALUE_BYTES = 512;
const NODE_STARTS = 7;
const RETRY_MILLIS = 1;
const POLL_MILLIS = 5;

export interface RestartOptions {
  readonly contestants: readonly Contestant[];
  /** Bytes of keys and values, one data set each. */
  readonly dataGibibytes: readonly number[];
  readonly rounds: number;
}

interface Restart {
  readonly firstReplyMillis: number;
  readonly residentMillis: number;
  readonly residentBytes: number;
}

interface Measured {
  readonly name: string;
  readonly gibibytes: number;
  readonly keys: number;
  readonly restarts: readonly Restart[];
}

export async function restart(options: RestartOptions): Promise<void> {
  const nodeMillis = nodeStartMillis();
  const measured: Measured[] = [];
  for (const gibibytes of options.dataGibibytes) {
    for (const contestant of options.contestants) {
      measured.push(await measure(contestant, gibibytes, options.rounds));
    }
  }
  console.log(
    `\nRestart after kill -9, file not cached, in milliseconds from the start of the process ` +
      `(median of ${options.rounds}; \`node -e 0\` takes ${nodeMillis.toFixed(0)})`,
  );
  printTable(
    ['server, data', 'first correct reply', 'without node', 'all data resident', 'resident MB'],
    measured.map(({ name, gibibytes, restarts }) => {
      const first = median(restarts.map((one) => one.firstReplyMillis));
      return [
        `${name}, ${gibibytes} GiB`,
        first.toFixed(0),
        name === 'stillframe' ? (first - nodeMillis).toFixed(0) : '-',
        median(restarts.map((one) => one.residentMillis)).toFixed(0),
        (median(restarts.map((one) => one.residentBytes)) / 1e6).toFixed(0),
      ];
    }),
  );
  writeResult('restart', {
    machine: machine(options.contestants),
    load: { valueBytes: VALUE_BYTES, rounds: options.rounds },
    nodeMillis,
    results: measured,
  });
}

function nodeStartMillis(): number {
  const times = Array.from({ length: NODE_STARTS }, () => {
    const begin = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    return performance.now() - begin;
  });
  return median(times);
}

async function measure(
  contestant: Contestant,
  gibibytes: number,
  rounds: number,
): Promise<Measured> {
  const keys = Math.floor((gibibytes * 2 ** 30) / (VALUE_BYTES + 16));
  console.log(`${contestant.name}: loading and saving ${gibibytes} GiB`);
  let server = await ServerProcess.start(contestant);
  try {
    await loadKeys(server.port, keys, VALUE_BYTES);
    const control = await Control.open(server.port);
    await takeCheckpoint(control);
    control.close();
    const restarts: Restart[] = [];
    for (let round = 0; round < rounds; round++) {
      await server.kill();
      dropFromCache(server.dir);
      const begin = performance.now();
      server = ServerProcess.launch(contestant, server.dir, server.port);
      restarts.push(await watch(server, keys, begin));
    }
    return { name: contestant.name, gibibytes, keys, restarts };
  } finally {
    await server.stop();
  }
}

async function watch(server: ServerProcess, keys: number, begin: number): Promise<Restart> {
  // A key that no other reply could be taken for, and not the first of the file.
  const key = `key:${String(Math.floor(keys / 2)).padStart(12, '0')}`;
  await firstReply(server.port, key);
  const firstReplyMillis = performance.now() - begin;
  const control = await Control.open(server.port);
  for (;;) {
    const info = await control.info('persistence');
    if (field(info, 'loading') === 0 && info.restore_in_progress !== '1') break;
    await delay(POLL_MILLIS);
  }
  const residentMillis = performance.now() - begin;
  control.close();
  return { firstReplyMillis, residentMillis, residentBytes: residentBytes(server.pid) };
}

/** Asks until the value comes: refused connections and -LOADING are answers to try again. */
async function firstReply(port: number, key: string): Promise<void> {
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
