// Ways to notice writes, side by side: the same random writes to the same memory, each way in fresh
// processes, in turns. No server takes part: native/mechanisms is the program.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { nativeProgram } from '../native_program.js';
import type { BarPlot, Measurement, Table } from '../report/result.js';
import { median, spread } from '../report/statistics.js';
import type { Bench, Workload } from '../workload.js';
import { claimNotes, claimsTable, type Lookup, type Medians } from './mechanism_claims.js';

const run_ = promisify(execFile);

const MECHANISMS: Readonly<Record<string, string>> = {
  none: 'no protection',
  'uffd-sigbus': 'userfaultfd, SIGBUS',
  'uffd-thread': 'userfaultfd, handler thread',
  'uffd-async': 'userfaultfd async + PAGEMAP_SCAN',
  'mprotect-4k': 'mprotect + SIGSEGV, 4 KiB',
  'mprotect-64k': 'mprotect + SIGSEGV, 64 KiB',
  'soft-dirty': 'soft-dirty bits',
  fork: 'fork, copy-on-write',
};

interface Costs {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

/** What the program prints; times in nanoseconds. */
interface Run {
  readonly name: string;
  readonly hugePages: boolean;
  readonly arm: number;
  readonly armAgain: number;
  readonly collect: number;
  readonly cpu: number;
  readonly mappings: number;
  readonly extra: number;
  readonly first: Costs;
  readonly all: Costs;
  readonly touched: number;
  readonly found: number;
  readonly wrong: number;
  readonly keeps: boolean;
  readonly failure: string;
}

/** All rounds of one mechanism; or why there are none. */
interface Variant {
  readonly name: string;
  readonly hugePages: boolean;
  readonly runs: Run[];
  reason: string;
}

export const mechanisms: Workload = {
  name: 'mechanisms',
  title: 'Ways to notice writes to memory',
  about:
    'One thread writes 8 bytes at uniformly random places of populated memory, as often as it has pages, and ' +
    'times each write. "Arm" protects all of it; "again" is the same after the writes, when huge pages have ' +
    'been split. A caught write is the first one to its page. Those that keep old contents copy the page first, ' +
    'and every page kept is compared with what it was; the others only say which pages were written. CPU time ' +
    'is that of arming, writing and collecting. Extra memory is old contents, page tables and what is a ' +
    "child's alone.",
  options: {
    mib: { about: 'MiB of memory', whole: [640], quick: [128] },
    rounds: { about: 'rounds', whole: [3], quick: [1] },
  },
  run,
};

async function run(bench: Bench): Promise<Measurement> {
  const mib = bench.one('mib');
  const rounds = bench.one('rounds');
  const program = nativeProgram('mechanisms');
  const variants = [true, false].flatMap((hugePages) =>
    Object.keys(MECHANISMS).map((name): Variant => ({ name, hugePages, runs: [], reason: '' })),
  );
  bench.steps.plan(rounds * variants.length);
  for (let round = 0; round < rounds; round++) {
    for (const variant of variants) {
      const { name, hugePages } = variant;
      bench.steps.step(`round ${round + 1}, ${MECHANISMS[name]}, huge pages ${onOff(hugePages)}`);
      const numbers = [mib, mib * 256, hugePages ? 1 : 0, bench.seed + round];
      const { stdout } = await run_(program, [name, ...numbers.map(String)]);
      const result = JSON.parse(stdout) as Run & { reason?: string };
      if (result.reason !== undefined) variant.reason = result.reason;
      else variant.runs.push(checked(result));
    }
  }
  return {
    tables: [costTable(variants), claimsTable(lookupIn(variants))],
    plots: [writePlot(variants), armPlot(variants)],
    notes: [...notes(variants), mapCountNote(), ...claimNotes()],
    detail: variants,
  };
}

/** A mechanism that keeps wrong contents, or finds other pages than were written, is no candidate. */
function checked(result: Run): Run {
  const { name, keeps, wrong, found, touched } = result;
  if (wrong > 0) throw new Error(`${name} kept ${wrong} pages wrongly`);
  if (!keeps && name !== 'none' && found < touched) {
    throw new Error(`${name} found ${found} pages of ${touched}`);
  }
  return result;
}

function costTable(variants: readonly Variant[]): Table {
  return {
    id: 'costs',
    title: 'Costs, medians of the rounds',
    header: [
      'mechanism',
      'huge pages',
      'arm ms',
      'again ms',
      'caught p50 us',
      'p99',
      'max',
      'all, mean us',
      'mappings',
      'collect ms',
      'CPU ms',
      'extra MiB',
      'keeps old',
      'found/written',
    ],
    rows: variants.map((variant) => [
      MECHANISMS[variant.name] as string,
      onOff(variant.hugePages),
      ...(variant.runs.length === 0
        ? [`not to be had: ${variant.reason}`, ...Array(11).fill('-')]
        : cells(variant.runs)),
    ]),
  };
}

function cells(runs: readonly Run[]): string[] {
  const [first] = runs as [Run];
  const of = (pick: (one: Run) => number, unit: number, digits: number): string => {
    const figures = runs.map(pick);
    const apart = spread(figures);
    const percent = Number.isNaN(apart) ? '' : ` (${(100 * apart).toFixed(0)} %)`;
    return (median(figures) / unit).toFixed(digits) + percent;
  };
  const gaveOut = runs.some(({ failure }) => failure !== '');
  return [
    of((one) => one.arm, 1e6, 2),
    of((one) => one.armAgain, 1e6, 2),
    of((one) => one.first.p50, 1e3, 2),
    of((one) => one.first.p99, 1e3, 1),
    of((one) => one.first.max, 1e3, 0),
    gaveOut ? 'gave out' : of((one) => one.all.mean, 1e3, 2),
    gaveOut ? 'gave out' : of((one) => one.mappings, 1, 0),
    of((one) => one.collect, 1e6, 1),
    gaveOut ? 'gave out' : of((one) => one.cpu, 1e6, 0),
    of((one) => one.extra, 2 ** 20, 0),
    first.keeps ? 'yes' : 'no',
    first.found === 0 ? '-' : of((one) => one.found / one.touched, 1, 2),
  ];
}

function lookupIn(variants: readonly Variant[]): Lookup {
  return (name, hugePages) => {
    const found = variants.find((one) => one.name === name && one.hugePages === hugePages);
    if (found === undefined || found.runs.length === 0) return null;
    const of = (pick: (one: Run) => number): number => median(found.runs.map(pick));
    return {
      arm: of((one) => one.arm),
      armAgain: of((one) => one.armAgain),
      firstP50: of((one) => one.first.p50),
      firstP99: of((one) => one.first.p99),
      cpu: of((one) => one.cpu),
      mappings: of((one) => one.mappings),
      extra: of((one) => one.extra),
      failure: found.runs.find(({ failure }) => failure !== '')?.failure ?? '',
    };
  };
}

function writePlot(variants: readonly Variant[]): BarPlot {
  const figures = { p50: 'firstP50', p99: 'firstP99' } as const;
  return {
    ...barsOf(
      variants,
      Object.entries(figures).map(([name, field]) => [name, (one) => one[field] / 1e3]),
    ),
    id: 'writes',
    title: 'Cost of a caught write',
    y: { name: 'us', logarithmic: true },
  };
}

function armPlot(variants: readonly Variant[]): BarPlot {
  return {
    ...barsOf(
      variants.filter(({ name }) => name !== 'none'),
      [
        ['first', (one) => one.arm / 1e6],
        ['after writes', (one) => one.armAgain / 1e6],
      ],
    ),
    id: 'arm',
    title: 'Time to arm',
    y: { name: 'ms', logarithmic: true },
  };
}

function barsOf(
  variants: readonly Variant[],
  picks: readonly (readonly [string, (one: Medians) => number])[],
): Pick<BarPlot, 'kind' | 'categories' | 'series'> {
  const lookup = lookupIn(variants);
  const names = Object.keys(MECHANISMS).filter((name) => lookup(name, true) !== null);
  return {
    kind: 'bars',
    categories: names,
    series: [true, false].flatMap((hugePages) =>
      picks.map(([label, pick]) => ({
        name: `${label}, ${hugePages ? 'huge pages' : '4 KiB pages'}`,
        values: names.map((name) => {
          const medians = lookup(name, hugePages);
          return medians === null ? null : pick(medians);
        }),
      })),
    ),
  };
}

function notes(variants: readonly Variant[]): string[] {
  return variants.flatMap(({ name, hugePages, runs }) => {
    const failure = runs.find((one) => one.failure !== '')?.failure;
    if (failure === undefined) return [];
    return [
      `${MECHANISMS[name]}, huge pages ${onOff(hugePages)}: ${failure}; its costs are of those.`,
    ];
  });
}

function mapCountNote(): string {
  const max = readFileSync('/proc/sys/vm/max_map_count', 'latin1').trim();
  return `A process may have ${max} mappings here (vm.max_map_count).`;
}

function onOff(hugePages: boolean): string {
  return hugePages ? 'on' : 'off';
}
