// Resident bytes per element above what the user stored: after a load, and after churn, which is where
// an allocator shows its fragmentation.
import { setTimeout as delay } from 'node:timers/promises';
import { sendCommands } from '../load/batches.js';
import { keyOf, loadCommands, loadKeys, repeated } from '../load/loader.js';
import { hash32, shuffled } from '../load/random.js';
import type { Comparison, Measurement, Side } from '../report/result.js';
import { Control } from '../server/control.js';
import { ServerProcess } from '../server/server_process.js';
import { type Bench, type Entrant, Figures, type Workload } from '../workload.js';

const KEY_BYTES = 16;
const VALUE_BYTES = 64;
/** Values of the refill have from 16 to 143 bytes, so that few of them fit where one was freed. */
const REFILL_LEAST = 16;
const REFILL_RANGE = 128;

/** The resident size is steady when so many looks at it found no larger change. */
const STEADY_SHARE = 0.01;
const STEADY_LOOKS = 3;
const LOOKS_MAX = 180;

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

/** One type of value, all of it. A new type is a line here. */
interface ValueRow {
  readonly id: string;
  readonly label: string;
  /** Commands for each key that --keys says. */
  readonly share: number;
  readonly command: readonly string[];
  /** See loadCommands(). */
  readonly replyLines?: number;
}

const TEXT = 'v'.repeat(16);

/** With 5 million keys: as many values, or elements of one value, as the label says. */
const VALUES: readonly ValueRow[] = [
  {
    id: 'hash',
    label: '1M hashes of 10 fields, values of 16 bytes',
    share: 1 / 5,
    command: ['HSET', 'hash:{0}', ...repeated(10, (i) => [`field:${i}`, TEXT])],
  },
  {
    id: 'list',
    label: '1M lists of 20 elements of 16 bytes',
    share: 1 / 5,
    command: ['RPUSH', 'list:{0}', ...repeated(20, () => [TEXT])],
  },
  {
    id: 'set',
    label: '1M sets of 20 integers',
    share: 1 / 5,
    command: ['SADD', 'set:{0}', ...repeated(20, (i) => [String(1_000_000 + i * 4999)])],
  },
  {
    id: 'zset',
    label: 'a sorted set of 5M members of 16 bytes',
    share: 1 / 10,
    command: ['ZADD', 'zset', ...repeated(10, (i) => [`{${i}}`, `mbr:{${i}}`])],
  },
  {
    id: 'stream',
    label: 'a stream of 5M entries of 3 fields, values of 16 bytes',
    share: 1,
    command: ['XADD', 'stream', '*', ...repeated(3, (i) => [`field:${i}`, 'val:{0}'])],
    replyLines: 2,
  },
];
const VALUE_RATIO = 0.8;

export const memory: Workload = {
  name: 'memory',
  title: 'Resident memory per element',
  about:
    'The resident size of the process without what it was when empty, over the elements, less the bytes ' +
    'that the user stored; of collections all that it has grown by. After churn: a random half of the keys is deleted and as many others are set, ' +
    `values of ${REFILL_LEAST} to ${REFILL_LEAST + REFILL_RANGE - 1} bytes; the figure is the resident size ` +
    'over that of a fresh process that was given the same keys and values at once. All sizes are read when ' +
    `they have not changed by more than ${STEADY_SHARE * 100} % for a few seconds and no data is moved: memory ` +
    'goes back to the system, and data is moved together, in the background.',
  options: {
    keys: { about: 'small keys', whole: [5_000_000], quick: [500_000] },
    rounds: { about: 'rounds', whole: [2], quick: [1] },
    steady: {
      about: 'seconds without a change before a size is read',
      whole: [2],
      quick: [2],
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
  const values = new Figures();
  bench.steps.plan(rounds * (ELEMENTS.length + VALUES.length + 2));
  for (let round = 0; round < rounds; round++) {
    const measure = async (label: string, load: Load, add: Add): Promise<void> => {
      bench.steps.step(`round ${round + 1}: ${label}`);
      await residentAfter(bench, load, add);
    };
    for (const { id, label, share, ownBytes, load } of ELEMENTS) {
      const count = Math.ceil(keys * share);
      await measure(
        label,
        (port) => load(port, count),
        (side, bytes) => element.add(id, side, bytes / count - ownBytes),
      );
    }
    for (const { id, label, share, command, replyLines } of VALUES) {
      const count = Math.ceil(keys * share);
      await measure(
        label,
        (port) => loadCommands(port, count, command, replyLines),
        (side, bytes) => values.add(id, side, bytes / 1e6),
      );
    }
    const churn = planChurn(keys, bench.seed);
    const after = new Map<Side, number>();
    await measure(
      'churn',
      (port) => loadAndChurn(port, churn),
      (side, bytes) => after.set(side, bytes),
    );
    await measure(
      'the same data, fresh',
      (port) => loadFinal(port, churn),
      (side, bytes) => churned.add('string-64', side, (after.get(side) as number) / bytes),
    );
  }
  return { comparisons: compare(element, values, churned) };
}

function compare(element: Figures, values: Figures, churned: Figures): Comparison[] {
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
      id: 'values',
      title: 'Resident memory of collections',
      scale: { unit: 'MB', digits: 0, better: 'lower' },
      rows: VALUES.map(({ id, label }) => values.row(id, label, { requiredRatio: VALUE_RATIO })),
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

type Load = (port: number) => Promise<void>;
type Add = (side: Side, bytes: number) => void;

/**
 * Growth of the resident size of fresh processes while `load` runs. Both servers at once: it is a size and no
 * time that is read, and most of the time is spent waiting for it to be steady.
 */
async function residentAfter({ entrants, one }: Bench, load: Load, add: Add): Promise<void> {
  const seconds = one('steady');
  const grown = async (entrant: Entrant): Promise<void> => {
    const server = await ServerProcess.start(entrant);
    try {
      const empty = await steadyBytes(server, seconds);
      await load(server.port);
      add(entrant.side, (await steadyBytes(server, seconds)) - empty);
    } finally {
      await server.stop();
    }
  };
  const ends = await Promise.allSettled(entrants.map(grown));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/**
 * The resident size once it is steady for so many seconds and data is not being moved together any more (which
 * may free little at a time), or after LOOKS_MAX looks.
 */
async function steadyBytes(server: ServerProcess, seconds: number): Promise<number> {
  const control = await Control.open(server.port);
  let reference = server.residentBytes();
  let steady = 0;
  for (let look = 0; look < LOOKS_MAX && steady < STEADY_LOOKS; look++) {
    await delay((seconds * 1000) / STEADY_LOOKS);
    const { active_defrag_running: moving } = await control.info('memory');
    const bytes = server.residentBytes();
    steady++;
    if (moving === '0' && Math.abs(bytes - reference) <= reference * STEADY_SHARE) continue;
    reference = bytes;
    steady = 0;
  }
  control.close();
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
