// Keys that really expire: both servers get the same absolute time, the test waits until it has
// passed, and then every command must find the keys gone. Active expiry is off, so that it is the
// commands themselves that notice.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../support/random.js';
import type { Command } from '../support/raw_client.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { spawnServer, subjectKind, type TestServer, until } from '../support/spawn_server.js';
import { commandLine, Duel } from './duel.js';
import { CommandSource, Generator } from './generator.js';
import { ORACLE_SEED } from './stream.js';
import { bitCommands } from './tables/bits.js';
import { keyCommands } from './tables/keys.js';
import { stringCommands } from './tables/strings.js';

const EXPIRED_KEYS = 3000;
const LEAD_MS = 400;

/** These see keys that other commands have not met yet, and Redis counts or picks expired ones; its
 *  DEBUG OBJECT and MEMORY USAGE look at the table itself, where the key still is. */
const PAST_EXPIRY = /^(dbsize|randomkey|flushdb|flushall|swapdb|select|keys|scan|debug|memory)$/i;

describeWithPeer('expired keys', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test('every command finds an expired key missing', async () => {
    await duel.reset([3]);
    expect(await duel.batch(0, [['DEBUG', 'SET-ACTIVE-EXPIRE', 0]])).toBeNull();
    const random = new Random(ORACLE_SEED);
    const source = new CommandSource([stringCommands, bitCommands, keyCommands], 0);
    const deadline = Date.now() + LEAD_MS;
    const names = Array.from({ length: EXPIRED_KEYS }, (_, i) => `x${i}`);
    await duel.batch(
      0,
      names.map((name) => ['SET', name, random.pick([10, 'text', '3.5'])]),
    );
    await duel.batch(
      0,
      names.map((name) => ['PEXPIREAT', name, deadline]),
    );
    await until('the keys have expired', () => Date.now() > deadline + 1);
    for (const name of names) {
      const g = new Generator(random, [name]);
      const command = source.draw(g);
      if (PAST_EXPIRY.test(String(command[0]))) continue;
      const mismatch = await duel.batch(0, [command, ['GET', name], ['PTTL', name]]);
      expect(mismatch, mismatch === null ? '' : commandLine(command)).toBeNull();
    }
  });

  test('KEYS, SCAN and DBSIZE after lazy deletion, WATCH over the deadline', async () => {
    await duel.reset([2, 3]);
    const deadline = Date.now() + LEAD_MS;
    const set = (name: string): Command => ['SET', name, 'v', 'PXAT', deadline];
    await duel.batch(0, [['DEBUG', 'SET-ACTIVE-EXPIRE', 0], set('a'), set('b'), ['SET', 'c', 'v']]);
    await duel.batch(0, [['WATCH', 'a']]);
    await until('the keys have expired', () => Date.now() > deadline + 1);
    const after: Command[] = [
      ['MULTI'],
      ['PING'],
      ['EXEC'],
      ['WATCH', 'b'],
      ['MULTI'],
      ['PING'],
      ['EXEC'],
      ['KEYS', '*'],
      ['SCAN', 0, 'COUNT', 100],
      ['EXISTS', 'a', 'b', 'c'],
      ['DBSIZE'],
      ['RANDOMKEY'],
    ]; // prettier-ignore
    expect(await duel.batch(0, after)).toBeNull();
  });
});

test('expired keys give their memory back without being read', async () => {
  const server: TestServer = await spawnServer();
  const client = await server.connect();
  const value = 'x'.repeat(1000);
  const many = Array.from({ length: 20_000 }, (_, i) => [
    'SET',
    `k${i}`,
    value,
    'PX',
    300 + (i % 200),
  ]);
  await client.pipeline(many);
  expect(await client.call('DBSIZE')).toBeGreaterThan(0);
  await until('active expiry removes all', async () => (await client.call('DBSIZE')) === 0, 8000);
  const stats = String(await client.call('INFO', 'stats'));
  expect(Number(/expired_keys:(\d+)/.exec(stats)?.[1])).toBe(20_000);
  await server.stop();
});
