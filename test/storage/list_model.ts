// Lists of the keyspace and plain arrays side by side: each operation is done on both, and both must agree
// afterwards. Import it after openTestArena().
import { expect } from 'vitest';
import { verifyHeap } from '../../storage/checkpoint/verify.js';
import { attachHeap, createHeap, flushHeap } from '../../storage/heap.js';
import {
  addEntry,
  copyEntry,
  deleteEntry,
  lookup,
  moveEntry,
} from '../../storage/keyspace/keyspace.js';
import { databaseRoot, NULL_REF, type Ref } from '../../storage/memory/layout.js';
import { createEntry } from '../../storage/structures/entries.js';
import { span, TYPE_LIST } from '../../storage/structures/entry.js';
import { writableEntry } from '../../storage/structures/entry_table.js';
import { room } from '../../storage/structures/list_node.js';
import {
  dropElements,
  initializeList,
  insertElement,
  listLength,
  locateEnd,
  pushElement,
  removeElement,
  setElement,
} from '../../storage/values/list.js';
import * as at from '../../storage/values/list_cursor.js';
import { freeRetired, hasRetired } from '../../storage/values/retired.js';
import type { Random } from '../support/random.js';
import { CheckpointSteps } from './checkpoint_steps.js';
import { bytesOf } from './table_fixture.js';

export interface ListModelOptions {
  readonly random: Random;
  readonly keys: readonly string[];
  /** Makes an element. */
  readonly element: () => Buffer;
  /** Most elements that one push adds. */
  readonly pushMax: number;
  readonly mayBeFull?: boolean;
  readonly checkpoints?: boolean;
}

createHeap(1, () => 5);
const database = databaseRoot(0);

function current(): Buffer {
  return Buffer.from(span.view.subarray(span.offset, span.offset + span.length));
}

export class ListModel {
  private readonly random: Random;
  private readonly lists = new Map<string, Buffer[]>();
  private readonly checkpoint: CheckpointSteps;
  refused = 0;

  constructor(private readonly options: ListModelOptions) {
    this.random = options.random;
    this.checkpoint = new CheckpointSteps(options.random);
    flushHeap();
  }

  private find(key: string): Ref {
    const bytes = bytesOf(key);
    return lookup(database, bytes, 0, bytes.length);
  }

  /** The entry of a key, ready to be changed. */
  private writable(key: string): Ref {
    return writableEntry(database, this.find(key));
  }

  private refuse(): void {
    if (this.options.mayBeFull !== true) throw new Error('the arena of this test is too small');
    this.refused++;
  }

  /** One random operation, and the heap walk. */
  step(): void {
    const { random, options } = this;
    if (options.checkpoints === true) this.checkpoint.step();
    const key = random.pick(options.keys);
    const model = this.lists.get(key);
    const roll = random.below(100);
    if (model === undefined || roll < 34) this.push(key, random.chance(0.5));
    else if (roll < 55) this.drop(key, model, random.chance(0.5));
    else if (roll < 65) this.insert(key, model);
    else if (roll < 74) this.set(key, model);
    else if (roll < 82) this.remove(key, model);
    else if (roll < 88) this.search(key, model);
    else if (roll < 93) this.copy(key, model);
    else if (roll < 96) this.rename(key, model);
    else if (roll < 98) this.delete(key);
    else if (roll < 99) attachHeap(1, () => 0);
    else this.checkpoint.end();
    if (random.chance(0.3)) freeRetired(random.between(1, 200));
    this.compareSome(key);
    verifyHeap();
  }

  /** Ends what runs and deletes everything, one after the other. */
  finish(): void {
    this.checkpoint.end();
    for (const key of [...this.lists.keys()]) {
      this.compareAll(key);
      this.delete(key);
    }
    while (hasRetired()) {
      freeRetired(100);
      verifyHeap();
    }
    verifyHeap();
  }

  /** Adds so many elements at the end of a list. */
  grow(key: string, count: number): void {
    const ref = this.create(key);
    const model = Array.from({ length: count }, this.options.element);
    for (const element of model) {
      if (!pushElement(ref, false, element, 0, element.length)) this.refuse();
    }
    this.settle(key, model);
    this.compareAll(key);
  }

  /** Removes so many elements from the front of a list at once. */
  trim(key: string, count: number): void {
    const model = this.lists.get(key)!;
    dropElements(this.writable(key), true, count);
    model.splice(0, count);
    this.compareAll(key);
    verifyHeap();
  }

  private create(key: string): Ref {
    const bytes = bytesOf(key);
    const ref = createEntry(TYPE_LIST, bytes, 0, bytes.length, 0);
    if (ref === NULL_REF) return NULL_REF;
    initializeList(ref);
    return addEntry(database, ref) ? ref : NULL_REF;
  }

  private push(key: string, atFront: boolean): void {
    const { random, options } = this;
    let model = this.lists.get(key);
    const ref = model === undefined ? this.create(key) : this.writable(key);
    if (ref === NULL_REF) {
      this.refuse();
      return;
    }
    model ??= [];
    const count = random.between(1, options.pushMax);
    const elements = Array.from({ length: count }, options.element);
    if (random.chance(0.5)) room.hintBytes = elements.reduce((sum, one) => sum + one.length, 0);
    for (const element of elements) {
      if (!pushElement(ref, atFront, element, 0, element.length)) {
        this.refuse();
        break;
      }
      if (atFront) model.unshift(element);
      else model.push(element);
    }
    room.hintBytes = 0;
    this.settle(key, model);
  }

