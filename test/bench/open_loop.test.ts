// The schedule of the open-loop generator, and what is made of its record.
import { expect, test } from 'vitest';
import { LatencyRecord, ticksFor } from '../../bench/load/open_loop.js';

test.each([
  [50_000, 10],
  [50_000, 1],
  [414_321, 16],
  [1_000, 16],
  [7, 1],
])('%i requests a second by %i are due as often as that', (rate, pipeline) => {
  const { perTick, tickNanos } = ticksFor(rate, pipeline);
  expect(perTick % pipeline).toBe(0);
  expect(tickNanos).toBeGreaterThanOrEqual(150_000);
  expect((perTick / tickNanos) * 1e9).toBeCloseTo(rate, -1);
});

/** Bursts of 2 every millisecond, from second 1 on. */
function record(micros: readonly number[], late: readonly number[]): LatencyRecord {
  return new LatencyRecord(
    1_000_000_000n,
    1_000_000,
    2,
    Uint32Array.from(micros),
    Uint32Array.from(late),
  );
}

test('percentiles are of the requests that were due in a span', () => {
  const one = record([10, 20, 30, 40, 50, 60], [1, 2, 3]);
  expect(one.between(1_001_000_000n, 1_003_000_000n)).toMatchObject({ count: 4, p50: 40, max: 60 });
  expect(one.lateness(1_000_000_000n, 1_002_000_000n)).toMatchObject({ count: 2, max: 2 });
  expect(() => one.between(2_000_000_000n, 3_000_000_000n)).toThrow('no request was due');
});

test('a request without a reply took for ever', () => {
  const one = record([10, 0xffff_ffff], [0]);
  expect(one.between(0n, 2_000_000_000n)).toMatchObject({ p50: 10, max: Number.POSITIVE_INFINITY });
});

test('late requests near each other are one stall', () => {
  const micros = Array.from({ length: 40 }, () => 10);
  micros[4] = 5000;
  micros[8] = 7000;
  micros[30] = 4000;
  const stalls = record(micros, Array(20).fill(0)).stalls(3000);
  expect(stalls).toEqual([
    { nanos: 1_002_000_000n, bursts: 2, micros: 7000 },
    { nanos: 1_015_000_000n, bursts: 1, micros: 4000 },
  ]);
});
