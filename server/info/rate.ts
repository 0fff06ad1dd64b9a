// How fast a counter grows, averaged over the last samples: INFO's instantaneous_* fields.

/** As many samples as Redis keeps: at one every 100 ms, the last 1.6 seconds. */
const SAMPLES = 16;

/** A rate per second of a counter that only grows (or starts again at 0). */
export class Rate {
  private readonly perSecond = new Float64Array(SAMPLES);
  private next = 0;
  private lastTotal = 0;
  private lastMillis: number;

  constructor(nowMillis: number) {
    this.lastMillis = nowMillis;
  }

  /** Takes a sample; to be called about every 100 ms. `nowMillis` is of a monotonic clock. */
  sample(total: number, nowMillis: number): void {
    const elapsed = nowMillis - this.lastMillis;
    if (elapsed <= 0) return;
    const growth = Math.max(0, total - this.lastTotal);
    this.perSecond[this.next] = (growth * 1000) / elapsed;
    this.next = (this.next + 1) % SAMPLES;
    this.lastTotal = total;
    this.lastMillis = nowMillis;
  }

  /** The mean of the samples; those not taken yet count as 0, as in Redis. */
  mean(): number {
    let sum = 0;
    for (const value of this.perSecond) sum += value;
    return sum / SAMPLES;
  }

  /** Forgets the samples: CONFIG RESETSTAT, which also sets the counter to 0. */
  reset(nowMillis: number): void {
    this.perSecond.fill(0);
    this.lastTotal = 0;
    this.lastMillis = nowMillis;
  }
}
