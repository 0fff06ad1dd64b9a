// Consumer groups over the wire: what a checkpoint brings back, and large groups that go in steps.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RawClient } from '../support/raw_client.js';
import { plain } from '../support/reply.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';

let server: TestServer;
let client: RawClient;
beforeAll(async () => {
  server = await spawnServer({ args: ['--enable-debug-command', 'yes'] });
  client = await server.connect();
});
afterAll(() => server?.stop());

const ENTRIES = 3000;

async function call(...words: (string | number)[]) {
  return plain((await client.pipeline([words]))[0]!);
}

async function makeGroups(key: string): Promise<void> {
  await client.pipeline(
    Array.from({ length: ENTRIES }, (_, i) => ['XADD', key, `${i + 1}-1`, 'f', i]),
  );
  for (const group of ['small', 'large', 'idle']) await call('XGROUP', 'CREATE', key, group, 0);
  await call('XREADGROUP', 'GROUP', 'small', 'ann', 'COUNT', 5, 'STREAMS', key, '>');
  await call('XREADGROUP', 'GROUP', 'large', 'ann', 'COUNT', ENTRIES / 2, 'STREAMS', key, '>');
  await call('XREADGROUP', 'GROUP', 'large', 'bob', 'STREAMS', key, '>');
  await call('XACK', key, 'large', '1-1', '7-1', `${ENTRIES}-1`);
}

test('a checkpoint brings groups, consumers and pending entries back', async () => {
  await makeGroups('s');
  const before = await call('XINFO', 'STREAM', 's', 'FULL', 'COUNT', 0);
  expect(await call('DEBUG', 'RELOAD')).toBe('OK');
  expect(await call('XINFO', 'STREAM', 's', 'FULL', 'COUNT', 0)).toEqual(before);
  expect(String(await call('DEBUG', 'VERIFY'))).not.toMatch(/corruption/);
  expect(await call('XACK', 's', 'large', '2-1', '1-1')).toBe(1);
});

test('copies are independent; groups, consumers and streams go with all they have', async () => {
  await makeGroups('t');
  expect(await call('COPY', 't', 'u')).toBe(1);
  const copy = await call('XINFO', 'STREAM', 'u', 'FULL', 'COUNT', 0);
  expect(await call('XGROUP', 'DELCONSUMER', 't', 'large', 'bob')).toBe(ENTRIES / 2 - 1);
  const left = ENTRIES / 2 - 2;
  const expected = [left, '2-1', `${ENTRIES / 2}-1`, [['ann', String(left)]]];
  expect(await call('XPENDING', 't', 'large')).toEqual(expected);
  expect(await call('XGROUP', 'DESTROY', 't', 'large')).toBe(1);
  expect(String(await call('DEBUG', 'VERIFY'))).not.toMatch(/corruption/);
  expect(await call('DEL', 't')).toBe(1);
  expect(await call('XINFO', 'STREAM', 'u', 'FULL', 'COUNT', 0)).toEqual(copy);
  expect(await call('FLUSHALL')).toBe('OK');
  expect(String(await call('DEBUG', 'VERIFY'))).not.toMatch(/corruption/);
});
