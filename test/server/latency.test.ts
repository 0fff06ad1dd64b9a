// LATENCY, and what a checkpoint leaves behind in events, INFO and the log.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LATENCY_SAMPLES, LatencyEvent, LatencyHistogram } from '../../server/latency.js';
import type { RawClient } from '../support/raw_client.js';
import { info, spawnServer, type TestServer, until } from '../support/spawn_server.js';

describe('an event', () => {
  test('keeps its last samples, oldest first, and its longest time', () => {
    const event = new LatencyEvent();
    for (let second = 0; second < LATENCY_SAMPLES + 10; second++) event.add(second, 500 - second);
    const samples = event.samples();
    expect(samples).toHaveLength(LATENCY_SAMPLES);
    expect(samples[0]).toEqual({ seconds: 10, millis: 490 });
    expect(samples.at(-1)).toEqual({ seconds: LATENCY_SAMPLES + 9, millis: 491 - LATENCY_SAMPLES });
    expect(event.maxMillis).toBe(500);
  });

  test('has one sample a second: the longest', () => {
    const event = new LatencyEvent();
    for (const millis of [3, 9, 4]) event.add(7, millis);
    event.add(8, 1);
    expect(event.samples()).toEqual([
      { seconds: 7, millis: 9 },
      { seconds: 8, millis: 1 },
    ]);
    for (let second = 9; second < 400; second++) event.add(second, 1);
    event.add(399, 6);
    expect(event.samples().at(-1)).toEqual({ seconds: 399, millis: 6 });
    expect(event.samples()).toHaveLength(LATENCY_SAMPLES);
  });
});

test('a histogram counts up to powers of two and stands for all calls', () => {
  const histogram = new LatencyHistogram();
  for (const micros of [0.2, 1, 1.5, 2, 3, 100, 1e12]) histogram.add(micros);
  expect(histogram.cumulative(7)).toEqual([
    [1, 2],
    [2, 4],
    [4, 5],
    [128, 6],
    [2 ** 30, 7],
  ]);
  expect(histogram.cumulative(70).at(-1)).toEqual([2 ** 30, 70]);
});

