// Sorted set commands against redis-server: packed, as trees, and where sets change from one to the other.
import { afterAll, beforeAll, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { SORTED_SET_KEYS, seedSortedSets, sortedSetCommands } from './tables/sorted_sets.js';

describeWithPeer('sorted set commands answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test.each([
    ['packed', 128, 64],
    ['as trees', 0, 64],
    ['of some members, then trees', 6, 12],
  ])('%s', async (_, members, memberBytes) => {
    await runStream(duel, {
      source: new CommandSource([sortedSetCommands], 0.03),
      keys: SORTED_SET_KEYS,
      prepare: seedSortedSets(members, memberBytes),
      operations: 10_000,
    });
  });
});
