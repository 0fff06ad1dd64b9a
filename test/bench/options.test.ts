// The command line of the bench: what is run, how much of it, and whether it counts as a whole run.
import { expect, test } from 'vitest';
import { parseOptions, usage } from '../../bench/options.js';
import type { Workload } from '../../bench/workload.js';

function workload(name: string, options: Workload['options']): Workload {
  return { name, title: `about ${name}`, about: '', options, run: async () => ({}) };
}

const MEMORY = workload('memory', { keys: { about: 'keys', whole: [5000], quick: [10] } });
const RESTART = workload('restart', {
  heap: { about: 'GiB', whole: [1, 8], quick: [0.5], fraction: true },
  rounds: { about: 'rounds', whole: [3], quick: [1] },
});
const ALL = [MEMORY, RESTART];

test('without a name all workloads are run, whole', () => {
  const options = parseOptions([], ALL);
  expect(options.workloads).toEqual(ALL);
  expect(options.whole).toBe(true);
  expect(options.numbers(RESTART, 'heap')).toEqual([1, 8]);
  expect(options.peer).toBe('/usr/bin/redis-server');
  expect(options.seed).toBe(42);
});

test('--quick takes the small numbers and is not whole', () => {
  const options = parseOptions(['restart', '--quick'], ALL);
  expect(options.workloads).toEqual([RESTART]);
  expect(options.whole).toBe(false);
  expect(options.numbers(RESTART, 'heap')).toEqual([0.5]);
});

test('a number of its own makes a run that is not whole', () => {
  const options = parseOptions(['restart', '--heap', '2,0.25'], ALL);
  expect(options.numbers(RESTART, 'heap')).toEqual([2, 0.25]);
  expect(options.numbers(RESTART, 'rounds')).toEqual([3]);
  expect(options.whole).toBe(false);
  expect(parseOptions(['--only', 'peer'], ALL).whole).toBe(false);
  expect(parseOptions(['--subject', '/bin/true'], ALL).whole).toBe(false);
  expect(parseOptions(['--peer', '/usr/bin/valkey-server', '--seed', '7'], ALL).whole).toBe(true);
});

test('report runs nothing', () => {
  const options = parseOptions(['report'], ALL);
  expect(options.workloads).toEqual([]);
  expect(options.reportOnly).toBe(true);
  expect(parseOptions(['report', '--quick'], ALL).whole).toBe(false);
});

test.each([
  [['nosuch'], "unknown workload 'nosuch'"],
  [['memory', '--heap', '1'], '--heap is no option of memory'],
  [['memory', '--keys', '0'], "--keys must be whole numbers above 0, separated by commas, not '0'"],
  [['memory', '--keys', '1.5'], '--keys must be whole numbers'],
  [['restart', '--heap', '1,x'], "--heap must be numbers above 0, separated by commas, not 'x'"],
  [['--only', 'both'], "--only must be peer or stillframe, not 'both'"],
])('%j is refused', (args, message) => {
  expect(() => parseOptions(args, ALL).workloads.map(numbersOf(args))).toThrow(message);
});

/** Numbers are looked at when a workload asks for them. */
function numbersOf(args: readonly string[]) {
  return (one: Workload): unknown =>
    Object.keys(one.options).map((name) => parseOptions(args, ALL).numbers(one, name));
}

test('the usage names every workload and its options', () => {
  const text = usage(ALL);
  expect(text).toMatch(/^ {2}memory +about memory$/m);
  expect(text).toMatch(/^ {4}--heap +GiB, 1,8$/m);
});
