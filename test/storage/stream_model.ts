// A stream and what it must be: entries under ids of 128 bits, added, deleted, trimmed, read both ways. Ids are
// BigInts here, milliseconds in the upper half. Import it after openTestArena().
import { NULL_REF, type Ref } from '../../storage/memory/layout.js';
import { Cursor } from '../../storage/structures/btree_cursor.js';
import { span } from '../../storage/structures/entry.js';
import * as block from '../../storage/values/stream/block.js';
import * as groups from '../../storage/values/stream/group.js';
import {
  nextPair,
  openPairs,
  pair,
  scan,
  scanId,
} from '../../storage/values/stream/node_format.js';
import type { Pairs } from '../../storage/values/stream/nodes.js';
import * as pel from '../../storage/values/stream/pending.js';
import {
  addEntry,
  deleteEntry,
  type Trim,
  trimStream,
} from '../../storage/values/stream/stream.js';
import { ID_MAX, ID_MIN, StreamId, setId } from '../../storage/values/stream/stream_id.js';
import { hasEntry, nextEntry, startWalk } from '../../storage/values/stream/walk.js';
import type { Random } from '../support/random.js';

export interface StreamEntry {
  readonly id: bigint;
  /** Fields and values in turn. */
  readonly words: readonly string[];
}

/** What a stream must be. */
export interface StreamValue {
  readonly type: 'stream';
  entries: StreamEntry[];
  last: bigint;
  added: number;
  /** What is pending in the group, with the consumers' names. */
  pending: Map<bigint, string>;
}

const MILLIS = 1n << 64n;
const WORDS_MAX = 64;
const id = new StreamId();
const trim: Trim = {
  byId: false,
  lengthMax: 0,
  minId: new StreamId(),
  isApproximate: false,
  limit: 0,
};

export function emptyStream(): StreamValue {
  return { type: 'stream', entries: [], last: 0n, added: 0, pending: new Map() };
}

function words(value: bigint): [number, number, number, number] {
  const word = (shift: bigint): number => Number(BigInt.asIntN(32, value >> shift));
  return [word(96n), word(64n), word(32n), word(0n)];
}

export function toId(target: StreamId, value: bigint): StreamId {
  setId(target, ...words(value));
  return target;
}

export function fromId({ msHigh, msLow, seqHigh, seqLow }: StreamId): bigint {
  const word = (value: number, shift: bigint): bigint => BigInt(value >>> 0) << shift;
  return word(msHigh, 96n) | word(msLow, 64n) | word(seqHigh, 32n) | word(seqLow, 0n);
}

/** An id that follows another, by steps of every kind that nodes write. */
export function nextId(random: Random, last: bigint): bigint {
  const millis = (last / MILLIS) * MILLIS;
  const amount = (most: number): bigint => BigInt(random.between(1, most));
  switch (random.below(9)) {
    case 0:
      return millis + amount(29) * MILLIS;
    case 1:
      return millis + amount(200) * MILLIS + BigInt(random.below(3));
    case 2:
      return millis + amount(40) * (MILLIS << 30n) + (amount(9) << 32n);
    case 3:
      return last + amount(5000);
    case 4:
      return last + amount(7) * (1n << 33n);
    default:
      return last + 1n;
  }
}

function pairsOf(list: readonly string[]): Pairs {
  const bytes = new Uint8Array(Buffer.from(`??${list.join('')}`, 'latin1'));
  const offsets = new Int32Array(WORDS_MAX);
  const lengths = new Int32Array(WORDS_MAX);
  let at = 2;
  list.forEach((text, i) => {
    offsets[i + 1] = at;
    lengths[i + 1] = text.length;
    at += text.length;
  });
  return { bytes, offsets, lengths, first: 1, fields: list.length / 2 };
}

/** Mostly the fields `temperature` and `at`, now and then others; `text` makes values. */
export function someWords(random: Random, text: () => string): string[] {
  if (random.chance(0.8)) return ['temperature', text(), 'at', text()];
  const fields = random.between(1, random.chance(0.05) ? WORDS_MAX / 2 - 1 : 4);
  return Array.from({ length: 2 * fields }, (_, i) => (i % 2 === 0 ? `f${i}` : text()));
}

/** Adds an entry. False: the arena is full, and the stream is as it was. */
export function addToStream(ref: Ref, value: StreamValue, next: bigint, list: string[]): boolean {
  if (!addEntry(block.streamBlock(ref), toId(id, next), pairsOf(list))) return false;
  value.entries.push({ id: next, words: list });
  value.last = next;
  value.added++;
  return true;
}

const GROUP = new Uint8Array(Buffer.from('group'));

/** Delivers an entry to a consumer of the group, or acknowledges it. False: the arena is full. */
export function deliverFromStream(ref: Ref, value: StreamValue, random: Random): boolean {
  const root = block.streamBlock(ref);
  const name = random.pick(['ann', 'bob', 'c'.repeat(100)]);
  const bytes = new Uint8Array(Buffer.from(name));
  const { length } = GROUP;
  let group = groups.findGroup(block.groupsOf(root), GROUP, 0, length);
  if (group === NULL_REF) group = groups.createGroup(root, GROUP, 0, length);
  if (group === NULL_REF) return false;
  let consumer = groups.findConsumer(group, bytes, 0, bytes.length);
  if (consumer === NULL_REF) consumer = groups.createConsumer(group, bytes, 0, bytes.length, 5);
  if (consumer === NULL_REF) return false;
  const target = random.pick(value.entries).id;
  const record = pel.findPending(group, toId(id, target));
  if ((record === NULL_REF) === value.pending.has(target)) throw new Error(`pending ${target}?`);
  if (record !== NULL_REF) {
    pel.removePending(group, record, id);
    value.pending.delete(target);
    return true;
  }
  if (!pel.addPending(group, consumer, id, 7)) return false;
  value.pending.set(target, name);
  return true;
}

