// Active defragmentation as a user sees it: after deletes and sets of other sizes the process becomes small
// again by itself, or when told to, under commands, checkpoints and kill -9.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Random } from '../support/random.js';
import type { RawClient } from '../support/raw_client.js';
import { info, spawnServer, type TestServer, until } from '../support/spawn_server.js';

const KEYS = 120_000;
const VALUE_BYTES = 700;
const PIECE = 2000;
const MB = 2 ** 20;
/** A machine that does other things besides may take its time. */
const TIMEOUT_MS = 180_000;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'stillframe-test-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill();
});

async function start(...args: string[]): Promise<[TestServer, RawClient]> {
  const own = ['--active-defrag-ignore-bytes', '4mb', '--enable-debug-command', 'yes'];
  const server = await spawnServer({ kind: 'stillframe', dir, args: [...own, ...args] });
  servers.push(server);
  return [server, await server.connect()];
}

/** Calls with the arguments in pieces of so many. */
async function inPieces(
  client: RawClient,
  command: string,
  args: readonly string[],
): Promise<void> {
  for (let i = 0; i < args.length; i += PIECE) {
    await client.call(command, ...args.slice(i, i + PIECE));
  }
}

const key = (i: number): string => `key:${i}`;
/** As DEBUG POPULATE makes it. */
const value = (i: number): string => `value:${i}`.padEnd(VALUE_BYTES, '\0');
const otherValue = (i: number): string => `${i}:`.padEnd(300 + 150 * (i % 3), 'w');

/** The keys of a load in a random order: which of them are deleted, and as what some are set again. */
const order = new Random(17).shuffle(Array.from({ length: KEYS }, (_, i) => i));
const kept = order.slice(0, KEYS / 4);
const deleted = order.slice(KEYS / 4);
const others = deleted.slice(0, KEYS / 4);

/** Loads, deletes three quarters at random and sets a third as many others. */
async function churn(client: RawClient): Promise<void> {
  await client.call('FLUSHALL');
  await client.call('DEBUG', 'POPULATE', KEYS, 'key', VALUE_BYTES);
  await inPieces(client, 'DEL', deleted.map(key));
  await inPieces(
    client,
    'MSET',
    others.flatMap((i) => [`other:${i}`, otherValue(i)]),
  );
}

/** Every key has its value and there are no others. */
async function verifyData(client: RawClient): Promise<void> {
  expect(await client.call('DBSIZE')).toBe(kept.length + others.length);
  const wanted: [string, string][] = [
    ...kept.map((i): [string, string] => [key(i), value(i)]),
    ...others.map((i): [string, string] => [`other:${i}`, otherValue(i)]),
  ];
  for (let at = 0; at < wanted.length; at += PIECE) {
    const part = wanted.slice(at, at + PIECE);
    const texts = (await client.call('MGET', ...part.map(([name]) => name))) as string[];
    part.forEach(([name, text], i) => {
      if (texts[i] !== text) throw new Error(`${name} has another value`);
    });
  }
  expect(await client.call('DEBUG', 'VERIFY')).toContain('OK');
}

/** What extents hold over what is used of them. */
async function fragmentation(client: RawClient): Promise<number> {
  const facts = await info(client, 'memory');
  return Number(facts.get('allocator_active')) / Number(facts.get('allocator_allocated'));
}

test('the process becomes smaller by itself after churn', { timeout: TIMEOUT_MS }, async () => {
  const [server, client] = await start('--activedefrag', 'no');
  await churn(client);
  const before = await fragmentation(client);
  const residentBefore = server.rssBytes();
  expect(before).toBeGreaterThan(1.3);
  await client.call('CONFIG', 'SET', 'activedefrag', 'yes');
  await until('data moves together', async () => (await fragmentation(client)) < before - 0.15);
  await until(
    'the kernel gets free memory back',
    () => server.rssBytes() < residentBefore - 8 * MB,
  );
  const stats = await info(client, 'stats');
  expect(Number(stats.get('active_defrag_key_hits'))).toBeGreaterThan(KEYS / 40);
  expect(Number(stats.get('total_active_defrag_time'))).toBeGreaterThan(0);
  await verifyData(client);
  await client.call('CONFIG', 'RESETSTAT');
  expect((await info(client, 'stats')).get('active_defrag_key_hits')).toBe('0');
});

test('MEMORY PURGE moves data together where activedefrag is off', {
  timeout: TIMEOUT_MS,
}, async () => {
  const [, client] = await start('--activedefrag', 'no');
  await churn(client);
  const before = await fragmentation(client);
  const replies = await client.pipeline([
    ['MEMORY', 'PURGE'],
    ['INFO', 'memory'],
  ]);
  expect(replies[0]?.text).toBe('OK');
  expect(replies[1]?.text).toContain('active_defrag_running:25');
  await until('the pass ends', async () => {
    return (await info(client, 'memory')).get('active_defrag_running') === '0';
  });
  expect(await fragmentation(client)).toBeLessThan(before - 0.15);
  await verifyData(client);
});

test('a checkpoint in the middle of a pass, and kill -9 in the middle of another', {
  timeout: TIMEOUT_MS,
}, async () => {
  const slow = ['--activedefrag', 'no', '--active-defrag-cycle-max', '1'];
  const [server, client] = await start(...slow);
  await churn(client);
  await client.call('MEMORY', 'PURGE');
  await until('a pass is under way', async () => {
    return Number((await info(client, 'stats')).get('active_defrag_hits')) > 1000;
  });
  await client.call('BGSAVE');
  await until('the checkpoint ends', async () => {
    return (await info(client, 'persistence')).get('rdb_bgsave_in_progress') === '0';
  });
  expect((await info(client, 'persistence')).get('rdb_last_bgsave_status')).toBe('ok');
  expect((await info(client, 'memory')).get('active_defrag_running')).toBe('0');
  await verifyData(client);
  await client.call('MEMORY', 'PURGE');
  await server.kill();

  const [, reader] = await start(...slow);
  await verifyData(reader);
});
