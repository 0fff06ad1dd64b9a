// How writes are caught where the system is less generous: an ordinary user, a container that
// refuses the system call, and no userfaultfd at all. And that a fault that is not ours still does
// what it did before: a real crash crashes, a trap of WebAssembly is an exception.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { runTool, type ToolResult } from '../support/run_tool.js';
import { info, spawnServer } from '../support/spawn_server.js';
import { folder } from './checkpoint_harness.js';

const addon = fileURLToPath(new URL('../../native/build/Release/stillframe.node', import.meta.url));
const source = fileURLToPath(new URL('refuse_userfaultfd.c', import.meta.url));
const refuse = join(folder, 'refuse_userfaultfd');
const NOBODY = '65534';
const ORDINARY =
  process.getuid?.() === 0
    ? ['setpriv', '--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', '--bounding-set=-all']
    : [];

beforeAll(() => {
  execFileSync('cc', ['-Wall', '-Werror', '-o', refuse, source]);
  chmodSync(folder, 0o777); // for the ordinary user
  if (dirname(folder) !== tmpdir()) chmodSync(dirname(folder), 0o711);
});

let scripts = 0;
/** Runs a script below a launcher. `native`, `folder` and checkImage() are there. */
function run(launcher: readonly string[], body: string): Promise<ToolResult> {
  const path = join(folder, `mechanism${scripts++}.cjs`);
  writeFileSync(
    path,
    `'use strict';
     const native = require(${JSON.stringify(addon)});
     const fs = require('node:fs');
     const folder = ${JSON.stringify(folder)};
     const EXTENTS = 16;
     /** A run with writes all over the arena before and after its cut: the file holds the cut. */
     function checkImage(arena, prepare) {
       const words = new Int32Array(arena.windows[0]);
       for (let i = 0; i < words.length; i++) words[i] = i;
       const extents = new Uint8Array(EXTENTS).fill(1);
       const path = folder + '/mechanism' + process.pid + '.tmp';
       const request = { extents, memoryBytesMax: 2 ** 23 };
       if (prepare) {
         const must = (error) => { if (error) throw error; };
         native.checkpointPrepare({ ...request, onPrepared: must });
         native.checkpointWait();
         native.checkpointProtect({ temporaryPath: path, extents, onProtected: must });
         for (let i = 7; i < words.length; i += 70000) words[i] = -i;
         native.checkpointWait();
         for (let i = 9; i < words.length; i += 70000) words[i] = -i;
         while (!native.checkpointApproach());
         for (let i = 11; i < words.length; i += 300000) words[i] = -i;
       }
       const cut = Buffer.from(words.slice().buffer);
       let failure = 'not copied';
       native.checkpointStart({ ...request, temporaryPath: path, onCopied: (e) => { failure = e; } });
       for (let i = words.length - 1; i > 0; i -= 5000) words[i] = -1;
       native.checkpointWait();
       const file = fs.readFileSync(path);
       const counters = native.checkpointCounters();
       native.checkpointAbort();
       console.log(arena.mechanism, failure, file.subarray(0, cut.length).equals(cut),
         counters.pagesCopied + counters.pagesSaved === counters.pagesTotal, counters.faults > 0);
     }
     ${body}`,
  );
  const words = [...launcher, process.execPath, path];
  return runTool(words[0] as string, words.slice(1));
}

const RUNS = `const arena = native.openArena(EXTENTS * 2 ** 21);
  console.log(arena.mechanismReason);
  checkImage(arena, false);
  checkImage(arena, true);`;

async function expectRuns(
  launcher: readonly string[],
  mechanism: string,
  reason: RegExp,
): Promise<void> {
  const result = await run(launcher, RUNS);
  expect(result.stderr).toBe('');
  const [why, ...lines] = result.stdout.trimEnd().split('\n');
  expect(why).toMatch(reason);
  const line = `${mechanism} null true true true`;
  expect(lines).toEqual([line, line]);
}

describe('auto', () => {
  test('as an ordinary user: the system call, user mode only', async () => {
    await expectRuns(ORDINARY, 'userfaultfd', /system call userfaultfd is permitted/);
  });

  test('with the system call refused: /dev/userfaultfd where it is accessible', async () => {
    if (process.getuid?.() === 0) {
      await expectRuns([refuse, 'call'], 'userfaultfd', /refused here, \/dev\/userfaultfd is not/);
    } else {
      await expectRuns([refuse, 'call'], 'mprotect', /not available here/);
    }
  });

  test('an ordinary user with the system call refused: mprotect', async () => {
    const reason = /^not available here: userfaultfd: Operation not permitted .*Permission denied/;
    await expectRuns([...ORDINARY, refuse, 'call'], 'mprotect', reason);
  });

  test('with both refused: mprotect', async () => {
    const reason = /^not available here: userfaultfd: Operation not permitted .*seccomp/;
    await expectRuns([refuse, 'device'], 'mprotect', reason);
  });
});