const cursor = new Cursor();

/** What is pending in the group, to compare and to show. */
export function pendingContents(ref: Ref): string[] {
  const root = block.streamBlock(ref);
  const group = groups.findGroup(block.groupsOf(root), GROUP, 0, GROUP.length);
  const found: string[] = [];
  if (group === NULL_REF) return found;
  let isThere = pel.seekPending(cursor, group, ID_MIN);
  for (; isThere; isThere = pel.nextPending(cursor)) {
    groups.locateConsumerName(pel.consumerOf(pel.pending.record));
    const { view, offset, length } = span;
    const name = Buffer.from(view.subarray(offset, offset + length)).toString('latin1');
    found.push(`${fromId(pel.pending.id)} ${name}`);
  }
  return found.sort();
}

/** The same of the model. */
export function pendingTexts({ pending }: StreamValue): string[] {
  return [...pending].map(([entryId, name]) => `${entryId} ${name}`).sort();
}

/** Deletes an entry, or what is none. */
export function deleteFromStream(ref: Ref, value: StreamValue, random: Random): void {
  const { entries } = value;
  const some = entries.length === 0 ? value.last : random.pick(entries).id;
  const target = random.chance(0.85) ? some : some + 1n;
  const index = entries.findIndex((entry) => entry.id === target);
  const root = block.streamBlock(ref);
  if (hasEntry(root, toId(id, target)) !== index >= 0) throw new Error(`has ${target}?`);
  if (deleteEntry(root, toId(id, target)) !== index >= 0) throw new Error(`deleted ${target}?`);
  if (index >= 0) entries.splice(index, 1);
}

/** Trims a stream to a length or an id. */
export function trimFromStream(ref: Ref, value: StreamValue, random: Random): void {
  const { entries } = value;
  const kept = random.below(entries.length + 2);
  const from = entries[Math.max(0, entries.length - kept)]?.id ?? value.last + 1n;
  trim.byId = random.chance(0.5);
  trim.isApproximate = random.chance(0.4);
  trim.limit = trim.isApproximate && random.chance(0.3) ? random.below(60) : 0;
  trim.lengthMax = kept;
  toId(trim.minId, from);
  const excess = trim.byId
    ? entries.filter((entry) => entry.id < from).length
    : entries.length - kept;
  const deleted = trimStream(block.streamBlock(ref), trim);
  const most = Math.max(0, trim.limit > 0 ? Math.min(excess, trim.limit) : excess);
  if (trim.isApproximate ? deleted > most : deleted !== most) {
    throw new Error(`trimmed ${deleted} of ${most} entries`);
  }
  entries.splice(0, deleted);
}

/** The entries of a stream; throws when ids and counts of its root block, or a walk downwards, say otherwise. */
export function streamContents(ref: Ref): StreamEntry[] {
  const root = block.streamBlock(ref);
  const entries = readEntries(root, ID_MIN, ID_MAX, false);
  const backwards = readEntries(root, ID_MIN, ID_MAX, true);
  if (
    JSON.stringify(entries.map(entryText)) !== JSON.stringify(backwards.reverse().map(entryText))
  ) {
    throw new Error('a walk downwards finds other entries');
  }
  if (block.streamLength(root) !== entries.length) throw new Error('the length of a stream');
  block.loadFirstId(root, id);
  if (fromId(id) !== (entries[0]?.id ?? 0n)) throw new Error('the first id of a stream');
  return entries;
}

/** An entry to compare and to show. */
export function entryText({ id: entryId, words: list }: StreamEntry): string {
  return `${entryId} ${list.join(',')}`;
}

export function readEntries(
  root: Ref,
  from: StreamId,
  to: StreamId,
  backward: boolean,
): StreamEntry[] {
  const entries: StreamEntry[] = [];
  startWalk(root, from, to, backward);
  while (nextEntry()) {
    const list: string[] = [];
    openPairs();
    for (let i = 0; i < scan.fields; i++) {
      nextPair();
      const shared = textAt(pair.value, pair.valueLength);
      const value = shared + textAt(pair.rest, pair.restLength);
      list.push(textAt(pair.name, pair.nameLength), value);
    }
    entries.push({ id: fromId(scanId), words: list });
  }
  return entries;
}

function textAt(offset: number, length: number): string {
  return Buffer.from(scan.view.subarray(offset, offset + length)).toString('latin1');
}

/** Throws when last id and entries ever added are not what they must be. */
export function checkCounts(ref: Ref, value: StreamValue): void {
  const root = block.streamBlock(ref);
  block.loadLastId(root, id);
  if (fromId(id) !== value.last) throw new Error('the last id of a stream');
  if (block.entriesAdded(root) !== value.added) throw new Error('entries added to a stream');
  if (block.groupsOf(root) !== NULL_REF) throw new Error('a stream has no groups');
}
