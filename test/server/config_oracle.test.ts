// CONFIG and the command line against Debian's redis-server: same values printed in the same way,
// same refusals in the same words.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCommand } from '../../server/cli.js';
import { getOptions } from '../../server/config/config_get.js';
import { rewriteConfigText } from '../../server/config/config_rewrite.js';
import { setOptions } from '../../server/config/config_set.js';
import { OPTIONS, type ServerConfig } from '../../server/config/config_table.js';
import { defaultConfig } from '../../server/config/load_config.js';
import { tooManyClients } from '../../server/config/machine.js';
import type { RawClient } from '../support/raw_client.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { spawnServer, type TestServer, temporaryFolder } from '../support/spawn_server.js';

const ok = () => null;
const HOOKS = {
  'bulk length': ok,
  'list nodes': ok,
  hz: ok,
  listeners: ok,
  log: ok,
  maxclients: (config: ServerConfig) => tooManyClients(config.maxclients),
  maxmemory: ok,
  password: ok,
};

/** Options whose default is meant to differ, or that depend on where a server runs. */
const OWN_DEFAULTS = [
  'port',
  'bind',
  'dir',
  'save',
  'enable-debug-command',
  'activedefrag',
  'active-defrag-ignore-bytes',
  'active-defrag-threshold-lower',
  'active-defrag-cycle-min',
];

const SETS: readonly (readonly string[])[] = [
  ['timeout', '100'],
  ['TIMEOUT', '0'],
  ['timeout', '-1'],
  ['timeout', 'abc'],
  ['timeout', ''],
  ['timeout', ' 5'],
  ['timeout', '5 '],
  ['timeout', '+5'],
  ['timeout', '05'],
  ['timeout', '0x5'],
  ['timeout', '5.0'],
  ['timeout', '2147483648'],
  ['timeout', '9223372036854775808'],
  ['timeout', '-9223372036854775808'],
  ['timeout', '1', 'hz', 'x'],
  ['timeout', '1', 'nosuch', '2'],
  ['nosuch', '1', 'databases', '2'],
  ['databases', '1', 'nosuch', '2'],
  ['timeout', '-1', 'databases', '2'],
  ['dir', '/tmp', 'timeout', '1', 'timeout', '1'],
  ['timeout', '1', 'timeout', '1', 'dir', '/tmp'],
  ['maxmemory', '1', 'MAXMEMORY', '2'],
  ['timeout', '1', 'hz'],
  ['maxmemory', '1kb'],
  ['maxmemory', '1K'],
  ['maxmemory', '1Gb'],
  ['maxmemory', '1.5gb'],
  ['maxmemory', '-1'],
  ['maxmemory', '10%'],
  ['maxmemory', '1gb '],
  ['maxmemory', '1tb'],
  ['maxclients', '0'],
  ['maxclients', '5000'],
  ['hz', '0'],
  ['hz', '9999'],
  ['hz', '-1'],
  ['loglevel', 'NOTICE'],
  ['loglevel', 'loud'],
  ['loglevel', 'notice debug'],
  ['maxmemory-policy', 'noeviction'],
  ['maxmemory-policy', 'nosuch'],
  ['protected-mode', 'maybe'],
  ['protected-mode', 'NO'],
  ['appendonly', 'maybe'],
  ['appendonly', 'no'],
  ['save', '60'],
  ['save', '60 x'],
  ['save', '0 1'],
  ['save', '60 -1'],
  ['save', '60 0  10 5'],
  ['save', ' 60 0'],
  ['save', '60 1 10 0'],
  ['save', ''],
  ['client-output-buffer-limit', 'normal 1'],
  ['client-output-buffer-limit', 'normal 1mb 2mb 60'],
  ['client-output-buffer-limit', 'foo 1mb 2mb 60'],
  ['client-output-buffer-limit', 'master 1mb 2mb 60'],
  ['client-output-buffer-limit', 'normal 1mb 2mb -60'],
  ['client-output-buffer-limit', 'normal x 2mb 60'],
  ['client-output-buffer-limit', 'slave 1mb 2mb 60 REPLICA 3mb 2mb 0'],
  ['client-output-buffer-limit', 'pubsub 1mb 2mb 60 foo 1 2 3'],
  ['client-output-buffer-limit', ''],
  ['proto-max-bulk-len', '2mb'],
  ['client-query-buffer-limit', '1'],
  ['client-query-buffer-limit', '1048575'],
  ['client-query-buffer-limit', '2mb'],
  ['lfu-log-factor', '-1'],
  ['active-expire-effort', '11'],
  ['slowlog-max-len', '-1'],
  ['slowlog-log-slower-than', '-2'],
  ['slowlog-log-slower-than', '-1', 'latency-monitor-threshold', '-1'],
  ['bind', '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17'],
  ['unixsocket', '/nowhere'],
  ['unixsocketperm', '700'],
  ['logfile', '/nowhere'],
  ['tcp-backlog', '20'],
  ['daemonize', 'yes'],
  ['enable-debug-command', 'no'],
  ['lazyfree-lazy-user-del', 'yes'],
  ['stop-writes-on-bgsave-error', 'no'],
  ['tcp-keepalive', '0'],
  ['activedefrag', 'maybe'],
  ['activedefrag', 'no'],
  ['active-defrag-ignore-bytes', '0'],
  ['active-defrag-ignore-bytes', '1mb'],
  ['active-defrag-threshold-lower', '1001'],
  ['active-defrag-threshold-upper', '-1'],
  ['active-defrag-cycle-min', '0'],
  ['active-defrag-cycle-max', '100'],
  ['active-defrag-max-scan-fields', '0'],
];