test('a mechanism that is asked for is taken or refused', async () => {
  const result = await run(
    [refuse, 'device'],
    `try { native.openArena(2 ** 21, 'userfaultfd'); } catch (error) { console.log(error.code); }
     try { native.openArena(2 ** 21, 'fork'); } catch (error) { console.log(error.message); }
     console.log(native.openArena(2 ** 21, 'mprotect').mechanismReason);`,
  );
  expect(result.stdout).toBe(
    "EPERM\nthe mechanism must be 'auto', 'userfaultfd' or 'mprotect'\nit was asked for\n",
  );
});

describe('in front of the handlers of Node', () => {
  // (module (memory 1) (func (export "read") (param i32) (result i32) local.get 0 i32.load))
  const TRAP = `const compiled = new WebAssembly.Module(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96,
      1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 8, 1, 4, 114, 101, 97, 100, 0, 0, 10, 9, 1, 7, 0,
      32, 0, 40, 2, 0, 11]));
    const { read } = new WebAssembly.Instance(compiled).exports;
    function trap() {
      try { read(-8); } catch (error) { console.log(error.constructor === WebAssembly.RuntimeError,
        error.message); }
    }`;

  test.each(['userfaultfd', 'mprotect'])('WebAssembly still traps, %s', async (mechanism) => {
    const result = await run(
      [],
      `${TRAP}
       trap();
       const arena = native.openArena(EXTENTS * 2 ** 21, '${mechanism}');
       for (let i = 0; i < 3; i++) trap();
       checkImage(arena, true);
       trap();
       console.log(read(0));`,
    );
    expect(result.stderr).toBe('');
    const trapped = 'true memory access out of bounds\n';
    const checked = `${mechanism} null true true true\n`;
    expect(result.stdout).toBe(`${trapped.repeat(4)}${checked}${trapped}0\n`);
  });

  test.each(['userfaultfd', 'mprotect'])('a real fault still crashes, %s', async (mechanism) => {
    const body = `const arena = native.openArena(EXTENTS * 2 ** 21, '${mechanism}');
      checkImage(arena, false);
      const file = fs.openSync(folder + '/read_only', 'r');
      const view = new Uint8Array(native.openFileArena(file, 2 ** 21).windows[0]);
      view[5] = 1; // a store into memory that is only read: a segmentation fault
      console.log('alive');`;
    writeFileSync(join(folder, 'read_only'), Buffer.alloc(2 ** 21));
    const result = await run(['sh', '-c', '"$@"; echo "status $?"', 'sh'], body);
    expect(result.stdout).toMatch(/true true true\nstatus 139\n$/); // 128 + SIGSEGV
  });
});

test.each([
  ['mprotect where userfaultfd is refused', 'auto', /^not available here/],
  ['mprotect where it is asked for', 'mprotect', /^it was asked for$/],
])('the server: %s', async (_name, option, reason) => {
  const dir = join(folder, `server-${option}`);
  mkdirSync(dir);
  const launcher = option === 'auto' ? [refuse, 'device'] : [];
  const args = ['--checkpoint-mechanism', option];
  const start = () => spawnServer({ kind: 'stillframe', dir, args, launcher });
  let server = await start();
  try {
    let client = await server.connect();
    const facts = await info(client, 'persistence');
    expect(facts.get('checkpoint_mechanism')).toBe('mprotect');
    expect(facts.get('checkpoint_mechanism_reason')).toMatch(reason);
    expect(server.log()).toMatch(/checkpoints by mprotect/);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 200; i++) await client.call('SET', `key:${i}`, `${round}`.repeat(500));
      await client.call(round === 1 ? 'SAVE' : 'BGSAVE');
      for (let i = 0; i < 200; i++) await client.call('APPEND', `key:${i}`, '+');
      while ((await info(client, 'persistence')).get('rdb_bgsave_in_progress') !== '0');
      expect((await info(client, 'persistence')).get('rdb_last_bgsave_status')).toBe('ok');
    }
    await client.call('SAVE');
    await server.kill();
    server = await start();
    client = await server.connect();
    for (let i = 0; i < 200; i += 7) {
      expect(await client.call('GET', `key:${i}`)).toBe(`${'2'.repeat(500)}+`);
    }
  } finally {
    await server.stop();
  }
});
