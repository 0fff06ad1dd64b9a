// A hash table and its model for the tests of the table: entries are strings of one arena, the model
// is a Map from key to Ref. Import it after openTestArena().
import { expect } from 'vitest';
import { freeEntry } from '../../storage/keyspace/entries.js';
import { allocate } from '../../storage/memory/allocator.js';
import { DENSE } from '../../storage/memory/extents.js';
import { NULL_REF, type Ref } from '../../storage/memory/layout.js';
import { setClock } from '../../storage/structures/clock.js';
import { createEntry } from '../../storage/structures/entries.js';
import { locateKey, STRING_EMBEDDED, span, TYPE_STRING } from '../../storage/structures/entry.js';
import {
  createTable,
  find,
  freeTable,
  insert,
  removeEntry,
  replaceEntry,
  rootIndex,
  rootWords,
  TABLE_COUNT,
  TABLE_DEPTH,
  TABLE_ROOT_WORDS,
  TABLE_SEGMENTS,
  tableCount,
} from '../../storage/structures/hash_table.js';
import { hashKey } from '../../storage/structures/key_hash.js';
import { verifyTable } from '../../storage/structures/table_verify.js';

setClock(1_700_000_000_000);

export function bytesOf(key: string): Uint8Array {
  return new Uint8Array(Buffer.from(key, 'latin1'));
}

export function keyOf(ref: Ref): string {
  locateKey(ref);
  const { view, offset, length } = span;
  return Buffer.from(view.buffer, view.byteOffset + offset, length).toString('latin1');
}

export class TableFixture {
  readonly table: Ref = allocate(TABLE_ROOT_WORDS * 4, DENSE);
  readonly model = new Map<string, Ref>();

  constructor(seed0 = 0x1234567, seed1 = 0x89abcde) {
    createTable(this.table, seed0, seed1);
  }

  hash(key: string): number {
    const bytes = bytesOf(key);
    return hashKey(this.table, bytes, 0, bytes.length);
  }

  find(key: string): Ref {
    const bytes = bytesOf(key);
    return find(this.table, this.hash(key), bytes, 0, bytes.length);
  }

  /** A new entry that is in no table. */
  entry(key: string): Ref {
    const bytes = bytesOf(key);
    const ref = createEntry(TYPE_STRING | STRING_EMBEDDED, bytes, 0, bytes.length, 0);
    if (ref === NULL_REF) throw new Error('the arena of this test is too small');
    return ref;
  }

  add(key: string): void {
    const ref = this.entry(key);
    if (!insert(this.table, this.hash(key), ref)) throw new Error('insert failed');
    this.model.set(key, ref);
  }

  /** Puts another entry of the same key in the place of the old one. */
  replace(key: string): void {
    const old = this.model.get(key) as Ref;
    const ref = this.entry(key);
    replaceEntry(this.table, old, ref);
    freeEntry(old);
    this.model.set(key, ref);
  }

  remove(key: string): void {
    const ref = this.model.get(key) as Ref;
    removeEntry(this.table, ref);
    freeEntry(ref);
    this.model.delete(key);
  }

  /** Removes all entries at once. */
  clear(): void {
    for (const ref of this.model.values()) freeEntry(ref);
    this.model.clear();
    freeTable(this.table);
  }

  get segments(): number {
    return rootWords(this.table)[rootIndex(this.table) + TABLE_SEGMENTS]!;
  }
  get depth(): number {
    return rootWords(this.table)[rootIndex(this.table) + TABLE_DEPTH]!;
  }

  /** The table's own invariants, and that it holds what the model holds and nothing else. */
  verify(): void {
    const refs = new Set<number>();
    verifyTable(
      this.table,
      () => {},
      (ref) => refs.add(ref),
    );
    expect(refs.size).toBe(this.model.size);
    expect(tableCount(this.table)).toBe(this.model.size);
    expect(rootWords(this.table)[rootIndex(this.table) + TABLE_COUNT]).toBe(this.model.size);
    for (const [key, ref] of this.model) {
      if (!refs.has(ref)) throw new Error(`'${key}' is not in the table`);
      if (this.find(key) !== ref) throw new Error(`'${key}' is not found`);
    }
  }
}
