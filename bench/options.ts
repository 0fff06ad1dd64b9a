// The command line of the bench: which workloads, which servers, how much.
import { parseArgs } from 'node:util';
import type { Workload } from './workload.js';

const DEFAULT_PEER = '/usr/bin/redis-server';
const DEFAULT_SEED = 42;

export interface Options {
  /** All of them when none was named. */
  readonly workloads: readonly Workload[];
  /** Only write the report of the results that are there. */
  readonly reportOnly: boolean;
  readonly help: boolean;
  readonly peer: string;
  /** Another build of Stillframe, or another server, in its place. */
  readonly subject: string | null;
  readonly only: 'peer' | 'stillframe' | null;
  readonly quick: boolean;
  /** Nothing was left out or made smaller: its results may stand as the project's figures. */
  readonly whole: boolean;
  readonly seed: number;
  /** Where results/ and REPORT.md go; null for bench/ of the checkout. */
  readonly output: string | null;
  /** The numbers of a workload's option. */
  readonly numbers: (workload: Workload, name: string) => readonly number[];
}

/** Throws with a sentence for the user. */
export function parseOptions(args: readonly string[], known: readonly Workload[]): Options {
  const own = [...new Set(known.flatMap(({ options }) => Object.keys(options)))];
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      peer: { type: 'string', default: DEFAULT_PEER },
      subject: { type: 'string' },
      only: { type: 'string' },
      seed: { type: 'string', default: String(DEFAULT_SEED) },
      output: { type: 'string' },
      ...Object.fromEntries(own.map((name) => [name, { type: 'string' as const }])),
    },
  });
  const reportOnly = positionals.length === 1 && positionals[0] === 'report';
  const workloads = reportOnly ? [] : chosen(positionals, known);
  const given = values as Record<string, string | boolean | undefined>;
  for (const name of own.filter((one) => given[one] !== undefined)) {
    if (!workloads.some(({ options }) => name in options)) {
      throw new Error(`--${name} is no option of ${positionals.join(', ') || 'these workloads'}`);
    }
  }
  const { only } = values;
  if (only !== undefined && only !== 'peer' && only !== 'stillframe') {
    throw new Error(`--only must be peer or stillframe, not '${only}'`);
  }
  const changed = own.some((name) => given[name] !== undefined);
  return {
    workloads,
    reportOnly,
    help: values.help,
    peer: values.peer,
    subject: values.subject ?? null,
    only: only ?? null,
    quick: values.quick,
    whole: !values.quick && !changed && only === undefined && values.subject === undefined,
    seed: parseNumber('seed', values.seed, false),
    output: values.output ?? null,
    numbers: (workload, name) => {
      const option = workload.options[name];
      if (option === undefined) throw new Error(`${workload.name} has no option ${name}`);
      const text = given[name];
      if (typeof text !== 'string') return values.quick ? option.quick : option.whole;
      return text.split(',').map((part) => parseNumber(name, part, option.fraction === true));
    },
  };
}

function chosen(names: readonly string[], known: readonly Workload[]): readonly Workload[] {
  if (names.length === 0) return known;
  return names.map((name) => {
    const found = known.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new Error(`unknown workload '${name}'\n\n${usage(known)}`);
  });
}

function parseNumber(name: string, text: string, fraction: boolean): number {
  const value = Number(text);
  if (value > 0 && (fraction || Number.isInteger(value))) return value;
  const kind = fraction ? 'numbers' : 'whole numbers';
  throw new Error(`--${name} must be ${kind} above 0, separated by commas, not '${text}'`);
}

export function usage(known: readonly Workload[]): string {
  const lines = known.flatMap(({ name, title, options }) => [
    `  ${name.padEnd(12)} ${title}`,
    ...Object.entries(options).map(
      ([option, { about, whole }]) => `    --${option.padEnd(10)} ${about}, ${whole.join(',')}`,
    ),
  ]);
  return `npm run bench -- [WORKLOAD...] [options]       all of them when none is named
npm run bench -- report                        writes the report of the results that are there

${lines.join('\n')}

  --quick          less data and fewer rounds, for a look; written to bench/results/quick
  --peer PATH      the server to compare with, ${DEFAULT_PEER}
  --subject PATH   a server to measure in the place of this checkout's Stillframe
  --only NAME      peer or stillframe: leave the other out
  --seed N         of the keys and the data, ${DEFAULT_SEED}
  --output DIR     where results/ and REPORT.md go, bench/
`;
}
