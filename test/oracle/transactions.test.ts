// Transactions against redis-server: three connections that watch and touch the same keys.
import { afterAll, beforeAll, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { bitCommands } from './tables/bits.js';
import { keyCommands } from './tables/keys.js';
import { stringCommands } from './tables/strings.js';
import { touchingCommands, transactionCommands } from './tables/transactions.js';

describeWithPeer('transactions answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test('short transactions on few keys from three connections', async () => {
    await runStream(duel, {
      source: new CommandSource([transactionCommands, touchingCommands], 0.02),
      keys: ['w1', 'w2', 'w3'],
      protocols: [2, 3, 2],
      operations: 15_000,
    });
  });

  test('every string and key command inside transactions', async () => {
    await runStream(duel, {
      source: new CommandSource([transactionCommands, stringCommands, bitCommands, keyCommands]),
      keys: ['w1', 'w2', 'w3', 'w4', 'w5'],
      protocols: [3, 2],
      operations: 15_000,
    });
  });
});
