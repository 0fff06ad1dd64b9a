// The native tests of arena and checkpoint, which need no Node, in each flavour and in short form.
// The long form: native/test/run.sh --effort 20
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runTool } from '../support/run_tool.js';

const SCRIPT = fileURLToPath(new URL('../../native/test/run.sh', import.meta.url));

async function passes(...args: string[]): Promise<void> {
  const result = await runTool('sh', [SCRIPT, ...args]);
  expect(result.stderr).toBe('');
  expect(result.stdout).toMatch(/^\d+ tests passed/m);
  expect(result.code).toBe(0);
}

// Building a flavour and running it each stay below the minute that a tool may take.
test.each(['plain', 'address', 'thread'])(
  'native tests, %s',
  { timeout: 150_000 },
  async (flavour) => {
    await passes(flavour, 'checksum_published');
    await passes(flavour);
  },
);