describe('the server', () => {
  let server: TestServer;
  let client: RawClient;

  beforeAll(async () => {
    server = await spawnServer({ kind: 'stillframe' });
    client = await server.connect();
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    await client.call('LATENCY', 'RESET');
    await client.call('CONFIG', 'SET', 'latency-monitor-threshold', 0);
  });

  async function latest(): Promise<Map<string, number[]>> {
    const rows = (await client.call('LATENCY', 'LATEST')) as [string, ...number[]][];
    return new Map(rows.map(([name, ...numbers]) => [name, numbers]));
  }

  test('slow commands are seen from the threshold on, and not without one', async () => {
    await client.call('DEBUG', 'SLEEP', 0.03);
    expect([...(await latest()).keys()]).toEqual([]);
    await client.call('CONFIG', 'SET', 'latency-monitor-threshold', 20);
    for (let i = 0; i < 20; i++) await client.call('PING');
    await client.call('DEBUG', 'SLEEP', 0.03);
    const events = await latest();
    expect([...events.keys()]).toEqual(['command']);
    const [seconds, millis, longest] = events.get('command')!;
    expect(Math.abs(seconds! - Date.now() / 1000)).toBeLessThan(5);
    expect(millis).toBeGreaterThanOrEqual(30);
    expect(longest).toBe(millis);
    expect(await client.call('LATENCY', 'HISTORY', 'command')).toEqual([[seconds, millis]]);
    expect(await client.call('LATENCY', 'HISTORY', 'other')).toEqual([]);
    expect(await client.call('LATENCY', 'GRAPH', 'command')).toMatch(
      /^command - high \d+ ms, low \d+ ms \(all time high \d+ ms\)\n-{80}\n\n\n\n#\nfrom \ds to \ds ago\n$/,
    );
    expect(await client.call('LATENCY', 'DOCTOR')).toMatch(/^ \* command: 1 samples, mean /);
    expect(await client.call('LATENCY', 'RESET', 'other', 'command')).toBe(1);
    expect(await client.call('LATENCY', 'RESET')).toBe(0);
    expect(await client.call('LATENCY', 'DOCTOR')).toBe('No event was seen.\n');
    expect(await client.call('LATENCY', 'GRAPH', 'command')).toMatchObject({
      text: "ERR No samples available for event 'command'",
    });
  });

  test('each checkpoint leaves its pause and its faults, without a threshold', async () => {
    await client.call('DEBUG', 'POPULATE', 200_000, 'key', 100);
    let runsWithFaults = 0;
    for (let run = 1; run <= 4; run++) {
      await client.call('BGSAVE');
      const writes = Array.from({ length: 2000 }, (_, i) => ['SET', `key:${i * 97}`, `new ${run}`]);
      await client.pipeline(writes);
      await until('the checkpoint is there', async () => {
        return (await info(client, 'persistence')).get('rdb_saves') === String(run);
      });
      const facts = await info(client, 'persistence');
      if (Number(facts.get('checkpoint_last_faults')) > 0) runsWithFaults++;
      expect(Number(facts.get('checkpoint_last_fault_burst_usec')) > 0).toBe(
        facts.get('checkpoint_last_faults') !== '0',
      );
      for (const name of ['overflows', 'relocated_bytes_peak']) {
        expect(facts.get(`checkpoint_last_${name}`)).toMatch(/^\d+$/);
      }
    }
    const events = await latest();
    expect(events.get('checkpoint-pause')![2]).toBeGreaterThanOrEqual(1);
    expect(events.has('checkpoint-fault-burst')).toBe(runsWithFaults > 0);
    const lines = server.log().match(/\* Checkpoint saved: .*/g)!;
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      expect(line).toMatch(
        new RegExp(
          '^\\* Checkpoint saved: \\d+ pages in \\d+ ms, \\S+ MB written, pause \\d+ us, \\d+ faults ' +
            '\\(at most \\d+ us in a turn\\), \\d+ pages saved by writers, \\d+ past the pool, ' +
            '\\S+ MB extra memory, \\S+ MB relocated$',
        ),
      );
    }
  });

  test('HISTOGRAM: the named commands that were called, containers with what is below them', async () => {
    await client.call('CONFIG', 'RESETSTAT');
    for (let i = 0; i < 40; i++) await client.call('GET', 'nothing');
    await client.call('CONFIG', 'GET', 'port');
    const replied = await client.call('LATENCY', 'HISTOGRAM', 'GeT', 'config', 'set', 'x');
    const flat = replied as unknown[];
    expect(flat.filter((_, i) => i % 2 === 0)).toEqual(['get', 'config|get', 'config|resetstat']);
    const [calls, count, histogram, rows] = flat[1] as [string, number, string, number[]];
    expect([calls, count, histogram]).toEqual(['calls', 40, 'histogram_usec']);
    expect(rows.at(-1)).toBe(40);
    const all = (await client.call('LATENCY', 'HISTOGRAM')) as unknown[];
    expect(all).toContain('latency|histogram');
  });

  test('HELP and errors are those of Redis', async () => {
    const help = (await client.call('LATENCY', 'HELP')) as string[];
    expect(help[0]).toBe('LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:');
    for (const name of ['DOCTOR', 'GRAPH <event>', 'HISTORY <event>', 'LATEST', 'HELP']) {
      expect(help).toContain(name);
    }
    for (const [request, error] of [
      [['LATENCY'], "ERR wrong number of arguments for 'latency' command"],
      [['LATENCY', 'HISTORY'], "ERR wrong number of arguments for 'latency|history' command"],
      [['LATENCY', 'foo'], "ERR unknown subcommand 'foo'. Try LATENCY HELP."],
    ] as const) {
      expect(await client.call(...request)).toMatchObject({ text: error });
    }
  });
});
