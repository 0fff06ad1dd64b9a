// Pipelines over a database that is large enough for look-ups to be looked ahead, against redis-server:
// among them commands after which what was seen ahead is wrong.
import { afterAll, beforeAll, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { hashCommands } from './tables/hashes.js';
import { keyCommands } from './tables/keys.js';
import { setCommands } from './tables/sets.js';
import { sortedSetCommands } from './tables/sorted_sets.js';
import { stringCommands } from './tables/strings.js';
import { touchingCommands, transactionCommands } from './tables/transactions.js';

const FILLERS = 6000;

describeWithPeer('pipelines over many keys are answered as by Redis', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test('strings, keys and transactions in two large databases', async () => {
    await runStream(duel, {
      source: new CommandSource(
        [stringCommands, keyCommands, transactionCommands, touchingCommands],
        0.02,
      ),
      keys: ['a', 'b', 'c', 'key:17', 'key:4711', 'filler:1', 'filler:5999'],
      prepare: () => [
        ['DEBUG', 'POPULATE', FILLERS],
        ['DEBUG', 'POPULATE', FILLERS, 'filler'],
        ['SELECT', 1],
        ['DEBUG', 'POPULATE', FILLERS],
        ['SELECT', 0],
      ],
      operations: 12_000,
    });
  });

  test('members and fields of large collections', async () => {
    const fill = (command: string, key: string, item: (i: number) => (string | number)[]) =>
      Array.from({ length: FILLERS / 100 }, (_, k) => [
        command,
        key,
        ...Array.from({ length: 100 }, (_, i) => item(100 * k + i)).flat(),
      ]);
    await runStream(duel, {
      source: new CommandSource([setCommands, hashCommands, sortedSetCommands, keyCommands], 0.02),
      keys: ['a', 'b'],
      prepare: () => [
        ...fill('SADD', 'a', (i) => [`m${i}`]),
        ...fill('HSET', 'b', (i) => [`f${i}`, i]),
        ...fill('ZADD', 'z1', (i) => [i, `m${i}`]),
      ],
      operations: 6000,
    });
  });
});
