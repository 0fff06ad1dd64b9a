// Starts a server process for a test and gives it back clean: free port, folder of its own, ready
// when it says so, stopped by pid, folder removed, log kept for the failure message.
//
// `kind` says which program: 'stillframe' (dist/bin/stillframe.cjs) or 'redis' (the peer). Tests of
// one server run the subject; STILLFRAME_TEST_SUBJECT=redis runs them against the peer, which
// shows whether a failing expectation is the test's own fault.
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PID_LIST, TEMPORARY_ROOT } from './global_setup.js';
import { RawClient } from './raw_client.js';
import { REDIS_SERVER } from './redis_peer.js';

export type ServerKind = 'stillframe' | 'redis';

export const PACKAGE_ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Where `dist/` is: this checkout, or another build named by STILLFRAME_BUILD. */
export const BUILD_ROOT = process.env.STILLFRAME_BUILD ?? PACKAGE_ROOT;
export const STILLFRAME_MAIN = join(BUILD_ROOT, 'dist/bin/stillframe.cjs');

const READY = 'Ready to accept connections';
const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 20_000;
const PORT_ATTEMPTS = 20;
const LOG_TAIL_BYTES = 4000;

/** Which server the tests of one server are about. */
export function subjectKind(): ServerKind {
  const name = process.env.STILLFRAME_TEST_SUBJECT ?? 'stillframe';
  if (name !== 'stillframe' && name !== 'redis') {
    throw new Error(`STILLFRAME_TEST_SUBJECT must be stillframe or redis, not '${name}'`);
  }
  return name;
}

export interface SpawnOptions {
  readonly kind?: ServerKind;
  /** Where its data lies. Default: a new folder, removed by stop(). */
  readonly dir?: string;
  /** Configuration file; the arguments come after it and win. */
  readonly file?: string;
  /** More arguments, after ours: `--save "" --port N --dir D --enable-debug-command yes`. */
  readonly args?: readonly string[];
  /** Node options for Stillframe, such as --max-old-space-size=100. */
  readonly nodeArgs?: readonly string[];
  /** A program and its arguments that start the server in another environment. */
  readonly launcher?: readonly string[];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A new folder for test data, below the folder that the global set-up removes. */
export function temporaryFolder(): string {
  const root = process.env[TEMPORARY_ROOT];
  return mkdtempSync(join(root && existsSync(root) ? root : tmpdir(), 'stillframe-'));
}

/** A port that nobody listens on. Taken below the range of outgoing connections, so that a test
 *  that opens thousands of them cannot take it away in the meantime. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Error(`no free port found in ${PORT_ATTEMPTS} attempts`);
}

function commandLine(kind: ServerKind, nodeArgs: readonly string[]): [string, string[]] {
  if (kind === 'redis') return [REDIS_SERVER, []];
  if (!existsSync(STILLFRAME_MAIN)) {
    throw new Error(`${STILLFRAME_MAIN} is missing: run \`npm run build\``);
  }
  return [process.execPath, [...nodeArgs, STILLFRAME_MAIN]];
}

/** Starts a server with exactly these arguments and returns once it has ended: for `--help`, and
 *  for starts that must fail. */
export async function runToExit(
  kind: ServerKind,
  args: readonly string[],
): Promise<Exit & { log: string }> {
  const [program, first] = commandLine(kind, []);
  const child = spawn(program, [...first, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = collect(child);
  const exit = await exitOf(child, READY_TIMEOUT_MS);
  return { ...exit, log: log() };
}

function collect(child: ChildProcess): () => string {
  running.add(child);
  const root = process.env[TEMPORARY_ROOT];
  if (root && child.pid) appendFileSync(join(root, PID_LIST), `${child.pid}\n`);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.once('close', () => running.delete(child));
  return () => Buffer.concat(chunks).toString('utf8');
}

function exitOf(child: ChildProcess, timeoutMs: number): Promise<Exit> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`process ${child.pid} did not end within ${timeoutMs} ms; killed`));
    }, timeoutMs);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal });
    });
  });
}

