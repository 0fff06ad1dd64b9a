// DUMP and RESTORE against redis-server: payloads differ, so each server restores its own, and what then is
// there must be the same; errors and their order too.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../support/random.js';
import type { Arg, Command, RawClient } from '../support/raw_client.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { show } from '../support/reply.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource, type CommandTable, Generator } from './generator.js';
import { ORACLE_SEED } from './stream.js';
import { HASH_KEYS, hashCommands, seedHashes } from './tables/hashes.js';
import { listCommands } from './tables/lists.js';
import { SET_KEYS, seedSets, setCommands } from './tables/sets.js';
import { SORTED_SET_KEYS, seedSortedSets, sortedSetCommands } from './tables/sorted_sets.js';
import { STREAM_KEYS, seedStreams, streamCommands } from './tables/streams.js';
import { stringCommands } from './tables/strings.js';

const STREAM_LIMITS = {
  entries: 10,
  bytes: 400,
  hasLargeValues: false,
  hasApproximateTrims: false,
};

/** What each round works on: a table of commands that make values, under keys of its own. */
const families: readonly {
  readonly name: string;
  readonly table: CommandTable;
  readonly keys: readonly string[];
  readonly prepare: (g: Generator) => readonly Command[];
}[] = [
  { name: 'strings', table: stringCommands, keys: ['s1', 's2', 's3', 's4'], prepare: () => [] },
  { name: 'lists', table: listCommands, keys: ['l1', 'l2', 'l3'], prepare: () => [] },
  { name: 'sets', table: setCommands, keys: SET_KEYS, prepare: seedSets },
  { name: 'hashes', table: hashCommands, keys: HASH_KEYS, prepare: seedHashes },
  {
    name: 'sorted sets',
    table: sortedSetCommands,
    keys: SORTED_SET_KEYS,
    prepare: seedSortedSets(6, 12),
  },
  {
    name: 'streams',
    table: streamCommands(STREAM_LIMITS),
    keys: STREAM_KEYS,
    prepare: seedStreams(STREAM_LIMITS),
  },
];
const ROUNDS = 40;
const COMMANDS_PER_ROUND = 12;

/** Restores a key from its own payload under another, or over itself; the replies, the payload apart. */
async function restoreOwn(client: RawClient, key: string, target: string, options: Arg[]) {
  const payload = await client.ask(['DUMP', key]);
  if (payload.type !== 'bulk') return [show(payload)];
  const bytes = Buffer.from(payload.text, 'latin1');
  const ttl = options.includes('ABSTTL') ? 4_102_444_800_000 : 0;
  return [show(await client.ask(['RESTORE', target, ttl, bytes, ...options]))];
}

/** Commands whose replies show a value, its form, its time and when it was accessed. */
const looks = (key: string): Command[] => [
  ['OBJECT', 'IDLETIME', key],
  ['TYPE', key],
  ['OBJECT', 'ENCODING', key],
  ['PEXPIRETIME', key],
  ['GET', key],
  ['LRANGE', key, 0, -1],
  ['SMEMBERS', key],
  ['HGETALL', key],
  ['ZRANGE', key, 0, -1, 'WITHSCORES'],
  ['XRANGE', key, '-', '+'],
];

