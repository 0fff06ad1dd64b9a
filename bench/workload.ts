// What a workload is and what it gets: the servers that take turns, its options, a seed, and steps to
// report. Adding one is writing a file in workloads/ and naming it in workloads/all.ts.
import type { Figure, Measurement, Row, Side } from './report/result.js';
import type { Contestant } from './server/server_process.js';

/** A number of the command line, `--name 5000000`, or several, `--name 1,8`. */
export interface NumbersOption {
  readonly about: string;
  readonly whole: readonly number[];
  readonly quick: readonly number[];
  /** Parts of one are allowed. */
  readonly fraction?: boolean;
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** How it measures, in sentences for the report. */
  readonly about: string;
  readonly options: Readonly<Record<string, NumbersOption>>;
  readonly run: (bench: Bench) => Promise<Measurement>;
}

/** A server that takes part, and whose it is. */
export interface Entrant extends Contestant {
  readonly side: Side;
}

/** How far a workload is. */
export interface Steps {
  /** How many steps there will be. */
  plan(total: number): void;
  /** The next one begins. */
  step(label: string): void;
}

export interface Bench {
  /** In the order of their turns: the peer, Stillframe; one of them with --only. */
  readonly entrants: readonly Entrant[];
  readonly seed: number;
  readonly steps: Steps;
  /** The option of that name: the first number, or all. */
  readonly one: (name: string) => number;
  readonly all: (name: string) => readonly number[];
}

/** Rounds in which every server has its turn; who begins changes, so that a drift hits both alike. */
export async function takeTurns(
  { entrants }: Bench,
  rounds: number,
  turn: (entrant: Entrant, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? entrants : [...entrants].reverse();
    for (const entrant of order) await turn(entrant, round);
  }
}

/** Gathers the figures of the rounds until rows are made of them. */
export class Figures {
  private readonly byRow = new Map<string, Record<Side, Figure[]>>();

  /** A figure of a round; NaN for one that could not be had. */
  add(row: string, side: Side, figure: number): void {
    let sides = this.byRow.get(row);
    if (sides === undefined) {
      sides = { peer: [], ours: [] };
      this.byRow.set(row, sides);
    }
    sides[side].push(Number.isNaN(figure) ? null : figure);
  }

  row(id: string, label: string, more: Omit<Row, 'id' | 'label' | Side> = {}): Row {
    return { id, label, ...(this.byRow.get(id) ?? { peer: [], ours: [] }), ...more };
  }

  of(row: string, side: Side): readonly Figure[] {
    return this.byRow.get(row)?.[side] ?? [];
  }
}
