// CONFIG REWRITE: the new file gives the present values and keeps what people wrote.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  REWRITE_HEADING,
  rewriteConfigFile,
  rewriteConfigText,
} from '../../server/config/config_rewrite.js';
import { setOptions } from '../../server/config/config_set.js';
import { OPTIONS, type ServerConfig } from '../../server/config/config_table.js';
import { applyText, defaultConfig, loadConfig, newDraft } from '../../server/config/load_config.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/spawn_server.js';

const HOOKS = {
  'bulk length': ok,
  'list nodes': ok,
  hz: ok,
  listeners: ok,
  log: ok,
  maxclients: ok,
  maxmemory: ok,
  password: ok,
};
function ok(): null {
  return null;
}

function loaded(text: string): ServerConfig {
  const draft = newDraft();
  applyText(draft, text, '/etc/s.conf', 0);
  return draft.config;
}

function set(config: ServerConfig, ...pairs: string[]): ServerConfig {
  expect(setOptions(config, pairs, HOOKS)).toBeNull();
  return config;
}

/** The file after CONFIG SET of the pairs on a server that was started with it. */
function rewritten(text: string, ...pairs: string[]): string {
  const config = pairs.length === 0 ? loaded(text) : set(loaded(text), ...pairs);
  const after = rewriteConfigText(text, config, '/etc/s.conf');
  expect(loaded(after)).toEqual(config);
  expect(rewriteConfigText(after, config, '/etc/s.conf')).toBe(after);
  return after;
}

describe('the text', () => {
  const original = `# My server

MaxMemory   1024mb
  timeout 5


# when to save
save 900 1
save 300 10
requirepass "a b"
client-output-buffer-limit pubsub 1mb 2mb 60
`;

  test('nothing has changed: byte for byte the same', () => {
    expect(rewritten(original)).toBe(original);
    expect(rewritten('')).toBe('');
    expect(rewritten('\n\n')).toBe('\n\n');
  });

  test('changed values keep their place, the rest stays', () => {
    expect(rewritten(original, 'timeout', '6', 'save', '60 1', 'requirepass', 'p"q')).toBe(
      original
        .replace('  timeout 5', 'timeout 6')
        .replace('save 900 1\nsave 300 10', 'save 60 1')
        .replace('"a b"', '"p\\"q"'),
    );
    expect(rewritten('save 60 1\nhz 20\n', 'save', '1 2 3 4')).toBe('save 1 2\nsave 3 4\nhz 20\n');
    expect(rewritten('save 60 1\nhz 20\nsave 70 1\n', 'save', '')).toBe('save ""\nhz 20\n');
    expect(
      rewritten(
        'client-output-buffer-limit pubsub 1mb 2mb 60\n',
        'client-output-buffer-limit',
        'normal 1gb 5 5',
      ),
    ).toBe(`client-output-buffer-limit normal 1gb 5 5
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 1mb 2mb 60
`);
  });

  test('a value that is the default again is still stated where it stood', () => {
    expect(rewritten('timeout 5\n', 'timeout', '0')).toBe('timeout 0\n');
    expect(rewritten('save ""\n', 'save', '3600 1 300 100 60 10000')).toBe(
      'save 3600 1\nsave 300 100\nsave 60 10000\n',
    );
  });

  test('new values follow under a heading, once', () => {
    const once = rewritten('hz 20', 'timeout', '6', 'save', '');
    expect(once).toBe(`hz 20\n\n${REWRITE_HEADING}\ntimeout 6\nsave ""\n`);
    const twice = rewritten(once, 'maxmemory', '1gb', 'timeout', '7');
    expect(twice).toBe(`hz 20\n\n${REWRITE_HEADING}\ntimeout 7\nsave ""\nmaxmemory 1gb\n`);
    expect(rewritten('', 'timeout', '6')).toBe(`${REWRITE_HEADING}\ntimeout 6\n`);
  });

  test('values from the command line enter the file, those for one start do not', () => {
    const config = loadConfig({
      file: null,
      standardInput: null,
      commandLine: [
        { name: 'port', args: ['7000'], place: '', quote: '' },
        { name: 'restore-skip', args: ['1'], place: '', quote: '' },
      ],
    });
    expect(rewriteConfigText('', config, 'f')).toBe(`${REWRITE_HEADING}\nport 7000\n`);
  });

  test('included files are respected: what they give is overruled only when it must be', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'i.conf'), 'timeout 9\nsave 10 1\nhz 30\n');
    const text = `timeout 1\ninclude ${folder}/i.conf\n`;
    expect(rewritten(text)).toBe(`timeout 9\ninclude ${folder}/i.conf\n`);
    expect(rewritten(text, 'timeout', '0', 'save', '20 2')).toBe(
      `timeout 0\ninclude ${folder}/i.conf\n\n${REWRITE_HEADING}\ntimeout 0\nsave ""\nsave 20 2\n`,
    );
  });

  test('lines that no start would accept become comments', () => {
    const after = rewriteConfigText(
      'hz 20\nbogus 1\nrequirepass "x\ntimeout soon\n',
      set(defaultConfig(), 'hz', '20'),
      'f',
    );
    expect(after).toBe('hz 20\n# bogus 1\n# requirepass "x\n# timeout soon\n');
  });

  test('seeded round trips: random files, random changes', () => {
    const random = new Random(20261123);
    const values: readonly (readonly [string, readonly string[]])[] = [
      ['timeout', ['0', '5', '77']],
      ['maxmemory', ['0', '100mb', '1gb', '12345']],
      ['save', ['', '60 1', '900 1 300 10']],
      ['requirepass', ['', 'plain', 'with space', 'q"\\\'\n', 'é']],
      ['bind', ['127.0.0.1', '* -::*', '::1']],
      ['loglevel', ['debug', 'warning']],
      ['client-output-buffer-limit', ['normal 1mb 0 0', 'slave 1 2 3 pubsub 4 5 6']],
      ['checkpoint-keep', ['1', '5']],
    ];
    for (let round = 0; round < 300; round++) {
      const lines: string[] = [];
      for (let line = random.below(8); line > 0; line--) {
        const [name, choices] = random.pick(values);
        const value = random.pick(choices).replace(/["\\]/g, '\\$&').replace('\n', '\\n');
        lines.push(random.chance(0.2) ? '# note' : `${name} "${value}"`);
      }
      const pairs = random.shuffle([...values]).slice(0, random.between(1, 4));
      rewritten(
        lines.join('\n'),
        ...pairs.flatMap(([name, choices]) => [name, random.pick(choices)]),
      );
    }
  });

  test('every option can be written and read back', () => {
    const config = set(
      defaultConfig(),
      'dynamic-hz',
      'no',
      'slowlog-max-len',
      '9223372036854775807',
    );
    for (const option of OPTIONS) {
      if (option.commandLineOnly) continue;
      const words = option.type.lines(config[option.field]);
      expect(words.length, option.name).toBeGreaterThan(0);
    }
    expect(loaded(rewriteConfigText('', config, 'f'))).toEqual(config);
  });
});

