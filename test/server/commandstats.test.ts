// INFO commandstats: which calls are timed, and what they stand for. Times come from a clock of the test's own.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openTestArena } from '../support/open_arena.js';

await openTestArena(32 * 1024 * 1024);
const { Client } = await import('../../server/client.js');
const { Command } = await import('../../server/command_table/command.js');
const { breakTiming, execute } = await import('../../server/execute.js');

const client = new Client(0, 1, { fd: -1, address: '', localAddress: '' }, false, 0);
let nowMillis = 0;
let reads = 0;
beforeEach(() => {
  breakTiming();
  reads = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    reads++;
    return nowMillis;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A command whose calls take so many microseconds; the last figure is that of all further ones. */
function commandOf(
  flag: 'fast' | 'write',
  micros: readonly number[],
): InstanceType<typeof Command> {
  let call = 0;
  const handler = (): void => {
    nowMillis += micros[Math.min(call++, micros.length - 1)]! / 1000;
  };
  const row = { name: 'x', arity: 1, flags: [flag], categories: [], summary: '', since: '' };
  return new Command({ ...row, group: 'generic', handler }, null);
}

function run(command: InstanceType<typeof Command>, calls: number): number {
  const end = command.calls + calls;
  while (command.calls < end) execute(client, command);
  return Math.round(command.micros);
}

test('a rare slow call of a command that is not hot shows its own time', () => {
  expect(run(commandOf('write', [50_000]), 1)).toBe(50_000);
  expect(run(commandOf('write', [3, 3, 50_000, 3]), 100)).toBe(50_000 + 99 * 3);
});

test("calls in a row share their looks at the clock; what happens in between is nobody's time", () => {
  const command = commandOf('write', [3]);
  run(command, 10);
  expect(reads).toBe(11);
  nowMillis += 50;
  breakTiming();
  expect(run(command, 10)).toBe(20 * 3);
  expect(reads).toBe(22);
});

test('a call behind one that was not timed begins when it begins', () => {
  const command = commandOf('fast', [2]);
  run(command, 16); // the first is timed, the others are not
  nowMillis += 50;
  expect(run(command, 1)).toBe(17 * 2);
});

test('cheap calls of a hot command are timed one in sixteen, which stands for them all', () => {
  expect(run(commandOf('fast', [2]), 1 + 16 * 10)).toBe((1 + 16 * 10) * 2);
  expect(reads).toBe(2 * 11);
});

test('a slow call of a hot command does not count for those before it, and the next is timed', () => {
  expect(run(commandOf('fast', [50_000, 2]), 2)).toBe(50_002);
  const late = [...Array.from({ length: 16 }, () => 2), 50_000, 2];
  const micros = run(commandOf('fast', late), 34);
  expect(micros).toBeGreaterThan(50_000);
  expect(micros).toBeLessThanOrEqual(50_000 + 15 * 100 + 33 * 2);
});

test('a hot command that is always slow is timed at each call', () => {
  expect(run(commandOf('fast', [300]), 50)).toBe(50 * 300);
});

test('CONFIG RESETSTAT begins anew', () => {
  const command = commandOf('fast', [2]);
  run(command, 20);
  command.resetCounters();
  expect(run(command, 17)).toBe(34);
});
