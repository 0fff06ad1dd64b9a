// SAVE, SHUTDOWN, DEBUG, MEMORY and the fields of INFO against redis-server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { info, parseInfo, spawnServer, type TestServer } from '../support/spawn_server.js';
import { missingInfoFields, ownInfoValues } from './info_exceptions.js';
import { compareScript } from './script.js';
import { persistenceScripts } from './scripts/persistence.js';

const SECTIONS = [
  'server',
  'clients',
  'memory',
  'persistence',
  'stats',
  'replication',
  'cpu',
  'keyspace',
  'errorstats',
  'commandstats',
  'modules',
  'cluster',
]; // prettier-ignore

describeWithPeer('persistence, DEBUG, MEMORY and INFO', () => {
  let redis: TestServer;
  let subject: TestServer;
  beforeAll(async () => {
    redis = await spawnServer({ kind: 'redis' });
    subject = await spawnServer();
  });
  afterAll(async () => {
    await redis?.stop();
    await subject?.stop();
  });

  for (const [name, script] of Object.entries(persistenceScripts)) {
    test(name, async () => {
      const differences = await compareScript(redis, subject, script);
      expect(differences.length, `\n${differences.join('\n')}\n`).toBe(0);
    });
  }

  describe('INFO', () => {
    const texts = async (...sections: string[]): Promise<[string, string]> => {
      const pair = [redis, subject].map(async (server) => {
        const client = await server.connect();
        const text = await client.call('INFO', ...sections);
        await client.close();
        return String(text);
      });
      return (await Promise.all(pair)) as [string, string];
    };
    const headers = (text: string): string[] =>
      text.split('\r\n').filter((line) => line.startsWith('#'));

    for (const section of SECTIONS) {
      test(`section ${section} has Redis's fields`, async () => {
        const [expected, actual] = await texts(section);
        expect(headers(actual)).toEqual(headers(expected));
        const present = parseInfo(actual);
        const missing = [...parseInfo(expected).keys()].filter(
          (name) => !present.has(name) && missingInfoFields(name) === null,
        );
        expect(missing).toEqual([]);
      });
    }

    test('sections by default, all, everything, several and none', async () => {
      for (const sections of [
        [],
        ['default'],
        ['all'],
        ['everything'],
        ['server', 'cpu'],
        ['nosuch'],
      ]) {
        const [expected, actual] = await texts(...sections);
        expect(headers(actual), `INFO ${sections.join(' ')}`).toEqual(headers(expected));
      }
    });

    test('counters count what Redis counts', async () => {
      // Key e is expired from the start: whether it is still there must not depend on the clock.
      const script = `
        a: DEBUG SET-ACTIVE-EXPIRE 0
        a: CONFIG RESETSTAT
        a: FLUSHALL
        a: SET k 1
        a: GET k
        a: GET nokey
        a: MGET k nokey nokey2
        a: INCR k x
        a: INCRBY k abc
        a: NOSUCH
        a: EXISTS k nokey
        a: GETDEL k
        a: TTL k
        a: SET e 1 PXAT 1
        a: MSET a 1 b 2 c 3
        a: PEXPIREAT a 4102444800000
        a: MULTI
        a: SET x 1
        a: GET x
        a: INCRBY x abc
        a: EXEC
        a: SELECT 2
        a: SET y 1
        a: MULTI
        a: NOSUCH
        a: EXEC
      `;
      expect(await compareScript(redis, subject, script)).toEqual([]);
      const [expected, actual] = await texts('everything');
      expect(await compareScript(redis, subject, 'a: DEBUG SET-ACTIVE-EXPIRE 1')).toEqual([]);
      const left = parseInfo(expected);
      const right = parseInfo(actual);
      const wanted = [...left.keys()].filter((name) =>
        /^(cmdstat_|errorstat_|db\d|keyspace_)/.test(name),
      );
      expect(wanted.length).toBeGreaterThan(15);
      const counters = [...wanted, 'expired_keys', 'evicted_keys', 'total_error_replies'];
      const values = (fields: Map<string, string>): string[] =>
        counters.map((name) => `${name}:${ownInfoValues(fields.get(name))}`);
      expect(values(right)).toEqual(values(left));
    });
  });

  test('DEBUG is off unless it is enabled', async () => {
    const args = ['--enable-debug-command', 'no'];
    const closed = await Promise.all([spawnServer({ kind: 'redis', args }), spawnServer({ args })]);
    const script = 'a: DEBUG SLEEP 0\na: DEBUG\na: DEBUG JUNK\na: DEBUG OBJECT k';
    const differences = await compareScript(...closed, script);
    for (const server of closed) await server.stop();
    expect(differences).toEqual([]);
  });

  test.each([
    'NOSAVE',
    'SAVE',
    '',
    'NOW',
    'FORCE NOSAVE',
  ])('SHUTDOWN %s ends the process', async (words) => {
    const pair = await Promise.all([spawnServer({ kind: 'redis' }), spawnServer()]);
    const script = `a: SET k v\na: SAVE\na~ SHUTDOWN ${words}\na!`;
    const differences = await compareScript(...pair, script);
    const exits = await Promise.all(pair.map((server) => server.exited));
    for (const server of pair) await server.stop();
    expect(differences).toEqual([]);
    expect(exits[1]).toEqual(exits[0]);
  });

  test('INFO names the checkpoint mechanism and no forks', async () => {
    const client = await subject.connect();
    await client.call('SAVE');
    const fields = await info(client);
    if (subject.kind === 'redis') return;
    expect(fields.get('checkpoint_mechanism')).toMatch(/^(userfaultfd|mprotect)/);
    expect(fields.get('total_forks')).toBe('0');
  });
});
