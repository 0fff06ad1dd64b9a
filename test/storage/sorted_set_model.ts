// Sorted sets and their model side by side: each operation is done on the heap and on plain maps, and
// afterwards both must agree. Import it after openTestArena().
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
import { setClock } from '../../storage/structures/clock.js';
import { writableEntry } from '../../storage/structures/entry_table.js';
import { scanned, scanStep } from '../../storage/structures/table_walk.js';
import { freeRetired } from '../../storage/values/retired.js';
import * as sets from '../../storage/values/sorted_set.js';
import type { Random } from '../support/random.js';
import { CheckpointSteps } from './checkpoint_steps.js';
import { bytesOf } from './table_fixture.js';

export interface SortedSetOptions {
  readonly random: Random;
  readonly keys: readonly string[];
  /** The next member and the next score. */
  readonly member: () => string;
  readonly score: () => number;
  /** Limits of the packed form. */
  readonly packedMembersMax: number;
  readonly packedMemberBytesMax: number;
  readonly mayBeFull?: boolean;
  readonly checkpoints?: boolean;
}

interface Pair {
  readonly member: string;
  readonly score: number;
}

function comparePairs(a: Pair, b: Pair): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  return a.member < b.member ? -1 : a.member > b.member ? 1 : 0;
}

const database = databaseRoot(0);

export class SortedSetModel {
  private readonly sets = new Map<string, Map<string, number>>();
  private readonly random: Random;
  private readonly checkpoint: CheckpointSteps;
  refused = 0;

  constructor(private readonly options: SortedSetOptions) {
    this.random = options.random;
    this.checkpoint = new CheckpointSteps(options.random);
    sets.sortedSetLimits.packedMembersMax = options.packedMembersMax;
    sets.sortedSetLimits.packedMemberBytesMax = options.packedMemberBytesMax;
    setClock(1_700_000_000_000);
    createHeap(1, () => this.random.uint32());
  }

  private find(key: string): Ref {
    const bytes = bytesOf(key);
    const ref = lookup(database, bytes, 0, bytes.length);
    expect(ref !== NULL_REF, `'${key}' is there`).toBe(this.sets.has(key));
    return ref;
  }

  private done(accepted: boolean): boolean {
    if (accepted) return true;
    expect(this.options.mayBeFull ?? false, 'the arena is not full').toBe(true);
    this.refused++;
    return false;
  }

  /** Members of a set in order. */
  private ordered(key: string): Pair[] {
    const pairs = [...this.sets.get(key)!].map(([member, score]) => ({ member, score }));
    return pairs.sort(comparePairs);
  }

  // --- operations ---------------------------------------------------------------------------------

  private put(key: string, member: string, score: number): void {
    const bytes = bytesOf(member);
    let ref = this.find(key);
    if (ref === NULL_REF) {
      const name = bytesOf(key);
      ref = sets.createSortedSet(name, 0, name.length);
      if (!this.done(ref !== NULL_REF)) return;
      expect(sets.locateMember(ref, bytes, 0, bytes.length)).toBe(false);
      if (!sets.putMember(ref, bytes, 0, bytes.length, score)) {
        sets.freeSortedSet(ref);
        this.done(false);
      } else if (this.done(addEntry(database, ref))) {
        this.sets.set(key, new Map([[member, score]]));
      }
      return;
    }
    ref = writableEntry(database, ref);
    const model = this.sets.get(key)!;
    const before = model.get(member);
    expect(sets.locateMember(ref, bytes, 0, bytes.length)).toBe(before !== undefined);
    if (before !== undefined) expect(sets.located.score).toBe(before);
    if (this.done(sets.putMember(ref, bytes, 0, bytes.length, score))) model.set(member, score);
  }

  private remove(key: string, member: string): void {
    const found = this.find(key);
    if (found === NULL_REF) return;
    const ref = writableEntry(database, found);
    const bytes = bytesOf(member);
    const model = this.sets.get(key)!;
    expect(sets.locateMember(ref, bytes, 0, bytes.length)).toBe(model.has(member));
    if (!model.has(member)) return;
    expect(sets.rankOfLocated(ref)).toBe(this.ordered(key).findIndex((p) => p.member === member));
    if (model.size === 1) {
      this.drop(key);
      return;
    }
    sets.locateMember(ref, bytes, 0, bytes.length);
    sets.removeLocated(ref);
    model.delete(member);
  }

  private removeRanks(key: string): void {
    const ref = this.find(key);
    if (ref === NULL_REF) return;
    const ordered = this.ordered(key);
    const start = this.random.below(ordered.length);
    const end = Math.min(ordered.length, start + this.random.pick([0, 1, 2, 30]));
    if (end - start === ordered.length) {
      this.drop(key);
      return;
    }
    sets.removeRanks(writableEntry(database, ref), start, end);
    for (const { member } of ordered.slice(start, end)) this.sets.get(key)!.delete(member);
  }

