// `npm run bench -- WORKLOAD [options]`: see bench/README.md.
import { parseArgs } from 'node:util';
import { cpuPerRequest } from './cpu_per_request.js';
import { memoryPerKey } from './memory_per_key.js';
import { peer, stillframe } from './server_process.js';

const USAGE = `npm run bench -- throughput [--quick] [--rounds N] [--divide N] [--peer PATH]
npm run bench -- memory [--quick] [--keys N] [--peer PATH]

  --peer PATH   the server to compare with, default /usr/bin/redis-server
  --quick       a fifth of the requests or keys and a single round, for a look
  --rounds N    default 5
  --divide N    send the Nth part of the requests
  --keys N      default 5000000
`;

const QUICK = 5;

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a number above 0`);
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
      peer: { type: 'string', default: '/usr/bin/redis-server' },
      help: { type: 'boolean', default: false },
    },
  });
  const [workload] = positionals;
  if (values.help || workload === undefined) {
    console.log(USAGE);
    return;
  }
  const theirs = peer(values.peer);
  const ours = process.env.BENCH_SUBJECT ? peer(process.env.BENCH_SUBJECT) : stillframe();
  if (workload === 'throughput') {
    const rounds = wholeNumber('rounds', values.rounds ?? (values.quick ? '1' : '5'));
    const divide = wholeNumber('divide', values.divide ?? String(values.quick ? QUICK : 1));
    await cpuPerRequest({ subject: ours, peer: theirs, rounds, divide });
  } else if (workload === 'memory') {
    const keys = wholeNumber('keys', values.keys ?? '5000000') / (values.quick ? QUICK : 1);
    await memoryPerKey({ contestants: [theirs, ours], keys: Math.ceil(keys) });
  } else {
    throw new Error(`unknown workload '${workload}'\n${USAGE}`);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