describe('the file', () => {
  test('is replaced, keeps its mode, leaves nothing beside it; a link stays a link', () => {
    const folder = temporaryFolder();
    const file = join(folder, 's.conf');
    const link = join(folder, 'link.conf');
    writeFileSync(file, 'timeout 5\n');
    chmodSync(file, 0o640);
    symlinkSync(file, link);
    expect(rewriteConfigFile(link, set(loaded('timeout 5'), 'timeout', '6'))).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe('timeout 6\n');
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['link.conf', 's.conf']);
  });

  test('is created again when it has gone, for the owner alone', () => {
    const file = join(temporaryFolder(), 's.conf');
    expect(rewriteConfigFile(file, set(defaultConfig(), 'requirepass', 'x'))).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe(`${REWRITE_HEADING}\nrequirepass x\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('errors are replies, and the file is as it was', () => {
    expect(rewriteConfigFile(null, defaultConfig())).toBe(
      'ERR The server is running without a config file',
    );
    const changed = set(defaultConfig(), 'hz', '20');
    expect(rewriteConfigFile('/no/such/folder/s.conf', changed)).toBe(
      'ERR Rewriting config file: no such file or directory',
    );
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'd'));
    expect(rewriteConfigFile(join(folder, 'd'), changed)).toMatch(
      /^ERR Rewriting config file: illegal operation/,
    );
    const file = join(folder, 's.conf');
    writeFileSync(file, 'include /no/such/file\n');
    expect(rewriteConfigFile(file, changed)).toMatch(
      /^ERR Rewriting config file: \/no\/such\/file: cannot read/,
    );
    expect(readFileSync(file, 'utf8')).toBe('include /no/such/file\n');
  });
});