/** Starts a server and waits until it accepts connections. Throws with its log when it does not. */
export async function spawnServer(options: SpawnOptions = {}): Promise<TestServer> {
  const kind = options.kind ?? subjectKind();
  const ownsDir = options.dir === undefined;
  const dir = options.dir ?? temporaryFolder();
  const [program, first] = commandLine(kind, options.nodeArgs ?? []);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const args = options.file === undefined ? [] : [options.file];
    args.push('--port', String(port), '--dir', dir, '--save', '');
    args.push('--enable-debug-command', 'yes', ...(options.args ?? []));
    const words = [...(options.launcher ?? []), program, ...first, ...args];
    const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    const server = new TestServer(kind, child, port, dir, ownsDir, collect(child));
    const problem = await server.whenReady();
    if (problem === null) return server;
    if (!/address already in use/i.test(problem) || attempt === PORT_ATTEMPTS) {
      if (ownsDir) rmSync(dir, { recursive: true, force: true });
      throw new Error(`${kind} did not start: ${problem}`);
    }
  }
}

export class TestServer {
  readonly pid: number;
  /** How the process ended; pending while it lives. */
  readonly exited: Promise<Exit>;
  exit: Exit | null = null;
  private readonly clients: RawClient[] = [];

  constructor(
    readonly kind: ServerKind,
    private readonly child: ChildProcess,
    readonly port: number,
    readonly dir: string,
    private readonly ownsDir: boolean,
    readonly log: () => string,
  ) {
    this.pid = child.pid ?? -1;
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
  }

  /** Null when the log says that it listens, else what went wrong. */
  async whenReady(): Promise<string | null> {
    const ready = new Promise<null>((resolve) => {
      const look = (): void => {
        if (this.log().includes(READY)) resolve(null);
      };
      this.child.stdout?.on('data', look);
      this.child.stderr?.on('data', look);
    });
    const ended = this.exited.then((exit) => `it ended with ${showExit(exit)}\n${this.log()}`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => {
        this.child.kill('SIGKILL');
        resolve(`no '${READY}' within ${READY_TIMEOUT_MS} ms\n${this.log()}`);
      }, READY_TIMEOUT_MS);
    });
    return Promise.race([ready, ended, late]).finally(() => clearTimeout(timer));
  }

  /** A new connection, closed by stop(). */
  async connect(): Promise<RawClient> {
    const client = await RawClient.connect({ port: this.port });
    this.clients.push(client);
    return client;
  }

  /** Resident bytes of the process, as the kernel counts them. */
  rssBytes(): number {
    return statusBytes(this.pid, 'VmRSS');
  }

  /** Ends the process with SIGTERM, removes its folder when it made one. Idempotent. */
  async stop(): Promise<Exit> {
    const exit = await this.end('SIGTERM');
    if (this.ownsDir) rmSync(this.dir, { recursive: true, force: true });
    return exit;
  }

  /** kill -9: nothing is flushed, the folder stays. */
  kill(): Promise<Exit> {
    return this.end('SIGKILL');
  }

  /** The end of the log, for the text of a failure. */
  logTail(): string {
    const state = this.exit === null ? 'running' : `ended with ${showExit(this.exit)}`;
    return `--- ${this.kind} (${state}), end of its log:\n${this.log().slice(-LOG_TAIL_BYTES)}`;
  }

  private async end(signal: NodeJS.Signals): Promise<Exit> {
    for (const client of this.clients.splice(0)) client.socket.destroy();
    if (this.exit !== null) return this.exit;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    return this.exited.finally(() => clearTimeout(timer));
  }
}

export function showExit(exit: Exit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
}

/** A line of /proc/PID/status that is given in kB, as bytes. */
export function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (match === null) throw new Error(`no ${field} in /proc/${pid}/status`);
  return Number(match[1]) * 1024;
}

/** The fields of INFO (one section or all) by name. */
export async function info(
  client: RawClient,
  section = 'everything',
): Promise<Map<string, string>> {
  const text = await client.call('INFO', section);
  if (typeof text !== 'string') throw new Error(`INFO ${section}: ${String(text)}`);
  return parseInfo(text);
}

export function parseInfo(text: string): Map<string, string> {
  const result = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) result.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return result;
}

/** Waits until the condition holds, asking again after a turn; throws with `what` when it does not
 *  within the time. For states that a server reaches by itself: saves, expiry, closed clients. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
