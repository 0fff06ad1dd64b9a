// The ends that a test cannot have in its own process: process.exit() and worker.terminate() in the
// middle of a run, several isolates, other versions of Node.
import { readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runTool } from '../support/run_tool.js';
import { folder } from './checkpoint_harness.js';

const addon = fileURLToPath(new URL('../../native/build/Release/stillframe.node', import.meta.url));
createRequire(import.meta.url)(addon); // a clear error when it was not built

// Other executables to try, separated by colons: CI names Node 22 and 24 here.
const executables = [
  process.execPath,
  ...(process.env.STILLFRAME_NODE_EXECUTABLES ?? '').split(':').filter((path) => path !== ''),
];

let scripts = 0;
/** Runs a script in a process of its own; `native`, `words` and `begin` are there. */
async function run(executable: string, body: string, name = 'run'): Promise<string> {
  const path = join(folder, `script${scripts++}.cjs`);
  writeFileSync(
    path,
    `'use strict';
     const native = require(${JSON.stringify(addon)});
     const worker = require('node:worker_threads');
     const temporary = ${JSON.stringify(join(folder, name))} + worker.threadId + '.tmp';
     const final = temporary.replace('.tmp', '.still');
     function begin(extentCount, onCopied) {
       const handle = native.openArena(extentCount * 2 ** 21);
       const words = new Int32Array(handle.windows[0]);
       for (let i = 0; i < words.length; i++) words[i] = i;
       native.checkpointStart({ temporaryPath: temporary, extents: new Uint8Array(extentCount).fill(1),
         memoryBytesMax: 2 ** 23, onCopied });
       for (let i = words.length - 1; i > 0; i -= 5000) words[i] = -1;
       return words;
     }
     ${body}`,
  );
  const result = await runTool(executable, [path]);
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return result.stdout;
}

const temporaries = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.tmp'));

test('process.exit() in the middle of a run leaves no temporary file', async () => {
  await run(process.execPath, 'begin(64, () => {}); process.exit(0);');
  await run(process.execPath, 'begin(64, () => { process.exit(0); });');
  expect(temporaries()).toEqual([]);
});

test('a run keeps the process alive until its result is delivered, and no longer', async () => {
  const output = await run(
    process.execPath,
    `begin(16, (error) => { console.log('copied', error);
       native.checkpointFinish({ tail: Buffer.from('x'), finalPath: final,
         onFinished: (error) => console.log('finished', error) }); });`,
    'alive',
  );
  expect(output).toBe('copied null\nfinished null\n');
});

test('an exception of a callback is an uncaught exception', async () => {
  const output = await run(
    process.execPath,
    `process.on('uncaughtException', (error) => console.log('caught', error.message));
     begin(4, () => { throw new Error('from onCopied'); });`,
  );
  expect(output).toBe('caught from onCopied\n');
});

test('every isolate has an arena of its own; a worker may end in the middle of a run', async () => {
  const output = await run(
    process.execPath,
    `if (worker.isMainThread) {
       const words = begin(8, () => {});
       let left = 3;
       for (let i = 0; i < 3; i++) {
         const thread = new worker.Worker(__filename);
         thread.once('message', () => { void thread.terminate(); });
         thread.once('exit', () => {
           if (--left > 0) return;
           native.checkpointWait();
           const counters = native.checkpointCounters();
           console.log(counters.pagesCopied + counters.pagesSaved === 8 * 512, words[1] === 1);
           native.checkpointAbort();
         });
       }
     } else {
       begin(32, () => {});
       worker.parentPort.postMessage('running');
       setInterval(() => {}, 1000);
     }`,
    'isolates',
  );
  expect(output).toBe('true true\n');
  expect(temporaries()).toEqual([]);
});

test.each(executables)('round trip in %s', async (executable) => {
  const output = await run(
    executable,
    `const extents = new Uint8Array(16).fill(1);
     const words = begin(16, (error, tableChecksum) => {
       if (error) throw error;
       native.checkpointFinish({ tail: Buffer.from('x'), finalPath: final, onFinished: (failure) => {
         if (failure) throw failure;
         native.restoreExtents({ path: final, extents, tableChecksum, tableOffset: 16 * 2 ** 21 });
         console.log(process.version, words.findIndex((word, i) => word !== i));
       } });
     });`,
    `version${scripts}`,
  );
  expect(output).toMatch(/^v\d+\.\d+\.\d+ -1\n$/);
});

test.each(
  executables,
)('an arena goes with its environment, however that ends, in %s', async (executable) => {
  const output = await run(
    executable,
    `globalThis.handle = native.openArena(3 * 2 ** 30 + 2 ** 21);
     if (worker.isMainThread) {
       const end = (stays, then) => {
         const thread = new worker.Worker(__filename, { workerData: stays });
         if (stays) thread.once('message', () => thread.terminate());
         thread.once('exit', (code) => { console.log(code); then(); });
       };
       end(false, () => end(true, () => console.log('natural end')));
     } else {
       worker.parentPort.postMessage('open');
       if (worker.workerData) setInterval(() => {}, 1000);
     }`,
  );
  expect(output).toBe('0\n1\nnatural end\n');
});
