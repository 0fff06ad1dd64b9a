// Consumer groups of streams against redis-server.
import { afterAll, beforeAll, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { GROUP_KEYS, groupCommands, seedGroups } from './tables/stream_groups.js';
import { transactionCommands } from './tables/transactions.js';

describeWithPeer('commands of consumer groups answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind(), { args: ['--hz', '500'] }); // Redis's time limits end on its timer
  });
  afterAll(() => duel?.stop());

  test('random streams', async () => {
    await runStream(duel, {
      source: new CommandSource([groupCommands()], 0.02),
      keys: GROUP_KEYS,
      prepare: () => seedGroups(),
      operations: 20_000,
    });
  });

  test('inside transactions, from two connections', async () => {
    await runStream(duel, {
      source: new CommandSource([groupCommands(), transactionCommands], 0.02),
      keys: GROUP_KEYS,
      prepare: () => seedGroups(),
      protocols: [2, 3],
      operations: 10_000,
    });
  });
});
