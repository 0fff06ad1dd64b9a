// A checkpoint over time: throughput under full load and latency at a fixed rate, before, during and
// after BGSAVE.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { commandRate, countCommands, FullLoad } from '../load/full_load.js';
import { loadKeys } from '../load/loader.js';
import { OpenLoop, type Percentiles } from '../load/open_loop.js';
import type { Figure, LinePlot, Measurement, Row, Scale } from '../report/result.js';
import { type CheckpointSpan, takeCheckpoint } from '../server/checkpoints.js';
import { Control, field } from '../server/control.js';
import { ServerProcess } from '../server/server_process.js';
import { type Bench, type Entrant, Figures, takeTurns, type Workload } from '../workload.js';

const VALUE_BYTES = 128;
const CONNECTIONS = 50;
const PIPELINE = 10;
const SECONDS_MAX = 300;
const SETTLE_MILLIS = 1000;
/** What comes right after a checkpoint is given apart: work that is put off falls due there. */
const AFTER_MILLIS = 1000;
const SLICE_MILLIS = 50;
const SAMPLE_MILLIS = 100;
const STALL_MICROS = 3000;

export const checkpoint: Workload = {
  name: 'checkpoint',
  title: 'A checkpoint over time',
  about:
    `Values of ${VALUE_BYTES} bytes, uniform random SETs. First open loop at a fixed rate: a request's latency ` +
    'counts from the instant at which it was due, and every latency is kept. Then at full speed ' +
    "(redis-benchmark, pipeline 16): throughput is the server's own count of commands. Seconds in the plots " +
    'are from BGSAVE; a checkpoint lasts until INFO says that none runs, and "after" is the second that follows.',
  options: {
    keys: { about: 'keys', whole: [7_000_000], quick: [500_000] },
    rate: { about: 'SETs a second of the open loop', whole: [50_000], quick: [20_000] },
    seconds: { about: 'seconds before each checkpoint', whole: [4], quick: [1], fraction: true },
    rounds: { about: 'rounds', whole: [2], quick: [1] },
  },
  run,
};

/** Seconds from BGSAVE, and a figure. */
type Point = readonly [number, Figure];

interface Phase {
  readonly latency: Percentiles;
  readonly generator: Percentiles;
}

interface LatencyRun {
  readonly seconds: number;
  readonly before: Phase;
  readonly during: Phase;
  readonly after: Phase;
  /** Largest latency in each slice of time. */
  readonly timeline: readonly Point[];
  readonly stalls: readonly { seconds: number; bursts: number; micros: number }[];
}

interface ThroughputRun {
  readonly seconds: number;
  readonly pauseMicros: number;
  readonly rateBefore: number;
  readonly rateDuring: number;
  readonly timeline: readonly Point[];
}

interface Turn {
  readonly entrant: Entrant;
  readonly latency: LatencyRun;
  readonly throughput: ThroughputRun;
}

async function run(bench: Bench): Promise<Measurement> {
  const rounds = bench.one('rounds');
  const turns: Turn[] = [];
  bench.steps.plan(rounds * bench.entrants.length * 3);
  await takeTurns(bench, rounds, async (entrant, round) => {
    const name = `round ${round + 1}, ${entrant.name}`;
    bench.steps.step(`${name}: loading`);
    const server = await ServerProcess.start(entrant);
    try {
      await loadKeys(server.port, bench.one('keys'), VALUE_BYTES);
      const control = await Control.open(server.port);
      bench.steps.step(`${name}: latency`);
      const latency = await latencyRun(server, control, bench);
      bench.steps.step(`${name}: throughput`);
      const throughput = await throughputRun(server, control, bench);
      control.close();
      turns.push({ entrant, latency, throughput });
    } finally {
      await server.stop();
    }
  });
  return {
    comparisons: [
      {
        id: 'latency',
        title: 'SET latency around a checkpoint',
        scale: MILLIS,
        rows: latencyRows(turns, bench),
      },
      {
        id: 'throughput',
        title: 'Checkpoint under full load',
        scale: MILLIS,
        rows: costRows(turns),
      },
    ],
    plots: plots(turns, bench),
    // Without what was run: its path is this machine's.
    detail: turns.map(({ entrant, ...runs }) => ({ side: entrant.side, ...runs })),
  };
}

