// Checkpoint files as a user meets them: when they are written, which stay, what a restart brings
// back, what a damaged one does, and what INFO says.
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'; // prettier-ignore
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RawClient } from '../support/raw_client.js';
import {
  freePort,
  info,
  runToExit,
  type ServerKind,
  spawnServer,
  subjectKind,
  type TestServer,
  temporaryFolder,
  until,
} from '../support/spawn_server.js';

const kind: ServerKind = subjectKind();
const FAR = 4_102_444_800_123;

let dir: string;
let running: TestServer[] = [];
beforeEach(() => {
  dir = temporaryFolder();
});
afterEach(async () => {
  for (const server of running) await server.stop();
  running = [];
  rmSync(dir, { recursive: true, force: true });
});

async function start(...args: string[]): Promise<{ server: TestServer; client: RawClient }> {
  const server = await spawnServer({ dir, args });
  running.push(server);
  return { server, client: await server.connect() };
}

/** Files that a restart would look at, oldest first. */
function checkpointFiles(): string[] {
  const folder = kind === 'redis' ? dir : join(dir, 'checkpoints');
  if (!existsSync(folder)) return [];
  const pattern = kind === 'redis' ? /^dump\.rdb$/ : /^\d+\.still$/;
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}

async function bgsave(client: RawClient): Promise<void> {
  expect(await client.call('BGSAVE')).toBe('Background saving started');
  await until('BGSAVE is done', async () => {
    return (await info(client, 'persistence')).get('rdb_bgsave_in_progress') === '0';
  });
}

describe('a restart brings back', () => {
  test('every kind of value, every database, exact deadlines', async () => {
    const { server, client } = await start();
    const values: Record<string, string> = {
      text: 'Hello',
      empty: '',
      '': 'empty key',
      binary: '\x00\xff\r\n\x80',
      zero: '0',
      minus: '-1',
      lowest: '-9223372036854775808',
      highest: '9223372036854775807',
      float: '3.14',
      padded: '007',
      at44: 'x'.repeat(44),
      at45: 'y'.repeat(45),
      kilo: 'k'.repeat(1024),
      mega: 'm'.repeat(1 << 20),
      large: 'abcdefgh'.repeat(700_000),
      ['n'.repeat(5000)]: 'long name',
    }; // prettier-ignore
    for (const [key, value] of Object.entries(values)) await client.call('SET', key, value);
    await client.call('SET', 'ttl', 'v', 'PXAT', FAR);
    await client.call('SETBIT', 'bits', 1000, 1);
    await client.call('INCRBY', 'counter', 42);
    for (let database = 1; database < 16; database++) {
      await client.call('SELECT', database);
      await client.call('SET', 'here', database, 'PXAT', FAR + database);
    }
    expect(await client.call('SAVE')).toBe('OK');
    await server.kill();

    const restored = await start();
    for (const [key, value] of Object.entries(values)) {
      expect((await restored.client.call('GET', key)) === value, `key ${key.slice(0, 20)}`).toBe(
        true,
      );
    }
    expect(await restored.client.call('DBSIZE')).toBe(Object.keys(values).length + 3);
    expect(await restored.client.call('PEXPIRETIME', 'ttl')).toBe(FAR);
    expect(await restored.client.call('BITPOS', 'bits', 1)).toBe(1000);
    expect(await restored.client.call('INCR', 'counter')).toBe(43);
    expect(await restored.client.call('OBJECT', 'ENCODING', 'lowest')).toBe('int');
    for (let database = 1; database < 16; database++) {
      await restored.client.call('SELECT', database);
      expect(await restored.client.call('GET', 'here')).toBe(String(database));
      expect(await restored.client.call('PEXPIRETIME', 'here')).toBe(FAR + database);
      expect(await restored.client.call('DBSIZE')).toBe(1);
    }
  });

  test('nothing of what expired in the meantime', async () => {
    const { server, client } = await start();
    const deadline = Date.now() + 300;
    await client.pipeline(
      Array.from({ length: 100 }, (_, i) => ['SET', `k${i}`, 'v', 'PXAT', deadline]),
    );
    await client.call('SET', 'stays', 'v');
    await client.call('SAVE');
    await server.kill();
    await until('the keys have expired', () => Date.now() > deadline);
    const restored = await start();
    expect(await restored.client.call('EXISTS', 'k1', 'k50', 'stays')).toBe(1);
    expect(await restored.client.call('KEYS', '*')).toEqual(['stays']);
    await until('all are gone', async () => (await restored.client.call('DBSIZE')) === 1);
  });

  test('the state of each of many checkpoints, through writes and deletions', async () => {
    for (let generation = 0; generation < 6; generation++) {
      const { server, client } = await start();
      expect(await client.call('GET', 'generation')).toBe(
        generation === 0 ? null : String(generation - 1),
      );
      expect(await client.call('DBSIZE')).toBe(generation === 0 ? 0 : 1001);
      if (generation % 2 === 1)
        await client.call('FLUSHALL', generation % 3 === 0 ? 'SYNC' : 'ASYNC');
      await client.pipeline(
        Array.from({ length: 1000 }, (_, i) => [
          'SET',
          `k${i}`,
          'x'.repeat((i * 7 + generation) % 900),
        ]),
      );
      await client.call('SET', 'generation', generation);
      await bgsave(client);
      await client.call('SET', 'generation', 'too late');
      await server.kill();
    }
  });
});

