// Resident memory of a process, looked at every 10 ms.
import { readFileSync } from 'node:fs';

const SAMPLE_MILLIS = 10;
const PAGE_BYTES = 4096;

/** Resident bytes: the second field of statm, cheap to read whatever the size of the process. */
export function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
}

export class MemorySampler {
  private readonly timer: NodeJS.Timeout;
  readonly before: number;
  peak: number;

  constructor(private readonly pid: number) {
    this.before = residentBytes(pid);
    this.peak = this.before;
    this.timer = setInterval(() => this.sample(), SAMPLE_MILLIS);
  }

  /** Most that the process held beyond what it held at the start. */
  stop(): number {
    clearInterval(this.timer);
    this.sample();
    return this.peak - this.before;
  }

  private sample(): void {
    this.peak = Math.max(this.peak, residentBytes(this.pid));
  }
}
