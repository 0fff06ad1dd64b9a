// Looking ahead changes nothing but the time: the hashes that it leaves are those of their keys, and no
// other bytes, seed or table gets one of them.
import { beforeEach, describe, expect, test } from 'vitest';
import { openTestArena } from '../support/open_arena.js';

await openTestArena(64 * 1024 * 1024);
const { TableFixture, bytesOf } = await import('./table_fixture.js');
const { createTable, find, rootIndex, rootWords } = await import(
  '../../storage/structures/hash_table.js'
);
const { hashBytes } = await import('../../storage/structures/hash.js');
const { AHEAD_MAX, ahead, forgetAhead, hashKey, hashMember, membersAhead, TABLE_SEED } =
  await import('../../storage/structures/key_hash.js');
const { addAhead, addMemberAhead, beginAhead, lookAhead, lookAheadEntries, openAhead } =
  await import('../../storage/structures/look_ahead.js');
const { databaseRoot } = await import('../../storage/memory/layout.js');
const { addEntry, deleteEntry } = await import('../../storage/keyspace/keyspace.js');
const { randomEntry } = await import('../../storage/structures/random_entry.js');
const sets = await import('../../storage/values/set.js');
const sortedSet = await import('../../storage/values/sorted_set.js');

const KEYS = 6000; // more than a table has whose look-ups are not looked ahead for

/** Keys side by side in one buffer, as the requests of a pipeline are. */
function packed(keys: readonly string[]): { bytes: Uint8Array; offsets: number[] } {
  const offsets: number[] = [];
  let text = '';
  for (const key of keys) {
    text += '$';
    offsets.push(text.length);
    text += key;
  }
  return { bytes: bytesOf(text), offsets };
}

const fixture = new TableFixture();
for (let i = 0; i < KEYS; i++) fixture.add(`key:${i}`);

/** Some keys that are there and some that are not, of different lengths. */
const keys = Array.from({ length: AHEAD_MAX }, (_, i) =>
  i % 5 === 4 ? `${'absent'.repeat(i % 7)}:${i}` : `key:${i * 37}`,
);
const { bytes, offsets } = packed(keys);

function listAll(): void {
  beginAhead(bytes);
  keys.forEach((key, i) => {
    expect(addAhead(offsets[i]!, key.length)).toBe(true);
  });
  lookAhead(fixture.table);
}

function trueHash(i: number): number {
  const root = rootWords(fixture.table);
  const seed = rootIndex(fixture.table) + TABLE_SEED;
  return hashBytes(bytes, offsets[i]!, keys[i]!.length, root[seed]!, root[seed + 1]!);
}

beforeEach(() => forgetAhead());

describe('hashes computed ahead', () => {
  test('are used for their keys, in order, each as often as asked', () => {
    listAll();
    expect(ahead.count).toBe(keys.length);
    keys.forEach((key, i) => {
      // A value that no hash function gives tells a hash that was kept from one that was computed.
      ahead.hashes[i] = ahead.hashes[i]! ^ 1;
      const kept = hashKey(fixture.table, bytes, offsets[i]!, key.length);
      expect(kept).toBe(trueHash(i) ^ 1);
      expect(hashKey(fixture.table, bytes, offsets[i]!, key.length)).toBe(kept);
    });
  });

  test('are found when keys in between are not asked for, and not when asked for late', () => {
    listAll();
    for (let i = 0; i < keys.length; i++) ahead.hashes[i] = ahead.hashes[i]! ^ 1;
    expect(hashKey(fixture.table, bytes, offsets[9]!, keys[9]!.length)).toBe(trueHash(9) ^ 1);
    expect(hashKey(fixture.table, bytes, offsets[3]!, keys[3]!.length)).toBe(trueHash(3));
    expect(hashKey(fixture.table, bytes, offsets[20]!, keys[20]!.length)).toBe(trueHash(20) ^ 1);
  });

  test.each([
    ['a shorter key at the same place', (i: number) => [bytes, offsets[i]!, 3] as const],
    ['another place', (i: number) => [bytes, offsets[i]! + 1, 3] as const],
    ['another buffer', (i: number) => [bytes.slice(), offsets[i]!, keys[i]!.length] as const],
  ])('are not used for %s', (_, place) => {
    listAll();
    ahead.hashes.fill(12345);
    const [buffer, offset, length] = place(1);
    expect(hashKey(fixture.table, buffer, offset, length)).not.toBe(12345);
  });

  test('are not used under another seed', () => {
    listAll();
    ahead.hashes.fill(12345);
    const other = new TableFixture(5, 6);
    expect(hashKey(other.table, bytes, offsets[0]!, keys[0]!.length)).not.toBe(12345);
    const root = rootWords(fixture.table).slice(
      rootIndex(fixture.table),
      rootIndex(fixture.table) + 8,
    );
    createTable(fixture.table, 77, 78);
    expect(hashKey(fixture.table, bytes, offsets[0]!, keys[0]!.length)).not.toBe(12345);
    rootWords(fixture.table).set(root, rootIndex(fixture.table));
  });

  test('are forgotten', () => {
    listAll();
    ahead.hashes.fill(12345);
    forgetAhead();
    expect(hashKey(fixture.table, bytes, offsets[0]!, keys[0]!.length)).toBe(trueHash(0));
  });
});

