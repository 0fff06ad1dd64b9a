// A server under measurement: a fresh process in a fresh folder, its CPU time and its memory as
// the kernel counts them.
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killChild, makeFolder, removeFolder, startChild } from './children.js';

const READY = 'Ready to accept connections';
const READY_TIMEOUT_MS = 30_000;

/** A program that can be measured. */
export interface Contestant {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

/** The checkout that this bench is part of. */
export function packageRoot(): string {
  const here = fileURLToPath(new URL('.', import.meta.url)).replace(/\/$/, '');
  return here.replace(/\/(dist\/)?bench\/server$/, '');
}

/** Stillframe as built in this checkout, run by the Node that runs the bench. */
export function stillframe(): Contestant {
  const main = join(packageRoot(), 'dist/bin/stillframe.cjs');
  if (!existsSync(main)) throw new Error(`${main} is missing: run \`npm run build\``);
  return { name: 'stillframe', program: process.execPath, args: [main] };
}

/** A redis-server or one that takes its options. */
export function peer(path: string): Contestant {
  if (!existsSync(path)) throw new Error(`${path} is missing: apt-get install redis-server`);
  return { name: path.slice(path.lastIndexOf('/') + 1), program: path, args: [] };
}

export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    readonly dir: string,
  ) {}

  get pid(): number {
    return this.child.pid as number;
  }

  /** Starts it without save points and returns when it accepts connections. */
  static async start(contestant: Contestant, more: readonly string[] = []): Promise<ServerProcess> {
    const dir = makeFolder();
    const server = ServerProcess.launch(contestant, dir, await freePort(), more);
    await ready(server.child, contestant.name);
    return server;
  }

  /** Starts it on the data in a folder and returns at once, before it answers. */
  static launch(
    contestant: Contestant,
    dir: string,
    port: number,
    more: readonly string[] = [],
  ): ServerProcess {
    const args = [...contestant.args, '--port', String(port), '--dir', dir, '--save', '', ...more];
    const child = startChild(contestant.program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout?.resume();
    child.stderr?.resume();
    return new ServerProcess(child, port, dir);
  }

  /** User and system time of all threads so far, in microseconds. */
  cpuMicros(): number {
    let nanos = 0;
    for (const task of readdirSync(`/proc/${this.pid}/task`)) {
      const text = readFileSync(`/proc/${this.pid}/task/${task}/schedstat`, 'utf8');
      nanos += Number(text.split(' ')[0]);
    }
    return nanos / 1000;
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** Ends it at once, as a crash would; its folder stays. */
  async kill(): Promise<void> {
    await killChild(this.child);
  }

  /** Ends it at once; nothing of a measurement has to be saved. */
  async stop(): Promise<void> {
    await this.kill();
    removeFolder(this.dir);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function ready(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${name} was not ready within ${READY_TIMEOUT_MS} ms:\n${log}`));
    }, READY_TIMEOUT_MS);
    const look = (chunk: Buffer): void => {
      if (log.includes(READY)) return; // keeps the pipe empty, not the log
      log += chunk.toString('utf8');
      if (!log.includes(READY)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      reject(new Error(`${name} ended before it was ready:\n${log}`));
    });
  });
}
