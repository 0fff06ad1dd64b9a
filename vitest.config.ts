// How the tests run: each file in a process of its own (an arena is one per isolate, and a server
// test that leaks would show), two at a time, because that is what the smallest machine has.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    globalSetup: ['test/support/global_setup.ts'],
    reporters: ['default'],
  },
});
