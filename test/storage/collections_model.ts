// Values of all types under a few keys of several databases, and what they must be, for tests of what the types
// have in common: a full arena, checkpoints, compaction, freeing in steps. An operation that finds the
// arena full must leave everything as it was. Import it after openTestArena().
import * as dump from '../../storage/keyspace/dump/dump.js';
import { freeEntry } from '../../storage/keyspace/entries.js';
import { clearFieldExpiry, setFieldExpiry } from '../../storage/keyspace/field_expiry.js';
import * as keyspace from '../../storage/keyspace/keyspace.js';
import * as strings from '../../storage/keyspace/string_keys.js';
import { databaseRoot, NULL_REF, type Ref } from '../../storage/memory/layout.js';
import { clock, setClock } from '../../storage/structures/clock.js';
import {
  createEntry,
  expiryMillis,
  loadExpiry,
  setExpiryMillis,
} from '../../storage/structures/entries.js';
import { FLAG_EXPIRES, headerOf, span, TYPE_LIST } from '../../storage/structures/entry.js';
import { clearExpiry, setExpiry, writableEntry } from '../../storage/structures/entry_table.js';
import * as hashes from '../../storage/values/hash.js';
import * as lists from '../../storage/values/list.js';
import * as at from '../../storage/values/list_cursor.js';
import * as sets from '../../storage/values/set.js';
import * as sorted from '../../storage/values/sorted_set.js';
import { createStream } from '../../storage/values/stream/stream.js';
import { locateString } from '../../storage/values/string.js';
import type { Random } from '../support/random.js';
import * as streams from './stream_model.js';
import { bytesOf } from './table_fixture.js';

export const DATABASES = 3;
const KEYS = 12;
const LENGTHS = [0, 3, 7, 16, 60, 64, 65, 300, 2000, 2100, 5000, 40_000];
const SHORT_LENGTHS = [1, 7, 16, 30, 60];

interface Field {
  value: string;
  at: number | null;
}
type Value =
  | { type: 'string'; text: string }
  | { type: 'hash'; fields: Map<string, Field> }
  | { type: 'set'; members: Set<string> }
  | { type: 'sorted'; members: Map<string, number> }
  | { type: 'list'; items: string[] }
  | streams.StreamValue;
type Key = Value & { at: number | null };
type Type = Value['type'];
const TYPES: readonly Type[] = ['string', 'hash', 'set', 'sorted', 'list', 'stream'];

function textAtSpan(): string {
  const { view, offset, length } = span;
  return Buffer.from(view.buffer, view.byteOffset + offset, length).toString('latin1');
}

function formatInteger(high: number, low: number, target: Uint8Array, offset: number): number {
  const text = String((BigInt(high) << 32n) | BigInt(low >>> 0));
  target.set(bytesOf(text), offset);
  return text.length;
}

/** No text is taken for an integer here, so that a string's bytes are always there to be seen. */
const RESTORE_RULES = {
  parseInteger: () => false,
  formatInteger,
  integersMax: 512,
};

export class CollectionsModel {
  readonly keys: Map<string, Key>[] = Array.from({ length: DATABASES }, () => new Map());
  /** Operations that found the arena full. */
  refused = 0;

  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** One operation on one key. */
  step(): void {
    const { random } = this;
    const db = random.below(DATABASES);
    const name = this.pickName();
    const choice = random.below(100);
    if (choice < 66) this.change(db, name, random.between(1, 12));
    else if (choice < 72) this.remove(db, name);
    else if (choice < 77) this.copy(db, name, random.chance(0.5));
    else if (choice < 79) this.transfer(db, name);
    else if (choice < 86) this.move(db, name);
    else if (choice < 92) this.expire(db, name);
    else if (choice < 96) this.pass(random.below(400));
    else if (choice < 98) this.swap(db, random.below(DATABASES));
    else if (choice < 99) this.flush(db);
    else this.grow(db, name);
  }

