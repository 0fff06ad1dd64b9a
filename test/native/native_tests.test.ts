// The native tests of arena and checkpoint, which need no Node, in each flavour and in short form.
// The long form: native/test/run.sh --effort 20
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../native/test/run.sh', import.meta.url));
const TIMEOUT_MS = 300_000; // a first run builds, and shares two cores with other tests

test.each(['plain', 'address', 'thread'])('native tests, %s', {
  timeout: TIMEOUT_MS,
}, async (flavour) => {
  const result = await promisify(execFile)('sh', [SCRIPT, flavour], { timeout: TIMEOUT_MS });
  expect(result.stderr).toBe('');
  expect(result.stdout).toMatch(/^\d+ tests passed/m);
});
