// The latency monitor: what kept the server from serving, how long and when. Read by LATENCY.
//
//   command, fast-command    one command, flagged fast or not        from latency-monitor-threshold on
//   expire-cycle             one slice of deleting expired keys      from latency-monitor-threshold on
//   active-defrag-cycle      one slice of compaction                 from latency-monitor-threshold on
//   checkpoint-pause         write protection at a checkpoint's cut  always, one sample a run
//   checkpoint-fault-burst   caught writes, the worst turn of a run  always, one sample a run
//   extent-populate          first touch of memory that was not      always
//                            there ahead of use
//
// A sample is a second and the longest time in it, as in Redis, in whole milliseconds; what is shorter
// than one counts as one, since none would hide it. An event keeps its last LATENCY_SAMPLES samples.
import { runtime } from './runtime.js';

/** Samples that an event keeps. */
export const LATENCY_SAMPLES = 160;

export type LatencyEventName =
  | 'command'
  | 'fast-command'
  | 'expire-cycle'
  | 'active-defrag-cycle'
  | 'checkpoint-pause'
  | 'checkpoint-fault-burst'
  | 'extent-populate';

export interface LatencySample {
  /** Unix time. */
  readonly seconds: number;
  readonly millis: number;
}

/** A ring of samples, oldest first. */
export class LatencyEvent {
  /** The longest since the event was first seen or reset. */
  maxMillis = 0;
  private readonly ring: LatencySample[] = [];
  /** Where the oldest sample lies in a full ring. */
  private oldest = 0;

  add(seconds: number, millis: number): void {
    this.maxMillis = Math.max(this.maxMillis, millis);
    const { ring } = this;
    const newest = ring.length === 0 ? -1 : (this.oldest + ring.length - 1) % ring.length;
    if (newest >= 0 && ring[newest]!.seconds === seconds) {
      if (millis > ring[newest]!.millis) ring[newest] = { seconds, millis };
    } else if (ring.length < LATENCY_SAMPLES) {
      ring.push({ seconds, millis });
    } else {
      ring[this.oldest] = { seconds, millis };
      this.oldest = (this.oldest + 1) % LATENCY_SAMPLES;
    }
  }

  /** All samples, oldest first. */
  samples(): LatencySample[] {
    return [...this.ring.slice(this.oldest), ...this.ring.slice(0, this.oldest)];
  }
}

const events = new Map<string, LatencyEvent>();

/** Records an event whatever the threshold is. */
export function recordLatency(name: LatencyEventName, micros: number): void {
  let event = events.get(name);
  if (event === undefined) {
    event = new LatencyEvent();
    events.set(name, event);
  }
  event.add(Math.floor(Date.now() / 1000), Math.ceil(micros / 1000));
}

/** Records an event if latency-monitor-threshold is set and the time reaches it. */
export function watchLatency(name: LatencyEventName, micros: number): void {
  const threshold = runtime.config.latencyMonitorThreshold;
  if (threshold > 0 && micros >= threshold * 1000) recordLatency(name, micros);
}

/** The event of this name, or undefined when it was not seen. */
export function latencyEvent(name: string): LatencyEvent | undefined {
  return events.get(name);
}

/** Names and events, in the order in which they were first seen. */
export function latencyEvents(): Iterable<[string, LatencyEvent]> {
  return events;
}

/** Forgets an event; whether it was there. */
export function resetLatency(name: string): boolean {
  return events.delete(name);
}

// --- how long the calls of one command took -------------------------------------------------------

const BUCKETS = 31;

/** Calls by the power of two of microseconds that they stayed below or reached: 1, 2, 4, ... */
export class LatencyHistogram {
  private readonly counts = new Uint32Array(BUCKETS);
  private total = 0;

  add(micros: number): void {
    const whole = Math.ceil(micros);
    const bucket = whole <= 1 ? 0 : 32 - Math.clz32(whole - 1);
    this.counts[Math.min(bucket, BUCKETS - 1)]!++;
    this.total++;
  }

  /** How many of `calls` took at most so many microseconds, where that number grows. */
  cumulative(calls: number): [micros: number, calls: number][] {
    const rows: [number, number][] = [];
    let sum = 0;
    this.counts.forEach((count, bucket) => {
      if (count === 0) return;
      sum += count;
      rows.push([2 ** bucket, Math.round((sum / this.total) * calls)]);
    });
    return rows;
  }
}
