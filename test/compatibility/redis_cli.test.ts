// Debian's own redis-cli and redis-benchmark as users run them.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { encode, type RawClient } from '../support/raw_client.js';
import { describeWithPeer, REDIS_BENCHMARK, REDIS_CLI } from '../support/redis_peer.js';
import { runTool } from '../support/run_tool.js';
import { info, spawnServer, type TestServer } from '../support/spawn_server.js';

describeWithPeer('redis-cli', () => {
  let server: TestServer;
  let client: RawClient;
  beforeAll(async () => {
    server = await spawnServer();
    client = await server.connect();
  });
  afterAll(() => server?.stop());
  beforeEach(() => client.call('FLUSHALL'));

  const cli = async (args: readonly string[], input = ''): Promise<string> => {
    const { code, stdout, stderr } = await runTool(
      REDIS_CLI,
      ['-p', String(server.port), ...args],
      input,
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return stdout;
  };

  test('single commands, formatted, raw, CSV and JSON', async () => {
    expect(await cli(['SET', 'k', 'two words'])).toBe('OK\n');
    expect(await cli(['GET', 'k'])).toBe('two words\n');
    expect(await cli(['--no-raw', 'GET', 'k'])).toBe('"two words"\n');
    expect(await cli(['--no-raw', 'GET', 'nokey'])).toBe('(nil)\n');
    expect(await cli(['--no-raw', 'STRLEN', 'k'])).toBe('(integer) 9\n');
    expect(await cli(['--csv', 'MGET', 'k', 'nokey'])).toBe('"two words",NULL\n');
    expect(await cli(['--json', 'MGET', 'k', 'nokey'])).toBe('["two words",null]\n');
    expect(await cli(['-3', '--no-raw', 'CONFIG', 'GET', 'timeout'])).toContain(
      '1# "timeout" => "0"',
    );
    expect(await cli(['-n', '3', 'SET', 'in3', 'x'])).toBe('OK\n');
    expect(await cli(['-n', '3', 'EXISTS', 'in3'])).toBe('1\n');
    expect(await cli(['EXISTS', 'in3'])).toBe('0\n');
    expect(await cli(['-x', 'SET', 'stdin'], 'from\x00stdin')).toBe('OK\n');
    expect(await client.call('GET', 'stdin')).toBe('from\x00stdin');
    expect(await cli(['-r', '5', 'INCR', 'n'])).toBe('1\n2\n3\n4\n5\n');
  });

  test('errors are shown and -e makes the exit code say so', async () => {
    const shown = await cli(['NOSUCH', 'a']);
    expect(shown).toBe("ERR unknown command 'NOSUCH', with args beginning with: 'a' \n\n");
    const { code } = await runTool(REDIS_CLI, ['-p', String(server.port), '-e', 'INCR', 'k', 'k']);
    expect(code).toBe(1);
  });

  test('a session on standard input', async () => {
    const session = [
      'SET greeting "hello \\"world\\"\\n"',
      'GET greeting',
      'SELECT 2',
      'INCR n',
      '3 INCR n',
      'MULTI',
      'INCR n',
      'GET n',
      'EXEC',
      'CLIENT SETNAME session',
      'CLIENT GETNAME',
      'HELLO 3',
      'GET nokey',
      'OBJECT HELP',
      'PING',
      'QUIT',
    ]; // prettier-ignore
    const output = await cli(['--no-raw'], `${session.join('\n')}\n`);
    expect(output).toContain('"hello \\"world\\"\\n"');
    expect(output).toContain('(integer) 4\n');
    expect(output).toContain('QUEUED\nQUEUED\n1) (integer) 5\n2) "5"\n');
    expect(output).toContain('"session"');
    expect(output).toContain('2# "version" =>');
    expect(output).toContain('(nil)\n');
  });

  test('--pipe loads many keys', async () => {
    const count = 100_000;
    const commands = Array.from({ length: count }, (_, i) =>
      encode(['SET', `key:${i}`, `value:${i}`]),
    );
    const { code, stdout } = await runTool(
      REDIS_CLI,
      ['-p', String(server.port), '--pipe'],
      Buffer.concat(commands),
    );
    expect(stdout).toContain(`errors: 0, replies: ${count}`);
    expect(code).toBe(0);
    expect(await client.call('DBSIZE')).toBe(count);
    expect(await client.call('GET', 'key:99999')).toBe('value:99999');
  });

  test('--pipe with inline commands and errors counts them', async () => {
    const { stdout, code } = await runTool(
      REDIS_CLI,
      ['-p', String(server.port), '--pipe'],
      'SET a 1\r\nINCR a\r\nSET b x\r\nINCR b\r\n',
    );
    expect(stdout).toContain('errors: 1, replies: 4');
    expect(code).toBe(1);
  });

  test('--scan, --bigkeys and --memkeys walk the keyspace', async () => {
    await client.pipeline(Array.from({ length: 500 }, (_, i) => ['SET', `small:${i}`, 'x']));
    await client.call('SET', 'big', 'y'.repeat(100_000));
    const all = (await cli(['--scan'])).trim().split('\n');
    expect(new Set(all).size).toBe(501);
    const some = (await cli(['--scan', '--pattern', 'small:1?'])).trim().split('\n');
    expect(some.sort()).toEqual(Array.from({ length: 10 }, (_, i) => `small:1${i}`));
    const big = await cli(['--bigkeys']);
    expect(big).toContain('Sampled 501 keys in the keyspace!');
    expect(big).toMatch(/Biggest string found '"big"' has 100000 bytes/);
    const memory = await cli(['--memkeys']);
    expect(memory).toMatch(/Biggest string found '"big"' has 1\d{5} bytes/);
  });

  test('--latency samples and gives one line', async () => {
    const [lowest, highest, average, samples] = (await cli(['--latency', '-i', '0.2', '--raw']))
      .trim()
      .split(' ')
      .map(Number);
    expect(samples).toBeGreaterThan(5);
    expect(lowest).toBeLessThanOrEqual(average as number);
    expect(highest).toBeLessThan(100);
  });

  test('-a and a URI log in', async () => {
    const locked = await spawnServer({ args: ['--requirepass', 'sesame'] });
    const port = String(locked.port);
    const refused = await runTool(REDIS_CLI, ['-p', port, 'GET', 'k']);
    expect(refused.stdout).toBe('NOAUTH Authentication required.\n\n');
    const login = ['--no-auth-warning', '-a', 'sesame'];
    const inside = await runTool(REDIS_CLI, ['-p', port, ...login, 'SET', 'k', 'v']);
    expect(inside.stdout).toBe('OK\n');
    const byUri = await runTool(REDIS_CLI, [
      '--no-auth-warning',
      '-u',
      `redis://default:sesame@127.0.0.1:${port}/5`,
      'CLIENT',
      'INFO',
    ]); // prettier-ignore
    expect(byUri.stdout).toContain(' db=5 ');
    await locked.stop();
  });

  test('a Unix socket', async () => {
    const path = `${server.dir}/unix.sock`;
    const local = await spawnServer({ args: ['--unixsocket', path, '--unixsocketperm', '700'] });
    const { stdout } = await runTool(REDIS_CLI, ['-s', path, 'PING', 'through the socket']);
    expect(stdout).toBe('through the socket\n');
    const many = await runTool(REDIS_CLI, ['-s', path, '-r', '1000', 'INCR', 'n']);
    expect(many.stdout.trim().split('\n').at(-1)).toBe('1000');
    await local.stop();
  });
});

describeWithPeer('redis-benchmark', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await spawnServer();
  });
  afterAll(() => server?.stop());

  test.each([1, 16])('ping, set, get, incr and mset at pipeline %i', async (pipeline) => {
    const { code, stdout, stderr } = await runTool(REDIS_BENCHMARK, [
      '-p',
      String(server.port),
      '-t',
      'ping,set,get,incr,mset',
      '-P',
      String(pipeline),
      '-c',
      '50',
      '-n',
      '20000',
      '-r',
      '1000',
      '-d',
      '64',
      '--csv',
    ]); // prettier-ignore
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const rows = stdout.trim().split('\n').slice(1);
    expect(rows.map((row) => row.split(',')[0])).toEqual(
      ['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR', 'MSET (10 keys)'].map(
        (name) => `"${name}"`,
      ),
    );
    for (const row of rows)
      expect(Number(row.split(',')[1]?.replaceAll('"', ''))).toBeGreaterThan(1000);
    const client = await server.connect();
    const fields = await info(client);
    expect(Number(fields.get('total_error_replies'))).toBe(0);
    expect(Number(fields.get('connected_clients'))).toBeLessThanOrEqual(2);
  });

  test('large values and many connections', async () => {
    const { stdout, stderr } = await runTool(REDIS_BENCHMARK, [
      '-p',
      String(server.port),
      '-t',
      'set,get',
      '-c',
      '500',
      '-n',
      '2000',
      '-d',
      '100000',
      '-q',
      '--csv',
    ]); // prettier-ignore
    expect(stdout + stderr).not.toMatch(/error/i);
    const client = await server.connect();
    expect(await client.call('STRLEN', 'key:__rand_int__')).toBe(100_000);
  });
});