describe('when a checkpoint is written', () => {
  test('SHUTDOWN SAVE writes, SHUTDOWN NOSAVE and plain SHUTDOWN without save points do not', async () => {
    for (const [words, expected] of [
      [['SAVE'], '1'],
      [['NOSAVE'], '1'],
      [[], '1'],
      [['SAVE'], '4'],
    ] as const) {
      const { server, client } = await start();
      await client.call('INCR', 'n');
      await client.call('SET', 'last', words.join(' '));
      if (words[0] === 'SAVE' && expected === '4') await client.call('SET', 'n', 4);
      await client.write(`SHUTDOWN ${words.join(' ')}\r\n`);
      await client.readUntilClosed();
      expect((await server.exited).code).toBe(0);
      const restored = await start();
      expect(await restored.client.call('GET', 'n')).toBe(expected);
      await restored.server.kill();
    }
  });

  test('SIGTERM saves when there are save points, and not without', async () => {
    const first = await start('--save', '3600 1000000');
    await first.client.call('SET', 'k', 'saved');
    expect((await first.server.stop()).code).toBe(0);
    const second = await start();
    expect(await second.client.call('GET', 'k')).toBe('saved');
    await second.client.call('SET', 'k', 'not saved');
    await second.server.stop();
    const third = await start();
    expect(await third.client.call('GET', 'k')).toBe('saved');
  });

  test('save points: after so many changes in so many seconds', async () => {
    const { client } = await start('--save', '1 10');
    await client.pipeline(Array.from({ length: 9 }, (_, i) => ['SET', `k${i}`, 'v']));
    let fields = await info(client, 'persistence');
    expect(fields.get('rdb_changes_since_last_save')).toBe('9');
    expect(checkpointFiles()).toEqual([]);
    await client.call('SET', 'k9', 'v');
    await until('the save point has been reached', async () => {
      fields = await info(client, 'persistence');
      return (
        fields.get('rdb_changes_since_last_save') === '0' &&
        fields.get('rdb_bgsave_in_progress') === '0'
      );
    });
    expect(checkpointFiles()).toHaveLength(1);
  });

  test('save points changed by CONFIG SET hold from then on', async () => {
    const { client } = await start();
    await client.call('SET', 'a', 1);
    await client.call('CONFIG', 'SET', 'save', '1 1');
    await until('it saves', () => checkpointFiles().length === 1);
  });

  test('one at a time', async () => {
    const { client } = await start();
    await client.call('DEBUG', 'POPULATE', 200_000, 'ballast', 500);
    const replies = await client.pipeline([
      ['BGSAVE'],
      ['BGSAVE'],
      ['SAVE'],
      ['BGSAVE', 'SCHEDULE'],
    ]);
    expect(replies.map(({ text }) => text)).toEqual([
      'Background saving started',
      'ERR Background save already in progress',
      'ERR Background save already in progress',
      'ERR Background save already in progress',
    ]);
    await until('BGSAVE is done', async () => {
      return (await info(client, 'persistence')).get('rdb_bgsave_in_progress') === '0';
    });
    expect(checkpointFiles()).toHaveLength(1);
  });

  test('FLUSHALL and a restart without a save keep the old checkpoint', async () => {
    const { server, client } = await start();
    await client.call('SET', 'k', 'v');
    await bgsave(client);
    await client.call('FLUSHALL');
    await server.kill();
    const restored = await start();
    expect(await restored.client.call('GET', 'k')).toBe('v');
  });
});

