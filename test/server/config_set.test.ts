// CONFIG GET and SET as functions; config_oracle.test.ts compares the same with Redis.
import { describe, expect, test } from 'vitest';
import { getOptions } from '../../server/config/config_get.js';
import { type ConfigHooks, setOptions } from '../../server/config/config_set.js';
import { OPTIONS_BY_NAME, type ServerConfig } from '../../server/config/config_table.js';
import { matchesGlob } from '../../server/config/glob.js';
import { defaultConfig } from '../../server/config/load_config.js';

/** Hooks that note their calls; one of them may refuse. */
function recordingHooks(calls: string[], refusing?: keyof ConfigHooks): ConfigHooks {
  const hook = (key: keyof ConfigHooks) => (config: ServerConfig) => {
    calls.push(`${key} ${config.port} ${config.maxmemory}`);
    return key === refusing ? 'Unable to do it.' : null;
  };
  return {
    'bulk length': hook('bulk length'),
    'list nodes': hook('list nodes'),
    hz: hook('hz'),
    password: hook('password'),
    listeners: hook('listeners'),
    log: hook('log'),
    maxclients: hook('maxclients'),
    maxmemory: hook('maxmemory'),
  };
}

function set(config: ServerConfig, ...pairs: string[]): string | null {
  return setOptions(config, pairs, recordingHooks([]));
}

describe('GET', () => {
  const config = defaultConfig();
  test('names, letter case, patterns, each once', () => {
    expect(getOptions(config, ['port'])).toEqual(['port', '6379']);
    expect(getOptions(config, ['PORT', 'p?rt'])).toEqual(['PORT', '6379']);
    expect(getOptions(config, ['nosuch', ''])).toEqual([]);
    expect(getOptions(config, ['restor*', 'hz'])).toEqual([
      'restore',
      'lazy',
      'restore-skip',
      '0',
      'hz',
      '10',
    ]);
    expect(getOptions(config, ['*'])).toHaveLength(2 * OPTIONS_BY_NAME.size);
    expect(getOptions(config, ['MAXMEMORY-*'])).toEqual(['maxmemory-policy', 'noeviction']);
  });

  test('sizes in bytes, lists in one', () => {
    expect(
      getOptions(config, ['save', 'bind', 'checkpoint-extra-memory', 'protected-mode']),
    ).toEqual([
      ...['save', '3600 1 300 100 60 10000'],
      ...['bind', '127.0.0.1 -::1'],
      ...['checkpoint-extra-memory', '67108864'],
      ...['protected-mode', 'yes'],
    ]);
  });
});

describe('SET', () => {
  test('several at once', () => {
    const config = defaultConfig();
    expect(set(config, 'timeout', '7', 'SAVE', '60 1', 'maxmemory', '1gb')).toBeNull();
    expect(config).toMatchObject({
      timeout: 7,
      save: [{ seconds: 60, changes: 1 }],
      maxmemory: 2 ** 30,
    });
    expect(set(config, 'save', '')).toBeNull();
    expect(config.save).toEqual([]);
    expect(set(config, 'client-output-buffer-limit', 'pubsub 1mb 2mb 3')).toBeNull();
    expect(config.clientOutputBufferLimit.pubsub.hardBytes).toBe(2 ** 20);
    expect(config.clientOutputBufferLimit.replica.hardBytes).toBe(2 ** 28);
    expect(set(config, 'bind', '')).toBeNull();
    expect(config.bind).toEqual([]);
  });

  test('a refused value leaves everything as it was', () => {
    const config = defaultConfig();
    expect(set(config, 'timeout', '7', 'hz', '20', 'maxmemory', 'x')).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
    );
    expect(config).toEqual(defaultConfig());
  });

  test('hooks run once each, after all fields are set', () => {
    const config = defaultConfig();
    const calls: string[] = [];
    const pairs = ['port', '7000', 'bind', '::1', 'maxmemory', '5', 'timeout', '1'];
    expect(setOptions(config, pairs, recordingHooks(calls))).toBeNull();
    expect(calls).toEqual(['listeners 7000 5', 'maxmemory 7000 5']);
  });

  test('a hook that refuses undoes all, and what ran runs again', () => {
    const config = defaultConfig();
    const calls: string[] = [];
    const pairs = ['port', '7000', 'maxmemory', '5', 'hz', '20'];
    expect(setOptions(config, pairs, recordingHooks(calls, 'maxmemory'))).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - Unable to do it.",
    );
    expect(config).toEqual(defaultConfig());
    expect(calls).toEqual([
      'listeners 7000 5',
      'maxmemory 7000 5',
      'listeners 6379 0',
      'maxmemory 6379 0',
    ]);
  });

  test('a size beyond 2^53 is the largest size', () => {
    const config = defaultConfig();
    expect(set(config, 'maxmemory', '9223372036854775807')).toBeNull();
    expect(config.maxmemory).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('bytes that were not UTF-8', () => {
    expect(set(defaultConfig(), 'requirepass', 'a\ufffd')).toMatch(
      /'requirepass'\) - argument must be UTF-8 text$/,
    );
  });
});

describe('glob patterns', () => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a*c', 'abbc', true],
    ['a*c', 'abbd', false],
    ['a**c', 'ac', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[ab]x', 'bx', true],
    ['[^ab]x', 'bx', false],
    ['[^ab]x', 'cx', true],
    ['[a-c]x', 'bx', true],
    ['[c-a]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['[\\]]', ']', true],
    ['[a', 'a', true],
    ['*[', '[', false],
    ['a\\', 'a\\', true],
  ];
  test.each(rows)('%s on %s', (pattern, text, matches) => {
    expect(matchesGlob(pattern, text)).toBe(matches);
  });

  test('a hostile pattern costs no more than its length times that of the text', () => {
    expect(matchesGlob(`${'*a'.repeat(5000)}b`, 'a'.repeat(10000))).toBe(false);
  });
});
