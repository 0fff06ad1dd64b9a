// Consumer groups of a stream against a model: seeded random changes in an arena that is often full, everything
// proved after each step. STREAM_GROUPS_SEED replays a run, STREAM_GROUPS_OPERATIONS lengthens it.
import { expect, test } from 'vitest';
import type { Density } from '../../storage/memory/extents.js';
import type { Ref } from '../../storage/memory/layout.js';
import { openTestArena } from '../support/open_arena.js';
import { numberFromEnv, Random } from '../support/random.js';

const allocator = await openTestArena(32 * 1024 * 1024);
const { DATA, DENSE } = await import('../../storage/memory/extents.js');
const { NULL_REF } = await import('../../storage/memory/layout.js');
const { Cursor } = await import('../../storage/structures/btree_cursor.js');
const { setClock } = await import('../../storage/structures/clock.js');
const { span } = await import('../../storage/structures/entry.js');
const { freeRetired, hasRetired, verifyRetired } = await import('../../storage/values/retired.js');
const block = await import('../../storage/values/stream/block.js');
const groups = await import('../../storage/values/stream/group.js');
const { freeGroup } = await import('../../storage/values/stream/group_rules.js');
const { groupRules } = await import('../../storage/values/stream/groups.js');
const pel = await import('../../storage/values/stream/pending.js');
const { StreamId, setId } = await import('../../storage/values/stream/stream_id.js');

setClock(1_700_000_000_000);

const SEED = numberFromEnv('STREAM_GROUPS_SEED', 4711);
const OPERATIONS = numberFromEnv('STREAM_GROUPS_OPERATIONS', 1200);
const stream = block.createBlock();
const base = allocator.usedBytes();

interface ModelRecord {
  consumer: string;
  millis: number;
  deliveries: bigint;
}
interface ModelGroup {
  lastId: bigint;
  entriesRead: bigint;
  consumers: Map<string, number>;
  pending: Map<bigint, ModelRecord>;
}
type Model = Map<string, ModelGroup>;

const id = new StreamId();
const cursor = new Cursor();

/** Fills `id` from 128 bits. */
function idOf(value: bigint): typeof id {
  const word = (shift: bigint) => Number(BigInt.asIntN(32, value >> shift));
  setId(id, word(96n), word(64n), word(32n), word(0n));
  return id;
}
function numberOf(source: typeof id): bigint {
  const words = [source.msHigh, source.msLow, source.seqHigh, source.seqLow];
  return words.reduce((value, word) => (value << 32n) | BigInt(word >>> 0), 0n);
}
function int64(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}
const bytesOf = (name: string) => new Uint8Array(Buffer.from(name, 'latin1'));
const nameInSpan = () =>
  Buffer.from(span.view.slice(span.offset, span.offset + span.length)).toString('latin1');
const byName = (a: string, b: string) => Buffer.compare(bytesOf(a), bytesOf(b));
const byNumber = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);

function groupNamed(name: string): Ref {
  const bytes = bytesOf(name);
  return groups.findGroup(block.groupsOf(stream), bytes, 0, bytes.length);
}
function consumerNamed(group: Ref, name: string): Ref {
  const bytes = bytesOf(name);
  return groups.findConsumer(group, bytes, 0, bytes.length);
}

/** Proves the groups and what is retired, and that nothing else is allocated. */
function prove(roots: Ref[], besides = 0): void {
  const seen = new Set<Ref>();
  let bytes = 0;
  const owns = (ref: Ref, size: number) => {
    if (seen.has(ref)) throw new Error(`ref ${ref} has two owners`);
    seen.add(ref);
    bytes += allocator.usableBytes(size);
  };
  const owners = { ownsData: owns, ownsDense: owns };
  for (const root of roots) if (root !== NULL_REF) groupRules(root).verify(root, owners, stream);
  verifyRetired(owners);
  expect(allocator.usedBytes() - base - besides).toBe(bytes);
}

function compare(root: Ref, model: Model): void {
  expect(groups.groupCount(root)).toBe(model.size);
  [...model.keys()].sort(byName).forEach((name, i) => {
    const group = groups.groupAt(root, i);
    expect(nameInSpan()).toBe(name);
    compareGroup(group, model.get(name)!);
  });
}

function compareGroup(group: Ref, model: ModelGroup): void {
  groups.loadLastId(group, id);
  expect(numberOf(id)).toBe(model.lastId);
  groups.loadEntriesRead(group);
  expect(int64(groups.entriesRead.high, groups.entriesRead.low)).toBe(model.entriesRead);
  expect(groups.consumerCount(group)).toBe(model.consumers.size);
  [...model.consumers.keys()].sort(byName).forEach((name, i) => {
    const consumer = groups.consumerAt(group, i);
    expect(nameInSpan()).toBe(name);
    expect(groups.seenMillis(consumer)).toBe(model.consumers.get(name));
    const own = [...model.pending].filter(([, record]) => record.consumer === name);
    comparePending(consumer, new Map(own));
  });
  comparePending(group, model.pending);
}

