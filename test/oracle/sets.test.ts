// Set commands against redis-server.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { SET_KEYS, seedSets, setCommands } from './tables/sets.js';

describeWithPeer('set commands answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test('sets, random streams', async () => {
    const source = new CommandSource([setCommands]);
    const options = { source, keys: SET_KEYS, prepare: seedSets, operations: 16_000 };
    expect(await runStream(duel, options)).toBeGreaterThanOrEqual(6000);
  });

  test('two sets only, which meet often', async () => {
    const source = new CommandSource([setCommands], 0.02);
    await runStream(duel, { source, keys: ['s1', 's2'], prepare: seedSets });
  });
});