async function latencyRun(
  server: ServerProcess,
  control: Control,
  bench: Bench,
): Promise<LatencyRun> {
  const load = OpenLoop.start({
    port: server.port,
    verb: 'SET',
    rate: bench.one('rate'),
    pipeline: PIPELINE,
    connections: CONNECTIONS,
    keys: bench.one('keys'),
    valueBytes: VALUE_BYTES,
    secondsMax: SECONDS_MAX,
    seed: bench.seed,
    file: join(server.dir, 'latency'),
  });
  await delay(SETTLE_MILLIS);
  const idleBegin = process.hrtime.bigint();
  await delay(bench.one('seconds') * 1000);
  const { beginNanos, endNanos } = await takeCheckpoint(control);
  await delay(2 * AFTER_MILLIS);
  const record = await load.stop();
  const phase = (begin: bigint, end: bigint): Phase => ({
    latency: record.between(begin, end),
    generator: record.lateness(begin, end),
  });
  const fromStart = Number(beginNanos - record.startNanos) / 1e9;
  return {
    seconds: Number(endNanos - beginNanos) / 1e9,
    before: phase(idleBegin, beginNanos),
    during: phase(beginNanos, endNanos),
    after: phase(endNanos, endNanos + BigInt(AFTER_MILLIS * 1e6)),
    timeline: record
      .timeline(SLICE_MILLIS)
      .filter(({ seconds }) => seconds >= SETTLE_MILLIS / 1000)
      .map(({ seconds, max }) => [seconds - fromStart, max / 1000]),
    stalls: record.stalls(STALL_MICROS).map(({ nanos, bursts, micros }) => ({
      seconds: Number(nanos - beginNanos) / 1e9,
      bursts,
      micros,
    })),
  };
}

async function throughputRun(
  server: ServerProcess,
  control: Control,
  bench: Bench,
): Promise<ThroughputRun> {
  const load = FullLoad.start(server.port, bench.one('keys'), VALUE_BYTES);
  // Asked on a connection of its own, so that BGSAVE does not wait for it.
  const watch = await RateWatch.start(server.port);
  let span: CheckpointSpan;
  let rateBefore: number;
  let rateDuring: number;
  try {
    await delay(SETTLE_MILLIS);
    const first = await countCommands(control);
    await delay(bench.one('seconds') * 1000);
    const before = await countCommands(control);
    span = await takeCheckpoint(control);
    const after = await countCommands(control);
    rateBefore = commandRate(first, before);
    rateDuring = commandRate(before, after);
    await delay(2 * AFTER_MILLIS);
  } finally {
    await watch.stop();
    await load.stop();
  }
  const ownPause = field(span.info, 'checkpoint_last_pause_usec');
  return {
    seconds: span.seconds,
    pauseMicros: Number.isNaN(ownPause)
      ? field(await control.info('stats'), 'latest_fork_usec')
      : ownPause,
    rateBefore,
    rateDuring,
    timeline: watch.since(span.beginNanos),
  };
}

/** Commands per second, asked again and again. A server that stalls answers late, and that shows. */
class RateWatch {
  private readonly points: { readonly nanos: bigint; readonly rate: number }[] = [];
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  private constructor(private readonly control: Control) {}

  static async start(port: number): Promise<RateWatch> {
    const watch = new RateWatch(await Control.open(port));
    watch.running = watch.sample();
    return watch;
  }

  /** Seconds from an instant, and thousands of commands a second. */
  since(nanos: bigint): Point[] {
    return this.points.map((one) => [Number(one.nanos - nanos) / 1e9, one.rate / 1000]);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    this.control.close();
  }

  private async sample(): Promise<void> {
    let last = await countCommands(this.control);
    while (!this.stopped) {
      await delay(SAMPLE_MILLIS);
      const next = await countCommands(this.control);
      this.points.push({ nanos: next.nanos, rate: commandRate(last, next) });
      last = next;
    }
  }
}

