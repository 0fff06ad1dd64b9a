// Seeded fuzz of the wire protocol. HOSTILE_SEED replays, HOSTILE_STREAMS makes it longer.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numberFromEnv, Random } from '../support/random.js';
import { type Command, encode, RawClient } from '../support/raw_client.js';
import { show } from '../support/reply.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';
import { damagedStream } from './mutations.js';
import { DATABASES, MB, Witness } from './storm.js';

const SEED = numberFromEnv('HOSTILE_SEED', 4711);
const STREAMS = numberFromEnv('HOSTILE_STREAMS', 4000);
const CONCURRENT = 20;

describe('damaged requests', () => {
  let server: TestServer;
  let witness: Witness;
  beforeAll(async () => {
    server = await spawnServer({ args: ['--databases', String(DATABASES)] });
    witness = await Witness.watch(server);
  });
  afterAll(() => server?.stop());

  /** Sends bytes in random pieces, ends its side, and reads to the end: the server must close, and
   *  all that it said must be whole replies (the decoder throws otherwise). */
  const exchange = async (r: Random, bytes: Buffer): Promise<void> => {
    const client = await RawClient.connect({ port: server.port });
    for (let from = 0; from < bytes.length; ) {
      const to = r.chance(0.7) ? bytes.length : from + r.between(1, bytes.length - from);
      await client.write(bytes.subarray(from, to));
      from = to;
    }
    client.socket.end();
    await client.readUntilClosed();
    expect(client.protocolError).toBeNull();
  };

  test(`${STREAMS} mutated and random streams`, async () => {
    const seeds = new Random(SEED);
    for (let done = 0; done < STREAMS; done += CONCURRENT) {
      const first = seeds.uint32();
      const batch = Array.from({ length: CONCURRENT }, (_, i) => {
        const r = new Random(first + i);
        return exchange(r, damagedStream(r)).catch((error: Error) => {
          throw new Error(`stream of seed ${first + i}: ${error.message}\n${server.logTail()}`);
        });
      });
      await Promise.all(batch);
      if (done % 500 === 0) await witness.pingMillis();
    }
    await witness.alone();
    await witness.testify(100 * MB);
  });

  test('requests split at every byte are answered as whole ones are', async () => {
    const commands: Command[] = [
      ['SET', 'split', 'va\r\nlue'],
      ['GET', 'split'],
      ['ECHO', ''],
      ['MGET', 'split', 'nokey'],
      ['NOSUCH', 'a'],
      ['GET'],
      ['HELLO', '3'],
      ['GET', 'nokey'],
      ['HELLO', '2'],
    ]; // prettier-ignore
    const bytes = Buffer.concat([
      Buffer.from('PING\r\n\r\nECHO "a b"\r\n*0\r\n*-1\r\n'),
      ...commands.map(encode),
    ]);
    const whole = await server.connect();
    const count = commands.length + 2;
    await whole.write(bytes);
    const expected = (await whole.readMany(count)).map((reply) => withoutId(show(reply)));
    for (let at = 1; at < bytes.length; at++) {
      const client = await server.connect();
      await client.write(bytes.subarray(0, at));
      if (at % 3 === 0) await whole.call('PING'); // the server has surely seen the first half
      await client.write(bytes.subarray(at));
      const replies = (await client.readMany(count)).map((reply) => withoutId(show(reply)));
      expect(replies, `split at ${at}`).toEqual(expected);
      await client.close();
    }
    const slow = await server.connect();
    for (const byte of bytes) await slow.write(Buffer.from([byte]));
    expect((await slow.readMany(count)).map((reply) => withoutId(show(reply)))).toEqual(expected);
  });

  test('half requests, then gone', async () => {
    const bytes = encode(['SET', 'half', 'x'.repeat(1000)]);
    for (let at = 1; at < bytes.length; at += 7) {
      const client = await RawClient.connect({ port: server.port });
      await client.write(bytes.subarray(0, at));
      if (at % 2 === 0) client.socket.end();
      else client.socket.resetAndDestroy();
      await client.close();
    }
    await witness.alone(3);
    const client = await server.connect();
    expect(await client.call('EXISTS', 'half')).toBe(0);
    await witness.testify(100 * MB);
  });

  test('a deep pipeline in one write is answered in order', async () => {
    const client = await server.connect();
    const depth = 200_000;
    const replies = await client.pipeline(Array.from({ length: depth }, (_, i) => ['ECHO', i]));
    expect(replies.every((reply, i) => reply.text === String(i))).toBe(true);
    await client.close();
  });

  test('odd counts: many arguments, empty arguments, a request of 1 million words', async () => {
    const client = await server.connect();
    await client.call('SELECT', DATABASES - 1);
    expect(await client.call('DEL', ...Array.from({ length: 100_000 }, (_, i) => `k${i}`))).toBe(0);
    const bytes = Buffer.concat([
      Buffer.from('*1000001\r\n$6\r\nEXISTS\r\n'),
      Buffer.from('$0\r\n\r\n'.repeat(1_000_000)),
    ]);
    await client.write(bytes);
    expect((await client.read()).text).toBe('0');
    await client.close();
    await witness.testify(300 * MB);
  });
});

function withoutId(text: string): string {
  return text.replace(/"id", integer "\d+"/, '"id", integer');
}
