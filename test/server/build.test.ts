// The build as users run it: in every Node, from any folder, with compiled code that may be missing,
// damaged or of another build.
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codePath, compileFile } from '../../server/compiled_code.js';
import { runTool } from '../support/run_tool.js';
import { BUILD_ROOT, freePort, STILLFRAME_MAIN, temporaryFolder } from '../support/spawn_server.js';

const BUNDLE = dirname(STILLFRAME_MAIN);
const SERVE = join(BUNDLE, 'serve.cjs');

// Other executables to try, separated by colons: CI names Node 22 and 24 here.
const executables = [
  process.execPath,
  ...(process.env.STILLFRAME_NODE_EXECUTABLES ?? '').split(':').filter((path) => path !== ''),
];

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Sends one command inline and gives the reply back, or null when nobody listens. */
function ask(port: number, command: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('data', (chunk) => {
      socket.destroy();
      resolve(chunk.toString('latin1'));
    });
    socket.once('error', () => resolve(null));
  });
}

/** Starts a server, waits until it listens, does something and ends it with SIGTERM. */
async function withServer(
  program: string,
  main: string,
  dir: string,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const args = [main, '--port', String(port), '--dir', dir, '--save', '3600', '1'];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes('Ready to accept connections')) resolve();
      });
      void ended.then(() => reject(new Error(`it did not start: ${log}`)));
    });
    await use(port);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

test.each(executables)('one build serves, saves and starts again in %s', async (program) => {
  const dir = join(folder, `data-${executables.indexOf(program)}`);
  await withServer(program, STILLFRAME_MAIN, dir, async (port) => {
    expect(await ask(port, 'SET greeting hello')).toBe('+OK\r\n');
  });
  await withServer(program, STILLFRAME_MAIN, dir, async (port) => {
    expect(await ask(port, 'GET greeting')).toBe('$5\r\nhello\r\n');
  });
  const verified = await runTool(program, [STILLFRAME_MAIN, 'verify', dir]);
  expect(verified).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('good: checkpoint 1'),
  });
});

test('V8 takes the code that the build made', () => {
  const script = compileFile(SERVE, readFileSync(codePath(SERVE)));
  expect(script.cachedDataRejected).toBe(false);
});

/** A copy of the build in a folder of its own, without compiled code. Returns its main file. */
function copyOfBuild(name: string): string {
  const root = join(folder, name);
  const bundle = join(root, 'dist/bin');
  mkdirSync(bundle, { recursive: true });
  for (const file of readdirSync(BUNDLE)) {
    if (file.endsWith('.cjs')) copyFileSync(join(BUNDLE, file), join(bundle, file));
  }
  symlinkSync(join(BUILD_ROOT, 'native'), join(root, 'native'));
  symlinkSync(join(BUILD_ROOT, 'package.json'), join(root, 'package.json'));
  return join(bundle, 'stillframe.cjs');
}

test('without its code, or with code that is damaged or older, the text counts', async () => {
  const good = readFileSync(codePath(SERVE));
  const codes: readonly (readonly [string, Buffer | null])[] = [
    ['none', null],
    ['empty', Buffer.alloc(0)],
    ['cut', good.subarray(0, good.length >> 1)],
    ['zeros', Buffer.alloc(good.length)],
    ['of another text', compileFile(join(BUNDLE, 'compile.cjs')).createCachedData()],
  ];
  for (const [name, code] of codes) {
    const main = copyOfBuild(name);
    const serve = join(dirname(main), 'serve.cjs');
    if (code !== null) writeFileSync(codePath(serve), code);
    const result = await runTool(process.execPath, [main, '--version']);
    expect({ name, ...result }).toMatchObject({ name, code: 0, stderr: '' });
    expect(result.stdout).toContain('Stillframe');
  }
});

test('a text that was changed after the build runs as it is now', async () => {
  const main = copyOfBuild('changed');
  const serve = join(dirname(main), 'serve.cjs');
  writeFileSync(codePath(serve), readFileSync(codePath(SERVE)));
  // As long as before: V8 alone would not notice.
  writeFileSync(serve, readFileSync(serve, 'utf8').replaceAll('Stillframe', 'Stillfraud'));
  utimesSync(codePath(serve), 1, 1);
  const { stdout } = await runTool(process.execPath, [main, '--version']);
  expect(stdout).toContain('Stillfraud');
});