test('a look-up finds the same with and without', () => {
  const found = () =>
    keys.map((key, i) => {
      const hash = hashKey(fixture.table, bytes, offsets[i]!, key.length);
      return find(fixture.table, hash, bytes, offsets[i]!, key.length);
    });
  const without = found();
  listAll();
  expect(found()).toEqual(without);
  expect(without.filter((ref) => ref !== 0).length).toBeGreaterThan(20);
  fixture.verify();
});

test('the list takes so many keys, leaves out long ones, and small tables need none', () => {
  const long = new Uint8Array(1000);
  beginAhead(long);
  expect(addAhead(0, 500)).toBe(true);
  expect(ahead.count).toBe(0);
  for (let i = 0; i < AHEAD_MAX; i++) expect(addAhead(i, 1)).toBe(true);
  expect(addAhead(AHEAD_MAX, 1)).toBe(false);
  const small = new TableFixture();
  small.add('key');
  lookAhead(small.table);
  expect(ahead.count).toBe(0);
});

describe('entries that will be taken out', () => {
  const found = keys
    .map((key) => {
      const name = bytesOf(key);
      const hash = hashKey(fixture.table, name, 0, name.length);
      return find(fixture.table, hash, name, 0, name.length);
    })
    .filter((ref) => ref !== 0);

  test('are looked at without a trace: what is there for requests stays', () => {
    listAll();
    const before = [...ahead.hashes];
    lookAheadEntries(fixture.table, Int32Array.from(found), found.length);
    expect([...ahead.hashes]).toEqual(before);
    expect(ahead.count).toBe(keys.length);
    expect(hashKey(fixture.table, bytes, offsets[0]!, keys[0]!.length)).toBe(trueHash(0));
  });

  test('may be none, or have keys of any length', () => {
    fixture.add('long'.repeat(5000));
    const long = fixture.find('long'.repeat(5000));
    lookAheadEntries(fixture.table, Int32Array.of(), 0);
    lookAheadEntries(fixture.table, Int32Array.of(long, found[0]!), 2);
  });

  test('a sorted set is popped in order from both ends', () => {
    const key = bytesOf('popped');
    const ref = sortedSet.createSortedSet(key, 0, key.length);
    for (let i = 0; i < KEYS; i++) {
      const member = bytesOf(`member:${(i * 7919) % KEYS}`);
      sortedSet.locateMember(ref, member, 0, member.length);
      sortedSet.putMember(ref, member, 0, member.length, (i * 7919) % KEYS);
    }
    let low = 0;
    let high = KEYS;
    for (let i = 0; low < high; i++) {
      const last = i % 5 === 4;
      const rank = last ? high - low - 1 : 0;
      sortedSet.lookAheadAtEnd(ref, last);
      sortedSet.startWalk(ref, rank, 1, last);
      expect(sortedSet.nextMember()).toBe(true);
      expect(sortedSet.walkedScore()).toBe(last ? --high : low++);
      sortedSet.removeRanks(ref, rank, rank + 1);
    }
    expect(sortedSet.cardinality(ref)).toBe(0);
  });
});