  private drop(key: string): void {
    const ref = this.find(key);
    if (ref !== NULL_REF) deleteEntry(database, ref);
    this.sets.delete(key);
  }

  private transfer(key: string, move: boolean): void {
    const ref = this.find(key);
    const name = this.random.pick(this.options.keys);
    if (ref === NULL_REF || name === key) return;
    const bytes = bytesOf(name);
    const accepted = move
      ? moveEntry(database, ref, database, bytes, 0, bytes.length)
      : copyEntry(ref, database, bytes, 0, bytes.length);
    if (!this.done(accepted)) return;
    this.sets.set(name, new Map(this.sets.get(key)));
    if (move) this.sets.delete(key);
  }

  step(): void {
    const { random, options } = this;
    if (options.checkpoints === true) this.checkpoint.step();
    const key = random.pick(options.keys);
    const roll = random.below(1000);
    if (roll < 600) this.put(key, options.member(), options.score());
    else if (roll < 750) this.remove(key, options.member());
    else if (roll < 830) this.removeRanks(key);
    else if (roll < 870) this.transfer(key, true);
    else if (roll < 920) this.transfer(key, false);
    else if (roll < 940) this.drop(key);
    else if (roll < 990) freeRetired(random.pick([1, 3, 1000]));
    else this.restart();
    this.verifySet(key);
    verifyHeap();
  }

  private restart(): void {
    this.checkpoint.end();
    attachHeap(1, () => this.random.uint32());
  }

  /** Empties everything, and ends what runs. */
  finish(): void {
    this.checkpoint.end();
    flushHeap();
    this.sets.clear();
  }

  // --- comparison ---------------------------------------------------------------------------------

  private verifySet(key: string): void {
    const ref = this.find(key);
    if (ref === NULL_REF) return;
    const ordered = this.ordered(key);
    expect(sets.cardinality(ref)).toBe(ordered.length);
    expect(walk(ref, 0, false)).toEqual(ordered);
    expect(walk(ref, ordered.length - 1, true)).toEqual(ordered.slice().reverse());
    const rank = this.random.below(ordered.length);
    expect(walk(ref, rank, false)).toEqual(ordered.slice(rank));
    expect(walk(ref, rank, true)).toEqual(ordered.slice(0, rank + 1).reverse());
    this.verifyBounds(ref, ordered);
    this.verifyScan(ref, ordered);
  }

  private verifyBounds(ref: Ref, ordered: readonly Pair[]): void {
    const score = this.options.score();
    const below = ordered.filter((pair) => pair.score < score).length;
    const upTo = ordered.filter((pair) => pair.score <= score).length;
    expect(sets.ranksBelow(ref, score, false)).toBe(below);
    expect(sets.ranksBelow(ref, score, true)).toBe(upTo);
    const lowest = ordered.filter((pair) => pair.score === ordered[0]!.score);
    const member = this.options.member();
    const bytes = bytesOf(member);
    const before = lowest.filter((pair) => pair.member < member).length;
    const equal = lowest.some((pair) => pair.member === member) ? 1 : 0;
    expect(sets.ranksBefore(ref, bytes, 0, bytes.length, false)).toBe(before);
    expect(sets.ranksBefore(ref, bytes, 0, bytes.length, true)).toBe(before + equal);
  }

  private verifyScan(ref: Ref, ordered: readonly Pair[]): void {
    const table = sets.scannedTable(ref);
    expect(table !== NULL_REF).toBe(sets.isSortedSetTree(ref));
    if (table === NULL_REF) {
      expect(ordered.length).toBeLessThanOrEqual(this.options.packedMembersMax);
      return;
    }
    expect(scanStep(table, 0, 1_000_000)).toBe(0);
    const found: Pair[] = [];
    for (let i = 0; i < scanned.count; i++) {
      sets.walkElement(scanned.refs[i]! as Ref);
      found.push(walkedPair());
    }
    expect(found.sort(comparePairs)).toEqual(ordered);
  }

  /** Compares everything. */
  verifyAll(): void {
    for (const key of this.options.keys) this.verifySet(key);
    verifyHeap();
  }
}

function walkedPair(): Pair {
  const { view, offset, length } = sets.walked;
  const score = sets.walkedScore();
  const bytes = Buffer.from(view.buffer, view.byteOffset + offset, length);
  return { member: bytes.toString('latin1'), score };
}

function walk(ref: Ref, rank: number, backward: boolean): Pair[] {
  const found: Pair[] = [];
  sets.startWalk(ref, rank, sets.cardinality(ref), backward);
  while (sets.nextMember()) found.push(walkedPair());
  return found;
}
