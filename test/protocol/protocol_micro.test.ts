// The microbenchmark in small, so that it keeps working. Its figures are not judged here.
import { expect, test, vi } from 'vitest';
import { protocolMicro } from '../../bench/protocol_micro.js';

test('the microbenchmark of the protocol runs', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const report = protocolMicro({ rounds: 1, roundRequests: 1000 });
  expect(report.size).toBe(9);
  for (const nanos of report.values()) {
    expect(nanos).toBeGreaterThanOrEqual(0);
  }
});
