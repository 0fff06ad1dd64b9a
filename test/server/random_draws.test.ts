// SRANDMEMBER, HRANDFIELD and ZRANDMEMBER with a negative count draw as often as it says: however small the
// value, what one request may ask for is bounded.
import { beforeAll, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';

await openTestArena(32 * 1024 * 1024);
const { createHeap } = await import('../../storage/heap.js');
const { call, run } = await import('../support/run_command.js');

const DRAWS_MAX = 2 ** 24;

beforeAll(() => {
  createHeap(1, () => 1);
  call('SADD', 'set', 'a', 'b');
  call('HSET', 'hash', 'a', '1');
  call('ZADD', 'zset', 1, 'a');
});

test.each([
  ['SRANDMEMBER', 'set'],
  ['HRANDFIELD', 'hash'],
  ['ZRANDMEMBER', 'zset'],
])('%s', (command, key) => {
  expect(call(command, key, -1000)).toHaveLength(1000);
  const refused = { type: 'error', text: 'ERR value is out of range' };
  for (const count of [String(-DRAWS_MAX - 1), '-9223372036854775807']) {
    expect(run(command, key, count)).toMatchObject(refused);
    expect(call(command, 'nothing', count)).toEqual([]);
  }
  expect(call(command, key, '9223372036854775807')).toHaveLength(key === 'set' ? 2 : 1);
});
