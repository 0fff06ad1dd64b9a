// INFO of a running server: that its numbers follow what happens.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { RawClient } from '../support/raw_client.js';
import { info, spawnServer, type TestServer, until } from '../support/spawn_server.js';

let server: TestServer;
let client: RawClient;
beforeAll(async () => {
  server = await spawnServer();
  client = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(() => client.call('FLUSHALL'));

/** Fields of INFO as numbers. */
async function numbers(section: string): Promise<(name: string) => number> {
  const fields = await info(client, section);
  return (name) => Number(fields.get(name));
}

test('keyspace: keys, keys that expire, and their median time to live', async () => {
  await client.call('DEBUG', 'POPULATE', 100);
  await client.call('SET', 'a', 1, 'PX', 100_000);
  await client.call('SELECT', 3);
  await client.call('SET', 'b', 1);
  await client.call('SELECT', 0);
  const fields = await info(client, 'keyspace');
  expect([...fields.keys()]).toEqual(['db0', 'db3']);
  expect(fields.get('db3')).toBe('keys=1,expires=0,avg_ttl=0');
  const match = /^keys=101,expires=1,avg_ttl=(\d+)$/.exec(fields.get('db0')!);
  expect(Number(match?.[1])).toBeGreaterThan(90_000);
});

test('memory follows the data; the peak stays until CONFIG RESETSTAT', async () => {
  const before = await numbers('memory');
  await client.call('DEBUG', 'POPULATE', 20_000, 'key', 1000);
  const full = await numbers('memory');
  expect(full('used_memory') - before('used_memory')).toBeGreaterThan(20_000_000);
  expect(full('used_memory_overhead')).toBeGreaterThan(before('used_memory_overhead'));
  expect(full('used_memory_overhead')).toBeLessThan(full('used_memory') / 10);
  expect(full('allocator_active')).toBeGreaterThanOrEqual(full('used_memory'));
  await client.call('FLUSHALL');
  const empty = await numbers('memory');
  expect(empty('used_memory')).toBeLessThan(1_000_000);
  expect(empty('used_memory_peak')).toBeGreaterThan(20_000_000);
  await client.call('CONFIG', 'RESETSTAT');
  expect((await numbers('memory'))('used_memory_peak')).toBeLessThan(1_000_000);
});

test('a checkpoint: what it did, and that it is over', async () => {
  await client.call('DEBUG', 'POPULATE', 50_000, 'key', 200);
  expect((await numbers('persistence'))('rdb_changes_since_last_save')).toBeGreaterThan(49_999);
  const saves = (await numbers('persistence'))('rdb_saves');
  await client.call('BGSAVE');
  expect(String(await client.call('SAVE'))).toBe('ERR Background save already in progress');
  expect((await numbers('persistence'))('rdb_bgsave_in_progress')).toBe(1);
  await until('the checkpoint is written', async () => {
    return (await numbers('persistence'))('rdb_bgsave_in_progress') === 0;
  });
  const done = await numbers('persistence');
  expect(done('rdb_saves')).toBe(saves + 1);
  expect(done('rdb_changes_since_last_save')).toBe(0);
  expect(done('rdb_last_save_time')).toBe(await client.call('LASTSAVE'));
  expect(Math.abs(done('rdb_last_save_time') - Date.now() / 1000)).toBeLessThan(10);
  expect(done('checkpoint_last_pages')).toBeGreaterThan(2000);
  expect(done('checkpoint_last_file_bytes')).toBeGreaterThan(2000 * 4096);
  expect(done('checkpoint_last_duration_usec')).toBeGreaterThan(done('checkpoint_last_pause_usec'));
  expect(done('checkpoint_last_extra_bytes_peak')).toBeGreaterThan(0);
  const fields = await info(client, 'persistence');
  expect(fields.get('rdb_last_bgsave_status')).toBe('ok');
  expect(fields.get('checkpoint_mechanism')).toMatch(/^(userfaultfd|mprotect)/);
});

test('BGSAVE inside a transaction waits until the transaction is done', async () => {
  await client.call('MULTI');
  await client.call('SET', 'k', 'v');
  await client.call('BGSAVE');
  await client.call('BGSAVE', 'SCHEDULE');
  const replies = await client.call('EXEC');
  expect(replies).toContain('Background saving scheduled');
  const lastSave = Number(await client.call('LASTSAVE'));
  await until('the checkpoint is taken', async () => {
    const facts = await numbers('persistence');
    return facts('rdb_changes_since_last_save') === 0 && facts('rdb_bgsave_in_progress') === 0;
  });
  expect(Number(await client.call('LASTSAVE'))).toBeGreaterThanOrEqual(lastSave);
});

test('stats count, rates rise with traffic, RESETSTAT sets to zero', async () => {
  await client.call('CONFIG', 'RESETSTAT');
  await client.call('SET', 'k', 'x'.repeat(100_000));
  await client.call('GET', 'k');
  await client.call('GET', 'nokey');
  await client.call('NOSUCH');
  const stats = await numbers('stats');
  expect(stats('keyspace_hits')).toBe(1);
  expect(stats('keyspace_misses')).toBe(1);
  expect(stats('total_error_replies')).toBe(1);
  expect(stats('total_net_input_bytes')).toBeGreaterThan(100_000);
  expect(stats('total_net_output_bytes')).toBeGreaterThan(100_000);
  expect(stats('total_reads_processed')).toBeGreaterThan(0);
  expect(stats('total_writes_processed')).toBeGreaterThan(0);
  expect(stats('total_forks')).toBe(0);
  await until('the rates have seen it', async () => {
    await client.pipeline(Array.from({ length: 1000 }, () => ['PING']));
    const now = await numbers('stats');
    return now('instantaneous_ops_per_sec') > 100 && now('instantaneous_input_kbps') > 1;
  });
  await client.call('CONFIG', 'RESETSTAT');
  const reset = await numbers('everything');
  for (const name of ['keyspace_hits', 'keyspace_misses', 'total_error_replies']) {
    expect(reset(name), name).toBe(0);
  }
  expect(reset('total_net_output_bytes')).toBeLessThan(1000);
  expect(reset('total_connections_received')).toBe(0);
  expect((await info(client, 'commandstats')).has('cmdstat_ping')).toBe(false);
});

test('server: who it is', async () => {
  const fields = await info(client, 'server');
  expect(fields.get('redis_version')).toBe('7.0.15');
  expect(fields.get('tcp_port')).toBe(String(server.port));
  expect(fields.get('process_id')).toBe(String(server.pid));
  expect(fields.get('run_id')).toMatch(/^[0-9a-f]{40}$/);
  const [seconds, micros] = (await client.call('TIME')) as [string, string];
  const passed = Number(seconds) * 1e6 + Number(micros) - Number(fields.get('server_time_usec'));
  expect(Math.abs(passed)).toBeLessThan(2e6);
});
