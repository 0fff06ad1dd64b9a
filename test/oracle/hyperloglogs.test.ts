// HyperLogLog commands against redis-server: replies, and the bytes of the values.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { numberFromEnv } from '../support/random.js';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { HYPERLOGLOG_KEYS, hyperLogLogCommands, seedHyperLogLogs } from './tables/hyperloglogs.js';

const ELEMENTS = numberFromEnv('HYPERLOGLOG_ELEMENTS', 60_000);
const BATCH = 200;

describeWithPeer('HyperLogLog commands answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test('random streams, sound and damaged values', async () => {
    const source = new CommandSource([hyperLogLogCommands]);
    const keys = HYPERLOGLOG_KEYS;
    await runStream(duel, { source, keys, prepare: seedHyperLogLogs, operations: 12_000 });
  });

  test('a growing set: the same bytes and estimates at each step, alone and merged', async () => {
    await duel.reset([2]);
    await duel.batch(0, [['CONFIG', 'SET', 'hll-sparse-max-bytes', 3000]]);
    for (let first = 0; first < ELEMENTS; first += BATCH) {
      const elements = Array.from({ length: BATCH }, (_, i) => `${first + i}`);
      const mismatch = await duel.batch(0, [
        ['PFADD', first % 400 === 0 ? 'even' : 'odd', ...elements],
        ['GET', 'even'],
        ['PFCOUNT', 'even'],
        ['PFCOUNT', 'even', 'odd', 'nokey'],
        ...(first % 10_000 === 0
          ? [
              ['PFMERGE', 'both', 'even', 'odd'],
              ['GET', 'both'],
            ]
          : []),
      ]);
      expect(mismatch).toBeNull();
    }
  });
});
