// CPU time of the protocol alone, per request: parse it, write its reply. No socket, no storage.
//
//   node dist/bench/protocol_micro.js [ROUNDS]        default 15
//   node --trace-deopt dist/bench/protocol_micro.js   prints "steady" before the measured rounds:
//                                                     no "bailout" may follow it
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

function replyBulks(count: number, bytes: number): void {
  for (let i = 0; i < count; i++) {
    reply.bulk(values, ((i * 1237) & 0xfff) + 3, bytes);
  }
}

function replyOks(count: number): void {
  for (let i = 0; i < count; i++) {
    reply.ok();
  }
}

function replyIntegers(count: number): void {
  for (let i = 0; i < count; i++) {
    reply.integer((i * 7919) & 0xfffff);
  }
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

/** Median nanoseconds of user time per request. */
function measure(rounds: number, once: () => number): number {
  const figures: number[] = [];
  for (let round = 0; round < rounds + WARM_UP_ROUNDS; round++) {
    if (round === WARM_UP_ROUNDS) {
      console.error('steady');
    }
    const before = process.cpuUsage();
    let requests = 0;
    while (requests < ROUND_REQUESTS) {
      requests += once();
    }
    figures.push((process.cpuUsage(before).user * 1000) / requests);
  }
  const steady = figures.slice(WARM_UP_ROUNDS).sort((a, b) => a - b);
  return steady[steady.length >> 1]!;
}

export function protocolMicro(rounds: number): Map<string, number> {
  reply.attach(output, (writer) => {
    writer.position = 0;
    writer.segmentStart = 0;
  });
  const report = new Map<string, number>();
  const get = fill('GET', -1);
  report.set(
    'parse GET key',
    measure(rounds, () => parseAll(get)),
  );
  report.set(
    'reply 64-byte bulk',
    measure(rounds, () => bulks(64)),
  );
  report.set(
    'reply 1000-byte bulk',
    measure(rounds, () => bulks(1000)),
  );
  report.set(
    'reply OK',
    measure(rounds, () => (replyOks(PIPELINE), PIPELINE)),
  );
  report.set(
    'reply integer',
    measure(rounds, () => (replyIntegers(PIPELINE), PIPELINE)),
  );
  report.set(
    'GET, parse and 64-byte reply',
    measure(rounds, () => serve(get, 64)),
  );
  const set = fill('SET', 64);
  report.set(
    'parse SET key 64-byte value',
    measure(rounds, () => parseAll(set)),
  );
  report.set(
    'SET, parse and reply',
    measure(rounds, () => serve(set, 64)),
  );
  const large = fill('SET', 4000);
  report.set(
    'parse SET key 4000-byte value',
    measure(rounds, () => parseAll(large)),
  );
  return report;
}

function bulks(bytes: number): number {
  replyBulks(PIPELINE, bytes);
  return PIPELINE;
}

if (process.argv[1]?.endsWith('protocol_micro.js')) {
  console.log(`ns of user time per request, pipeline ${PIPELINE}, Node ${process.version}`);
  for (const [what, nanos] of protocolMicro(Number(process.argv[2] ?? 15))) {
    console.log(`${what.padEnd(32)}${nanos.toFixed(1).padStart(8)}`);
  }
}
