// The keyspace and its model side by side: each operation is done on the heap and on plain maps, and
// afterwards both must agree. Import it after openTestArena().
import { expect } from 'vitest';
import { verifyHeap } from '../../storage/checkpoint/verify.js';
import { attachHeap, createHeap, flushHeap } from '../../storage/heap.js';
import { beginCompaction, compactStep, isCompacting } from '../../storage/keyspace/compaction.js';
import {
  copyEntry,
  deleteExpired,
  deleteKey,
  flushDatabase,
  keyCount,
  lookup,
  moveEntry,
  swapDatabases,
} from '../../storage/keyspace/keyspace.js';
import {
  EXPIRY_CLEAR,
  EXPIRY_KEEP,
  EXPIRY_SET,
  putInteger,
  putString,
  resizeString,
} from '../../storage/keyspace/string_keys.js';
import { databaseRoot, NULL_REF, type Ref } from '../../storage/memory/layout.js';
import { clock, setClock } from '../../storage/structures/clock.js';
import { expiryMillis, loadExpiry, setExpiryMillis } from '../../storage/structures/entries.js';
import { FLAG_EXPIRES, headerOf, span } from '../../storage/structures/entry.js';
import { clearExpiry, setExpiry } from '../../storage/structures/entry_table.js';
import { expiresCount } from '../../storage/structures/expiry_index.js';
import { forEachEntry } from '../../storage/structures/table_walk.js';
import { freeRetired } from '../../storage/values/retired.js';
import { integer, isInteger, loadInteger, locateString } from '../../storage/values/string.js';
import type { Random } from '../support/random.js';
import { CheckpointSteps } from './checkpoint_steps.js';
import { bytesOf, keyOf } from './table_fixture.js';

export const DATABASES = 3;
const START_MILLIS = 1_700_000_000_000;

/** A string's bytes, or an integer as its two words. */
type Value = Buffer | readonly [high: number, low: number];

interface Item {
  value: Value;
  /** Milliseconds of Unix time; null: never. */
  expiry: number | null;
}

export interface ModelOptions {
  readonly random: Random;
  readonly keys: readonly string[];
  /** Length of the next string value. */
  readonly valueLength: () => number;
  /** Whether operations may find the arena full. */
  readonly mayBeFull: boolean;
  /** Whether now and then all goes on as under a checkpoint, with pages that settle bit by bit. */
  readonly checkpoints?: boolean;
  /** Whether compaction goes on between the operations, whatever it gains. */
  readonly compaction?: boolean;
}

export class KeyspaceModel {
  private databases: Map<string, Item>[] = [];
  private readonly random: Random;
  private readonly checkpoint: CheckpointSteps;
  /** Operations that found the arena full. */
  refused = 0;

  constructor(private readonly options: ModelOptions) {
    this.random = options.random;
    this.checkpoint = new CheckpointSteps(options.random);
    setClock(START_MILLIS);
    createHeap(DATABASES, () => this.random.uint32());
    this.databases = Array.from({ length: DATABASES }, () => new Map());
  }

  // --- the model's view ---------------------------------------------------------------------------

  /** The item of a key; one that has expired is removed, as a look-up does. */
  private live(database: number, key: string): Item | null {
    const items = this.databases[database]!;
    const item = items.get(key);
    if (item === undefined) return null;
    if (item.expiry === null || item.expiry >= clock.nowMillis) return item;
    items.delete(key);
    return null;
  }

  private find(database: number, key: string): Ref {
    const bytes = bytesOf(key);
    const ref = lookup(databaseRoot(database), bytes, 0, bytes.length);
    const item = this.live(database, key);
    expect(ref !== NULL_REF, `'${key.slice(0, 20)}' is there`).toBe(item !== null);
    return ref;
  }

  /** Records what an operation said: a refusal must be allowed and leave all as it was. */
  private done(accepted: boolean): boolean {
    if (accepted) return true;
    expect(this.options.mayBeFull, 'the arena is not full').toBe(true);
    this.refused++;
    return false;
  }

  // --- operations ---------------------------------------------------------------------------------

  private put(database: number, key: string, value: Value): void {
    const { random } = this;
    const mode = random.pick([EXPIRY_CLEAR, EXPIRY_CLEAR, EXPIRY_KEEP, EXPIRY_SET]);
    const item = this.live(database, key);
    let expiry: number | null = null;
    if (mode === EXPIRY_KEEP) expiry = item?.expiry ?? null;
    if (mode === EXPIRY_SET) {
      expiry = this.someTime();
      setExpiryMillis(expiry);
    }
    const root = databaseRoot(database);
    const bytes = bytesOf(key);
    let accepted: boolean;
    if (Buffer.isBuffer(value)) {
      const source = new Uint8Array(value);
      accepted = putString(root, bytes, 0, bytes.length, source, 0, source.length, mode);
    } else {
      [integer.high, integer.low] = value;
      accepted = putInteger(root, bytes, 0, bytes.length, mode);
    }
    if (this.done(accepted)) this.databases[database]!.set(key, { value, expiry });
    else this.settleExpired(database, key);
  }

