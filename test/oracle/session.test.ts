// Connections, HELLO, AUTH, CLIENT, CONFIG and COMMAND against redis-server: scripted dialogues,
// because most of these commands are about one connection's effect on another.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWithPeer } from '../support/redis_peer.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';
import { COMMANDS } from './command_list.js';
import { compareScript } from './script.js';
import { blockingScripts } from './scripts/blocking.js';
import { blockingSortedSetScripts } from './scripts/blocking_sorted_sets.js';
import { blockingStreamGroupScripts } from './scripts/blocking_stream_groups.js';
import { blockingStreamScripts } from './scripts/blocking_streams.js';
import { clientScripts } from './scripts/client.js';
import { configScripts } from './scripts/config.js';
import { connectionScripts } from './scripts/connection.js';
import { protocolScripts } from './scripts/protocol.js';

export type Scripts = Readonly<Record<string, string>>;

describeWithPeer('sessions go as with Redis', () => {
  let redis: TestServer;
  let subject: TestServer;
  beforeAll(async () => {
    redis = await spawnServer({ kind: 'redis' });
    subject = await spawnServer();
  });
  afterAll(async () => {
    await redis?.stop();
    await subject?.stop();
  });

  const families: Readonly<Record<string, Scripts>> = {
    connection: connectionScripts,
    client: clientScripts,
    blocking: blockingScripts,
    'blocking on sorted sets': blockingSortedSetScripts,
    'blocking on streams': blockingStreamScripts,
    'blocking in consumer groups': blockingStreamGroupScripts,
    config: configScripts,
    protocol: protocolScripts,
  };
  for (const [family, scripts] of Object.entries(families)) {
    describe(family, () => {
      for (const [name, script] of Object.entries(scripts)) {
        test(name, async () => {
          const differences = await compareScript(redis, subject, script);
          expect(differences.length, `\n${differences.join('\n')}\n`).toBe(0);
        });
      }
    });
  }

  describe('COMMAND', () => {
    for (const protocol of [2, 3]) {
      test(`INFO, DOCS and LIST of each command, RESP${protocol}`, async () => {
        const lines = COMMANDS.flatMap((name) => [
          `a: COMMAND INFO ${name}`,
          `a: COMMAND DOCS ${name.toLowerCase()}`,
        ]);
        const differences = await compareScript(
          redis,
          subject,
          [`a: HELLO ${protocol}`, ...lines, ...commandForms].join('\n'),
        );
        const text = differences.slice(0, 12).join('\n');
        expect(differences.length, `${differences.length} differ, first:\n${text}\n`).toBe(0);
      });
    }

    test('GETKEYS finds the keys of each command', async () => {
      const differences = await compareScript(redis, subject, getKeys);
      expect(differences.length, `\n${differences.join('\n')}\n`).toBe(0);
    });
  });
});

const commandForms = [
  'a: COMMAND INFO',
  'a: COMMAND INFO get nosuch SET',
  'a: COMMAND INFO client|kill config|get CLIENT|nosuch',
  'a: COMMAND DOCS nosuch',
  'a: COMMAND DOCS get nosuch set',
  'a: COMMAND DOCS config|get',
  'a: COMMAND LIST',
  'a: COMMAND LIST FILTERBY ACLCAT string',
  'a: COMMAND LIST FILTERBY ACLCAT nosuch',
  'a: COMMAND LIST FILTERBY ACLCAT fast',
  'a: COMMAND LIST FILTERBY PATTERN *get*',
  'a: COMMAND LIST filterby pattern SET',
  'a: COMMAND LIST FILTERBY MODULE nosuch',
  'a: COMMAND LIST FILTERBY JUNK x',
  'a: COMMAND LIST FILTERBY',
  'a: COMMAND COUNT x',
];

const getKeys = `
  a: COMMAND GETKEYS GET k
  a: COMMAND GETKEYS set k v EX 10
  a: COMMAND GETKEYS MSET a 1 b 2 c 3
  a: COMMAND GETKEYS MSETNX a 1 b 2
  a: COMMAND GETKEYS MGET a b c
  a: COMMAND GETKEYS DEL a b c
  a: COMMAND GETKEYS LCS a b LEN
  a: COMMAND GETKEYS BITOP AND d a b c
  a: COMMAND GETKEYS BITFIELD k GET u8 0
  a: COMMAND GETKEYS RENAME a b
  a: COMMAND GETKEYS COPY a b DB 1
  a: COMMAND GETKEYS OBJECT ENCODING k
  a: COMMAND GETKEYS MEMORY USAGE k
  a: COMMAND GETKEYS WATCH a b
  a: COMMAND GETKEYS LPUSH k a b
  a: COMMAND GETKEYS LMOVE a b LEFT RIGHT
  a: COMMAND GETKEYS BRPOPLPUSH a b 0
  a: COMMAND GETKEYS BLPOP a b c 0
  a: COMMAND GETKEYS LMPOP 2 a b LEFT
  a: COMMAND GETKEYS BLMPOP 0 2 a b LEFT COUNT 3
  a: COMMAND GETKEYS BLMPOP 0 5 a b LEFT
  a: COMMAND GETKEYS XADD k MAXLEN 5 * a b
  a: COMMAND GETKEYSANDFLAGS XADD k * a b
  a: COMMAND GETKEYS XREAD COUNT 5 STREAMS a b 0 0
  a: COMMAND GETKEYS XREAD BLOCK 5 STREAMS a b 0
  a: COMMAND GETKEYS XREAD BLOCK 5 0 0
  a: COMMAND GETKEYS XINFO STREAM k FULL
  a: COMMAND GETKEYS XREADGROUP GROUP g c COUNT 5 STREAMS a b 0 0
  a: COMMAND GETKEYSANDFLAGS XREADGROUP GROUP g c STREAMS a 0
  a: COMMAND GETKEYS XREADGROUP GROUP STREAMS c STREAMS a 0
  a: COMMAND GETKEYS XGROUP CREATE k g 0
  a: COMMAND GETKEYSANDFLAGS XCLAIM k g c 0 1-1
  a: COMMAND GETKEYS PING
  a: COMMAND GETKEYS nosuch a
  a: COMMAND GETKEYS GET
  a: COMMAND GETKEYS GET a b
  a: COMMAND GETKEYS MSET a 1 b
  a: COMMAND GETKEYS SCAN 0
  a: COMMAND GETKEYS CONFIG GET x
  a: COMMAND GETKEYS
  a: COMMAND GETKEYSANDFLAGS nosuch
  a: COMMAND GETKEYS EXISTS
`;