describe('INFO persistence tells the truth', () => {
  test('changes, times and states', async () => {
    const { client } = await start();
    const started = Math.floor(Date.now() / 1000);
    const read = async (name: string): Promise<string | undefined> =>
      (await info(client, 'persistence')).get(name);
    expect(await read('loading')).toBe('0');
    expect(await read('rdb_changes_since_last_save')).toBe('0');
    await client.pipeline([
      ['SET', 'a', 1],
      ['MSET', 'b', 1, 'c', 2],
      ['INCR', 'a'],
      ['GET', 'a'],
      ['DEL', 'nokey'],
      ['SETNX', 'a', 5],
      ['EXPIRE', 'a', 1000],
      ['EXPIRE', 'nokey', 1000],
      ['PERSIST', 'a'],
      ['DEL', 'b', 'c'],
      ['APPEND', 'a', 'x'],
      ['SETRANGE', 'a', 0, ''],
      ['RENAME', 'a', 'z'],
      ['COPY', 'z', 'y'],
      ['GETDEL', 'y'],
      ['SETBIT', 'bits', 5, 1],
      ['GETEX', 'z', 'EX', 100],
      ['GETEX', 'z'],
      ['INCR', 'z'],
    ]); // prettier-ignore
    // SET 1, MSET 2, INCR 1, EXPIRE 1, PERSIST 1, DEL 2, APPEND 1, RENAME 1, COPY 1, GETDEL 1,
    // SETBIT 1, GETEX EX 1: counted as Redis counts.
    expect(await read('rdb_changes_since_last_save')).toBe('14');
    await bgsave(client);
    expect(await read('rdb_changes_since_last_save')).toBe('0');
    expect(await read('rdb_last_bgsave_status')).toBe('ok');
    expect(Number(await read('rdb_last_save_time'))).toBeGreaterThanOrEqual(started);
    expect(await client.call('LASTSAVE')).toBe(Number(await read('rdb_last_save_time')));
    expect(await read('rdb_saves')).toBe('1');
    expect(Number(await read('rdb_last_bgsave_time_sec'))).toBeLessThan(5);
    expect(await read('rdb_current_bgsave_time_sec')).toBe('-1');
    expect(await read('aof_enabled')).toBe('0');
  });

  test('the checkpoint fields, no forks, no child', async () => {
    if (kind === 'redis') return; // these are Stillframe's own
    const { server, client } = await start();
    await client.call('DEBUG', 'POPULATE', 100_000, 'ballast', 1000);
    await client.call('BGSAVE');
    const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8');
    expect(children.trim()).toBe('');
    await until('BGSAVE is done', async () => {
      return (await info(client, 'persistence')).get('rdb_bgsave_in_progress') === '0';
    });
    const fields = await info(client);
    const number = (name: string): number => {
      const text = fields.get(name);
      expect(text, name).toMatch(/^\d+$/);
      return Number(text);
    };
    expect(fields.get('checkpoint_mechanism')).toMatch(/^(userfaultfd|mprotect)$/);
    expect(number('total_forks')).toBe(0);
    expect(number('checkpoint_last_pause_usec')).toBeLessThan(100_000);
    expect(number('checkpoint_last_duration_usec')).toBeGreaterThan(0);
    expect(number('checkpoint_last_pages') * 4096).toBeGreaterThan(100_000 * 1000);
    expect(number('checkpoint_last_saved_pages')).toBeLessThanOrEqual(
      number('checkpoint_last_pages'),
    );
    expect(number('checkpoint_last_faults')).toBeGreaterThanOrEqual(0);
    expect(number('checkpoint_last_extra_bytes_peak')).toBeLessThanOrEqual(64 << 20);
    // Holes are not written: the file is at least as long, and takes about as much of the disk.
    const file = statSync(checkpointFiles()[0] as string);
    expect(number('checkpoint_last_file_bytes')).toBeLessThanOrEqual(file.size);
    expect(number('checkpoint_last_file_bytes')).toBeGreaterThan(file.blocks * 512 * 0.9);
  });

  test('a failed save is reported, the server goes on, and the next one works', async () => {
    if (kind === 'redis') return; // Redis writes into the folder itself, which root may always do
    const { server, client } = await start();
    await client.call('SET', 'k', 'v');
    await bgsave(client);
    const folder = join(dir, 'checkpoints');
    const aside = join(dir, 'aside');
    renameSync(folder, aside);
    writeFileSync(folder, 'a file in the way');
    await client.call('SET', 'k', 'w');
    expect(String(await client.call('SAVE'))).toMatch(/^ERR/);
    await client.call('BGSAVE');
    await until('BGSAVE has failed', async () => {
      const fields = await info(client, 'persistence');
      return (
        fields.get('rdb_bgsave_in_progress') === '0' &&
        fields.get('rdb_last_bgsave_status') === 'err'
      );
    });
    expect(
      Number((await info(client, 'persistence')).get('rdb_changes_since_last_save')),
    ).toBeGreaterThan(0);
    expect(await client.call('SET', 'k', 'x')).toBe('OK');
    rmSync(folder);
    renameSync(aside, folder);
    expect(await client.call('SAVE')).toBe('OK');
    await server.kill();
    const restored = await start();
    expect(await restored.client.call('GET', 'k')).toBe('x');
  });
});

