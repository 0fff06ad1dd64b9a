// A turn of the loop that takes long is divided: who was served gets the replies before the turn ends.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encode } from '../support/raw_client.js';
import { plain } from '../support/reply.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';

const SLEEP_MILLIS = 1000;

let server: TestServer;

beforeAll(async () => {
  server = await spawnServer();
});
afterAll(() => server?.stop());

test('a reply does not wait for those who are served after it in the same turn', async () => {
  const holder = await server.connect();
  const first = await server.connect();
  const second = await server.connect();
  await Promise.all([holder.call('PING'), first.call('PING'), second.call('PING')]);

  // While the server is held, what both send gathers, so that one turn serves them.
  const held = holder.call('DEBUG', 'SLEEP', 0.2);
  await first.write(
    Buffer.concat([encode(['DEBUG', 'SLEEP', 0.005]), encode(['ECHO', 'x'.repeat(20_000)])]),
  );
  await second.write(encode(['DEBUG', 'SLEEP', SLEEP_MILLIS / 1000]));

  await held;
  await first.read();
  await first.read();
  const served = performance.now();
  expect(plain(await second.read())).toBe('OK');
  expect(performance.now() - served).toBeGreaterThan(SLEEP_MILLIS / 2);
});
