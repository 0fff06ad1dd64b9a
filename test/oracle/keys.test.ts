// Commands on keys, expiry and databases against redis-server.
import { afterAll, beforeAll, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { keyCommands } from './tables/keys.js';
import { SHARED_KEYS } from './tables/strings.js';

describeWithPeer('key commands answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test('keys, random streams over several databases', async () => {
    const source = new CommandSource([keyCommands]);
    await runStream(duel, { source, keys: SHARED_KEYS, operations: 12_000 });
  });

  test('keys, two connections in different databases', async () => {
    const source = new CommandSource([keyCommands], 0.02);
    await runStream(duel, { source, keys: SHARED_KEYS.slice(0, 5), protocols: [2, 3] });
  });
});