const MILLIS: Scale = { unit: 'ms', digits: 2, better: 'lower' };

function latencyRows(turns: readonly Turn[], bench: Bench): Row[] {
  const figures = new Figures();
  const percentiles = { p50: 'p50', p99: 'p99', p999: 'p99.9', max: 'max' } as const;
  const late = new Figures();
  for (const { entrant, latency } of turns) {
    for (const phase of ['before', 'during', 'after'] as const) {
      for (const name of Object.keys(percentiles) as (keyof typeof percentiles)[]) {
        figures.add(`${phase}-${name}`, entrant.side, latency[phase].latency[name] / 1000);
      }
      late.add(phase, entrant.side, latency[phase].generator.p999 / 1000);
    }
  }
  const note = (phase: string): string => {
    const texts = (['peer', 'ours'] as const).map((side) =>
      Math.max(...late.of(phase, side).map((one) => one ?? Number.NaN)).toFixed(1),
    );
    return `generator late: p99.9 ${texts.join(' / ')} ms`;
  };
  return (['before', 'during', 'after'] as const).flatMap((phase) =>
    Object.entries(percentiles).map(([name, text]) =>
      figures.row(`${phase}-${name}`, `${bench.one('rate') / 1000}k/s, ${phase}: ${text}`, {
        ...(phase === 'during' && name !== 'p50' ? { requiredRatio: 1 } : {}),
        ...(phase === 'during' && name === 'p999' ? { headline: true } : {}),
        ...(name === 'p999' ? { note: note(phase) } : {}),
      }),
    ),
  );
}

function costRows(turns: readonly Turn[]): Row[] {
  const figures = new Figures();
  for (const { entrant, throughput: one } of turns) {
    figures.add('pause', entrant.side, one.pauseMicros / 1000);
    figures.add('seconds', entrant.side, one.seconds);
    figures.add('before', entrant.side, one.rateBefore);
    figures.add('during', entrant.side, one.rateDuring);
    figures.add('share', entrant.side, (100 * one.rateDuring) / one.rateBefore);
  }
  const perSecond: Scale = { unit: '1/s', digits: 0, better: 'higher' };
  return [
    figures.row('pause', 'pause', { scale: MILLIS, required: 1, headline: true }),
    figures.row('seconds', 'duration', {
      scale: { unit: 's', digits: 2, better: 'lower' },
      requiredRatio: 1,
      headline: true,
    }),
    figures.row('before', 'SETs before it', { scale: perSecond, requiredRatio: 1 }),
    figures.row('during', 'SETs during it', { scale: perSecond, requiredRatio: 1, headline: true }),
    figures.row('share', 'SETs during it, of those before', {
      scale: { unit: '%', digits: 0, better: 'higher' },
    }),
  ];
}

/** Of the first round: what a client sees. */
function plots(turns: readonly Turn[], bench: Bench): LinePlot[] {
  const first = bench.entrants.flatMap(
    (entrant) => turns.find((turn) => turn.entrant.side === entrant.side) ?? [],
  );
  const spans = (kind: 'latency' | 'throughput') =>
    first.map((turn) => ({
      side: turn.entrant.side,
      begin: 0,
      end: turn[kind].seconds,
    }));
  const series = (kind: 'latency' | 'throughput') =>
    first.map(({ entrant: { name, side }, ...runs }) => ({
      name,
      side,
      points: runs[kind].timeline,
    }));
  const x = { name: 'seconds from BGSAVE' };
  return [
    {
      kind: 'lines',
      id: 'throughput',
      title: 'SETs at full speed; shaded: while the checkpoint runs',
      x,
      y: { name: 'thousand a second' },
      series: series('throughput'),
      spans: spans('throughput'),
      headline: true,
    },
    {
      kind: 'lines',
      id: 'latency',
      title: `Largest latency of each ${SLICE_MILLIS} ms, SETs at a fixed rate; shaded: checkpoint runs`,
      x,
      y: { name: 'ms', logarithmic: true },
      series: series('latency'),
      spans: spans('latency'),
      headline: true,
    },
  ];
}
