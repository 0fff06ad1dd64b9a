// From texts to a configuration: what is accepted, what is refused and with which words.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { args as requestArgs } from '../../protocol/arguments.js';
import { parseCommandLine } from '../../server/config/command_line.js';
import { joinWords, quoteWord, splitWords } from '../../server/config/conf_lines.js';
import { nearestName } from '../../server/config/config_error.js';
import { OPTIONS, OPTIONS_BY_NAME, type ServerConfig } from '../../server/config/config_table.js';
import { applyText, defaultConfig, loadConfig, newDraft } from '../../server/config/load_config.js';
import {
  clientsMax,
  defaultArenaBytes,
  FILES_RESERVED,
  openFilesMax,
  parseOpenFilesMax,
  tooManyClients,
} from '../../server/config/machine.js';
import { parseMemory, printMemory } from '../../server/config/option_types.js';
import { temporaryFolder } from '../support/spawn_server.js';

const MB = 2 ** 20;
const GB = 2 ** 30;

/** The configuration that a file with this text gives. */
function fromText(text: string): ServerConfig {
  const draft = newDraft();
  applyText(draft, text, '/etc/s.conf', 0);
  return draft.config;
}

/** The configuration that arguments of the program give. */
function fromArguments(...args: string[]): ServerConfig {
  const { file, directives } = parseCommandLine(args);
  return loadConfig({ file, standardInput: null, commandLine: directives });
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return '(accepted)';
}

describe('the option table', () => {
  test('every default is a value that its own type prints and reads back', () => {
    const config = defaultConfig();
    for (const { name, type, field, initial } of OPTIONS) {
      expect(config[field], name).toEqual(initial);
      let value = type.blank ?? initial;
      for (const words of type.lines(initial)) {
        value = type.parse(
          words.length === 1 && words[0] === '' && type.argumentsMax > 1 ? [] : words,
          value,
        );
      }
      expect(value, name).toEqual(initial);
    }
  });

  test('names are unique, lower case, and give unique fields', () => {
    const names = OPTIONS.flatMap((option) => [option.name, ...option.aliases]);
    expect(OPTIONS_BY_NAME.size).toBe(names.length);
    expect(new Set(OPTIONS.map((option) => option.field)).size).toBe(OPTIONS.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z-]*$/);
  });

  test('a configuration is an object with plain fields, also after changes', () => {
    setFlagsFromString('--allow-natives-syntax');
    const isFast = runInThisContext('(object) => %HasFastProperties(object)');
    const config = fromText('maxmemory 1gb\nsave ""\nrequirepass x');
    expect(isFast(config)).toBe(true);
    expect(config.maxmemory).toBe(GB);
    expect(config.tcpKeepalive).toBe(300);
  });

  test('the arena takes three quarters of memory, in extents, at most 60 GiB', () => {
    expect(defaultArenaBytes(16 * GB)).toBe(12 * GB);
    expect(defaultArenaBytes(1000 * MB + 12345)).toBe(750 * MB);
    expect(defaultArenaBytes(1001 * MB)).toBe(750 * MB);
    expect(defaultArenaBytes(512 * GB)).toBe(60 * GB);
    expect(defaultArenaBytes(8 * MB)).toBe(32 * MB);
  });

  test('the limit on open files bounds the clients', () => {
    const limits = (soft: string) =>
      `Limit                     Soft Limit           Hard Limit           Units\n` +
      `Max open files            ${soft}                 524288               files\n`;
    expect(parseOpenFilesMax(limits('1024'))).toBe(1024);
    expect(parseOpenFilesMax(limits('unlimited'))).toBe(Number.POSITIVE_INFINITY);
    expect(parseOpenFilesMax('')).toBeNull();
    expect(openFilesMax()).toBeGreaterThan(0);
    expect(clientsMax(10000, 1024)).toBe(1024 - FILES_RESERVED);
    expect(clientsMax(10000, 20)).toBe(1);
    expect(clientsMax(100, 1024)).toBe(100);
    expect(clientsMax(100, null)).toBe(100);
    expect(tooManyClients(100, 1024)).toBeNull();
    expect(tooManyClients(5000, 1024)).toMatch(/clients, try with 960$/);
  });
});