describeWithPeer('CONFIG of Redis', () => {
  let server: TestServer;
  let client: RawClient;

  beforeAll(async () => {
    server = await spawnServer({ kind: 'redis' });
    client = await server.connect();
  });
  afterAll(() => server.stop());

  async function theirValue(name: string): Promise<string | undefined> {
    const reply = (await client.call('CONFIG', 'GET', name)) as string[];
    return reply[1];
  }

  test('defaults print alike', async () => {
    const config = defaultConfig();
    let common = 0;
    for (const { name } of OPTIONS) {
      const theirs = await theirValue(name);
      if (theirs === undefined || OWN_DEFAULTS.includes(name)) continue;
      common++;
      expect(getOptions(config, [name]), name).toEqual([name, theirs]);
    }
    expect(common).toBeGreaterThanOrEqual(30);
  });

  test('names, letter case and patterns', async () => {
    const config = defaultConfig();
    const patterns = [
      ['PORT', 'Port', 'p*rt'],
      ['nosuch'],
      [''],
      ['tcp-keepaliv[e]', 'TIMEOU?'],
      ['maxmemory\\*'],
    ];
    for (const names of patterns) {
      const theirs = (await client.call('CONFIG', 'GET', ...names)) as string[];
      const found = theirs.filter((_, index) => index % 2 === 0).sort();
      const ours = getOptions(config, names).filter((_, index) => index % 2 === 0);
      expect(ours.sort(), names.join(' ')).toEqual(found);
    }
  });

  test('sets and refusals, one after the other', async () => {
    const config = defaultConfig();
    config.save = [];
    for (const pairs of SETS) {
      const theirs = await client.call('CONFIG', 'SET', ...pairs);
      const ours = setOptions(config, pairs, HOOKS) ?? 'OK';
      expect(`${pairs.join(' ')}: ${ours}`).toBe(`${pairs.join(' ')}: ${theirs}`);
      for (const { name } of OPTIONS) {
        if (!pairs.some((pair) => pair.toLowerCase() === name) || name === 'dir') continue;
        if (OWN_DEFAULTS.includes(name) && name !== 'save') continue;
        expect(getOptions(config, [name])[1], `${name} after ${pairs.join(' ')}`).toBe(
          await theirValue(name),
        );
      }
    }
  });
});

describeWithPeer('the command line of Redis', () => {
  const starts: readonly (readonly [string, readonly string[]])[] = [
    ['save 900 1', []],
    ['save 900 1', ['--save', '60', '1000', '--save', '300', '10']],
    ['save 900 1\nsave ""', []],
    ['save 900 1', ['--save', '']],
    ['', ['--save', '60 1000', '--timeout', '7']],
    ['', ['--save', '--timeout', '7']],
    ['', ['--timeout 7', '--requirepass', '--foo bar']],
    ['TIMEOUT 5\n  # comment\nrequirepass "a\\x41\\"b"', ['--hz', '20']],
    ['client-output-buffer-limit normal 1mb 2mb 3\nclient-output-buffer-limit replica 1 2 3', []],
  ];

  test.each(starts)('%j %j', async (text, args) => {
    const file = join(temporaryFolder(), 's.conf');
    // The file comes last: behind an include, Redis 7.0 forgets that it is starting and lets every
    // `save` replace the ones before (README of server/config).
    writeFileSync(file, text);
    const command = readCommand(['--save', '', ...args, '--include', file]);
    if (command.kind !== 'serve') throw new Error(JSON.stringify(command));
    const server = await spawnServer({ kind: 'redis', args: [...args, '--include', file] });
    try {
      const client = await server.connect();
      if (command.config.requirepass !== '') await client.call('AUTH', command.config.requirepass);
      for (const name of ['save', 'timeout', 'requirepass', 'hz', 'client-output-buffer-limit']) {
        const theirs = await client.call('CONFIG', 'GET', name);
        expect(getOptions(command.config, [name])).toEqual(theirs);
      }
    } finally {
      await server.stop();
    }
  });

  test('Redis reads a file that CONFIG REWRITE wrote', async () => {
    const config = defaultConfig();
    const pairs = [
      'requirepass',
      'p "q" \\ \t',
      'save',
      '60 1 70 2',
      'maxmemory',
      '1gb',
      'timeout',
      '9',
    ];
    pairs.push('client-output-buffer-limit', 'pubsub 1mb 2mb 3', 'bind', '127.0.0.1', 'hz', '20');
    expect(setOptions(config, pairs, HOOKS)).toBeNull();
    const file = join(temporaryFolder(), 's.conf');
    writeFileSync(file, rewriteConfigText('save ""\n', config, file));
    const server = await spawnServer({ kind: 'redis', args: ['--include', file] });
    try {
      const client = await server.connect();
      expect(await client.call('AUTH', 'p "q" \\ \t')).toBe('OK');
      for (const name of [
        'save',
        'maxmemory',
        'timeout',
        'client-output-buffer-limit',
        'bind',
        'hz',
      ]) {
        expect(await client.call('CONFIG', 'GET', name)).toEqual(getOptions(config, [name]));
      }
    } finally {
      await server.stop();
    }
  });
});