describeWithPeer('DUMP and RESTORE', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test.each(families)('$name are restored to the same', async ({ table, keys, prepare }) => {
    await duel.reset([2]);
    const g = new Generator(new Random(ORACLE_SEED), keys);
    const source = new CommandSource([table]);
    expect(await duel.batch(0, prepare(g))).toBe(null);
    for (let round = 0; round < ROUNDS; round++) {
      const commands = Array.from({ length: COMMANDS_PER_ROUND }, () => source.draw(g));
      // Values are made by the generator; that they are the same is compared in the files of their families.
      await Promise.all([duel.redis, duel.subject].map((side) => side.send(0, commands)));
      const [key, target] = [g.key(), g.random.chance(0.3) ? g.key() : 'target'];
      const options = g.options([
        [0.6, () => ['REPLACE']],
        [0.3, () => ['ABSTTL']],
        [0.3, () => ['IDLETIME', g.random.between(100, 5000)]],
      ]);
      const [expected, actual] = await Promise.all(
        [duel.redis, duel.subject].map(({ clients }) =>
          restoreOwn(clients[0]!, key, target, options),
        ),
      );
      expect(actual).toEqual(expected);
      expect(await duel.batch(0, looks(target))).toBe(null);
    }
  });

  test('errors in their order', async () => {
    await duel.reset([2]);
    const payloads: Arg[] = ['', 'x', 'x'.repeat(10), 'x'.repeat(16), 'x'.repeat(100)];
    const commands: Command[] = [['SET', 'there', 'value']];
    for (const key of ['there', 'none']) {
      for (const ttl of [0, 1, -1, 'abc', '', '9223372036854775807', '9223372036854775808']) {
        for (const payload of payloads) {
          for (const options of [
            [],
            ['REPLACE'],
            ['replace', 'ABSTTL'],
            ['IDLETIME'],
            ['IDLETIME', -1],
            ['IDLETIME', 'abc', 'junk'],
            ['IDLETIME', 5, 'FREQ', 5],
            ['IDLETIME', 5, 'IDLETIME', 6],
            ['FREQ', 256],
            ['FREQ', -1, 'REPLACE'],
            ['FREQ', 255, 'IDLETIME', 1],
            ['FREQ', 255, 'FREQ', 0],
            ['junk'],
          ]) {
            commands.push(['RESTORE', key, ttl, payload, ...options]);
          }
        }
      }
    }
    commands.push(['GET', 'there'], ['EXISTS', 'none'], ['DUMP', 'none'], ['DUMP']);
    commands.push(['DUMP', 'there', 'more'], ['RESTORE', 'none', 0], ['RESTORE']);
    expect(await duel.batch(0, commands)).toBe(null);
  });

  test('times to live that are in the past, or beyond all', async () => {
    for (const [ttl, options] of [
      ['1000', ['ABSTTL']],
      ['1000', ['ABSTTL', 'REPLACE']],
      ['9223372036854775807', []],
      ['9223372036854775807', ['REPLACE']],
      ['9223372036854775807', ['ABSTTL', 'REPLACE']],
      ['0', ['ABSTTL', 'REPLACE']],
    ] as const) {
      await duel.reset([2]);
      const replies = await Promise.all(
        [duel.redis, duel.subject].map(async ({ clients }) => {
          const client = clients[0]!;
          await client.pipeline([
            ['RPUSH', 'list', 1],
            ['SET', 'there', 'value'],
          ]);
          const { text } = await client.ask(['DUMP', 'list']);
          const payload = Buffer.from(text, 'latin1');
          const rest: Command[] = [
            ['RESTORE', 'none', ttl, payload, ...options],
            ['RESTORE', 'there', ttl, payload, ...options],
            ...['none', 'there'].flatMap((key) => [
              ['TYPE', key],
              ['PEXPIRETIME', key],
            ]),
          ];
          return (await client.pipeline(rest)).map((reply) => show(reply));
        }),
      );
      expect(replies[1]).toEqual(replies[0]);
    }
  });

  test('what they count and whom they disturb', async () => {
    await duel.reset([2, 2]);
    const replies = await Promise.all(
      [duel.redis, duel.subject].map(async ({ clients }) => {
        const [client, observer] = clients as [RawClient, RawClient];
        await client.ask(['RPUSH', 'list', 'a', 'b']);
        const { text } = await client.ask(['DUMP', 'list']);
        const payload = Buffer.from(text, 'latin1');
        const before = await client.call('INFO', 'persistence', 'stats');
        await observer.ask(['WATCH', 'copy']);
        await client.pipeline([
          ['DUMP', 'none'],
          ['DUMP', 'list'],
          ['RESTORE', 'copy', 0, payload],
        ]);
        const after = await client.call('INFO', 'persistence', 'stats');
        const counted = ['rdb_changes_since_last_save', 'keyspace_hits', 'keyspace_misses'].map(
          (name) => {
            const read = (info: unknown) =>
              Number(new RegExp(`${name}:(\\d+)`).exec(String(info))?.[1]);
            return read(after) - read(before);
          },
        );
        const ended = await observer.pipeline([['MULTI'], ['PING'], ['EXEC']]);
        // A client that waits for the key is served from what is restored.
        const waiting = observer.ask(['BLPOP', 'queue', 5]);
        await expect
          .poll(async () => String(await client.call('INFO', 'clients')))
          .toContain('blocked_clients:1');
        await client.ask(['RESTORE', 'queue', 0, payload]);
        return [counted, show(ended[2]!), show(await waiting), await client.call('LLEN', 'queue')];
      }),
    );
    expect(replies[1]).toEqual(replies[0]);
  });
});
