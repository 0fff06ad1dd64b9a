// `npm run bench -- WORKLOAD [options]`: see bench/README.md.
import { parseArgs } from 'node:util';
import { checkpointCost } from './checkpoint_cost.js';
import { cpuPerRequest } from './cpu_per_request.js';
import { latency } from './latency.js';
import { memoryPerKey } from './memory_per_key.js';
import { pause } from './pause.js';
import { restart } from './restart.js';
import { type Contestant, peer, stillframe } from './server_process.js';

const USAGE = `npm run bench -- WORKLOAD [options]

  throughput    CPU time per request                          --rounds 5, --divide 1
  memory        resident bytes per key                        --keys 5000000
  latency       open-loop latency while checkpoints run       --keys 7000000, --rate 50000,
                                                              --seconds 10 (idle), --rounds 3
  checkpoint    what a checkpoint costs under full load       --keys 8000000, --seconds 4 (idle),
                                                              --rounds 3
  pause         how long a checkpoint's start takes           --heap 1,4,12 (GiB)
  restart       from kill -9 to the first correct reply       --heap 1,8 (GiB), --rounds 3

  --peer PATH   the server to compare with, default /usr/bin/redis-server
  --only NAME   'peer' or 'stillframe': leave the other out
  --quick       less data and fewer rounds, for a look
  --divide N    send the Nth part of the requests
`;

/** What the command line says; numbers that are not given are left to the workload. */
interface Options {
  readonly subject: Contestant;
  readonly peer: Contestant;
  /** In the order in which they take turns. */
  readonly contestants: readonly Contestant[];
  readonly quick: boolean;
  /** The number given as --name, or else a default, or else another one with --quick. */
  readonly number: (name: string, whole: number, quick: number) => number;
  /** The sizes given as --heap, in GiB, or else defaults. */
  readonly heap: (whole: readonly number[], quick: readonly number[]) => readonly number[];
}

const WORKLOADS: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  throughput: ({ subject, peer, number }) =>
    cpuPerRequest({
      subject,
      peer,
      rounds: number('rounds', 5, 1),
      divide: number('divide', 1, 5),
    }),
  memory: ({ contestants, number }) =>
    memoryPerKey({ contestants, keys: number('keys', 5_000_000, 1_000_000) }),
  latency: ({ contestants, number }) =>
    latency({
      contestants,
      keys: number('keys', 7_000_000, 2_000_000),
      rate: number('rate', 50_000, 50_000),
      idleSeconds: number('seconds', 10, 4),
      checkpoints: number('rounds', 3, 3),
    }),
  checkpoint: ({ contestants, number }) =>
    checkpointCost({
      contestants,
      keys: number('keys', 8_000_000, 2_000_000),
      idleSeconds: number('seconds', 4, 2),
      checkpoints: number('rounds', 3, 3),
    }),
  pause: ({ contestants, heap }) => pause({ contestants, heapGibibytes: heap([1, 4, 12], [1]) }),
  restart: ({ contestants, number, heap }) =>
    restart({
      contestants,
      dataGibibytes: heap([1, 8], [1]),
      rounds: number('rounds', 3, 1),
    }),
};

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a number above 0`);
  return value;
}

function gibibytes(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error('--heap must be sizes in GiB, separated by commas');
  return value;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      divide: { type: 'string' },
      keys: { type: 'string' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      heap: { type: 'string' },
      peer: { type: 'string', default: '/usr/bin/redis-server' },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const [name] = positionals;
  if (values.help || name === undefined) {
    console.log(USAGE);
    return;
  }
  const workload = WORKLOADS[name];
  if (workload === undefined) throw new Error(`unknown workload '${name}'\n${USAGE}`);
  const theirs = peer(values.peer);
  const ours = process.env.BENCH_SUBJECT ? peer(process.env.BENCH_SUBJECT) : stillframe();
  const given = values as Record<string, string | boolean | undefined>;
  await workload({
    subject: ours,
    peer: theirs,
    contestants: [theirs, ours].filter(
      (one) => values.only === undefined || (values.only === 'peer') === (one === theirs),
    ),
    quick: values.quick,
    number: (option, whole, quick) => {
      const text = given[option];
      if (typeof text === 'string') return wholeNumber(option, text);
      return values.quick ? quick : whole;
    },
    heap: (whole, quick) => {
      if (values.heap !== undefined) return values.heap.split(',').map(gibibytes);
      return values.quick ? quick : whole;
    },
  });
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
