// String and bit commands against redis-server.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { bitCommands, seedBits } from './tables/bits.js';
import { SHARED_KEYS, seedStrings, stringCommands } from './tables/strings.js';

describeWithPeer('string commands answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test('strings, random streams', async () => {
    const source = new CommandSource([stringCommands]);
    const done = await runStream(duel, {
      source,
      keys: SHARED_KEYS,
      prepare: seedStrings,
      operations: 12_000,
    });
    expect(done).toBeGreaterThanOrEqual(6000);
  });

  test('strings on two keys only, where options meet old values', async () => {
    const source = new CommandSource([stringCommands], 0.02);
    await runStream(duel, { source, keys: ['k1', 'k2'] });
  });

  test('bits, random streams', async () => {
    const source = new CommandSource([bitCommands]);
    await runStream(duel, { source, keys: ['b1', 'b2', 'b3', 'b4'], operations: 12_000 });
  });

  test('bits of long strings', async () => {
    const source = new CommandSource([bitCommands], 0.02);
    const keys = ['b1', 'b2', 'b3', 'b4', 'b5', 'b6'];
    await runStream(duel, { source, keys, prepare: seedBits });
  });
});
