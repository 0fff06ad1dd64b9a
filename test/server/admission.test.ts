// Who is let in: protected mode, maxclients, requirepass, and what the refused are told.
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { Client } from '../../server/client.js';
import { RawClient } from '../support/raw_client.js';
import { info, spawnServer, type TestServer, until } from '../support/spawn_server.js';

const started: TestServer[] = [];
async function start(...args: string[]): Promise<[TestServer, RawClient]> {
  const server = await spawnServer({ args });
  started.push(server);
  return [server, await server.connect()];
}
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

/** An address of this machine that is not loopback: connections over it are not local. */
function outsideAddress(): string | null {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? null;
}

describe('protected mode', () => {
  test('local are Unix sockets and the loopback addresses alone', () => {
    const isLocal = (address: string, isUnix = false): boolean =>
      new Client(1, 1, { fd: 1, address, localAddress: '' }, isUnix, 0).isLocal();
    expect(isLocal('/run/stillframe.sock:0', true)).toBe(true);
    for (const address of ['127.0.0.1:5', '127.8.9.1:5', '[::1]:5', '[::ffff:127.0.0.1]:5']) {
      expect(isLocal(address), address).toBe(true);
    }
    for (const address of ['10.0.0.1:5', '[::2]:5', '[fe80::1]:5', '12.127.0.0:1', '128.0.0.1:5']) {
      expect(isLocal(address), address).toBe(false);
    }
  });

  // On a machine with nothing but loopback there is no way to come from outside.
  const host = outsideAddress();
  if (host === null) return;

  test('from outside: refused, unless there is a password', async () => {
    const [server, client] = await start('--bind', '*');
    const refused = await RawClient.connect({ port: server.port, host });
    const replies = await refused.readUntilClosed();
    expect(replies).toHaveLength(1);
    expect(replies[0]!.text).toMatch(/^DENIED Redis is running in protected mode/);
    expect((await info(client, 'stats')).get('rejected_connections')).toBe('1');

    await client.call('CONFIG', 'SET', 'requirepass', 'sesame');
    const asked = await RawClient.connect({ port: server.port, host });
    expect(String(await asked.call('PING'))).toMatch(/^NOAUTH/);
    expect(await asked.call('AUTH', 'sesame')).toBe('OK');
    await client.call('CONFIG', 'SET', 'requirepass', '', 'protected-mode', 'no');
    const free = await RawClient.connect({ port: server.port, host });
    expect(await free.call('PING')).toBe('PONG');
    for (const each of [asked, free]) await each.close();
  });

  test('DEBUG local is for clients of this machine', async () => {
    const args = ['--bind', '*', '--protected-mode', 'no', '--enable-debug-command', 'local'];
    const [server, client] = await start(...args);
    expect(await client.call('DEBUG', 'SLEEP', 0)).toBe('OK');
    const outside = await RawClient.connect({ port: server.port, host });
    expect(String(await outside.call('DEBUG', 'SLEEP', 0))).toMatch(
      /^ERR DEBUG command not allowed\. If the enable-debug-command option is set to "local"/,
    );
    await outside.close();
  });
});

describe('maxclients', () => {
  test('one too many is told so; who leaves makes room', async () => {
    const [server, client] = await start('--maxclients', '3');
    const others = [await server.connect(), await server.connect()];
    for (const other of others) expect(await other.call('PING')).toBe('PONG');
    const refused = await server.connect();
    expect((await refused.readUntilClosed()).map(({ text }) => text)).toEqual([
      'ERR max number of clients reached',
    ]);
    expect((await info(client, 'stats')).get('rejected_connections')).toBe('1');
    await others[0]!.close();
    await until('there is room', async () => {
      return (await info(client, 'clients')).get('connected_clients') === '2';
    });
    expect(await (await server.connect()).call('PING')).toBe('PONG');
  });

  test('a lower limit throws nobody out', async () => {
    const [server, client] = await start();
    const others = await Promise.all([server.connect(), server.connect(), server.connect()]);
    expect(await client.call('CONFIG', 'SET', 'maxclients', '1')).toBe('OK');
    for (const other of others) expect(await other.call('PING')).toBe('PONG');
    expect(await (await server.connect()).readUntilClosed()).toHaveLength(1);
    expect(await client.call('CONFIG', 'SET', 'maxclients', '10')).toBe('OK');
    expect(await (await server.connect()).call('PING')).toBe('PONG');
  });
});

describe('requirepass', () => {
  test('those who were in stay in; the others need the present password', async () => {
    const [server, early] = await start();
    await early.call('PING');
    await early.call('CONFIG', 'SET', 'requirepass', 'first');
    const late = await server.connect();
    expect(String(await late.call('GET', 'k'))).toMatch(/^NOAUTH/);
    expect(await early.call('CONFIG', 'SET', 'requirepass', 'second')).toBe('OK');
    expect(String(await late.call('AUTH', 'first'))).toMatch(/^WRONGPASS/);
    expect(await late.call('AUTH', 'second')).toBe('OK');
    expect(await early.call('CONFIG', 'SET', 'requirepass', 'third')).toBe('OK');
    expect(await late.call('GET', 'k')).toBeNull();
  });

  test('without a password the locked out may go on, and send what they like', async () => {
    const [server, client] = await start('--requirepass', 'sesame');
    await client.call('AUTH', 'sesame');
    const other = await server.connect();
    expect(String(await other.call('GET', 'k'))).toMatch(/^NOAUTH/);
    await client.call('CONFIG', 'SET', 'requirepass', '');
    expect(await other.call('SET', 'k', 'x'.repeat(100_000))).toBe('OK');
    await client.call('CONFIG', 'SET', 'requirepass', 'again');
    expect(String(await other.call('GET', 'k'))).toMatch(/^NOAUTH/);
  });

  test('who is not in may send ten arguments of 16 KB and no more', async () => {
    const [server] = await start('--requirepass', 'sesame');
    const many = await server.connect();
    await many.write('*11\r\n');
    expect((await many.readUntilClosed())[0]?.text).toMatch(/unauthenticated multibulk length/);
    const long = await server.connect();
    await long.write('*2\r\n$4\r\nAUTH\r\n$16385\r\n');
    expect((await long.readUntilClosed())[0]?.text).toMatch(/unauthenticated bulk length/);
  });
});