describe('memory sizes', () => {
  const sizes: readonly (readonly [string, number | null])[] = [
    ['0', 0],
    ['100', 100],
    ['100b', 100],
    ['1k', 1000],
    ['1kb', 1024],
    ['1KB', 1024],
    ['1m', 1000000],
    ['64mb', 64 * MB],
    ['1g', 1e9],
    ['2Gb', 2 * GB],
    ['9223372036854775807', Number.MAX_SAFE_INTEGER],
    ['', null],
    ['mb', null],
    ['1.5gb', null],
    ['-1', null],
    ['1tb', null],
    ['1 gb', null],
    ['10%', null],
  ];
  test.each(sizes)('%s', (text, bytes) => {
    expect(parseMemory(text)).toBe(bytes);
  });

  test('print in the largest unit that divides them', () => {
    expect(printMemory(0)).toBe('0');
    expect(printMemory(GB)).toBe('1gb');
    expect(printMemory(1536 * MB)).toBe('1536mb');
    expect(printMemory(3 * 1024)).toBe('3kb');
    expect(printMemory(1000)).toBe('1000');
  });
});

describe('words of a line', () => {
  const lines: readonly (readonly [string, string[] | null])[] = [
    ['a b  c\t d', ['a', 'b', 'c', 'd']],
    ['a ""', ['a', '']],
    ['a "b c"', ['a', 'b c']],
    ["a 'b \\' c'", ['a', "b ' c"]],
    ['a "\\x41\\n\\"\\\\"', ['a', 'A\n"\\']],
    ['a "\\xc3\\xa9"', ['a', 'é']],
    ['a # b', ['a', '#', 'b']],
    ['a "b', null],
    ['a "b"c', null],
    ['a "\\xff"', null],
    [`a ${'x'.repeat(70000)}`, null],
  ];
  test.each(lines)('%j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  test('what joinWords writes, splitWords reads', () => {
    const words = [
      'plain',
      '',
      'with space',
      'quo"te',
      "apo'strophe",
      'back\\slash',
      'é ü',
      '\n\x01',
    ];
    expect(splitWords(joinWords('name', words))).toEqual(['name', ...words]);
    expect(quoteWord('1gb')).toBe('1gb');
    expect(quoteWord('::1')).toBe('::1');
  });

  test('the request that is being executed survives', () => {
    requestArgs.loadTexts(['CONFIG', 'rewrite']);
    splitWords('save "60 1000" a b c d');
    expect(requestArgs.count).toBe(2);
    expect([requestArgs.utf8(0), requestArgs.utf8(1)]).toEqual(['CONFIG', 'rewrite']);
  });
});