function comparePending(block: Ref, model: ModelGroup['pending']): void {
  const ids = [...model.keys()].sort(byNumber);
  expect(pel.pendingCount(block)).toBe(ids.length);
  let found = pel.seekPending(cursor, block, idOf(0n));
  for (const expected of ids) {
    const { record } = pel.pending;
    const wanted = model.get(expected)!;
    pel.loadDeliveries(record);
    groups.locateConsumerName(pel.consumerOf(record));
    const agrees =
      found &&
      numberOf(pel.pending.id) === expected &&
      pel.deliveryMillis(record) === wanted.millis &&
      int64(pel.deliveries.high, pel.deliveries.low) === wanted.deliveries &&
      nameInSpan() === wanted.consumer;
    if (!agrees) throw new Error(`pending ${expected} is not as in the model`);
    found = pel.nextPending(cursor);
  }
  expect(found).toBe(false);
}

// --- random changes ------------------------------------------------------------------------------

const NAMES = ['a', 'b', 'ab', 'B', '', 'x'.repeat(300), 'y'.repeat(5000), 'caf\xe9', '\xff'];

/** Ids that agree in milliseconds often, and use all 128 bits at times. */
function randomId(random: Random): bigint {
  const ms = random.pick([0n, 5n, 6n, 0x7fff_ffff_ffffn, 0x8000_0000_0000_0000n, 2n ** 64n - 1n]);
  const seq = random.chance(0.9)
    ? BigInt(random.below(400))
    : random.pick([2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n]);
  return (ms << 64n) | seq;
}

/** Fills the arena until no object of these sizes can be had; returns how to empty it again. */
function fillArena(): { bytes: number; empty: () => void } {
  const taken: [Ref, number, Density][] = [];
  let bytes = 0;
  for (const size of [32 * 1024, 4096, 1024, 512, 96, 80, 64, 48, 32, 16]) {
    for (const density of [DATA, DENSE] as Density[]) {
      for (;;) {
        const ref = allocator.allocate(size, density);
        if (ref === NULL_REF) break;
        taken.push([ref, size, density]);
        bytes += allocator.usableBytes(size);
      }
    }
  }
  const empty = () => {
    for (const [ref, size, density] of taken) allocator.free(ref, size, density);
  };
  return { bytes, empty };
}

/** One change of groups and model. False: the arena is full, and the model is as it was. */
function change(random: Random, model: Model): boolean {
  const name = random.pick(NAMES);
  const group = groupNamed(name);
  const bytes = bytesOf(name);
  if (group === NULL_REF) {
    expect(model.has(name)).toBe(false);
    const made = groups.createGroup(stream, bytes, 0, bytes.length);
    if (made === NULL_REF) return false;
    const lastId = randomId(random);
    groups.storeLastId(made, idOf(lastId));
    groups.storeEntriesRead(made, -1, -1);
    model.set(name, { lastId, entriesRead: -1n, consumers: new Map(), pending: new Map() });
    return true;
  }
  const own = model.get(name)!;
  if (random.chance(0.01)) {
    groups.unlinkGroup(stream, bytes, 0, bytes.length);
    freeGroup(group);
    model.delete(name);
    return true;
  }
  return changeGroup(random, group, own);
}

function changeGroup(random: Random, group: Ref, model: ModelGroup): boolean {
  const name = random.pick(NAMES);
  const bytes = bytesOf(name);
  const consumer = consumerNamed(group, name);
  const millis = 1_700_000_000_000 + random.below(1000);
  if (consumer === NULL_REF) {
    expect(model.consumers.has(name)).toBe(false);
    const made = groups.createConsumer(group, bytes, 0, bytes.length, millis);
    if (made !== NULL_REF) model.consumers.set(name, millis);
    return made !== NULL_REF;
  }
  if (random.chance(0.02)) {
    groups.deleteConsumer(group, consumer);
    model.consumers.delete(name);
    for (const [key, record] of model.pending) {
      if (record.consumer === name) model.pending.delete(key);
    }
    return true;
  }
  groups.noteSeen(consumer, millis);
  model.consumers.set(name, millis);
  for (let i = random.below(30); i >= 0; i--) {
    if (!changePending(random, group, model, consumer, name, millis)) return false;
  }
  return true;
}