  /** The key goes with its last element. */
  private settle(key: string, model: Buffer[]): void {
    expect(listLength(this.find(key))).toBe(model.length);
    if (model.length > 0) {
      this.lists.set(key, model);
      return;
    }
    deleteEntry(database, this.find(key));
    this.lists.delete(key);
  }

  private drop(key: string, model: Buffer[], atFront: boolean): void {
    const { random } = this;
    const most = random.pick([1, 1, 10, model.length]);
    const count = random.between(1, Math.min(most, model.length));
    const ref = this.writable(key);
    locateEnd(ref, atFront);
    expect(current().equals(atFront ? model[0]! : model.at(-1)!)).toBe(true);
    dropElements(ref, atFront, count);
    model.splice(atFront ? 0 : model.length - count, count);
    this.settle(key, model);
  }

  private insert(key: string, model: Buffer[]): void {
    const ref = this.writable(key);
    const index = this.random.below(model.length);
    const behind = this.random.chance(0.5);
    const element = this.options.element();
    expect(at.seek(ref, index)).toBe(true);
    if (insertElement(behind, element, 0, element.length)) {
      model.splice(behind ? index + 1 : index, 0, element);
    } else this.refuse();
  }

  private set(key: string, model: Buffer[]): void {
    const ref = this.writable(key);
    const index = this.random.below(model.length);
    const element = this.options.element();
    expect(at.seek(ref, index)).toBe(true);
    if (setElement(element, 0, element.length)) model[index] = element;
    else this.refuse();
  }

  /** Removes several from an index on, and looks at what the cursor is on then. */
  private remove(key: string, model: Buffer[]): void {
    const ref = this.writable(key);
    const index = this.random.below(model.length);
    let count = this.random.between(1, Math.min(model.length - index, 30));
    at.seek(ref, index);
    for (; count > 0; count--) {
      removeElement();
      model.splice(index, 1);
      if (index === model.length) break;
      at.locate();
      expect(current().equals(model[index]!)).toBe(true);
    }
    if (index > 0) {
      expect(at.retreat()).toBe(true);
      at.locate();
      expect(current().equals(model[index - 1]!)).toBe(true);
    }
    this.settle(key, model);
  }

  private search(key: string, model: Buffer[]): void {
    const backwards = this.random.chance(0.5);
    const from = this.random.below(model.length);
    const wanted = this.random.chance(0.8) ? this.random.pick(model) : Buffer.from('absent');
    at.seek(this.find(key), from);
    const found = at.find(backwards, wanted, 0, wanted.length) ? at.cursor.index : -1;
    const indexes = model.flatMap((element, i) => (element.equals(wanted) ? [i] : []));
    const expected = backwards
      ? (indexes.filter((i) => i <= from).at(-1) ?? -1)
      : (indexes.find((i) => i >= from) ?? -1);
    expect(found).toBe(expected);
  }

  private copy(key: string, model: Buffer[]): void {
    const to = this.random.pick(this.options.keys);
    if (to === key) return;
    const name = bytesOf(to);
    if (copyEntry(this.find(key), database, name, 0, name.length)) this.lists.set(to, [...model]);
    else this.refuse();
    this.compareSome(to);
  }

  private rename(key: string, model: Buffer[]): void {
    const to = this.random.pick(this.options.keys);
    if (to === key) return;
    const name = bytesOf(to);
    if (!moveEntry(database, this.find(key), database, name, 0, name.length)) {
      this.refuse();
      return;
    }
    this.lists.delete(key);
    this.lists.set(to, model);
    this.compareSome(to);
  }

  private delete(key: string): void {
    deleteEntry(database, this.find(key));
    this.lists.delete(key);
  }

  /** Length, ends and some elements. */
  private compareSome(key: string): void {
    const model = this.lists.get(key);
    const ref = this.find(key);
    expect(ref === NULL_REF).toBe(model === undefined);
    if (model === undefined) return;
    expect(listLength(ref)).toBe(model.length);
    expect(at.seek(ref, model.length)).toBe(false);
    for (const index of [0, model.length - 1, this.random.below(model.length)]) {
      expect(at.seek(ref, index)).toBe(true);
      at.locate();
      if (!current().equals(model[index]!)) throw new Error(`element ${index} differs`);
    }
    if (this.random.chance(0.05)) this.compareAll(key);
  }

  /** Every element, walking in both directions. */
  private compareAll(key: string): void {
    const model = this.lists.get(key)!;
    const ref = this.find(key);
    at.seek(ref, 0);
    for (let i = 0; i < model.length; i++) {
      at.locate();
      if (!current().equals(model[i]!)) throw new Error(`element ${i} differs`);
      expect(at.advance()).toBe(i < model.length - 1);
    }
    for (let i = model.length - 1; i >= 0; i--) {
      expect(at.retreat()).toBe(true);
      at.locate();
      if (!current().equals(model[i]!)) throw new Error(`element ${i} differs backwards`);
    }
    expect(at.retreat()).toBe(false);
  }
}
