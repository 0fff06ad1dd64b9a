// A server that serves while it reads its checkpoint: kill -9, start, and at once reads, writes,
// checkpoints and flushes; and what a damaged checkpoint does then.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { flipByte } from '../support/flip_byte.js';
import type { RawClient } from '../support/raw_client.js';
import {
  freePort,
  info,
  runToExit,
  spawnServer,
  type TestServer,
  temporaryFolder,
  until,
} from '../support/spawn_server.js';

const KEYS = 400_000; // with values of 500 bytes, about 220 MB
const VALUE_BYTES = 500;
/** Of the checkpoint file's data, per checksum. */
const BLOCK_BYTES = 65_536;

let dir: string;
let running: TestServer[] = [];

beforeAll(async () => {
  dir = temporaryFolder();
  const { server, client } = await start();
  await client.call('DEBUG', 'POPULATE', KEYS, 'key', VALUE_BYTES);
  await client.call('SET', 'large', 'abcdefgh'.repeat(1_000_000));
  await client.call('SAVE');
  await server.kill();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
afterEach(async () => {
  for (const server of running) await server.kill();
  running = [];
});

async function start(...args: string[]): Promise<{ server: TestServer; client: RawClient }> {
  const server = await spawnServer({ dir, args });
  running.push(server);
  return { server, client: await server.connect() };
}

function sampleOf(i: number): string {
  return `value:${i}`.padEnd(VALUE_BYTES, '\0');
}

async function isRestoring(client: RawClient): Promise<boolean> {
  return (await info(client, 'persistence')).get('restore_in_progress') === '1';
}

async function checkValues(client: RawClient, every: number, from = 0): Promise<void> {
  for (let base = from; base < KEYS; base += 1000 * every) {
    const numbers = Array.from({ length: 1000 }, (_, i) => base + i * every).filter(
      (i) => i < KEYS,
    );
    const replies = await client.pipeline(numbers.map((i) => ['GET', `key:${i}`]));
    replies.forEach(({ text }, i) => {
      if (text !== sampleOf(numbers[i]!))
        expect(text, `key:${numbers[i]}`).toBe(sampleOf(numbers[i]!));
    });
  }
}

describe('a server that restores lazily', () => {
  test('serves before it has read its data, tells of the progress, and ends with all of it', async () => {
    const { server, client } = await start();
    const first = await client.pipeline([
      ['GET', 'key:123456'],
      ['DBSIZE'],
      ['INFO', 'persistence'],
    ]);
    expect(first[0]!.text).toBe(sampleOf(123_456));
    expect(first[1]!.text).toBe(String(KEYS + 1));
    const text = first[2]!.text;
    expect(text).toContain('\r\nloading:0\r\nasync_loading:0\r\n');
    expect(text).toContain('restore_in_progress:1');
    const total = Number(/restore_bytes_total:(\d+)/.exec(text ?? '')?.[1]);
    expect(total).toBeGreaterThan(KEYS * VALUE_BYTES);
    expect(Number(/restore_bytes_done:(\d+)/.exec(text ?? '')?.[1])).toBeLessThan(total);
    // Read in one go from memory that is partly absent: the kernel cannot, the reactor must.
    expect((await client.call('GET', 'large')) === 'abcdefgh'.repeat(1_000_000)).toBe(true);
    await checkValues(client, 7);
    await until('the restore has ended', async () => !(await isRestoring(client)));
    const fields = await info(client, 'persistence');
    expect(fields.get('restore_bytes_done')).toBe(String(total));
    expect(Number(fields.get('restore_last_duration_usec'))).toBeGreaterThan(0);
    expect(server.log()).toMatch(/Restoring 400001 keys from .*read in the background/);
    expect(server.log()).toMatch(/Restore ended: \d+ MB in \d+ ms/);
    expect(await client.call('DEBUG', 'VERIFY')).toBeTruthy();
    await checkValues(client, 3);
  });

  test('writes, deletes and checkpoints meanwhile, and nothing is lost', async () => {
    const { server, client } = await start();
    const commands: string[][] = [];
    for (let i = 0; i < KEYS; i += 40) commands.push(['SET', `key:${i}`, `new ${i}`]);
    for (let i = 20; i < KEYS; i += 40) commands.push(['DEL', `key:${i}`]);
    commands.push(['BGSAVE'], ['SET', 'key:1', 'after the question']);
    expect((await client.pipeline(commands)).at(-2)!.text).toBe('Background saving started');
    await until('the checkpoint is there', async () => {
      const fields = await info(client, 'persistence');
      return fields.get('rdb_bgsave_in_progress') === '0' && fields.get('rdb_saves') === '1';
    });
    expect(await isRestoring(client)).toBe(false);
    expect(await client.call('DEBUG', 'VERIFY')).toBeTruthy();
    await server.kill();
    const again = await start();
    expect(await again.client.call('DBSIZE')).toBe(KEYS + 1 - KEYS / 40);
    expect(await again.client.call('GET', 'key:40')).toBe('new 40');
    expect(await again.client.call('GET', 'key:60')).toBeNull();
    await checkValues(again.client, 40, 33);
    // The state of the first start is the older checkpoint, which the other tests begin with.
    await again.server.kill();
    const newest = readdirSync(join(dir, 'checkpoints')).sort().at(-1)!;
    rmSync(join(dir, 'checkpoints', newest));
  });

  test('is flushed, filled anew and reloaded in the middle of it', async () => {
    const { server, client } = await start();
    const replies = await client.pipeline([
      ['FLUSHALL'],
      ...Array.from({ length: 50_000 }, (_, i) => ['SET', `key:${i}`, `fresh ${i}`]),
      ['DBSIZE'],
      ['DEBUG', 'VERIFY'],
    ]);
    expect(replies.at(-2)!.text).toBe('50000');
    await until('the restore has ended', async () => !(await isRestoring(client)));
    expect(await client.call('DEBUG', 'VERIFY')).toBeTruthy();
    expect(await client.call('GET', 'key:49999')).toBe('fresh 49999');
    await server.kill();
    const again = await start();
    expect(await again.client.call('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
    expect(await isRestoring(again.client)).toBe(false);
    expect(await again.client.call('DBSIZE')).toBe(KEYS + 1);
    await checkValues(again.client, 40);
    expect(again.server.log()).not.toContain('Restore ended');
  });
});

describe('a damaged block', () => {
  /** Flips a bit of the value of a key in the newest file; returns path and block. */
  function damage(key: number): { path: string; block: number } {
    const newest = readdirSync(join(dir, 'checkpoints')).sort().at(-1)!;
    const path = join(dir, 'checkpoints', newest);
    const at = readFileSync(path).indexOf(`value:${key}\0`);
    flipByte(path, at, 1);
    return { path, block: Math.floor(at / BLOCK_BYTES) };
  }

  test('is never served: the server stops, says why and what to do', async () => {
    const { path, block } = damage(KEYS - 5);
    const log = join(dir, 'server.log');
    const server = await spawnServer({ dir, args: ['--logfile', log] }).catch(() => null);
    if (server !== null) {
      running.push(server);
      // Whoever is first, this client or the background threads: no wrong answer.
      const client = await server.connect().catch(() => null);
      const answer = await client?.call('GET', `key:${KEYS - 5}`).catch(() => 'closed');
      expect(['closed', undefined]).toContain(answer);
      expect(await server.exited).toEqual({ code: 3, signal: null });
      expect(server.log()).toContain(`${path} is damaged: checksum of block ${block} `);
    }
    const lines = readFileSync(log, 'latin1');
    expect(lines).toMatch(
      new RegExp(`damaged: checksum of block ${block} \\(file offset \\d+\\): `),
    );
    expect(lines).toContain('--restore-skip 1');
    // Eagerly, the same file does not start at all.
    const args = ['--port', String(await freePort()), '--dir', dir, '--restore', 'eager'];
    const refused = await runToExit('stillframe', args);
    expect(refused.code).toBe(2);
    expect(refused.log).toContain(`checksum of block ${block} `);
  });
});