function changePending(
  random: Random,
  group: Ref,
  model: ModelGroup,
  consumer: Ref,
  name: string,
  millis: number,
): boolean {
  const value = randomId(random);
  const record = pel.findPending(group, idOf(value));
  const known = model.pending.get(value);
  if ((record !== NULL_REF) !== (known !== undefined)) throw new Error(`found ${value}?`);
  if (known === undefined) {
    if (!pel.addPending(group, consumer, id, millis)) return false;
    model.pending.set(value, { consumer: name, millis, deliveries: 1n });
  } else if (random.chance(0.6)) {
    pel.removePending(group, record, id);
    model.pending.delete(value);
  } else {
    if (!pel.assignPending(record, id, consumer)) return false;
    pel.countDelivery(record, millis);
    model.pending.set(value, { consumer: name, millis, deliveries: known.deliveries + 1n });
  }
  return true;
}

test.each([1, 2, 3])('random changes, run %i', (run) => {
  const random = new Random(SEED + run);
  const model: Model = new Map();
  let refused = 0;
  for (let i = 0; i < OPERATIONS / 3; i++) {
    const isFull = run === 2 && random.chance(0.05);
    const filling = isFull ? fillArena() : { bytes: 0, empty: () => {} };
    for (let j = isFull ? 20 : 1; j > 0; j--) if (!change(random, model)) refused++;
    const root = block.groupsOf(stream);
    prove([root], filling.bytes);
    if (i % 20 === 0 || isFull) compare(root, model);
    filling.empty();
    if (run === 3 && i % 50 === 0) copyAndCompare(root, model, random);
    if (hasRetired() && random.chance(0.5)) freeRetired(1 + random.below(200));
  }
  if (run === 2) expect(refused).toBeGreaterThan(20);
  freeStepwise(block.groupsOf(stream), random);
  block.setGroups(stream, NULL_REF);
  for (prove([]); hasRetired(); prove([])) freeRetired(1 + random.below(100));
  expect(allocator.usedBytes()).toBe(base);
});

/** A copy is equal and independent; where memory ends on the way, nothing of it is left. */
function copyAndCompare(root: Ref, model: Model, random: Random): void {
  if (root === NULL_REF) return;
  const { bytes, empty } = fillArena();
  expect(groupRules(root).duplicate(root)).toBe(NULL_REF);
  prove([root], bytes);
  empty();
  const copy = groupRules(root).duplicate(root);
  prove([root, copy]);
  compare(copy, model);
  freeStepwise(copy, random);
  prove([root]);
}

/** Frees groups as a stream that is gone does, what is left being proved after each step. */
function freeStepwise(root: Ref, random: Random): void {
  if (root === NULL_REF) return;
  const rules = groupRules(root);
  for (;;) {
    const before = allocator.usedBytes();
    const limit = 1 + random.below(100);
    const done = rules.freeSome(root, limit);
    if (done < limit) return;
    let left = 0;
    const owns = (_ref: Ref, size: number) => {
      left += allocator.usableBytes(size);
    };
    rules.verifyFreeing(root, { ownsData: owns, ownsDense: owns });
    const freed = before - allocator.usedBytes();
    expect(freed).toBeGreaterThan(0);
    expect(left).toBeGreaterThan(0);
  }
}

test('ranks and numbers of pending entries; 64 bits of deliveries and entries read', () => {
  const name = bytesOf('group');
  const group = groups.createGroup(stream, name, 0, name.length);
  const consumer = groups.createConsumer(group, name, 0, name.length, 5);
  for (let i = 0; i < 5000; i++) {
    expect(pel.addPending(group, consumer, idOf((7n << 64n) | BigInt(i * 2)), 9)).toBe(true);
  }
  expect(pel.pendingRank(group, idOf(7n << 64n))).toBe(0);
  expect(pel.pendingRank(group, idOf((7n << 64n) | 5001n))).toBe(2501);
  expect(pel.selectPending(consumer, 4999)).toBe(true);
  expect(numberOf(pel.pending.id)).toBe((7n << 64n) | 9998n);
  expect(pel.selectPending(consumer, 5000)).toBe(false);
  const { record } = pel.pending;
  pel.setDelivery(record, 12, 0, -1);
  pel.countDelivery(record, 2 ** 41 + 1);
  pel.loadDeliveries(record);
  expect(int64(pel.deliveries.high, pel.deliveries.low)).toBe(2n ** 32n);
  expect(pel.deliveryMillis(record)).toBe(2 ** 41 + 1);
  const root = block.groupsOf(stream);
  expect(groupRules(root).parts(root)).toBeGreaterThan(256);
  expect(groupRules(root).memoryBytes(root)).toBeGreaterThan(allocator.usedBytes() - base);
  groups.unlinkGroup(stream, name, 0, name.length);
  freeGroup(group);
  expect(block.groupsOf(stream)).toBe(NULL_REF);
  for (prove([]); hasRetired(); prove([])) expect(freeRetired(300)).toBeGreaterThan(0);
  expect(allocator.usedBytes()).toBe(base);
});