/** A set of texts under a key of the first database. */
function makeSet(key: string, count: number) {
  const name = bytesOf(key);
  const ref = sets.createSet(name, 0, name.length);
  sets.convertIntegers(ref, () => 0);
  for (let i = 0; i < count; i++) {
    const member = bytesOf(`member:${i}`);
    expect(sets.addBytes(ref, member, 0, member.length)).toBe(sets.ADDED);
  }
  expect(addEntry(databaseRoot(0), ref)).toBe(true);
  return ref;
}

describe('members of values', () => {
  const database = databaseRoot(0);
  const large = makeSet('large', KEYS);
  const other = makeSet('other', KEYS);
  makeSet('small', 10);
  makeSet('table', 1000); // a table, but not a large one
  // Key and member of each request; 'absent' has no value.
  const names = ['large', 'small', 'other', 'absent', 'table', 'large'];
  const members = ['member:3', 'member:4', 'member:5', 'member:6', 'member:7', 'stranger'];
  const request = packed(names.flatMap((name, i) => [name, members[i]!]));

  function listRequests(opens: boolean): void {
    beginAhead(request.bytes);
    if (opens) openAhead();
    names.forEach((name, i) => {
      addAhead(request.offsets[2 * i]!, name.length);
      addMemberAhead(request.offsets[2 * i + 1]!, members[i]!.length);
    });
    lookAhead(database);
  }

  function memberHash(table: ReturnType<typeof sets.setTable>, i: number): number {
    return hashMember(table, request.bytes, request.offsets[2 * i + 1]!, members[i]!.length);
  }

  test('are hashed ahead where the table is large, and found in order', () => {
    listRequests(true);
    expect(membersAhead.count).toBe(3);
    const kept = [...membersAhead.hashes.subarray(0, 3)];
    membersAhead.hashes.fill(12345);
    expect(memberHash(sets.setTable(large), 0)).toBe(12345);
    expect(memberHash(sets.setTable(other), 2)).toBe(12345);
    expect(memberHash(sets.setTable(large), 5)).toBe(12345);
    forgetAhead();
    expect(memberHash(sets.setTable(large), 0)).toBe(kept[0]);
    expect(memberHash(sets.setTable(other), 2)).toBe(kept[1]);
    expect(memberHash(sets.setTable(large), 5)).toBe(kept[2]);
  });

  test('have no hash for another table than their own', () => {
    listRequests(true);
    membersAhead.hashes.fill(12345);
    expect(memberHash(sets.setTable(other), 0)).not.toBe(12345);
    expect(memberHash(fixture.table, 0)).not.toBe(12345);
  });

  test('are left alone where values are not opened', () => {
    listRequests(false);
    expect(ahead.count).toBe(0);
    expect(membersAhead.count).toBe(0);
  });

  test('are found all the same when their set has gone and come again', () => {
    listRequests(true);
    deleteEntry(database, other);
    const again = makeSet('other', 200);
    const offset = request.offsets[5]!;
    expect(sets.hasBytes(again, request.bytes, offset, members[2]!.length)).toBe(true);
    expect(sets.hasBytes(again, request.bytes, request.offsets[11]!, 8)).toBe(false);
    deleteEntry(database, again);
  });

  test('that are picked at random are members still, whatever is removed in between', () => {
    const table = sets.setTable(large);
    const random = () => Math.floor(Math.random() * 2 ** 32);
    for (let left = KEYS; left > 0; left--) {
      expect(randomEntry(table, random)).not.toBe(0);
      sets.pickMember(large, random);
      sets.removePicked(large);
      expect(sets.setCount(large)).toBe(left - 1);
    }
    expect(randomEntry(table, random)).toBe(0);
  });
});