  private pickName(): string {
    const number = this.random.below(KEYS);
    return number === 0 ? 'long'.padEnd(5000, 'k') : `key:${number}`;
  }

  private text(lengths: readonly number[] = LENGTHS): string {
    return String.fromCharCode(97 + this.random.below(26)).repeat(this.random.pick(lengths));
  }

  private member(range: number): string {
    const number = this.random.below(range);
    if (number % 5 === 0) return `member:${number}`.padEnd(this.random.chance(0.1) ? 70 : 9, '.');
    return String(number * (number % 3 === 0 ? 1_000_003 : 1));
  }

  // --- keys ----------------------------------------------------------------------------------------

  private lookup(db: number, name: string): Ref {
    const bytes = bytesOf(name);
    const ref = keyspace.lookup(databaseRoot(db), bytes, 0, bytes.length);
    if (ref === NULL_REF || !hashes.isHashTable(headerOf(ref))) return ref;
    const left = keyspace.withoutDueFields(databaseRoot(db), ref);
    if (left === NULL_REF || hashes.hashLength(left) > 0) return left;
    keyspace.deleteEntry(databaseRoot(db), left);
    return NULL_REF;
  }

  private expected(db: number, name: string): Key | undefined {
    const key = this.keys[db]!.get(name);
    if (key === undefined) return undefined;
    if (key.at !== null && key.at < clock.nowMillis) this.keys[db]!.delete(name);
    else if (key.type !== 'hash') return key;
    else {
      for (const [field, { at: time }] of key.fields) {
        if (time !== null && time < clock.nowMillis) key.fields.delete(field);
      }
      if (key.fields.size > 0) return key;
      this.keys[db]!.delete(name);
    }
    return undefined;
  }

  remove(db: number, name: string): void {
    const ref = this.lookup(db, name);
    if (ref !== NULL_REF) keyspace.deleteEntry(databaseRoot(db), ref);
    this.expected(db, name);
    this.keys[db]!.delete(name);
  }

  private copy(db: number, name: string, replaces: boolean): void {
    const target = this.random.below(DATABASES);
    const other = this.pickName();
    const ref = this.lookup(db, name);
    if (ref === NULL_REF || (target === db && other === name)) return;
    if (!replaces && this.lookup(target, other) !== NULL_REF) return;
    const bytes = bytesOf(other);
    if (!keyspace.copyEntry(ref, databaseRoot(target), bytes, 0, bytes.length)) {
      this.refused++;
      return;
    }
    this.keys[target]!.set(other, structuredClone(this.expected(db, name)!));
  }

  /** DUMP of a key and RESTORE under another, over whatever is there. */
  private transfer(db: number, name: string): void {
    const target = this.random.below(DATABASES);
    const other = this.pickName();
    const ref = this.lookup(db, name);
    if (ref === NULL_REF) return;
    if (!dump.dumpValue(ref, 2 ** 30)) throw new Error('a payload is too large');
    const payload = dump.dumped.bytes.slice(0, dump.dumped.length);
    const bytes = bytesOf(other);
    const key = { bytes, offset: 0, length: bytes.length };
    const outcome = dump.restoreValue(payload, 0, payload.length, key, RESTORE_RULES);
    if (outcome !== dump.RESTORED && outcome !== dump.NO_MEMORY) {
      throw new Error(`a payload of our own: outcome ${outcome}`);
    }
    const time = this.random.chance(0.5) ? null : clock.nowMillis + this.random.below(3000);
    if (time !== null) setExpiryMillis(time);
    if (
      outcome === dump.NO_MEMORY ||
      !dump.placeRestored(databaseRoot(target), time !== null, this.random.below(100))
    ) {
      this.refused++;
      return;
    }
    this.keys[target]!.set(other, { ...structuredClone(this.expected(db, name)!), at: time });
  }

