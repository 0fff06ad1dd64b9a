// List commands against redis-server.
import { afterAll, beforeAll, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { listCommands, listSurroundings } from './tables/lists.js';
import { SHARED_KEYS } from './tables/strings.js';
import { transactionCommands } from './tables/transactions.js';

describeWithPeer('list commands answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind(), { args: ['--hz', '500'] }); // Redis's time limits end on its timer
  });
  afterAll(() => duel?.stop());

  test('lists, random streams', async () => {
    const source = new CommandSource([listCommands, listSurroundings]);
    await runStream(duel, { source, keys: SHARED_KEYS, operations: 12_000 });
  });

  test('lists on two keys, which grow long', async () => {
    const source = new CommandSource([listCommands], 0.02);
    await runStream(duel, { source, keys: ['k1', 'k2'], operations: 12_000 });
  });

  test('lists inside transactions, from two connections', async () => {
    const source = new CommandSource([listCommands, listSurroundings, transactionCommands]);
    const keys = ['w1', 'w2', 'w3'];
    await runStream(duel, { source, keys, protocols: [2, 3], operations: 12_000 });
  });
});
