// SHUTDOWN and signals: what is saved, what the process says when it ends, and when it stays.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { encode, type RawClient } from '../support/raw_client.js';
import { spawnServer, type TestServer, temporaryFolder, until } from '../support/spawn_server.js';

const started: TestServer[] = [];
const folders: string[] = [];

async function start(...args: string[]): Promise<[TestServer, RawClient]> {
  const server = await spawnServer({ args });
  started.push(server);
  return [server, await server.connect()];
}

afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const checkpoints = (server: TestServer): string[] => {
  try {
    return readdirSync(join(server.dir, 'checkpoints'));
  } catch {
    return [];
  }
};

/** Makes every checkpoint fail: a file lies where their folder must be. */
function breakCheckpoints(server: TestServer): void {
  rmSync(join(server.dir, 'checkpoints'), { recursive: true, force: true });
  writeFileSync(join(server.dir, 'checkpoints'), '');
}

function mendCheckpoints(server: TestServer): void {
  rmSync(join(server.dir, 'checkpoints'));
  mkdirSync(join(server.dir, 'checkpoints'));
}

describe('SHUTDOWN', () => {
  test.each([
    { words: [], save: '""', saved: 0 },
    { words: [], save: '3600 1', saved: 1 },
    { words: ['SAVE'], save: '""', saved: 1 },
    { words: ['NOSAVE'], save: '3600 1', saved: 0 },
    { words: ['NOW', 'FORCE'], save: '3600 1', saved: 1 },
    { words: ['nosave', 'now', 'force'], save: '3600 1', saved: 0 },
  ])('$words with save points $save leaves $saved checkpoint', async ({ words, save, saved }) => {
    const [server, client] = await start('--save', save === '""' ? '' : save);
    await client.call('SET', 'k', 'v');
    await client.write(encode(['SHUTDOWN', ...words]));
    expect(await client.readUntilClosed()).toEqual([]);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(checkpoints(server)).toHaveLength(saved);
    expect(server.log()).toContain('bye bye');
  });

  test('replies of the commands before it in the pipeline arrive', async () => {
    const [server, client] = await start();
    await client.write(
      Buffer.concat([encode(['SET', 'k', 'v']), encode(['GET', 'k']), encode(['SHUTDOWN'])]),
    );
    const replies = await client.readUntilClosed();
    expect(replies.map(({ text }) => text)).toEqual(['OK', 'v']);
    expect((await server.exited).code).toBe(0);
  });

  test('one whose checkpoint fails is refused, and the server goes on; FORCE ends it', async () => {
    const [server, client] = await start();
    await client.call('SET', 'k', 'v');
    breakCheckpoints(server);
    expect(String(await client.call('SHUTDOWN', 'SAVE'))).toBe(
      'ERR Errors trying to SHUTDOWN. Check logs.',
    );
    expect(await client.call('GET', 'k')).toBe('v');
    expect(String(await client.call('SAVE'))).toBe('ERR');
    mendCheckpoints(server);
    expect(await client.call('SAVE')).toBe('OK');
    breakCheckpoints(server);
    await client.write(encode(['SHUTDOWN', 'SAVE', 'FORCE']));
    await client.closed;
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test('what it saved is there after the next start', async () => {
    const folder = temporaryFolder();
    folders.push(folder);
    const first = await spawnServer({ dir: folder });
    const client = await first.connect();
    await client.call('SET', 'k', 'v');
    await client.write(encode(['SHUTDOWN', 'SAVE']));
    expect((await first.exited).code).toBe(0);
    const second = await spawnServer({ dir: folder });
    started.push(second);
    expect(await (await second.connect()).call('GET', 'k')).toBe('v');
  });

  test('during a background save it waits for that one', async () => {
    const [server, client] = await start();
    await client.call('DEBUG', 'POPULATE', 200_000, 'key', 200);
    await client.write(Buffer.concat([encode(['BGSAVE']), encode(['SHUTDOWN', 'SAVE'])]));
    const replies = await client.readUntilClosed();
    expect(replies.map(({ text }) => text)).toEqual(['Background saving started']);
    expect((await server.exited).code).toBe(0);
    expect(checkpoints(server).every((name) => name.endsWith('.still'))).toBe(true);
  });
});

describe('signals', () => {
  test.each([
    'SIGTERM',
    'SIGINT',
  ] as const)('%s saves where there are save points', async (name) => {
    const [server, client] = await start('--save', '3600 1');
    await client.call('SET', 'k', 'v');
    process.kill(server.pid, name);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(checkpoints(server)).toHaveLength(1);
  });

  test('SIGTERM whose checkpoint fails leaves the server serving', async () => {
    const [server, client] = await start('--save', '3600 1');
    await client.call('SET', 'k', 'v');
    breakCheckpoints(server);
    process.kill(server.pid, 'SIGTERM');
    await until('it says that it stays', () => server.log().includes('can not exit'));
    expect(await client.call('GET', 'k')).toBe('v');
    mendCheckpoints(server);
  });
});
