// Runs native/open_loop.cpp (built on first use) and reads what it measured: the latency of every
// request from the instant at which it was due, so percentiles are exact and can be taken of any
// span of time afterwards.
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { nativeProgram } from '../native_program.js';
import { percentile } from '../report/statistics.js';
import { startChild } from '../server/children.js';

const NO_REPLY = 0xffff_ffff;

export interface OpenLoopOptions {
  readonly port: number;
  readonly verb: 'SET' | 'GET';
  /** Requests per second; kept as nearly as ticks of whole chunks allow. */
  readonly rate: number;
  /** Requests that are written at once, to one connection. */
  readonly pipeline: number;
  readonly connections: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly secondsMax: number;
  readonly seed: number;
  /** Where the raw measurement goes. */
  readonly file: string;
}

/** No tick is shorter: each is a wake-up of the generator. */
const TICK_NANOS_MIN = 150_000;

/** How many requests are due each tick, so that the rate comes out. */
export function ticksFor(rate: number, pipeline: number): { perTick: number; tickNanos: number } {
  const chunkNanos = (pipeline / rate) * 1e9;
  const chunks = Math.max(1, Math.ceil(TICK_NANOS_MIN / chunkNanos));
  return { perTick: chunks * pipeline, tickNanos: Math.round(chunks * chunkNanos) };
}

/** Latency in microseconds. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
}

export class OpenLoop {
  private output = '';
  private readonly ended: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly file: string,
  ) {
    child.stdout?.on('data', (chunk: Buffer) => {
      this.output += chunk.toString('latin1');
    });
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve();
        else reject(new Error(`the load generator ended with ${code}`));
      });
    });
    this.ended.catch(() => undefined); // reported by whoever waits for stop()
  }

  /** Starts to send at once. */
  static start(options: OpenLoopOptions): OpenLoop {
    const { port, verb, pipeline, connections, keys, valueBytes, secondsMax, seed } = options;
    const { perTick, tickNanos } = ticksFor(options.rate, pipeline);
    const load = [verb, perTick, tickNanos, pipeline, connections, keys, valueBytes];
    const args = [port, ...load, secondsMax, seed, options.file].map(String);
    const child = startChild(nativeProgram('open_loop'), args, {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    return new OpenLoop(child, options.file);
  }

  /** Stops sending, waits for the replies and reads the measurement. */
  async stop(): Promise<LatencyRecord> {
    this.child.stdin?.end();
    await this.ended;
    const lines = this.output.trim().split('\n');
    const { startNanos, tickNanos, perBurst, bursts } = Object.assign(
      {},
      ...lines.map((line) => JSON.parse(line)),
    );
    const bytes = readFileSync(this.file);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    const requests = bursts * perBurst;
    return new LatencyRecord(
      BigInt(startNanos),
      Number(tickNanos),
      Number(perBurst),
      words.subarray(0, requests),
      words.subarray(requests),
    );
  }
}

/** All requests of one run, in the order in which they were due. */
export class LatencyRecord {
  constructor(
    readonly startNanos: bigint,
    private readonly tickNanos: number,
    private readonly perBurst: number,
    private readonly micros: Uint32Array,
    private readonly lateMicros: Uint32Array,
  ) {}

  /** Of the requests that were due in a span. One without a reply took for ever. */
  between(beginNanos: bigint, endNanos: bigint): Percentiles {
    const [first, last] = this.bursts(beginNanos, endNanos);
    return percentiles(this.micros.slice(first * this.perBurst, last * this.perBurst));
  }

  /** How late the generator wrote the requests of a span: its own share of their latency. */
  lateness(beginNanos: bigint, endNanos: bigint): Percentiles {
    return percentiles(this.lateMicros.slice(...this.bursts(beginNanos, endNanos)));
  }

  /** Largest latency of each slice of the run, for plots. */
  timeline(sliceMillis: number): { seconds: number; p50: number; p99: number; max: number }[] {
    const step = Math.max(1, Math.round((sliceMillis * 1e6) / this.tickNanos));
    const slices = [];
    for (let burst = 0; burst + step <= this.lateMicros.length; burst += step) {
      const slice = this.micros.slice(burst * this.perBurst, (burst + step) * this.perBurst);
      const { p50, p99, max } = percentiles(slice);
      slices.push({ seconds: (burst * this.tickNanos) / 1e9, p50, p99, max });
    }
    return slices;
  }

  /** Times when latency rose above a limit: when, for how long requests were late, the worst. */
  stalls(limitMicros: number): { nanos: bigint; bursts: number; micros: number }[] {
    const stalls: { nanos: bigint; bursts: number; micros: number }[] = [];
    let quiet = Number.POSITIVE_INFINITY;
    for (let burst = 0; burst < this.lateMicros.length; burst++) {
      const from = burst * this.perBurst;
      const worst = Math.max(...this.micros.subarray(from, from + this.perBurst));
      quiet++;
      if (worst <= limitMicros) continue;
      const last = stalls.at(-1);
      if (last !== undefined && quiet < 5) {
        last.bursts++;
        last.micros = Math.max(last.micros, worst);
      } else {
        const nanos = this.startNanos + BigInt(burst * this.tickNanos);
        stalls.push({ nanos, bursts: 1, micros: worst });
      }
      quiet = 0;
    }
    return stalls;
  }

  private bursts(beginNanos: bigint, endNanos: bigint): [number, number] {
    const at = (nanos: bigint): number =>
      Math.min(
        this.lateMicros.length,
        Math.max(0, Math.ceil(Number(nanos - this.startNanos) / this.tickNanos)),
      );
    return [at(beginNanos), at(endNanos)];
  }
}

/** Sorts its argument. */
function percentiles(micros: Uint32Array): Percentiles {
  const sorted = micros.sort();
  const count = sorted.length;
  if (count === 0) throw new Error('no request was due in this span');
  const at = (share: number): number => {
    const found = percentile(sorted, share);
    return found === NO_REPLY ? Number.POSITIVE_INFINITY : found;
  };
  const max = at(1);
  return { count, p50: at(0.5), p99: at(0.99), p999: at(0.999), p9999: at(0.9999), max };
}
