// The log: line format, levels, files that come and go.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatLine, Log, MESSAGE_LENGTH_MAX, openLog } from '../../server/log.js';
import { describeWithPeer, REDIS_SERVER } from '../support/redis_peer.js';
import { temporaryFolder } from '../support/spawn_server.js';

const LINE = /^\d+:[A-Z] \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}\.\d{3} [.\-*#] .+$/;

test("a line is Redis's line, in local time", () => {
  const time = new Date(2026, 10, 3, 9, 4, 5, 7);
  expect(formatLine(12, time, 'notice', 'Ready')).toBe('12:M 03 Nov 2026 09:04:05.007 * Ready\n');
  const marks = (['debug', 'verbose', 'notice', 'warning'] as const).map((level) =>
    formatLine(1, time, level, 'x').slice(-4, -3),
  );
  expect(marks).toEqual(['.', '-', '*', '#']);
});

test('a message cannot forge a line, and has a longest length', () => {
  const time = new Date();
  const line = formatLine(1, time, 'notice', 'a\r\n1:M # b\u001b[2J');
  expect(line.match(/\n/g)).toHaveLength(1);
  expect(line).toContain('a\\x0d\\n1:M # b\\x1b[2J');
  expect(formatLine(1, time, 'notice', 'x'.repeat(100000)).length).toBeLessThan(
    MESSAGE_LENGTH_MAX + 60,
  );
});

describe('a file', () => {
  test('is appended to, from the level that is set', () => {
    const logfile = join(temporaryFolder(), 's.log');
    const log = openLog({ logfile, loglevel: 'notice' });
    log.debug('one');
    log.verbose('two');
    log.notice('three');
    log.warning('four');
    log.setLevel('debug');
    log.debug('five');
    log.setLevel('warning');
    log.notice('six');
    expect([log.writes('notice'), log.writes('warning'), log.getLevel()]).toEqual([
      false,
      true,
      'warning',
    ]);
    const lines = readFileSync(logfile, 'utf8').trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(LINE);
    expect(lines.map((line) => line.split(' ').slice(5).join(' '))).toEqual([
      '* three',
      '# four',
      '. five',
    ]);
    expect(lines[0]).toMatch(new RegExp(`^${process.pid}:M `));
    openLog({ logfile, loglevel: 'notice' }).notice('seven');
    expect(readFileSync(logfile, 'utf8').split('\n')).toHaveLength(5);
  });

  test('that is rotated or lost does not stop the log', () => {
    const folder = join(temporaryFolder(), 'logs');
    const path = join(folder, 's.log');
    mkdirSync(folder);
    const log = new Log(path, 'notice');
    log.notice('one');
    renameSync(path, `${path}.1`);
    log.notice('two');
    expect(readFileSync(path, 'utf8')).toMatch(/two\n$/);
    rmSync(folder, { recursive: true });
    log.notice('lost');
    expect(log.linesLost).toBe(1);
    mkdirSync(folder);
    log.notice('three');
    expect(readFileSync(path, 'utf8')).toMatch(/three\n$/);
    expect(log.linesLost).toBe(1);
  });

  test('that cannot be opened stops the start', () => {
    expect(() => openLog({ logfile: '/no/such/dir/s.log', loglevel: 'notice' })).toThrow(
      "'logfile /no/such/dir/s.log': cannot open the log file: no such file or directory",
    );
  });
});

test('a closed standard output loses lines and nothing else', () => {
  const code = `import { closeSync } from 'node:fs';
    import { Log } from '${new URL('../../dist/server/log.js', import.meta.url).pathname}';
    const log = new Log('', 'notice');
    log.notice('one');
    closeSync(1);
    log.notice('two');
    process.stderr.write(String(log.linesLost));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  expect(run.stdout).toMatch(/^\d+:M .* \* one\n$/);
  expect(run.stderr).toBe('1');
});

describeWithPeer('the line format of Redis', () => {
  test('is the one that this log writes', () => {
    // With nowhere to listen, redis-server ends after its first lines.
    const run = spawnSync(REDIS_SERVER, ['--port', '0', '--save', '', '--dir', temporaryFolder()], {
      encoding: 'utf8',
    });
    const lines = run.stdout.split('\n').filter((line) => / [.\-*#] /.test(line));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(LINE);
  });
});
