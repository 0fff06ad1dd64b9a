// What a workload measured, in one shape for all of them, so that one report can be made of it. Kept as
// bench/results/NAME.json; the report is written from these files alone and can be made again at any
// time.
//
// A comparison has a row per load; a row has one figure of each server for each round. Nothing here is
// an absolute time alone: the report gives medians, how far the rounds lay apart, and the ratio.

/** A figure of a round; null when it could not be had. */
export type Figure = number | null;

/** The server that is compared with, and Stillframe. */
export type Side = 'peer' | 'ours';

/** What a figure is. */
export interface Scale {
  readonly unit: string;
  /** Decimals in the report. */
  readonly digits: number;
  readonly better: 'lower' | 'higher';
}

export interface Row {
  /** Names the row among those of its comparison, for ever: reasons are written under it. */
  readonly id: string;
  readonly label: string;
  /** That of the comparison unless given. */
  readonly scale?: Scale;
  /** One figure a round. The servers took turns, so those at one index belong together. */
  readonly peer: readonly Figure[];
  readonly ours: readonly Figure[];
  /** What the ratio of the medians, ours to the peer's, must be: at most or, where more is better, at least. */
  readonly requiredRatio?: number;
  /** What our median must be, at most or at least. */
  readonly required?: number;
  /** Shown in the README. */
  readonly headline?: boolean;
  readonly note?: string;
}

export interface Comparison {
  readonly id: string;
  readonly title: string;
  readonly scale: Scale;
  readonly rows: readonly Row[];
}

/** Figures that are not of two servers, or not one a round. Cells are text. */
export interface Table {
  readonly id: string;
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Axis {
  readonly name: string;
  readonly logarithmic?: boolean;
}

export interface Series {
  readonly name: string;
  /** Tells whose it is by its colour. */
  readonly side?: Side;
  readonly points: readonly (readonly [number, Figure])[];
}

/** A span of the x axis that is shaded. */
export interface Span {
  readonly side: Side;
  readonly begin: number;
  readonly end: number;
}

export interface LinePlot {
  readonly kind: 'lines';
  readonly id: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly spans?: readonly Span[];
  readonly headline?: boolean;
}

export interface BarPlot {
  readonly kind: 'bars';
  readonly id: string;
  readonly title: string;
  readonly y: Axis;
  readonly categories: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly side?: Side;
    readonly values: readonly Figure[];
  }[];
  readonly headline?: boolean;
}

export type Plot = LinePlot | BarPlot;

/** What a workload gives back. */
export interface Measurement {
  readonly comparisons?: readonly Comparison[];
  readonly tables?: readonly Table[];
  readonly plots?: readonly Plot[];
  /** Sentences below the tables. */
  readonly notes?: readonly string[];
  /** Everything else that was seen: not in the report. */
  readonly detail?: unknown;
}

/** The machine and the versions that a result holds for. */
export interface Environment {
  readonly time: string;
  readonly commit: string;
  readonly seed: number;
  readonly processor: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  /** /sys/kernel/mm/transparent_hugepage/enabled and defrag: what stands in brackets. */
  readonly hugePages: string;
  readonly node: string;
  /** Name of each server, and what it says of its version. */
  readonly versions: Readonly<Record<Side, { readonly name: string; readonly version: string }>>;
}

export interface Result extends Measurement {
  readonly workload: string;
  readonly title: string;
  /** How it was measured, for the report. */
  readonly about: string;
  /** False for a quick run and one with options of its own. */
  readonly whole: boolean;
  readonly seconds: number;
  readonly options: Readonly<Record<string, readonly number[]>>;
  readonly environment: Environment;
}
