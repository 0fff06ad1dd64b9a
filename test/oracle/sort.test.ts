// SORT and SORT_RO against redis-server.
import { afterAll, beforeAll, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { SORT_KEYS, seedSort, sortCommands } from './tables/sort.js';

describeWithPeer('SORT answers as in Redis', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test('lists, sets and sorted sets with all options', async () => {
    const source = new CommandSource([sortCommands], 0);
    await runStream(duel, { source, keys: SORT_KEYS, prepare: seedSort, operations: 12_000 });
  });
});
