// Commands on places against redis-server.
import { afterAll, beforeAll, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { GEO_KEYS, geoCommands, seedPlaces } from './tables/geo.js';

describeWithPeer('commands on places answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test('places, random streams', async () => {
    await runStream(duel, {
      source: new CommandSource([geoCommands], 0.03),
      keys: GEO_KEYS,
      prepare: seedPlaces,
      operations: 10_000,
    });
  });
});