describe('files', () => {
  test('comments, blank lines, quotes, letter case, line ends', () => {
    const config = fromText(
      '# comment\r\n\n   \t\n  TIMEOUT 5\r\nrequirepass "a \\"b\\" \\x41"\nloglevel DEBUG\nlogfile \'\'',
    );
    expect(config.timeout).toBe(5);
    expect(config.requirepass).toBe('a "b" A');
    expect(config.loglevel).toBe('debug');
    expect(config.logfile).toBe('');
  });

  test('every kind of value', () => {
    const config = fromText(`
      port 0
      bind * -::*
      unixsocketperm 700
      databases 512
      protected-mode NO
      proto-max-bulk-len 1mb
      arena-size 34000000
      checkpoint-extra-memory 8mb
      checkpoint-keep 1
      restore eager
      hz 9999
      enable-debug-command local
      client-output-buffer-limit slave 1gb 1kb 5 PUBSUB 1 2 3
      dir some/where`);
    expect(config.bind).toEqual(['*', '-::*']);
    expect(config.unixsocketperm).toBe(0o700);
    expect(config.protectedMode).toBe(false);
    expect(config.arenaSize).toBe(17 * 2 * MB);
    expect(config.hz).toBe(500);
    expect(config.enableDebugCommand).toBe('local');
    expect(config.clientOutputBufferLimit).toEqual({
      normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
      replica: { hardBytes: GB, softBytes: 1024, softSeconds: 5 },
      pubsub: { hardBytes: 1, softBytes: 2, softSeconds: 3 },
    });
    expect(config.dir).toBe(join(process.cwd(), 'some/where'));
  });

  test('later lines win, save adds up and an empty one starts again', () => {
    expect(fromText('timeout 1\ntimeout 2').timeout).toBe(2);
    expect(fromText('save 900 1\nsave 300 10').save).toHaveLength(2);
    expect(fromText('save 900 1 300 10').save).toEqual([
      { seconds: 900, changes: 1 },
      { seconds: 300, changes: 10 },
    ]);
    expect(fromText('save "900 1 300 10"').save).toHaveLength(2);
    expect(fromText('save 900 1\nsave ""').save).toEqual([]);
    expect(fromText('save 900 1\nsave').save).toEqual([]);
    expect(fromText('save ""\nsave 10 20').save).toEqual([{ seconds: 10, changes: 20 }]);
  });

  test('include: files in place, wild cards, depth', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/b.conf'), 'timeout 2\nport 2');
    writeFileSync(join(folder, 'd/a.conf'), 'timeout 1\nmaxclients 7');
    writeFileSync(join(folder, 'd/c.txt'), 'nonsense');
    writeFileSync(join(folder, 'main.conf'), `port 1\ninclude ${folder}/d/*.conf\nhz 20`);
    writeFileSync(join(folder, 'loop.conf'), `include ${folder}/loop.conf`);
    const config = loadConfig({
      file: join(folder, 'main.conf'),
      standardInput: null,
      commandLine: [],
    });
    expect([config.port, config.timeout, config.maxclients, config.hz]).toEqual([2, 2, 7, 20]);
    expect(fromText(`include ${folder}/d/*.none`).port).toBe(6379);
    expect(messageOf(() => fromText(`include ${folder}/loop.conf`))).toMatch(
      /loop\.conf:1: 'include .*': expected at most 16 files within each other$/,
    );
    expect(messageOf(() => fromText('include /no/such/file'))).toBe(
      '/no/such/file: cannot read the configuration file: no such file or directory',
    );
    expect(messageOf(() => fromText('include /no/such/*.conf'))).toMatch(
      /cannot read \/no\/such: no such/,
    );
  });

  test('file, standard input and command line, in this order', () => {
    const folder = temporaryFolder();
    const file = join(folder, 's.conf');
    writeFileSync(file, 'port 1\ntimeout 1\nhz 1');
    const { directives } = parseCommandLine(['--port', '3']);
    const config = loadConfig({
      file,
      standardInput: 'timeout 2\nport 2',
      commandLine: directives,
    });
    expect([config.port, config.timeout, config.hz]).toEqual([3, 2, 1]);
  });

  test('a file that is not UTF-8 or not a file', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'bad.conf');
    writeFileSync(file, Buffer.from([0x70, 0xff, 0x0a]));
    expect(messageOf(() => fromArguments(file))).toBe(`${file}: expected UTF-8 text`);
    expect(messageOf(() => fromArguments(folder))).toMatch(
      /cannot read the configuration file: illegal operation/,
    );
  });
});

