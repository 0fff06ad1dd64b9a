// What a command leaves behind beside its reply, against redis-server: how many changes it counts (save points look
// at them), whether it ends a transaction that watches the keys, and the hits and misses that it counts.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../support/random.js';
import { argBytes, type Command, type RawClient } from '../support/raw_client.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { show } from '../support/reply.js';
import { subjectKind } from '../support/spawn_server.js';
import { commandLine, Duel } from './duel.js';
import { CommandSource, type CommandTable, Generator } from './generator.js';
import { ORACLE_SEED } from './stream.js';
import { GEO_KEYS, geoCommands, seedPlaces } from './tables/geo.js';
import { HASH_KEYS, hashCommands, seedHashes } from './tables/hashes.js';
import { HYPERLOGLOG_KEYS, hyperLogLogCommands, seedHyperLogLogs } from './tables/hyperloglogs.js';
import { listCommands } from './tables/lists.js';
import { SET_KEYS, seedSets, setCommands } from './tables/sets.js';
import { SORTED_SET_KEYS, seedSortedSets, sortedSetCommands } from './tables/sorted_sets.js';

const COMMANDS = 800;

/** Redis looks a set up twice when SPOP takes all of it, and the keys that SCAN ... TYPE finds. */
const COUNTED_OTHERWISE = new Set(['SPOP', 'SCAN']);

interface Family {
  readonly name: string;
  readonly table: CommandTable;
  readonly keys: readonly string[];
  readonly prepare: (g: Generator) => readonly Command[];
}

// PFDEBUG changes how a value is kept; Redis tells save points but no transaction.
const withoutDebug = Object.fromEntries(
  Object.entries(hyperLogLogCommands).filter(([name]) => !name.startsWith('PFDEBUG')),
);

const families: readonly Family[] = [
  { name: 'lists', table: listCommands, keys: ['l1', 'l2', 'l3'], prepare: () => [] },
  { name: 'sets', table: setCommands, keys: SET_KEYS, prepare: seedSets },
  { name: 'hashes', table: hashCommands, keys: HASH_KEYS, prepare: seedHashes },
  {
    name: 'sorted sets',
    table: sortedSetCommands,
    keys: SORTED_SET_KEYS,
    prepare: seedSortedSets(6, 12),
  },
  { name: 'places', table: geoCommands, keys: GEO_KEYS, prepare: seedPlaces },
  {
    name: 'HyperLogLogs',
    table: withoutDebug,
    keys: HYPERLOGLOG_KEYS,
    prepare: seedHyperLogLogs,
  },
];

/** The effects of a command: a line of text, the same for both servers. */
async function effectsOf(client: RawClient, observer: RawClient, command: Command, keys: Command) {
  await observer.call('WATCH', ...keys);
  const before = await counters(observer);
  const [reply] = await client.pipeline([command]);
  // A damaged HyperLogLog keeps what was added before the damage was met, which Redis tells nobody.
  if (reply!.text.startsWith('INVALIDOBJ')) {
    await observer.call('UNWATCH');
    return show(reply!);
  }
  const after = await counters(observer);
  const replies = await observer.pipeline([['MULTI'], ['PING'], ['EXEC']]);
  const [changes, hits, misses] = after.map((count, i) => count - before[i]!);
  const name = argBytes(command[0]!).toString('latin1').toUpperCase();
  const lookups = COUNTED_OTHERWISE.has(name) ? '' : ` hits ${hits} misses ${misses}`;
  return `changes ${changes} watched ${show(replies[2]!)}${lookups}`;
}

async function counters(client: RawClient): Promise<number[]> {
  const text = String(await client.call('INFO', 'persistence', 'stats'));
  return ['rdb_changes_since_last_save', 'keyspace_hits', 'keyspace_misses'].map((name) =>
    Number(new RegExp(`${name}:(\\d+)`).exec(text)?.[1]),
  );
}

describeWithPeer('commands have the effects that they have in Redis', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind(), { args: ['--hz', '500'] });
  });
  afterAll(() => duel?.stop());

  test.each(families)('$name', async ({ table, keys, prepare }) => {
    await duel.reset([2, 2]);
    const g = new Generator(new Random(ORACLE_SEED), keys);
    const source = new CommandSource([table]);
    await duel.batch(0, prepare(g));
    for (let i = 0; i < COMMANDS; i++) {
      const command = source.draw(g);
      const [expected, actual] = await Promise.all(
        [duel.redis, duel.subject].map(({ clients }) =>
          effectsOf(clients[0]!, clients[1]!, command, keys),
        ),
      );
      expect(`${commandLine(command)}: ${actual}`).toBe(`${commandLine(command)}: ${expected}`);
    }
  });
});
