// How many distinct elements a HyperLogLog has seen: the estimator of Otmar Ertl ("New cardinality
// estimation algorithms for HyperLogLog sketches", arXiv:1702.01284, algorithm 6), which needs only how
// many registers have each value. All arithmetic is that of doubles in the order that Redis computes it, so
// the results are equal.
import { cardinality, REGISTER_VALUES, REGISTERS, RUN_MAX } from './registers.js';

/** 1 / (2 ln 2), the limit of the bias correction. */
const ALPHA = 0.7213475204444817;
const INT64_LIMIT = 2 ** 63;

/** How many registers have each value. */
export const histogram = new Int32Array(REGISTER_VALUES);

/** Counts registers of a byte each into `histogram`. */
export function countRegisters(registers: Uint8Array): void {
  histogram.fill(0);
  for (let i = 0; i < REGISTERS; i++) {
    const run = registers[i]!;
    histogram[run] = histogram[run]! + 1;
  }
}

/** Fills `cardinality` with the estimate for `histogram`. */
export function estimate(): void {
  let z = REGISTERS * tau((REGISTERS - histogram[RUN_MAX]!) / REGISTERS);
  for (let run = RUN_MAX - 1; run >= 1; run--) {
    z += histogram[run]!;
    z *= 0.5;
  }
  z += REGISTERS * sigma(histogram[0]! / REGISTERS);
  const value = Math.round((ALPHA * REGISTERS * REGISTERS) / z);
  if (value >= INT64_LIMIT) {
    // Registers that no hash makes: C's conversion gives the smallest int64.
    cardinality.high = -0x80000000;
    cardinality.low = 0;
    return;
  }
  cardinality.high = Math.floor(value / 2 ** 32) | 0;
  cardinality.low = (value % 2 ** 32) | 0;
}

/** x + sum of x^(2^k) 2^(k-1), the share of the registers that are 0. */
function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let x = share;
  let y = 1;
  let z = share;
  for (;;) {
    x *= x;
    const before = z;
    z += x * y;
    y += y;
    if (z === before) return z;
  }
}

/** (1 - x - sum of (1 - x^(2^-k))^2 2^-k) / 3, the share of the registers that are full. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - share;
  for (;;) {
    x = Math.sqrt(x);
    const before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
    if (z === before) return z / 3;
  }
}
