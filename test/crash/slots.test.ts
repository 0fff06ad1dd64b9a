// The instrument of the consistent-cut test, tested: it must see what is wrong when something is.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../support/random.js';
import type { RawClient } from '../support/raw_client.js';
import { spawnServer, type TestServer } from '../support/spawn_server.js';
import { RoundWriter, readCut, resetSlots } from './round_writer.js';
import { makeSlots, type Slot } from './slots.js';

let server: TestServer;
let client: RawClient;
const slots = makeSlots(new Random(5), 100, 50);
beforeAll(async () => {
  server = await spawnServer();
  client = await server.connect();
});
afterAll(() => server?.stop());

async function write(slot: Slot, round: number): Promise<void> {
  const { bytes, replies } = slot.write(round);
  await client.write(bytes);
  for (const reply of await client.readMany(replies)) expect(reply.type).not.toBe('error');
}

test('finds the prefix of a round', async () => {
  await resetSlots(client, slots, 5);
  expect(await readCut(client, slots)).toEqual({ round: 5, prefix: 99 });
  for (const slot of slots.slice(0, 40)) await write(slot, 6);
  expect(await readCut(client, slots)).toEqual({ round: 6, prefix: 39 });
});

test('sees a write that came too early, one that is missing, and a torn value', async () => {
  await resetSlots(client, slots, 5);
  for (const slot of slots.slice(0, 40)) await write(slot, 6);
  await write(slots[60] as Slot, 6);
  await expect(readCut(client, slots)).rejects.toThrow('slot 60 is of round 6');
  await resetSlots(client, slots, 5);
  for (const slot of slots.slice(0, 40)) if (slot !== slots[20]) await write(slot, 6);
  await expect(readCut(client, slots)).rejects.toThrow('is of round 6, but slot 20');
  await resetSlots(client, slots, 5);
  await client.call('SET', 'pair:torn', 1);
  const plain = slots.findIndex(({ ask }) => ask[0]?.[1]?.startsWith('key:'));
  await client.call('APPEND', slots[plain]?.ask[0]?.[1] as string, 'x');
  await expect(readCut(client, slots)).rejects.toThrow(`slot ${plain}`);
});

test('the writer leaves whole rounds behind when it is stopped', async () => {
  await resetSlots(client, slots, 10);
  const writer = new RoundWriter(server.port, slots, 11);
  while (writer.answeredRound < 50) await client.call('PING');
  await writer.stop();
  expect(writer.failure).toBeNull();
  expect(await readCut(client, slots)).toEqual({ round: writer.sentRound, prefix: 99 });
});
