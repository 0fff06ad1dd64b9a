// Streams against a model: steps of ids of every kind, entries of every form, nodes of different sizes, deleting,
// trimming, ranges both ways, copies, freeing in steps and a full arena, with the heap proved after each step.
// STREAM_SEED replays a run, STREAM_OPERATIONS lengthens it.
import { beforeEach, describe, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const allocator = await openTestArena(192 * 1024 * 1024);
const { verifyHeap } = await import('../../storage/checkpoint/verify.js');
const { attachHeap, createHeap, flushHeap } = await import('../../storage/heap.js');
const keyspace = await import('../../storage/keyspace/keyspace.js');
const { wordWindows } = await import('../../storage/memory/arena.js');
const { databaseRoot, FEATURE_STREAMS, NULL_REF, ROOT_FEATURE_FLAGS } = await import(
  '../../storage/memory/layout.js'
);
const { setClock } = await import('../../storage/structures/clock.js');
const { headerOf, TYPE_MASK, TYPE_STREAM } = await import('../../storage/structures/entry.js');
const retired = await import('../../storage/values/retired.js');
const block = await import('../../storage/values/stream/block.js');
const { streamLimits } = await import('../../storage/values/stream/nodes.js');
const { createStream, deleteEntry } = await import('../../storage/values/stream/stream.js');
const ids = await import('../../storage/values/stream/stream_id.js');
const { streamValue } = await import('../../storage/values/stream/whole.js');
const { CheckpointSteps } = await import('./checkpoint_steps.js');
const model = await import('./stream_model.js');
const { bytesOf } = await import('./table_fixture.js');

const SEED = numberFromEnv('STREAM_SEED', 5005);
const OPERATIONS = numberFromEnv('STREAM_OPERATIONS', 1500);
const KEY = bytesOf('stream');
const OTHER = bytesOf('other');
const database = databaseRoot(0);

createHeap(2, () => 12345);
beforeEach(() => {
  flushHeap();
  setClock(1_700_000_000_000);
  Object.assign(streamLimits, { nodeEntriesMax: 100, nodeBytesMax: 4096 });
});

function makeStream(): typeof database {
  const ref = createStream(KEY, 0, KEY.length);
  expect(keyspace.addEntry(database, ref)).toBe(true);
  return find();
}

function find(key = KEY): typeof database {
  return keyspace.lookup(database, key, 0, key.length);
}

function compare(value: ReturnType<typeof model.emptyStream>): void {
  const found = model.streamContents(find());
  expect(found.map(model.entryText)).toEqual(value.entries.map(model.entryText));
  model.checkCounts(find(), value);
}

/** Numbered entries of two fields. */
function fill(
  ref: typeof database,
  count: number,
  bytes = 3,
): ReturnType<typeof model.emptyStream> {
  const value = model.emptyStream();
  for (let i = 1; i <= count; i++) {
    const words = ['n', String(i), 'text', 'x'.repeat(bytes)];
    expect(model.addToStream(ref, value, BigInt(i) << 64n, words)).toBe(true);
  }
  return value;
}

describe.each([
  [100, 4096],
  [3, 4096],
  [100, 200],
  [0, 0],
])('nodes of at most %i entries and %i bytes', (nodeEntriesMax, nodeBytesMax) => {
  test('as the model, the heap proved after each step, with checkpoints', () => {
    Object.assign(streamLimits, { nodeEntriesMax, nodeBytesMax });
    const random = new Random(SEED + nodeEntriesMax + nodeBytesMax);
    const checkpoint = new CheckpointSteps(random.fork());
    const ref = makeStream();
    const value = model.emptyStream();
    const lengths = [0, 1, 4, 4, 4, 9, 127, 128, 300];
    // Values of one length and of others, the same, alike at their beginning, and different.
    const text = () => {
      const length = random.chance(0.01) ? 20_000 : random.pick(lengths);
      const shared = random.pick([0, 1, length >> 1, length, length]);
      return 'v'.repeat(Math.min(shared, length)).padEnd(length, random.pick(['w', 'x']));
    };
    for (let i = 0; i < OPERATIONS; i++) {
      const choice = random.below(100);
      if (choice < 80) {
        const words = model.someWords(random, text);
        const next = model.nextId(random, value.last);
        expect(model.addToStream(ref, value, next, words)).toBe(true);
      } else if (choice < 98) model.deleteFromStream(ref, value, random);
      else if (value.entries.length > 100 && choice === 98)
        model.trimFromStream(ref, value, random);
      checkpoint.step();
      if (i % 7 === 0) verifyHeap();
      if (i % 50 === 0) compare(value);
    }
    checkpoint.end();
    attachHeap(2, () => 1);
    verifyHeap();
    compare(value);
  });
});

test('ranges begin and end at any id', () => {
  const random = new Random(SEED);
  const ref = makeStream();
  const value = model.emptyStream();
  for (let i = 0; i < 700; i++) {
    const next = model.nextId(random, value.last);
    model.addToStream(ref, value, next, ['field', String(i % 10)]);
  }
  for (let i = 0; i < 100; i++) model.deleteFromStream(ref, value, random);
  const from = new ids.StreamId();
  const to = new ids.StreamId();
  const someId = (): bigint => random.pick(value.entries).id + BigInt(random.between(-1, 1));
  for (let i = 0; i < 300; i++) {
    const [low, high] = [someId(), someId()] as const;
    const wanted = value.entries.filter(({ id }) => id >= low && id <= high);
    const root = block.streamBlock(ref);
    model.toId(from, low);
    model.toId(to, high);
    const upwards = model.readEntries(root, from, to, false);
    expect(upwards.map(model.entryText)).toEqual(wanted.map(model.entryText));
    const downwards = model.readEntries(root, from, to, true);
    expect(downwards.map(model.entryText)).toEqual(wanted.reverse().map(model.entryText));
  }
});

test('ids: order, the next one and the one before', () => {
  const random = new Random(SEED);
  const some = (): bigint => {
    const half = () => random.pick([0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 64n - 1n]);
    return (half() << 64n) | half();
  };
  const a = new ids.StreamId();
  const b = new ids.StreamId();
  const top = 2n ** 128n - 1n;
  for (let i = 0; i < 300; i++) {
    const [x, y] = [some(), some()] as const;
    expect(ids.compareIds(model.toId(a, x), model.toId(b, y))).toBe(x < y ? -1 : x > y ? 1 : 0);
    expect(ids.incrementId(a)).toBe(x < top);
    expect(model.fromId(a)).toBe(x < top ? x + 1n : top);
    expect(ids.decrementId(b)).toBe(y > 0n);
    expect(model.fromId(b)).toBe(y > 0n ? y - 1n : 0n);
  }
});

test('a copy is a stream of its own', () => {
  const value = fill(makeStream(), 1000);
  expect(keyspace.copyEntry(find(), database, OTHER, 0, OTHER.length)).toBe(true);
  verifyHeap();
  const random = new Random(SEED);
  for (let i = 0; i < 500; i++) model.deleteFromStream(find(), value, random);
  compare(value);
  expect(model.streamContents(find(OTHER))).toHaveLength(1000);
  keyspace.deleteEntry(database, find());
  expect(model.streamContents(find(OTHER))).toHaveLength(1000);
  verifyHeap();
});

test.each([1, 7, 64, 5000])('a long stream is freed in steps of %i', (limit) => {
  const before = allocator.usedBytes();
  fill(makeStream(), 40_000);
  expect(block.nodeCount(block.streamBlock(find()))).toBe(400);
  keyspace.deleteEntry(database, find());
  expect(retired.retiredCount()).toBe(1);
  verifyHeap();
  for (let steps = 0; retired.hasRetired(); steps++) {
    expect(retired.freeRetired(limit)).toBeGreaterThan(0);
    if (steps % 37 === 0) attachHeap(2, () => 1);
    if (steps % 5 === 0) verifyHeap();
  }
  verifyHeap();
  expect(allocator.usedBytes()).toBeLessThanOrEqual(before + 8192); // the table of keys
});

test('memoryBytes is what the allocator gave', () => {
  const before = allocator.usedBytes();
  const ref = createStream(KEY, 0, KEY.length);
  fill(ref, 20_000);
  const used = allocator.usedBytes() - before;
  expect(streamValue.memoryBytes(ref) / used).toBeGreaterThan(0.97);
  expect(streamValue.memoryBytes(ref) / used).toBeLessThan(1.03);
});

test('entries of one shape cost a byte beside their values', () => {
  const ref = createStream(KEY, 0, KEY.length);
  const before = allocator.usedBytes();
  const value = model.emptyStream();
  for (let i = 1; i <= 50_000; i++) {
    const text = [...String(i).padStart(16, '0')].reverse().join('');
    const words = ['field1', text, 'field2', text, 'field3', text];
    model.addToStream(ref, value, BigInt(i) << 64n, words);
  }
  expect((allocator.usedBytes() - before) / 50_000).toBeLessThan(51);
});

test('values that begin as the first one cost what they differ in and two bytes', () => {
  const ref = makeStream();
  const before = allocator.usedBytes();
  const value = model.emptyStream();
  for (let i = 1; i <= 50_000; i++) {
    const time = `2023-11-14T22:13:20.${String(i).padStart(6, '0')}Z`;
    const words = ['host', 'web-01.example.org', 'time', time, 'n', String(i)];
    model.addToStream(ref, value, BigInt(i) << 64n, words);
  }
  expect((allocator.usedBytes() - before) / 50_000).toBeLessThan(20);
  // The first entries of the nodes, which the others refer to, keep their bytes when they are deleted.
  const root = block.streamBlock(find());
  const left = value.entries.filter(({ id }, i) => {
    const isFirst = i % 100 === 0;
    if (isFirst) expect(deleteEntry(root, model.toId(new ids.StreamId(), id))).toBe(true);
    return !isFirst;
  });
  value.entries.splice(0, value.entries.length, ...left);
  verifyHeap();
  compare(value);
});

test('a full arena refuses an entry and changes nothing', () => {
  const ref = makeStream();
  const value = model.emptyStream();
  const random = new Random(SEED);
  let refused = 0;
  for (let i = 0; i < 40_000 && refused < 200; i++) {
    const letter = 'abcdefghijklmnop'.charAt(i % 16); // values have little in common
    const words = ['x', letter.repeat(random.pick([10, 100, 2000, 30_000, 300_000]))];
    if (!model.addToStream(ref, value, value.last + (1n << 64n), words)) {
      if (refused++ % 20 === 0) verifyHeap();
    }
  }
  expect(refused).toBe(200);
  model.checkCounts(find(), value);
  expect(keyspace.copyEntry(find(), database, OTHER, 0, OTHER.length)).toBe(false);
  verifyHeap();
  const lengths = (list: typeof value.entries) => list.map(({ words }) => words[1]!.length);
  expect(lengths(model.streamContents(find()))).toEqual(lengths(value.entries));
  for (let i = 0; i < 200; i++) model.deleteFromStream(find(), value, random);
  expect(model.addToStream(find(), value, value.last + 1n, ['x', 'small'])).toBe(true);
  verifyHeap();
  expect(headerOf(find()) & TYPE_MASK).toBe(TYPE_STREAM);
  keyspace.deleteEntry(database, find());
  while (retired.freeRetired(1000) > 0);
  expect(find()).toBe(NULL_REF);
  verifyHeap();
});

test('a heap says that it may have streams; one with features that are not known is refused', () => {
  const root = wordWindows[0]!;
  const flags = root[ROOT_FEATURE_FLAGS]!;
  expect(flags & FEATURE_STREAMS).not.toBe(0);
  root[ROOT_FEATURE_FLAGS] = flags | (1 << 30);
  expect(() => attachHeap(2, () => 1)).toThrow('feature flags 1073741824');
  root[ROOT_FEATURE_FLAGS] = flags;
  attachHeap(2, () => 1);
});