  private move(db: number, name: string): void {
    const target = this.random.below(DATABASES);
    const other = this.random.chance(0.5) ? name : this.pickName();
    const ref = this.lookup(db, name);
    if (ref === NULL_REF || (target === db && other === name)) return;
    const bytes = bytesOf(other);
    const root = databaseRoot(target);
    if (!keyspace.moveEntry(databaseRoot(db), ref, root, bytes, 0, bytes.length)) {
      this.refused++;
      return;
    }
    this.keys[target]!.set(other, this.expected(db, name)!);
    this.keys[db]!.delete(name);
  }

  private expire(db: number, name: string): void {
    const ref = this.lookup(db, name);
    if (ref === NULL_REF) return;
    const key = this.expected(db, name)!;
    const time = this.random.chance(0.4) ? null : clock.nowMillis + this.random.below(3000);
    if (time !== null) {
      setExpiryMillis(time);
      if (setExpiry(databaseRoot(db), ref) === NULL_REF) this.refused++;
      else key.at = time;
    } else if ((headerOf(ref) & FLAG_EXPIRES) !== 0) {
      if (clearExpiry(databaseRoot(db), ref) === NULL_REF) this.refused++;
      else key.at = null;
    }
  }

  /** Time passes, and some of what is due goes. */
  private pass(millis: number): void {
    setClock(clock.nowMillis + millis);
    for (let db = 0; db < DATABASES; db++) {
      keyspace.deleteExpired(databaseRoot(db), this.random.below(4));
      keyspace.deleteExpiredFields(databaseRoot(db), this.random.below(40));
    }
  }

  private swap(a: number, b: number): void {
    if (a === b) return;
    keyspace.swapDatabases(databaseRoot(a), databaseRoot(b));
    const first = this.keys[a]!;
    this.keys[a] = this.keys[b]!;
    this.keys[b] = first;
  }

  private flush(db: number): void {
    keyspace.flushDatabase(databaseRoot(db));
    this.keys[db]!.clear();
  }

  /** Makes a value large, so that it is freed in steps. */
  private grow(db: number, name: string): void {
    this.change(db, name, 600);
  }

  // --- values --------------------------------------------------------------------------------------

  /** Changes the value of a key so many times; makes it when it is not there. */
  private change(db: number, name: string, times: number): void {
    const found = this.lookup(db, name);
    let key = this.expected(db, name);
    const type = key?.type ?? this.random.pick(TYPES);
    if (type === 'string') {
      this.setString(db, name, this.text());
      return;
    }
    let ref = found;
    if (found === NULL_REF) {
      ref = this.create(type, name);
      if (ref === NULL_REF) {
        this.refused++;
        return;
      }
      key = this.emptyValue(type);
    } else if (!hashes.isHashTable(headerOf(found))) {
      ref = writableEntry(databaseRoot(db), found);
    }
    const removes = times < 100 && this.random.chance(0.4);
    for (let i = 0; i < times; i++) {
      const isNew = found === NULL_REF;
      if (removes && !isNew) this.takeAway(ref, key!, times);
      else this.add(db, ref, key!, times, isNew);
      if (!isNew && this.isEmpty(key!)) {
        keyspace.deleteEntry(databaseRoot(db), ref);
        this.keys[db]!.delete(name);
        return;
      }
    }
    if (found !== NULL_REF) return;
    if (this.isEmpty(key!)) freeEntry(ref);
    else if (keyspace.addEntry(databaseRoot(db), ref)) this.keys[db]!.set(name, key!);
    else this.refused++;
  }

  private emptyValue(type: Type): Key {
    if (type === 'hash') return { type, fields: new Map(), at: null };
    if (type === 'set') return { type, members: new Set(), at: null };
    if (type === 'sorted') return { type, members: new Map(), at: null };
    if (type === 'stream') return { ...streams.emptyStream(), at: null };
    return { type: 'list', items: [], at: null };
  }

