// CONFIG over a connection: what a change does to the running server, and REWRITE to the next start.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RawClient } from '../support/raw_client.js';
import {
  freePort,
  info,
  spawnServer,
  type TestServer,
  temporaryFolder,
  until,
} from '../support/spawn_server.js';

describe('CONFIG SET', () => {
  let server: TestServer;
  let client: RawClient;
  beforeAll(async () => {
    server = await spawnServer();
    client = await server.connect();
  });
  afterAll(() => server?.stop());

  const set = async (...pairs: string[]): Promise<string> =>
    String(await client.call('CONFIG', 'SET', ...pairs));

  test('port: the server listens there, those who are connected stay', async () => {
    const port = await freePort();
    expect(await set('port', String(port))).toBe('OK');
    const other = await RawClient.connect({ port });
    expect(await other.call('PING')).toBe('PONG');
    await expect(RawClient.connect({ port: server.port })).rejects.toThrow('ECONNREFUSED');
    expect(await client.call('PING')).toBe('PONG');
    expect(await set('port', String(server.port))).toBe('OK');
    expect(await (await server.connect()).call('PING')).toBe('PONG');
    expect(await other.call('PING')).toBe('PONG');
    await other.close();
  });

  test('a port that is taken is refused, and the old one goes on', async () => {
    const taken = await spawnServer();
    expect(await set('port', String(taken.port))).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'port') - " +
        'Unable to listen on this port. Check server logs.',
    );
    expect(await client.call('CONFIG', 'GET', 'port')).toEqual(['port', String(server.port)]);
    expect(await (await server.connect()).call('PING')).toBe('PONG');
    await taken.stop();
  });

  test('bind: more addresses and fewer; one that is not here is refused', async () => {
    expect(await set('bind', '*')).toBe('OK');
    expect(await (await server.connect()).call('PING')).toBe('PONG');
    expect(await set('bind', '192.0.2.77')).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'bind') - " +
        'Failed to bind to specified addresses.',
    );
    expect(await (await server.connect()).call('PING')).toBe('PONG');
    expect(await set('bind', '127.0.0.1 -::1')).toBe('OK');
    expect(await (await server.connect()).call('PING')).toBe('PONG');
  });

  test('hz: the periodic work goes on at the new pace', async () => {
    expect(await set('hz', '500')).toBe('OK');
    await client.call('SET', 'k', 'v', 'PX', 5);
    await until('the key is deleted', async () => (await client.call('DBSIZE')) === 0);
    expect((await info(client, 'server')).get('hz')).toBe('500');
    expect(await set('hz', '10')).toBe('OK');
  });

  test('loglevel: what is logged follows it', async () => {
    expect(await set('loglevel', 'verbose')).toBe('OK');
    const broken = await server.connect();
    await broken.write('*x\r\n');
    await broken.closed;
    await until('the protocol error is logged', () => server.log().includes('Protocol error'));
    expect(await set('loglevel', 'notice')).toBe('OK');
  });

  test('proto-max-bulk-len: longer arguments end the connection', async () => {
    expect(await set('proto-max-bulk-len', '1mb')).toBe('OK');
    const other = await server.connect();
    await other.write(`*2\r\n$4\r\nECHO\r\n$${(1 << 20) + 1}\r\n`);
    expect((await other.readUntilClosed())[0]?.text).toContain('invalid bulk length');
    expect(await set('proto-max-bulk-len', '512mb')).toBe('OK');
  });

  test('maxmemory: below what is in use, only what adds data is refused', async () => {
    await client.call('SET', 'k', 'v');
    expect(await set('maxmemory', '1')).toBe('OK');
    expect(String(await client.call('SET', 'k2', 'v'))).toMatch(/^OOM /);
    expect(await client.call('GET', 'k')).toBe('v');
    expect(await client.call('DEL', 'k')).toBe(1);
    expect(server.log()).toContain('maxmemory is now 1 bytes');
    expect(await set('maxmemory', '0')).toBe('OK');
  });

  test('timeout: idle clients are closed, busy ones are not', async () => {
    const idle = await server.connect();
    await idle.call('PING');
    expect(await set('timeout', '1')).toBe('OK');
    let closed = false;
    void idle.closed.then(() => {
      closed = true;
    });
    await until('the idle client is closed', async () => {
      await client.call('PING');
      return closed;
    });
    expect(await client.call('CONFIG', 'SET', 'timeout', '0')).toBe('OK');
  });
});

describe('CONFIG REWRITE', () => {
  const started: TestServer[] = [];
  const folders: string[] = [];
  afterEach(async () => {
    for (const server of started.splice(0)) await server.stop();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  async function restart(dir: string, file: string): Promise<[TestServer, RawClient]> {
    const server = await spawnServer({ dir, file });
    started.push(server);
    return [server, await server.connect()];
  }

  test('what was set is there after a restart; comments stay', async () => {
    const folder = temporaryFolder();
    folders.push(folder);
    const file = join(folder, 'server.conf');
    writeFileSync(file, '# mine\ntimeout 7\n\nmaxclients 500 \n');
    const [first, client] = await restart(folder, file);
    expect(await client.call('CONFIG', 'GET', 'timeout')).toEqual(['timeout', '7']);
    const sets = ['timeout', '9', 'requirepass', 'with "quotes" \u00e9', 'maxmemory', '100mb'];
    const bytes = sets.map((word) => Buffer.from(word, 'utf8'));
    expect(await client.call('CONFIG', 'SET', ...bytes)).toBe('OK');
    expect(await client.call('CONFIG', 'REWRITE')).toBe('OK');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('# mine\ntimeout 9\n\nmaxclients 500 \n');
    await first.stop();
    const [, again] = await restart(folder, file);
    expect(String(await again.call('CONFIG', 'GET', 'timeout'))).toMatch(/^NOAUTH/);
    expect(await again.call('AUTH', Buffer.from('with "quotes" \u00e9', 'utf8'))).toBe('OK');
    expect(await again.call('CONFIG', 'GET', 'timeout', 'maxmemory')).toEqual([
      'timeout',
      '9',
      'maxmemory',
      '104857600',
    ]);
  });

  test('without a file, and with one that cannot be written', async () => {
    const server = await spawnServer();
    started.push(server);
    const client = await server.connect();
    expect(String(await client.call('CONFIG', 'REWRITE'))).toBe(
      'ERR The server is running without a config file',
    );
    const folder = temporaryFolder();
    folders.push(folder);
    const file = join(folder, 'server.conf');
    writeFileSync(file, 'timeout 7\n');
    const [, other] = await restart(server.dir, file);
    rmSync(folder, { recursive: true });
    expect(String(await other.call('CONFIG', 'REWRITE'))).toMatch(
      /^ERR Rewriting config file: .*no such file or directory/i,
    );
    expect(await other.call('PING')).toBe('PONG');
  });
});
