// Hash commands against redis-server.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { HASH_KEYS, hashCommands, seedHashes } from './tables/hashes.js';

describeWithPeer('hash commands answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test('hashes, random streams', async () => {
    const source = new CommandSource([hashCommands]);
    const options = { source, keys: HASH_KEYS, prepare: seedHashes, operations: 16_000 };
    expect(await runStream(duel, options)).toBeGreaterThanOrEqual(6000);
  });

  test('one hash, which grows and shrinks', async () => {
    const source = new CommandSource([hashCommands], 0.02);
    await runStream(duel, { source, keys: ['h1', 'h2'], prepare: seedHashes });
  });
});