  private create(type: Type, name: string): Ref {
    const bytes = bytesOf(name);
    if (type === 'hash') return hashes.createHash(bytes, 0, bytes.length);
    if (type === 'set') return sets.createSet(bytes, 0, bytes.length);
    if (type === 'sorted') return sorted.createSortedSet(bytes, 0, bytes.length);
    if (type === 'stream') return createStream(bytes, 0, bytes.length);
    const ref = createEntry(TYPE_LIST, bytes, 0, bytes.length, 0);
    if (ref !== NULL_REF) lists.initializeList(ref);
    return ref;
  }

  private isEmpty(key: Key): boolean {
    if (key.type === 'hash') return key.fields.size === 0;
    if (key.type === 'list') return key.items.length === 0;
    if (key.type === 'stream') return key.entries.length === 0;
    return key.type !== 'string' && key.members.size === 0;
  }

  /** Sets a string; false when the arena is full. */
  setString(db: number, name: string, text: string): boolean {
    const bytes = bytesOf(name);
    const value = bytesOf(text);
    const root = databaseRoot(db);
    const mode = strings.EXPIRY_CLEAR;
    if (!strings.putString(root, bytes, 0, bytes.length, value, 0, value.length, mode)) {
      this.refused++;
      return false;
    }
    this.keys[db]!.set(name, { type: 'string', text, at: null });
    return true;
  }

  private add(db: number, ref: Ref, key: Key, times: number, isNew: boolean): void {
    if (key.type === 'hash') this.addField(db, ref, key.fields, times, isNew);
    else if (key.type === 'set') this.addMember(ref, key.members, times);
    else if (key.type === 'sorted') this.putScore(ref, key.members, times);
    else if (key.type === 'list') this.addItem(ref, key.items, times);
    else if (key.type === 'stream') this.append(ref, key, times);
  }

  private append(ref: Ref, stream: streams.StreamValue, times: number): void {
    const lengths = times > 100 || this.random.chance(0.9) ? SHORT_LENGTHS : LENGTHS;
    const words = streams.someWords(this.random, () => this.text(lengths));
    const id = streams.nextId(this.random, stream.last);
    if (!streams.addToStream(ref, stream, id, words)) this.refused++;
    else if (!streams.deliverFromStream(ref, stream, this.random)) this.refused++;
  }

  private addField(
    db: number,
    ref: Ref,
    fields: Map<string, Field>,
    times: number,
    isNew: boolean,
  ): void {
    const name = this.member(times * 3);
    const bytes = bytesOf(name);
    const old = fields.get(name);
    if (old !== undefined && !isNew && this.random.chance(0.5)) {
      this.expireField(db, ref, bytes, old);
      return;
    }
    const text = this.text(times > 100 || this.random.chance(0.8) ? SHORT_LENGTHS : LENGTHS);
    const value = bytesOf(text);
    const keeps = this.random.chance(0.3);
    const { length } = bytes;
    if (hashes.setField(ref, bytes, 0, length, value, 0, value.length, keeps) === hashes.FAILED) {
      this.refused++;
    } else {
      fields.set(name, { value: text, at: keeps ? (old?.at ?? null) : null });
    }
  }

  private expireField(db: number, ref: Ref, bytes: Uint8Array, field: Field): void {
    if (!hashes.isHashTable(headerOf(ref)) && !hashes.convertHash(ref)) {
      this.refused++;
      return;
    }
    const element = hashes.liveField(hashes.hashTable(ref, headerOf(ref)), bytes, 0, bytes.length);
    const time = this.random.chance(0.2) ? null : clock.nowMillis + this.random.below(2000);
    if (time !== null) {
      setExpiryMillis(time);
      if (setFieldExpiry(databaseRoot(db), ref, element)) field.at = time;
      else this.refused++;
    } else if (field.at !== null) {
      if (clearFieldExpiry(ref, element)) field.at = null;
      else this.refused++;
    }
  }

