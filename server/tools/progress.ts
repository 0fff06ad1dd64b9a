// How far a tool is: a bar that is redrawn in place on a terminal, one line per finished phase where
// the output is a pipe or a file. Goes to standard error, so that results can be piped.
import type { WriteStream } from 'node:tty';

const BAR_WIDTH = 30;
const REDRAW_MILLIS = 100;

/** The parts of process.stderr that are used. */
export type ProgressStream = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean };

export class Progress {
  private label = '';
  private total = 1;
  private drawnMillis = 0;

  constructor(
    private readonly subject: string,
    private readonly stream: ProgressStream,
  ) {}

  /** Starts a phase of `total` units of work, of which `done` are done. */
  begin(label: string, total: number, done = 0): void {
    this.label = label;
    this.total = Math.max(1, total);
    this.drawnMillis = 0;
    this.update(done);
  }

  /** Units done so far in this phase. Cheap to call often. */
  update(done: number): void {
    if (this.stream.isTTY !== true) return;
    const now = performance.now();
    if (this.drawnMillis > 0 && now - this.drawnMillis < REDRAW_MILLIS) return;
    this.drawnMillis = now;
    const share = Math.min(1, done / this.total);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.');
    this.stream.write(`\r\x1b[K[${bar}] ${Math.floor(share * 100)} % ${this.label}`);
  }

  /** Ends the phase: takes the bar away, or says what was done. */
  end(result: string): void {
    if (this.stream.isTTY === true) this.stream.write('\r\x1b[K');
    else this.stream.write(`${this.subject}: ${result}\n`);
  }
}
