// CPU time of the protocol alone, per request: parse it, write its reply. No socket, no storage.
//
//   node dist/bench/protocol_micro.js [ROUNDS]        default 15
//   node --trace-deopt dist/bench/protocol_micro.js   prints "steady" before the measured rounds of a
//                                                     workload: no bailout in protocol/ may follow
//
// The input is a pipeline of requests with different keys, as a reactor's input buffer would hold it. The
// median of the rounds is user time of this process, so a busy machine disturbs it little.
import { args } from '../protocol/arguments.js';
import { reply } from '../protocol/reply_writer.js';
import { COMPLETE, ParseState, parse } from '../protocol/resp_parser.js';

const PIPELINE = 64;
const INPUT_BYTES = 1 << 20;
const OUTPUT_BYTES = 1 << 20;
const WARM_UP_ROUNDS = 5;
const ROUND_REQUESTS = 1_000_000;
const ROUNDS = 15;

const input = new Uint8Array(INPUT_BYTES);
const output = new Uint8Array(OUTPUT_BYTES);
const values = new Uint8Array(1 << 22).fill(0x76);
const state = new ParseState();

/** Fills the input with PIPELINE requests of this kind; returns their end. */
function fill(name: string, valueBytes: number): number {
  let text = '';
  for (let i = 0; i < PIPELINE; i++) {
    const key = `key:${String(i * 7919).padStart(12, '0')}`;
    const parts = [name, key, ...(valueBytes >= 0 ? ['v'.repeat(valueBytes)] : [])];
    text += `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`;
  }
  input.set(Buffer.from(text, 'latin1'));
  return text.length;
}

/** Parses the input once and passes each request over. Returns the requests. */
function parseAll(end: number): number {
  let count = 0;
  for (let at = 0; at < end; at = state.next) {
    if (parse(state, input, at, end) !== COMPLETE) {
      throw new Error(`request ${count} is not whole`);
    }
    count++;
  }
  return count;
}

function replyBulks(bytes: number): number {
  for (let i = 0; i < PIPELINE; i++) {
    reply.bulk(values, ((i * 1237) & 0xfff) + 3, bytes);
  }
  return PIPELINE;
}

function replyOks(): number {
  for (let i = 0; i < PIPELINE; i++) {
    reply.ok();
  }
  return PIPELINE;
}

function replyIntegers(): number {
  for (let i = 0; i < PIPELINE; i++) {
    reply.integer((i * 7919) & 0xfffff);
  }
  return PIPELINE;
}

/** Both, interleaved as a server does, with the command name looked at. */
function serve(end: number, bytes: number): number {
  let count = 0;
  for (let at = 0; at < end; at = state.next) {
    parse(state, input, at, end);
    if (args.lengths[0] !== 3 || args.count < 2) {
      reply.error('ERR syntax error');
    } else if (args.count === 2) {
      reply.bulk(values, ((count * 1237) & 0xfff) + 3, bytes);
    } else {
      reply.ok();
    }
    count++;
  }
  return count;
}

interface Effort {
  readonly rounds: number;
  readonly roundRequests: number;
}

/** Median nanoseconds of user time per request. */
function measure(effort: Effort, once: () => number): number {
  const figures: number[] = [];
  for (let round = 0; round < effort.rounds + WARM_UP_ROUNDS; round++) {
    if (round === WARM_UP_ROUNDS) {
      console.error('steady');
    }
    const before = process.cpuUsage();
    let requests = 0;
    while (requests < effort.roundRequests) {
      requests += once();
    }
    figures.push((process.cpuUsage(before).user * 1000) / requests);
  }
  const steady = figures.slice(WARM_UP_ROUNDS).sort((a, b) => a - b);
  return steady[steady.length >> 1]!;
}

/** Nanoseconds by workload. */
export function protocolMicro(effort: Effort): Map<string, number> {
  reply.attach(output, (writer) => {
    writer.position = 0;
    writer.segmentStart = 0;
  });
  const report = new Map<string, number>();
  const run = (what: string, once: () => number): void => {
    report.set(what, measure(effort, once));
  };
  const get = fill('GET', -1);
  run('parse GET key', () => parseAll(get));
  run('reply 64-byte bulk', () => replyBulks(64));
  run('reply 1000-byte bulk', () => replyBulks(1000));
  run('reply OK', replyOks);
  run('reply integer', replyIntegers);
  run('GET, parse and 64-byte reply', () => serve(get, 64));
  const set = fill('SET', 64);
  run('parse SET key 64-byte value', () => parseAll(set));
  run('SET, parse and reply', () => serve(set, 64));
  const large = fill('SET', 4000);
  run('parse SET key 4000-byte value', () => parseAll(large));
  return report;
}

if (process.argv[1]?.endsWith('protocol_micro.js')) {
  console.log(`ns of user time per request, pipeline ${PIPELINE}, Node ${process.version}`);
  const rounds = Number(process.argv[2] ?? ROUNDS);
  for (const [what, nanos] of protocolMicro({ rounds, roundRequests: ROUND_REQUESTS })) {
    console.log(`${what.padEnd(32)}${nanos.toFixed(1).padStart(8)}`);
  }
}