  /** After a refusal: whether an expired entry went is up to the operation; look it up to be sure. */
  private settleExpired(database: number, key: string): void {
    const bytes = bytesOf(key);
    lookup(databaseRoot(database), bytes, 0, bytes.length);
    this.live(database, key);
  }

  private resize(database: number, key: string): void {
    const ref = this.find(database, key);
    const item = this.live(database, key);
    if (item === null || !Buffer.isBuffer(item.value)) return;
    const old = item.value;
    const { random } = this;
    const length = random.chance(0.7)
      ? Math.max(0, old.length + random.between(-40, 120))
      : this.options.valueLength();
    const target = resizeString(databaseRoot(database), ref, length);
    if (!this.done(target !== NULL_REF)) return;
    expect(span.length).toBe(length);
    const value = Buffer.alloc(length);
    old.copy(value);
    if (length > 0) {
      const at = random.below(length);
      value[at] = 0x2a;
      span.view[span.offset + at] = 0x2a;
    }
    item.value = value;
  }

  private expire(database: number, key: string): void {
    const ref = this.find(database, key);
    const item = this.live(database, key);
    if (item === null) return;
    const expiry = this.someTime();
    setExpiryMillis(expiry);
    if (this.done(setExpiry(databaseRoot(database), ref) !== NULL_REF)) item.expiry = expiry;
  }

  private persist(database: number, key: string): void {
    const ref = this.find(database, key);
    const item = this.live(database, key);
    if (item === null || item.expiry === null) return;
    if (this.done(clearExpiry(databaseRoot(database), ref) !== NULL_REF)) item.expiry = null;
  }

  private transfer(database: number, key: string, move: boolean): void {
    const ref = this.find(database, key);
    const item = this.live(database, key);
    const to = this.random.below(DATABASES);
    const name = this.random.pick(this.options.keys);
    if (item === null || (to === database && name === key)) return;
    const bytes = bytesOf(name);
    const target = databaseRoot(to);
    const accepted = move
      ? moveEntry(databaseRoot(database), ref, target, bytes, 0, bytes.length)
      : copyEntry(ref, target, bytes, 0, bytes.length);
    if (!this.done(accepted)) {
      this.settleExpired(to, name);
      return;
    }
    this.databases[to]!.set(name, { ...item });
    if (move) this.databases[database]!.delete(key);
  }

  private remove(database: number, key: string): void {
    const bytes = bytesOf(key);
    const item = this.live(database, key);
    const deleted = deleteKey(databaseRoot(database), bytes, 0, bytes.length);
    expect(deleted).toBe(item !== null);
    this.databases[database]!.delete(key);
  }

  /** Time passes; active expiry takes up to `limit` keys, those due first. */
  private advance(database: number): void {
    const { random } = this;
    setClock(clock.nowMillis + random.pick([0, 1, 1, 50, 1000, 20_000]));
    const limit = random.pick([0, 1, 3, 1000]);
    const due = [...this.databases[database]!]
      .filter(([, item]) => item.expiry !== null && item.expiry < clock.nowMillis)
      .map(([, item]) => item.expiry as number)
      .sort((a, b) => a - b);
    const deleted = deleteExpired(databaseRoot(database), limit);
    expect(deleted).toBe(Math.min(limit, due.length));
    if (deleted === 0) return;
    // Of several keys due at the same millisecond any may go first: ask the heap which are left.
    const left = this.keysOf(database);
    const last = due[deleted - 1]!;
    for (const [key, { expiry }] of this.databases[database]!) {
      if (left.has(key)) {
        expect(expiry === null || expiry >= last).toBe(true);
      } else {
        expect(expiry !== null && expiry <= last).toBe(true);
        this.databases[database]!.delete(key);
      }
    }
  }

  private flush(database: number): void {
    flushDatabase(databaseRoot(database));
    this.databases[database]!.clear();
  }

  private swap(first: number, second: number): void {
    if (first === second) return;
    swapDatabases(databaseRoot(first), databaseRoot(second));
    const items = this.databases[first]!;
    this.databases[first] = this.databases[second]!;
    this.databases[second] = items;
  }