  private addMember(ref: Ref, members: Set<string>, times: number): void {
    const name = this.member(times * 3);
    const isInteger = /^\d+$/.test(name);
    let outcome = sets.NO_MEMORY;
    if (sets.isIntegerSet(ref) && isInteger && sets.setCount(ref) < 512) {
      outcome = sets.addInteger(ref, ...this.wordsOf(name));
    } else if (!sets.isIntegerSet(ref) || sets.convertIntegers(ref, formatInteger)) {
      outcome = sets.addBytes(ref, bytesOf(name), 0, name.length);
    }
    if (outcome === sets.NO_MEMORY) this.refused++;
    else if ((outcome === sets.ADDED) === members.has(name)) throw new Error(`added ${name}?`);
    else members.add(name);
  }

  private wordsOf(name: string): [number, number] {
    const number = Number(name);
    return [Math.floor(number / 4294967296), number | 0];
  }

  private putScore(ref: Ref, members: Map<string, number>, times: number): void {
    const name = this.member(times * 3);
    const bytes = bytesOf(name);
    const score = this.random.below(20) - 10;
    if (sorted.locateMember(ref, bytes, 0, bytes.length) !== members.has(name)) {
      throw new Error(`located ${name}?`);
    }
    if (sorted.putMember(ref, bytes, 0, bytes.length, score)) members.set(name, score);
    else this.refused++;
  }

  private addItem(ref: Ref, items: string[], times: number): void {
    const text = this.text(times > 100 || this.random.chance(0.8) ? SHORT_LENGTHS : LENGTHS);
    const bytes = bytesOf(text);
    const index = items.length === 0 ? 0 : this.random.below(items.length);
    const choice = this.random.below(4);
    let isDone = true;
    if (choice === 0 || items.length === 0) {
      isDone = lists.pushElement(ref, true, bytes, 0, bytes.length);
      if (isDone) items.unshift(text);
    } else if (choice === 1) {
      isDone = lists.pushElement(ref, false, bytes, 0, bytes.length);
      if (isDone) items.push(text);
    } else if (!at.seek(ref, index)) {
      throw new Error(`no element ${index}`);
    } else if (choice === 2) {
      isDone = lists.setElement(bytes, 0, bytes.length);
      if (isDone) items[index] = text;
    } else {
      isDone = lists.insertElement(false, bytes, 0, bytes.length);
      if (isDone) items.splice(index, 0, text);
    }
    if (!isDone) this.refused++;
  }

  private takeAway(ref: Ref, key: Key, times: number): void {
    if (key.type === 'list') {
      this.takeItems(ref, key.items);
      return;
    }
    if (key.type === 'stream') {
      if (this.random.chance(0.8)) streams.deleteFromStream(ref, key, this.random);
      else streams.trimFromStream(ref, key, this.random);
      return;
    }
    if (key.type === 'string') return;
    const names = key.type === 'hash' ? key.fields : key.members;
    const all = [...names.keys()];
    const name = this.random.chance(0.8) ? this.random.pick(all) : this.member(times * 3);
    const bytes = bytesOf(name);
    const isThere = names.has(name);
    let isGone = isThere;
    if (key.type === 'hash') isGone = hashes.deleteField(ref, bytes, 0, bytes.length);
    else if (key.type === 'set') {
      if (!sets.isIntegerSet(ref)) isGone = sets.removeBytes(ref, bytes, 0, bytes.length);
      else if (/^\d+$/.test(name)) isGone = sets.removeInteger(ref, ...this.wordsOf(name));
    } else {
      isGone = sorted.locateMember(ref, bytes, 0, bytes.length);
      if (isGone) sorted.removeLocated(ref);
    }
    if (isGone !== isThere) throw new Error(`removed ${name}?`);
    names.delete(name);
  }

  private takeItems(ref: Ref, items: string[]): void {
    const count = this.random.between(1, Math.max(1, items.length >>> 1));
    if (this.random.chance(0.3)) {
      const index = this.random.below(items.length);
      at.seek(ref, index);
      lists.removeElement();
      items.splice(index, 1);
    } else if (this.random.chance(0.5)) {
      lists.dropElements(ref, true, count);
      items.splice(0, count);
    } else {
      lists.dropElements(ref, false, count);
      items.length -= count;
    }
  }

