// The arguments of the program.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Command, readCommand } from '../../server/cli.js';
import { OPTIONS, type ServerConfig } from '../../server/config/config_table.js';
import { temporaryFolder } from '../support/spawn_server.js';

function serve(...args: string[]): ServerConfig {
  const command = readCommand(args);
  if (command.kind !== 'serve') throw new Error(`not a start: ${JSON.stringify(command)}`);
  return command.config;
}

function textOf(command: Command): string {
  return command.kind === 'print' ? command.text : command.kind === 'refuse' ? command.line : '';
}

describe('options', () => {
  test('none: the defaults', () => {
    const command = readCommand([]);
    expect(command).toMatchObject({ kind: 'serve', configFile: null });
    expect(serve().port).toBe(6379);
    expect(serve().dir).toBe(join(process.cwd(), 'data'));
  });

  test('values up to the next option; the first one whatever it looks like', () => {
    const config = serve('--port', '7000', '--dir', './other', '--save', '');
    expect([config.port, config.dir, config.save.length]).toEqual([
      7000,
      join(process.cwd(), 'other'),
      0,
    ]);
    expect(serve('--requirepass', '--secret', '--timeout', '3').requirepass).toBe('--secret');
    expect(serve('--requirepass', 'with "quotes" and space').requirepass).toBe(
      'with "quotes" and space',
    );
    expect(serve('--bind', '127.0.0.1', '-::1', '--timeout', '4').bind).toEqual([
      '127.0.0.1',
      '-::1',
    ]);
    expect(serve('--Timeout', '5').timeout).toBe(5);
    expect(serve('--timeout 6', '--hz 7')).toMatchObject({ timeout: 6, hz: 7 });
    expect(serve('--restore-skip', '1').restoreSkip).toBe(1);
  });

  test('save: several, in one, empty, without value', () => {
    const points = (...args: string[]) =>
      serve(...args)
        .save.map(({ seconds, changes }) => `${seconds} ${changes}`)
        .join(', ');
    expect(points('--save', '60', '1000', '--save', '300', '10')).toBe('60 1000, 300 10');
    expect(points('--save', '60 1000 300 10')).toBe('60 1000, 300 10');
    expect(points('--save', '')).toBe('');
    expect(points('--save')).toBe('');
    expect(points('--save', '--timeout', '4')).toBe('');
    expect(points('--save', '60', '1', '--save', '')).toBe('');
    expect(points('--timeout', '4')).toBe('3600 1, 300 100, 60 10000');
  });

  test('a file first, standard input, and both', () => {
    const file = join(temporaryFolder(), 's.conf');
    writeFileSync(file, 'timeout 1\nhz 20\nsave 900 1\n');
    expect(serve(file, '--timeout', '2')).toMatchObject({ timeout: 2, hz: 20 });
    expect(serve(file, '--save', '60', '5').save).toHaveLength(2);
    expect(readCommand([file])).toMatchObject({ configFile: file });
    const stdin = () => 'timeout 9\n';
    expect(readCommand(['-'], stdin)).toMatchObject({ config: { timeout: 9 }, configFile: null });
    expect(readCommand([file, '-'], stdin)).toMatchObject({ config: { timeout: 9, hz: 20 } });
    expect(readCommand([file, '--hz', '30', '-'], stdin)).toMatchObject({
      config: { timeout: 9, hz: 30 },
    });
    expect(readCommand(['-'], () => 'timeout x')).toEqual({
      kind: 'refuse',
      line: "stillframe: stdin:1: 'timeout x': expected an integer from 0 to 2147483647\n",
    });
  });
});

describe('what is refused is one line', () => {
  const starts: readonly (readonly [string[], string])[] = [
    [['--databases', '0'], "'--databases 0': expected an integer from 1 to 512"],
    [
      ['--prot', '1'],
      "'--prot 1': unknown option, did you mean 'port'? (--help lists all options)",
    ],
    [['--', '1'], "'-- 1': unknown option (--help lists all options)"],
    [['-q'], "'-q': expected an option such as --port, after FILE if there is one"],
    [['--port', '"1'], '\'--port "\\"1"\': expected an integer from 0 to 65535'],
    [['--port "1'], "'--port \"1': expected closed quotes"],
    [['--timeout'], "'--timeout': expected one value: an integer from 0 to 2147483647"],
    [
      ['/no/such.conf'],
      '/no/such.conf: cannot read the configuration file: no such file or directory',
    ],
    [['--check-config', '--port', 'x'], "'--port x': expected an integer from 0 to 65535"],
  ];
  test.each(starts)('%j', (args, message) => {
    expect(readCommand(args)).toEqual({ kind: 'refuse', line: `stillframe: ${message}\n` });
  });
});

describe('flags', () => {
  test('--help names every option with its default and meaning', () => {
    const text = textOf(readCommand(['--help']));
    expect(textOf(readCommand(['-h']))).toBe(text);
    for (const option of OPTIONS) {
      const names = [option.name, ...option.aliases].map((name) => `--${name}`);
      expect(text).toContain(`\n  ${names.join(', ')}\n`);
      expect(text.replace(/\s+/g, ' ')).toContain(option.about);
    }
    expect(text.replace(/\s+/g, ' ')).toContain(
      'Expects an integer from 0 to 65535. Default: 6379',
    );
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('--version, alone or behind a file', () => {
    expect(textOf(readCommand(['--version']))).toMatch(
      /^Stillframe \d+\.\d+\.\d+ .*Redis 7\.0\.15.*\n$/,
    );
    expect(readCommand(['-v'])).toEqual(readCommand(['nothing.conf', '--version']));
  });

  test('--check-config reads everything and starts nothing', () => {
    const valid = { kind: 'print', text: 'stillframe: the configuration is valid\n' };
    expect(readCommand(['--check-config'])).toEqual(valid);
    expect(readCommand(['--port', '1', '--check-config'])).toEqual(valid);
    expect(textOf(readCommand(['no.conf', '--check-config']))).toMatch(/cannot read/);
  });
});
