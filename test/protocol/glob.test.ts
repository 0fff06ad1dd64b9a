// Glob patterns: a table, the time of hostile patterns, and random patterns against a Redis server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { globMatch } from '../../protocol/glob.js';
import { Random } from '../support/random.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';
import { latin1 } from './drive.js';

function matches(pattern: string, subject: string, ignoreCase = false): boolean {
  // Bytes around both, which must not be read.
  const p = latin1(`*${pattern}*]`);
  const s = latin1(`a${subject}a`);
  return globMatch(p, 1, pattern.length, s, 1, subject.length, ignoreCase);
}

describe('glob', () => {
  test.each([
    ['*', '', true],
    ['', '', true],
    ['**', '', false],
    ['', 'a', false],
    ['?', '', false],
    ['h?llo', 'hello', true],
    ['h*llo', 'heeeello', true],
    ['h[ae]llo', 'hallo', true],
    ['h[^e]llo', 'hello', false],
    ['h[a-b]llo', 'hbllo', true],
    ['[z-a]', 'm', true],
    ['*a*b*c*', 'xxaxxbxxcxx', true],
    ['*a*b*c', 'abcabd', false],
    ['x\\*', 'x*', true],
    ['x\\*', 'xy', false],
    ['a\\', 'a\\', true],
    ['[\\]]', ']', true],
    ['[a-c', 'b', true],
    ['[', '[', false],
    ['[^]', 'x', true],
    ['*?', '', false],
    ['**a', 'a', true],
  ])('%j of %j: %s', (pattern, subject, expected) => {
    expect(matches(pattern, subject)).toBe(expected);
  });

  test('letter case', () => {
    expect(matches('MAX*[A-C]', 'maxmemoryb', true)).toBe(true);
    expect(matches('MAX*', 'maxmemory', false)).toBe(false);
    expect(matches('[^a]', 'A', true)).toBe(false);
  });

  test('many stars cost no more than length times length', () => {
    const begin = process.hrtime.bigint();
    expect(matches(`${'a*'.repeat(20000)}b`, 'a'.repeat(50000))).toBe(false);
    expect(matches('*a'.repeat(5000), 'a'.repeat(5000))).toBe(true);
    expect(matches(`*${'[a-b]'.repeat(200)}c`, 'ab'.repeat(20000))).toBe(false);
    expect(Number(process.hrtime.bigint() - begin) / 1e6).toBeLessThan(2000);
  });
});

describeWithPeer('glob as Redis matches', () => {
  let peer: TestServer;
  beforeAll(async () => {
    peer = await spawnServer({ kind: 'redis' });
  });
  afterAll(() => peer.stop());

  test('random patterns over random keys', async () => {
    const random = new Random(11);
    const text = (alphabet: string, length: number): string =>
      Array.from({ length }, () => random.pick([...alphabet])).join('');
    const keys = new Set(['']);
    while (keys.size < 400) keys.add(text('abcA-^]\\[*', random.between(1, 6)));
    const client = await peer.connect();
    for (const key of keys) await client.call('SET', key, '1');
    for (let round = 0; round < 3000; round++) {
      const pattern = text('abcA**??[[]]^-\\', random.between(1, 8));
      const found = (await client.call('KEYS', pattern)) as string[];
      const expected = [...keys].filter((key) => matches(pattern, key));
      expect(expected.sort(), JSON.stringify(pattern)).toEqual(found.sort());
    }
  });
});