  // --- comparing -----------------------------------------------------------------------------------

  /** Throws when a key is not what it must be. */
  verify(): void {
    for (let db = 0; db < DATABASES; db++) {
      for (const name of this.keys[db]!.keys()) {
        const key = this.expected(db, name);
        const ref = this.lookup(db, name);
        if ((ref === NULL_REF) !== (key === undefined)) throw new Error(`${db}/${name} is there?`);
        if (key === undefined) continue;
        this.verifyExpiry(ref, key.at);
        const found = JSON.stringify(this.contents(ref, key.type));
        const wanted = JSON.stringify(contentsOf(key));
        if (found !== wanted) throw new Error(`${db}/${name.slice(0, 9)}: ${key.type} differs`);
      }
      let live = 0;
      for (let i = 0; i < KEYS; i++) {
        const name = i === 0 ? 'long'.padEnd(5000, 'k') : `key:${i}`;
        if (this.lookup(db, name) !== NULL_REF) live++;
        if (this.expected(db, name) !== undefined) live--;
      }
      if (live !== 0) throw new Error(`database ${db} has ${live} keys too many`);
    }
  }

  private verifyExpiry(ref: Ref, time: number | null): void {
    if (((headerOf(ref) & FLAG_EXPIRES) !== 0) !== (time !== null)) throw new Error('expires?');
    if (time === null) return;
    loadExpiry(ref);
    if (expiryMillis() !== time) throw new Error(`expires at ${expiryMillis()}, not ${time}`);
  }

  private contents(ref: Ref, type: Type): unknown {
    if (type === 'string') {
      locateString(ref, headerOf(ref));
      return textAtSpan();
    }
    if (type === 'stream') {
      return [
        ...streams.streamContents(ref).map(streams.entryText),
        ...streams.pendingContents(ref),
      ];
    }
    const found: unknown[] = [];
    if (type === 'list') {
      const count = lists.listLength(ref);
      at.seek(ref, 0);
      for (let i = 0; i < count; i++) {
        at.locate();
        found.push(textAtSpan());
        at.advance();
      }
      return found;
    }
    if (type === 'sorted') {
      sorted.startWalk(ref, 0, sorted.cardinality(ref), false);
      while (sorted.nextMember()) {
        const { view, offset, length } = sorted.walked;
        const name = Buffer.from(view.subarray(offset, offset + length)).toString('latin1');
        found.push([name, sorted.walkedScore()]);
      }
      return found;
    }
    if (type === 'set') {
      const cursor = new sets.SetCursor();
      cursor.open(ref);
      while (cursor.next()) {
        if (cursor.isInteger) found.push(String(cursor.high * 4294967296 + (cursor.low >>> 0)));
        else found.push(textAtSpan());
      }
      return found.sort();
    }
    hashes.forEachField(ref, ({ view, offset, length, valueView, valueOffset, valueLength }) => {
      found.push([
        Buffer.from(view.subarray(offset, offset + length)).toString('latin1'),
        Buffer.from(valueView.subarray(valueOffset, valueOffset + valueLength)).toString('latin1'),
      ]);
    });
    if (found.length !== hashes.hashLength(ref)) throw new Error('the length of a hash');
    return found.sort();
  }
}

function contentsOf(key: Key): unknown {
  if (key.type === 'string') return key.text;
  if (key.type === 'list') return key.items;
  if (key.type === 'stream') {
    return [...key.entries.map(streams.entryText), ...streams.pendingTexts(key)];
  }
  if (key.type === 'set') return [...key.members].sort();
  if (key.type === 'hash') return [...key.fields].map(([name, { value }]) => [name, value]).sort();
  return [...key.members].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
}
