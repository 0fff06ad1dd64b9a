// Stream commands against redis-server, with nodes of different sizes. Nodes are full by their entries where whole
// nodes are trimmed: by bytes Redis's nodes hold others than ours, because ours take less for an entry.
import { afterAll, beforeAll, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { subjectKind } from '../support/spawn_server.js';
import { Duel } from './duel.js';
import { CommandSource } from './generator.js';
import { runStream } from './stream.js';
import { STREAM_KEYS, seedStreams, streamCommands } from './tables/streams.js';

describeWithPeer('stream commands answer as Redis does', () => {
  let duel: Duel;
  beforeAll(async () => {
    duel = await Duel.start(subjectKind());
  });
  afterAll(() => duel?.stop());

  test.each([
    ['100 entries a node', 100, 0, false, true],
    ['few entries a node', 5, 0, false, true],
    ['few entries of any size', 7, 0, true, true],
    ['few bytes a node', 100, 300, true, false],
    ['as Redis is set up', 100, 4096, true, false],
  ])('%s', async (_, entries, bytes, hasLargeValues, hasApproximateTrims) => {
    const limits = { entries, bytes, hasLargeValues, hasApproximateTrims };
    await runStream(duel, {
      source: new CommandSource([streamCommands(limits)], 0.03),
      keys: STREAM_KEYS,
      prepare: seedStreams(limits),
      operations: 8000,
    });
  });
});