describe('what is refused names place, directive and what is accepted', () => {
  const lines: readonly (readonly [string, string])[] = [
    ['databases 0', 'expected an integer from 1 to 512'],
    ['databases 05', 'expected an integer from 1 to 512'],
    ['databases +5', 'expected an integer from 1 to 512'],
    ['databases 1e2', 'expected an integer from 1 to 512'],
    ['port 65536', 'expected an integer from 0 to 65535'],
    ['port 99999999999999999999', 'expected an integer from 0 to 65535'],
    ['timeout', 'expected one value: an integer from 0 to 2147483647'],
    ['timeout 5 6', 'expected one value: an integer from 0 to 2147483647'],
    ['timeout 5 # five', 'expected one value: an integer from 0 to 2147483647'],
    ['protected-mode maybe', 'expected yes or no'],
    ['loglevel loud', 'expected debug, verbose, notice or warning'],
    ['restore quick', 'expected lazy or eager'],
    ['unixsocketperm 888', 'expected an octal number from 0 to 777'],
    ['unixsocketperm 7777', 'expected an octal number from 0 to 777'],
    ['maxmemory lots', 'expected a size such as 64mb or 1gb'],
    ['arena-size 1mb', 'expected a size such as 64mb or 1gb of at least 32mb and at most 64gb'],
    [
      'proto-max-bulk-len 1gb',
      'expected a size such as 64mb or 1gb of at least 1mb and at most 512mb',
    ],
    ['checkpoint-extra-memory 7mb', 'expected a size such as 64mb or 1gb of at least 8mb'],
    ['checkpoint-keep 0', 'expected an integer from 1 to 2147483647'],
    [
      'save 60',
      'expected pairs of seconds (1 or more) and changes (0 or more), such as 3600 1 300 100, or ""',
    ],
    [
      'maxmemory-policy allkeys-lru',
      'expected noeviction (this version evicts no keys, so noeviction is the only policy)',
    ],
    [
      'appendonly yes',
      'expected no (this version has no append-only log; checkpoints are its persistence)',
    ],
    [
      'daemonize yes',
      'expected no (the server stays in the foreground; let systemd or a supervisor start it)',
    ],
    ['restore-skip 1', 'expected on the command line only: --restore-skip'],
    ['include', 'expected the path of one file'],
    ['maxmemry 5', "unknown option, did you mean 'maxmemory'? (--help lists all options)"],
    ['cluster-enabled no', 'unknown option (--help lists all options)'],
  ];
  test.each(lines)('%s', (line, reason) => {
    expect(messageOf(() => fromText(`# first line\n${line}`))).toBe(
      `/etc/s.conf:2: '${line}': ${reason}`,
    );
  });

  test('quotes that stay open', () => {
    expect(messageOf(() => fromText('requirepass "x'))).toMatch(
      /^\/etc\/s\.conf:1: 'requirepass "x': expected closed quotes/,
    );
  });

  test('one line, whatever was given', () => {
    const message = messageOf(() => fromArguments('--port', `1\n2\u001b[0m${'x'.repeat(500)}`));
    expect(message).toMatch(/^'--port "1\\x0a2\\x1b\[0mx{100,}\.\.\.': expected an integer/);
    expect(message.length).toBeLessThan(300);
  });

  test('nowhere to listen', () => {
    expect(messageOf(() => fromArguments('--port', '0'))).toMatch(
      /^nowhere to listen: 'port' is 0/,
    );
    expect(messageOf(() => fromArguments('--bind', ''))).toMatch(
      /^nowhere to listen: 'bind' is empty/,
    );
    expect(fromArguments('--port', '0', '--unixsocket', '/tmp/s').unixsocket).toBe('/tmp/s');
  });

  test('near misses are near', () => {
    const names = [...OPTIONS_BY_NAME.keys()];
    expect(nearestName('databasess', names)).toBe('databases');
    expect(nearestName('prot', names)).toBe('port');
    expect(nearestName('checkpoint-keeps', names)).toBe('checkpoint-keep');
    expect(nearestName('tls-port', names)).toBeNull();
    expect(nearestName('x', names)).toBeNull();
  });
});
