// What is said of the figures of several rounds: median, spread, ratio, and whether a row meets what is
// required of it.
import type { Comparison, Figure, Row, Scale } from './result.js';

/** NaN when there is none. */
export function median(figures: readonly Figure[]): number {
  const sorted = known(figures).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** How far the rounds lie apart: largest minus smallest, as a share of the median. NaN below two. */
export function spread(figures: readonly Figure[]): number {
  const numbers = known(figures);
  if (numbers.length < 2) return Number.NaN;
  return (Math.max(...numbers) - Math.min(...numbers)) / Math.abs(median(numbers));
}

/** Of sorted numbers: the smallest that at least the share `share` of them does not exceed. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const index = Math.ceil(sorted.length * share) - 1;
  return sorted[Math.min(sorted.length - 1, Math.max(0, index))] as number;
}

/** Our median over the peer's. NaN when one is missing. */
export function ratio(row: Row): number {
  return median(row.ours) / median(row.peer);
}

/** Smallest and largest ratio of one round. Null when no round has both figures. */
export function ratioRange(row: Row): readonly [number, number] | null {
  const ratios = row.ours.flatMap((ours, i) => {
    const peer = row.peer[i] ?? null;
    return ours === null || peer === null ? [] : [ours / peer];
  });
  return ratios.length === 0 ? null : [Math.min(...ratios), Math.max(...ratios)];
}

export function scaleOf(comparison: Comparison, row: Row): Scale {
  return row.scale ?? comparison.scale;
}

/** Whether a row is what it must be; null when nothing is required or a figure is missing. */
export function meets(comparison: Comparison, row: Row): boolean | null {
  const { better } = scaleOf(comparison, row);
  const within = (value: number, limit: number): boolean =>
    better === 'lower' ? value <= limit : value >= limit;
  const checks: boolean[] = [];
  for (const [value, limit] of [
    [ratio(row), row.requiredRatio],
    [median(row.ours), row.required],
  ] as const) {
    if (limit === undefined) continue;
    if (Number.isNaN(value)) return null;
    checks.push(within(value, limit));
  }
  return checks.length === 0 ? null : checks.every(Boolean);
}

function known(figures: readonly Figure[]): number[] {
  return figures.filter((one): one is number => one !== null && !Number.isNaN(one));
}