  /** Empties all databases, and ends what runs. */
  finish(): void {
    this.checkpoint.end();
    this.flushAll();
  }

  private flushAll(): void {
    flushHeap();
    for (const items of this.databases) items.clear();
  }

  /** A new process finds the heap as it is. */
  private restart(): void {
    this.checkpoint.end();
    attachHeap(DATABASES, () => this.random.uint32());
  }

  /** Sets so many random keys and deletes half of all: a heap with room everywhere. */
  fill(count: number): void {
    const { random, options } = this;
    for (let i = 0; i < count; i++) {
      this.put(random.below(DATABASES), random.pick(options.keys), this.bytes());
    }
    for (const [database, items] of this.databases.entries()) {
      for (const key of [...items.keys()]) if (random.chance(0.5)) this.remove(database, key);
    }
  }

  /** One random operation, and the heap walk. */
  step(): void {
    const { random, options } = this;
    if (options.checkpoints === true) this.checkpoint.step();
    if (options.compaction === true) this.compactionStep();
    const database = random.below(DATABASES);
    const key = random.pick(options.keys);
    const roll = random.below(1000);
    if (roll < 320) this.put(database, key, this.bytes());
    else if (roll < 400) this.put(database, key, [random.uint32() | 0, random.uint32() | 0]);
    else if (roll < 520) this.resize(database, key);
    else if (roll < 620) this.expire(database, key);
    else if (roll < 680) this.persist(database, key);
    else if (roll < 740) this.transfer(database, key, true);
    else if (roll < 800) this.transfer(database, key, false);
    else if (roll < 900) this.remove(database, key);
    else if (roll < 970) this.advance(database);
    else if (roll < 985) this.swap(database, random.below(DATABASES));
    else if (roll < 990) this.flush(database);
    else if (roll < 992) this.flushAll();
    else this.restart();
    if (random.chance(0.2)) freeRetired(random.between(1, 60));
    this.verifyKey(database, key);
    verifyHeap();
  }

  private bytes(): Buffer {
    const length = this.options.valueLength();
    if (length <= 256) return this.random.bytes(length);
    return Buffer.alloc(length, this.random.bytes(97));
  }

  /** Few different times, so that many keys expire in the same millisecond. */
  private someTime(): number {
    const { random } = this;
    const far = random.chance(0.1) ? random.between(1, 2 ** 31) * 1000 : 0;
    return clock.nowMillis + far + random.pick([-1, 0, 1, 20, 1000, 1000, 60_000]);
  }

  // --- compaction ---------------------------------------------------------------------------------

  /** Passes of compaction that began, and steps of them that went on. */
  passes = 0;
  steps = 0;

  private compactionStep(): void {
    const bytes = this.random.pick([1, 1000, 50_000, 300_000]);
    if (!isCompacting()) {
      if (beginCompaction(0, 0) > 0) this.passes++;
    } else if (compactStep(DATABASES, bytes)) this.steps++;
    verifyHeap();
  }

  // --- comparison ---------------------------------------------------------------------------------

  private keysOf(database: number): Set<string> {
    const keys = new Set<string>();
    forEachEntry(databaseRoot(database), (ref) => keys.add(keyOf(ref)));
    return keys;
  }

  private verifyKey(database: number, key: string): void {
    const ref = this.find(database, key);
    const item = this.live(database, key);
    if (item === null) return;
    const header = headerOf(ref);
    expect((header & FLAG_EXPIRES) !== 0).toBe(item.expiry !== null);
    if (item.expiry !== null) {
      loadExpiry(ref);
      expect(expiryMillis()).toBe(item.expiry);
    }
    const { value } = item;
    expect(isInteger(header)).toBe(!Buffer.isBuffer(value));
    if (Buffer.isBuffer(value)) {
      locateString(ref, header);
      const { view, offset, length } = span;
      const stored = Buffer.from(view.buffer, view.byteOffset + offset, length);
      if (!stored.equals(value)) throw new Error(`'${key.slice(0, 20)}' has another value`);
    } else {
      loadInteger(ref, header);
      expect([integer.high, integer.low]).toEqual(value);
    }
  }

  /** Compares everything. */
  verifyAll(): void {
    this.databases.forEach((items, database) => {
      const root = databaseRoot(database);
      expect(keyCount(root)).toBe(items.size);
      const expiring = [...items.values()].filter(({ expiry }) => expiry !== null).length;
      expect(expiresCount(root)).toBe(expiring);
      expect([...this.keysOf(database)].sort()).toEqual([...items.keys()].sort());
      for (const key of [...items.keys()]) this.verifyKey(database, key);
    });
    verifyHeap();
  }
}
