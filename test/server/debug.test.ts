// DEBUG RELOAD, VERIFY, SLEEP and SET-ACTIVE-EXPIRE: what the differential test does not see.
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RawClient } from '../support/raw_client.js';
import { info, spawnServer, type TestServer, until } from '../support/spawn_server.js';

let server: TestServer;
let client: RawClient;
beforeAll(async () => {
  server = await spawnServer();
  client = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  await client.call('SELECT', 0);
  await client.call('FLUSHALL');
});

const newestCheckpoint = (): string => {
  const folder = join(server.dir, 'checkpoints');
  return join(folder, readdirSync(folder).sort().at(-1)!);
};

describe('DEBUG RELOAD', () => {
  test('clients go on where they were: database, name, transaction, pipeline', async () => {
    const other = await server.connect();
    await other.call('SELECT', 5);
    await other.call('CLIENT', 'SETNAME', 'other');
    await other.call('SET', 'k', 'five');
    await other.call('MULTI');
    await other.call('APPEND', 'k', '!');
    const replies = await client.pipeline([
      ['SET', 'before', '1'],
      ['DEBUG', 'RELOAD'],
      ['GET', 'before'],
      ['SET', 'after', '2'],
      ['GET', 'after'],
    ]);
    expect(replies.map(({ text }) => text)).toEqual(['OK', 'OK', '1', 'OK', '2']);
    expect(await other.call('EXEC')).toEqual([5]);
    expect(await other.call('CLIENT', 'GETNAME')).toBe('other');
    expect(await other.call('GET', 'k')).toBe('five!');
    expect(await client.call('DEBUG', 'VERIFY')).toBe('OK');
  });

  test('many keys of many sizes, expiring ones, again and again', async () => {
    await client.call('DEBUG', 'POPULATE', 30_000, 'small', 20);
    await client.call('DEBUG', 'POPULATE', 300, 'large', 50_000);
    await client.call('SET', 'huge', 'h'.repeat(5 << 20));
    await client.call('PEXPIRE', 'small:7', 100_000);
    for (let round = 0; round < 3; round++) {
      expect(await client.call('DEBUG', 'RELOAD')).toBe('OK');
      expect(await client.call('DEBUG', 'VERIFY')).toBe('OK');
      expect(await client.call('DBSIZE')).toBe(30_301);
      expect(await client.call('STRLEN', 'huge')).toBe(5 << 20);
      expect(Number(await client.call('PTTL', 'small:7'))).toBeGreaterThan(50_000);
      expect(await client.call('SET', `round:${round}`, 'x')).toBe('OK');
      expect(await client.call('DEL', `round:${round}`)).toBe(1);
    }
  });

  test('NOSAVE goes back to the last checkpoint; watched keys count as touched', async () => {
    await client.call('SET', 'k', 'saved');
    await client.call('SAVE');
    await client.call('SET', 'k', 'later');
    const watcher = await server.connect();
    await watcher.call('WATCH', 'k');
    expect(await client.call('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
    expect(await client.call('GET', 'k')).toBe('saved');
    await watcher.call('MULTI');
    await watcher.call('PING');
    expect(await watcher.call('EXEC')).toBeNull();
  });

  test('while a checkpoint is being written it waits for that one', async () => {
    await client.call('DEBUG', 'POPULATE', 50_000, 'key', 200);
    const replies = await client.pipeline([['BGSAVE'], ['DEBUG', 'RELOAD'], ['DBSIZE']]);
    expect(replies.map(({ text }) => text)).toEqual(['Background saving started', 'OK', '50000']);
    expect((await info(client, 'persistence')).get('rdb_bgsave_in_progress')).toBe('0');
  });

  test('a damaged checkpoint is refused with an error, and the server goes on', async () => {
    await client.call('DEBUG', 'POPULATE', 1000, 'key', 1000);
    await client.call('SAVE');
    const place = readFileSync(newestCheckpoint()).indexOf('value:500\0');
    expect(place).toBeGreaterThan(0);
    const file = openSync(newestCheckpoint(), 'r+');
    writeSync(file, Buffer.alloc(1000, 0x55), 0, 1000, place);
    closeSync(file);
    expect(String(await client.call('DEBUG', 'RELOAD', 'NOSAVE'))).toBe(
      'ERR Error trying to load the RDB dump',
    );
    expect(server.log()).toContain('DEBUG RELOAD:');
    expect(await client.call('SET', 'k', 'v')).toBe('OK');
    expect(await client.call('GET', 'k')).toBe('v');
    expect(await client.call('DEBUG', 'VERIFY')).toBe('OK');
    rmSync(newestCheckpoint());
    expect(await client.call('SAVE')).toBe('OK');
  });

  test('what cannot be done is said', async () => {
    for (const word of ['MERGE', 'NOFLUSH']) {
      expect(String(await client.call('DEBUG', 'RELOAD', word))).toContain('not available');
    }
  });
});

test('DEBUG SLEEP holds everybody up for that long', async () => {
  const other = await server.connect();
  await other.call('PING');
  const start = performance.now();
  const sleeping = client.call('DEBUG', 'SLEEP', '0.3');
  await until('the server sleeps', async () => {
    await other.call('PING');
    return performance.now() - start > 250;
  });
  expect(await sleeping).toBe('OK');
  expect(performance.now() - start).toBeGreaterThan(290);
});

test('DEBUG SET-ACTIVE-EXPIRE 0 leaves expired keys until they are asked for', async () => {
  expect(await client.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0)).toBe('OK');
  await client.call('SET', 'k', 'v', 'PX', 1);
  await client.call('SET', 'other', 'v', 'PX', 1);
  await until('it has expired', async () => (await client.call('GET', 'k')) === null);
  expect(await client.call('DBSIZE')).toBe(1);
  expect(await client.call('DEBUG', 'SET-ACTIVE-EXPIRE', 1)).toBe('OK');
  await until('the other one is deleted', async () => (await client.call('DBSIZE')) === 0);
});

test('HELP of each container lists its subcommands', async () => {
  for (const name of ['CLIENT', 'COMMAND', 'CONFIG', 'DEBUG']) {
    const lines = (await client.call(name, 'HELP')) as string[];
    expect(lines[0]).toBe(`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
    expect(lines.at(-2)).toBe('HELP');
    expect(lines.length).toBeGreaterThan(8);
  }
});
