// Latency of SETs that come at a fixed rate while checkpoints are taken: idle, during each of them, and
// in the second after each. Open loop: see native/open_loop.cpp.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CheckpointSpan, takeCheckpoint } from './checkpoints.js';
import { Control } from './control.js';
import { loadKeys } from './loader.js';
import { type LatencyRecord, OpenLoop, type Percentiles } from './open_loop.js';
import { machine, printTable, writeResult } from './report.js';
import { type Contestant, ServerProcess } from './server_process.js';

const VALUE_BYTES = 128;
const CONNECTIONS = 50;
const TICK_MICROS = 200;
const SECONDS_MAX = 300;
const SEED = 42;
/** What comes right after a checkpoint is given apart: work that is put off falls due there. */
const AFTER_MILLIS = 1000;
const STALL_MICROS = 3000;
const SLICE_MILLIS = 50;

export interface LatencyOptions {
  readonly contestants: readonly Contestant[];
  readonly keys: number;
  readonly rate: number;
  readonly idleSeconds: number;
  readonly checkpoints: number;
}

interface Phase {
  readonly name: string;
  readonly seconds: number;
  readonly latency: Percentiles;
  readonly generatorLate: Percentiles;
}

interface Measured {
  readonly name: string;
  readonly phases: readonly Phase[];
  readonly detail: Record<string, unknown>;
}

export async function latency(options: LatencyOptions): Promise<void> {
  const measured: Measured[] = [];
  for (const contestant of options.contestants) measured.push(await measure(contestant, options));
  console.log(
    `\nSET latency in milliseconds, from the intended time: ${options.rate}/s, open loop, ` +
      `${options.keys} keys of ${VALUE_BYTES} bytes`,
  );
  printTable(
    ['server, phase', 's', 'p50', 'p99', 'p99.9', 'max', 'p99.9 to idle', 'generator p99.9', 'max'],
    measured.flatMap(({ name, phases }) => phases.map((phase) => row(name, phase, phases[0]))),
  );
  const [theirs, ours] = measured.map(worstDuring);
  if (theirs !== undefined && ours !== undefined) {
    console.log(`\nworst p99.9 during a checkpoint, ours to theirs: ${(ours / theirs).toFixed(3)}`);
  }
  writeResult('latency', {
    machine: machine(options.contestants),
    load: { ...options, contestants: undefined, VALUE_BYTES, CONNECTIONS, TICK_MICROS, SEED },
    results: measured,
  });
}

function row(name: string, { name: phase, seconds, ...phase_ }: Phase, idle?: Phase): string[] {
  const millis = (micros: number): string => (micros / 1000).toFixed(2);
  const { latency: l, generatorLate: late } = phase_;
  return [
    `${name}, ${phase}`,
    seconds.toFixed(1),
    ...[l.p50, l.p99, l.p999, l.max].map(millis),
    idle === undefined ? '' : (l.p999 / idle.latency.p999).toFixed(2),
    millis(late.p999),
    millis(late.max),
  ];
}

function worstDuring({ phases }: Measured): number {
  const during = phases.filter((phase) => phase.name.startsWith('checkpoint'));
  return Math.max(...during.map((phase) => phase.latency.p999));
}

async function measure(contestant: Contestant, options: LatencyOptions): Promise<Measured> {
  console.log(`${contestant.name}: loading ${options.keys} keys`);
  const server = await ServerProcess.start(contestant);
  try {
    await loadKeys(server.port, options.keys, VALUE_BYTES);
    const control = await Control.open(server.port);
    const load = OpenLoop.start({
      port: server.port,
      rate: options.rate,
      tickMicros: TICK_MICROS,
      connections: CONNECTIONS,
      keys: options.keys,
      valueBytes: VALUE_BYTES,
      secondsMax: SECONDS_MAX,
      seed: SEED,
      file: join(server.dir, 'latency'),
    });
    console.log(`${contestant.name}: idle, then ${options.checkpoints} checkpoints`);
    await delay(1000); // connections, warm-up
    const idleBegin = process.hrtime.bigint();
    await delay(options.idleSeconds * 1000);
    const idle: [bigint, bigint] = [idleBegin, process.hrtime.bigint()];
    const checkpoints: CheckpointSpan[] = [];
    for (let i = 0; i < options.checkpoints; i++) {
      checkpoints.push(await takeCheckpoint(control));
      await delay(2 * AFTER_MILLIS);
    }
    const record = await load.stop();
    control.close();
    return { name: contestant.name, ...evaluate(record, idle, checkpoints) };
  } finally {
    await server.stop();
  }
}

function evaluate(
  record: LatencyRecord,
  idle: [bigint, bigint],
  checkpoints: readonly CheckpointSpan[],
): Omit<Measured, 'name'> {
  const phase = (name: string, begin: bigint, end: bigint): Phase => ({
    name,
    seconds: Number(end - begin) / 1e9,
    latency: record.between(begin, end),
    generatorLate: record.lateness(begin, end),
  });
  const phases = [phase('idle', ...idle)];
  checkpoints.forEach(({ beginNanos, endNanos }, i) => {
    phases.push(phase(`checkpoint ${i + 1}`, beginNanos, endNanos));
    phases.push(phase(`after ${i + 1}`, endNanos, endNanos + BigInt(AFTER_MILLIS * 1e6)));
  });
  const seconds = (nanos: bigint): number => Number(nanos - record.startNanos) / 1e9;
  const spans = checkpoints.map(({ beginNanos, endNanos, info }) => ({
    beginSeconds: seconds(beginNanos),
    endSeconds: seconds(endNanos),
    info,
  }));
  const stalls = record.stalls(STALL_MICROS).map(({ nanos, bursts, micros }) => {
    const ended = checkpoints.findIndex(({ endNanos }) => nanos < endNanos);
    const inside = ended >= 0 && nanos >= (checkpoints[ended] as CheckpointSpan).beginNanos;
    return {
      seconds: seconds(nanos),
      checkpoint: inside ? ended + 1 : null,
      sinceBegin: inside ? seconds(nanos) - (spans[ended]?.beginSeconds ?? 0) : null,
      bursts,
      micros,
    };
  });
  return { phases, detail: { spans, stalls, timeline: record.timeline(SLICE_MILLIS) } };
}