describe.runIf(kind === 'stillframe')('checkpoint files', () => {
  test('are named by epoch, zero-padded, and checkpoint-keep says how many stay', async () => {
    for (const [args, keep] of [
      [[], 2],
      [['--checkpoint-keep', '3'], 3],
      [['--checkpoint-keep', '1'], 1],
    ] as const) {
      const { server, client } = await start(...args);
      for (let i = 0; i < 5; i++) {
        await client.call('SET', 'i', i);
        await (i % 2 === 0 ? client.call('SAVE') : bgsave(client));
      }
      const files = checkpointFiles();
      expect(files).toHaveLength(keep);
      expect(new Set(files.map((file) => file.length)).size).toBe(1);
      await server.kill();
    }
    expect(
      readdirSync(join(dir, 'checkpoints')).filter((name) => !/^\d+\.still$/.test(name)),
    ).toEqual([]);
  });

  test('kill -9 in the middle of one leaves the previous one found, and no litter that stays', async () => {
    for (let attempt = 0; attempt < 6; attempt++) {
      const { server, client } = await start();
      await client.call('DEBUG', 'POPULATE', 100_000, 'ballast', 1000);
      await client.call('SET', 'state', `before ${attempt}`);
      await client.call('SAVE');
      const before = checkpointFiles().at(-1);
      await client.call('SET', 'state', `after ${attempt}`);
      await client.call('BGSAVE');
      const instant = Date.now() + attempt * 12;
      await until('the instant of death', () => Date.now() >= instant);
      await server.kill();
      const finished = checkpointFiles().at(-1) !== before;
      const restored = await start();
      expect(await restored.client.call('GET', 'state')).toBe(
        `${finished ? 'after' : 'before'} ${attempt}`,
      );
      expect(await restored.client.call('DBSIZE')).toBe(100_001);
      await restored.client.call('SAVE');
      expect(readdirSync(join(dir, 'checkpoints')).sort()).toEqual(
        checkpointFiles().map((file) => file.slice(file.lastIndexOf('/') + 1)),
      );
      await restored.server.kill();
    }
  });

  /** Two checkpoints, 'older' and 'newer'; returns their paths. */
  const twoCheckpoints = async (): Promise<[string, string]> => {
    const { server, client } = await start();
    for (const state of ['older', 'newer']) {
      await client.call('SET', 'state', state);
      await client.call('SET', 'value', `${state} `.repeat(20_000));
      await client.call('SAVE');
    }
    await server.kill();
    return checkpointFiles() as [string, string];
  };
  const marker = 'newer '.repeat(10);
  const damages: Readonly<Record<string, (path: string) => void>> = {
    'a flipped bit in the data': (path) => {
      const bytes = readFileSync(path);
      const at = bytes.indexOf(marker);
      bytes[at + 5] = (bytes[at + 5] as number) ^ 1;
      writeFileSync(path, bytes);
    },
    'a flipped bit in the last page': (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length - 20] = (bytes[bytes.length - 20] as number) ^ 0x10;
      writeFileSync(path, bytes);
    },
    'the end cut off': (path) => truncateSync(path, statSync(path).size - 100),
    'half of it missing': (path) => truncateSync(path, statSync(path).size >> 1),
    'nothing in it': (path) => truncateSync(path, 0),
    'something appended': (path) => appendFileSync(path, 'x'),
    'a foreign file': (path) => writeFileSync(path, 'REDIS0010'.repeat(10_000)),
  };

  test.each(
    Object.entries(damages),
  )('%s stops the start with a reason and a way out', async (_, damage) => {
    const [older, newer] = await twoCheckpoints();
    damage(newer);
    const damaged = readFileSync(newer);
    const port = String(await freePort());
    const args = ['--port', port, '--dir', dir, '--save', '', '--restore', 'eager'];
    const refused = await runToExit(kind, args);
    expect(refused.code).not.toBe(0);
    expect(refused.signal).toBeNull();
    expect(refused.log).toContain(newer);
    expect(refused.log).not.toContain('Ready to accept connections');
    expect(readFileSync(newer).equals(damaged), 'the damaged file is left as it is').toBe(true);

    const option = /(--restore-skip) (\d+)/.exec(refused.log) ?? [];
    expect(option, `the log names an option: ${refused.log}`).toHaveLength(3);
    const { server, client } = await start(option[1] as string, option[2] as string);
    expect(await client.call('GET', 'state')).toBe('older');
    const aside = readFileSync(`${newer}.skipped`);
    expect(aside.equals(damaged), 'it is kept, under another name').toBe(true);
    expect(existsSync(older)).toBe(true);
    // And life goes on: the next checkpoint is newer than the damaged one.
    await client.call('SET', 'state', 'newest');
    expect(await client.call('SAVE')).toBe('OK');
    await server.kill();
    expect((checkpointFiles().at(-1) as string) > newer).toBe(true);
  });

  test('a checkpoint copied to another folder starts a server there', async () => {
    const [, newer] = await twoCheckpoints();
    const elsewhere = temporaryFolder();
    mkdirSync(join(elsewhere, 'checkpoints'));
    copyFileSync(newer, join(elsewhere, 'checkpoints', newer.slice(newer.lastIndexOf('/') + 1)));
    const server = await spawnServer({ dir: elsewhere });
    const client = await server.connect();
    expect(await client.call('GET', 'state')).toBe('newer');
    await server.stop();
    rmSync(elsewhere, { recursive: true, force: true });
  });
});
