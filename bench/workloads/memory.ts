// Resident bytes per element above what the user stored: after a load, and after churn, which is where
// an allocator shows its fragmentation.
import { setTimeout as delay } from 'node:timers/promises';
import { sendCommands } from '../load/batches.js';
import { keyOf, loadKeys } from '../load/loader.js';
import { hash32, shuffled } from '../load/random.js';
import type { Comparison, Measurement } from '../report/result.js';
import { ServerProcess } from '../server/server_process.js';
import { type Bench, type Entrant, Figures, takeTurns, type Workload } from '../workload.js';

const KEY_BYTES = 16;
const VALUE_BYTES = 64;
/** Values of the refill have from 16 to 143 bytes, so that few of them fit where one was freed. */
const REFILL_LEAST = 16;
const REFILL_RANGE = 128;

/** The resident size is steady when so many looks at it found no larger change. */
const STEADY_SHARE = 0.01;
const STEADY_LOOKS = 3;
const LOOKS_MAX = 60;

/** One type of element. A new type is a line here. */
interface ElementRow {
  readonly id: string;
  readonly label: string;
  /** Elements for each one that --keys says. */
  readonly share: number;
  /** Bytes that the user stored in one. */
  readonly ownBytes: number;
  readonly load: (port: number, count: number) => Promise<void>;
  readonly required?: number;
  readonly headline?: boolean;
}

const ELEMENTS: readonly ElementRow[] = [
  {
    id: 'string-64',
    label: 'string, key of 16 bytes, value of 64',
    share: 1,
    ownBytes: KEY_BYTES + VALUE_BYTES,
    load: (port, count) => loadKeys(port, count, VALUE_BYTES),
    required: 40,
    headline: true,
  },
  {
    id: 'string-4096',
    label: 'string, key of 16 bytes, value of 4096',
    share: 1 / 32,
    ownBytes: KEY_BYTES + 4096,
    load: (port, count) => loadKeys(port, count, 4096),
  },
];

export const memory: Workload = {
  name: 'memory',
  title: 'Resident memory per element',
  about:
    'The resident size of the process without what it was when empty, over the elements, less the bytes ' +
    'that the user stored. After churn: a random half of the keys is deleted and as many others are set, ' +
    `values of ${REFILL_LEAST} to ${REFILL_LEAST + REFILL_RANGE - 1} bytes; the figure is the resident size ` +
    'over that of a fresh process that was given the same keys and values at once. All sizes are read when ' +
    `they have not changed by more than ${STEADY_SHARE * 100} % for a few seconds: memory goes back to the ` +
    'system, and data is moved together, in the background.',
  options: {
    keys: { about: 'small keys', whole: [5_000_000], quick: [500_000] },
    rounds: { about: 'rounds', whole: [2], quick: [1] },
    steady: {
      about: 'seconds without a change before a size is read',
      whole: [3],
      quick: [3],
      fraction: true,
    },
  },
  run,
};

async function run(bench: Bench): Promise<Measurement> {
  const keys = bench.one('keys');
  const rounds = bench.one('rounds');
  const element = new Figures();
  const churned = new Figures();
  bench.steps.plan(rounds * bench.entrants.length * (ELEMENTS.length + 2));
  await takeTurns(bench, rounds, async (entrant, round) => {
    const name = `round ${round + 1}, ${entrant.name}`;
    for (const row of ELEMENTS) {
      bench.steps.step(`${name}: ${row.label}`);
      const count = Math.ceil(keys * row.share);
      const bytes = await residentAfter(bench, entrant, (port) => row.load(port, count));
      element.add(row.id, entrant.side, bytes / count - row.ownBytes);
    }
    bench.steps.step(`${name}: churn`);
    const churn = planChurn(keys, bench.seed);
    const after = await residentAfter(bench, entrant, (port) => loadAndChurn(port, churn));
    bench.steps.step(`${name}: the same data, fresh`);
    const fresh = await residentAfter(bench, entrant, (port) => loadFinal(port, churn));
    churned.add('string-64', entrant.side, after / fresh);
  });
  return { comparisons: compare(element, churned) };
}

function compare(element: Figures, churned: Figures): Comparison[] {
  return [
    {
      id: 'element',
      title: "Resident memory per element above the user's own bytes",
      scale: { unit: 'bytes', digits: 1, better: 'lower' },
      rows: ELEMENTS.map(({ id, label, required, headline }) =>
        element.row(id, label, {
          ...(required === undefined ? {} : { required }),
          ...(headline === undefined ? {} : { headline }),
        }),
      ),
    },
    {
      id: 'churn',
      title: 'Resident memory after churn, over that of the same data loaded afresh',
      scale: { unit: 'times', digits: 2, better: 'lower' },
      rows: [
        churned.row('string-64', 'half deleted, as many of other sizes set', {
          required: 1.15,
          headline: true,
        }),
      ],
    },
  ];
}

/** Growth of a fresh process's resident size while `load` runs. */
async function residentAfter(
  bench: Bench,
  entrant: Entrant,
  load: (port: number) => Promise<void>,
): Promise<number> {
  const server = await ServerProcess.start(entrant);
  try {
    const seconds = bench.one('steady');
    const empty = await steadyBytes(server, seconds);
    await load(server.port);
    return (await steadyBytes(server, seconds)) - empty;
  } finally {
    await server.stop();
  }
}

/** The resident size once it is steady for so many seconds, or after LOOKS_MAX looks. */
async function steadyBytes(server: ServerProcess, seconds: number): Promise<number> {
  let reference = server.residentBytes();
  let steady = 0;
  for (let look = 0; look < LOOKS_MAX && steady < STEADY_LOOKS; look++) {
    await delay((seconds * 1000) / STEADY_LOOKS);
    const bytes = server.residentBytes();
    steady++;
    if (Math.abs(bytes - reference) <= reference * STEADY_SHARE) continue;
    reference = bytes;
    steady = 0;
  }
  return server.residentBytes();
}

interface Churn {
  readonly keys: number;
  readonly seed: number;
  /** The keys of the load; the first half of these is deleted. */
  readonly order: Uint32Array;
}

function planChurn(keys: number, seed: number): Churn {
  return { keys, seed, order: shuffled(keys, seed) };
}

async function loadAndChurn(port: number, churn: Churn): Promise<void> {
  const deleted = churn.keys >>> 1;
  await loadKeys(port, churn.keys, VALUE_BYTES);
  await sendCommands(port, deleted, (i) => ['DEL', keyOf(churn.order[i] as number)]);
  await sendCommands(port, deleted, (i) => refill(churn, i));
}

async function loadFinal(port: number, churn: Churn): Promise<void> {
  const deleted = churn.keys >>> 1;
  const value = 'v'.repeat(VALUE_BYTES);
  await sendCommands(port, churn.keys - deleted, (i) => [
    'SET',
    keyOf(churn.order[deleted + i] as number),
    value,
  ]);
  await sendCommands(port, deleted, (i) => refill(churn, i));
}

function refill({ keys, seed }: Churn, index: number): string[] {
  const bytes = REFILL_LEAST + (hash32(index, seed + 1) % REFILL_RANGE);
  return ['SET', keyOf(keys + index), 'w'.repeat(bytes)];
}
