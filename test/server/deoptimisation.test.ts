// The hot path stays compiled: once warm, V8 throws none of its code away. A function that is compiled for
// one shape of objects, meets another and is compiled again, and so on, would cost a multiple of its work.
import { expect, test } from 'vitest';
import type { RawClient } from '../support/raw_client.js';
import { spawnServer } from '../support/spawn_server.js';

const KEYS = 20_000;
const PIPELINE = 16;
const REQUESTS = 24_000; // per command and round
const WARM_ROUNDS = 6;
const STEADY_ROUNDS = 3;
/** A function meets something new now and then, such as the first split of a table. */
const DEOPTIMISATIONS_MAX = 6;

const COMMANDS = {
  set: (n: number) => ['SET', `key:${n}`, `value:${n}`.padEnd(64, '.')],
  get: (n: number) => ['GET', `key:${n}`],
  incr: (n: number) => ['INCR', `counter:${n % 100}`],
  xadd: (n: number) => ['XADD', `stream:${n % 10}`, '*', 'a', `value:${n}`, 'b', '2', 'c', 'three'],
  capped: (n: number) => ['XADD', 'capped', 'MAXLEN', '~', '1000', '*', 'a', `value:${n}`],
  xreadgroup: (n: number) => {
    return [
      'XREADGROUP',
      'GROUP',
      'g',
      `c${n % 3}`,
      'COUNT',
      '2',
      'STREAMS',
      `stream:${n % 10}`,
      '>',
    ];
  },
  xack: (n: number) => ['XACK', `stream:${n % 10}`, 'g', `${n}-1`],
  mset: (n: number) => ['MSET', `key:${n}`, 'a', `key:${n + 1}`, 'b', `key:${n + 2}`, 'c'],
};

/** What a request passes through, from the socket to the table and back. */
const HOT = new Set(
  (
    'runLoop handleEvent handleInput runRequests runAhead run dispatch route whyRefused execute ' +
    'lookAheadOfTurn parseAhead parseShort parse select lookupCommand isName accepts get set incr mset ' +
    'readKey writeKey lookup lookupTouch touch find keyEquals hashKey hashBytes addAhead lookAhead ' +
    'loadAll loadOfOne matchEntries candidate putArgument putString putInteger canOverwrite copyBytes ' +
    'xadd readTrimOptions chooseId takePairs addEntry appendToNodes measureStep measureBody measureShared writeEntry ' +
    'writeShared trimStream xreadgroup expectGroup addPending xack findPending replyEntry nextInNode nextPair bulkOfTwo ' +
    'withRoom replyId locateString locateText replyString bulk ok integer beginSegment endSegment closeSegment takeSends'
  ).split(' '),
);

type MakeCommand = (n: number) => string[];

async function send(clients: readonly RawClient[], command: MakeCommand): Promise<void> {
  let n = 0;
  await Promise.all(
    clients.map(async (client, i) => {
      // Half of the clients pipeline, the others send one request at a time.
      const depth = i % 2 === 0 ? PIPELINE : 1;
      for (let sent = 0; sent < (REQUESTS * depth) / PIPELINE / clients.length; sent += depth) {
        await client.pipeline(Array.from({ length: depth }, () => command(n++ % KEYS)));
      }
    }),
  );
}

async function round(clients: readonly RawClient[]): Promise<void> {
  for (const command of Object.values(COMMANDS)) await send(clients, command);
}

/** Reads keys in another second than that of their last access: their access times are written. */
async function touchAll(clients: readonly RawClient[]): Promise<void> {
  const key = COMMANDS.get(0)[1]!;
  while ((await clients[0]!.call('OBJECT', 'IDLETIME', key)) === 0);
  await send(clients, COMMANDS.get);
}

/** Names of the functions whose compiled code was thrown away, in order. */
function deoptimised(log: string): string[] {
  return [...log.matchAll(/\[bailout \(kind: deopt-[^\n]*<JSFunction (\w+)/g)].map((m) => m[1]!);
}

test('nothing of the hot path is deoptimised once it is warm', async () => {
  const server = await spawnServer({ kind: 'stillframe', nodeArgs: ['--trace-deopt'] });
  try {
    const clients = await Promise.all(Array.from({ length: 8 }, () => server.connect()));
    for (let i = 0; i < 10; i++) {
      await clients[0]!.call('XGROUP', 'CREATE', `stream:${i}`, 'g', '0', 'MKSTREAM');
    }
    await round(clients);
    await touchAll(clients);
    for (let i = 1; i < WARM_ROUNDS; i++) await round(clients);
    const warm = deoptimised(server.log());
    for (let i = 0; i < STEADY_ROUNDS; i++) await round(clients);
    const all = deoptimised(server.log());
    expect(warm.length, 'the trace of V8 was understood').toBeGreaterThan(0);
    expect(all.slice(warm.length).filter((name) => HOT.has(name))).toEqual([]);
    for (const name of new Set(all)) {
      const times = all.filter((other) => other === name).length;
      expect(times, `${name} was deoptimised`).toBeLessThanOrEqual(DEOPTIMISATIONS_MAX);
    }
  } finally {
    await server.stop();
  }
}, 60_000);
