// Consumer groups as a whole: freeing them, copying them, proving them, their size. What a stream asks of its
// groups (groups.ts); the layout is drawn in group.ts and pending.ts.
//
// Groups with much in them are freed in steps (retired.ts): with their stream, or one alone (XGROUP DESTROY). A
// step takes consumers and records off their trees from the end on; the entry or block that it is at hangs
// from FREEING_WORD between two steps. While that goes on, consumers are gone before the records that name
// them, and counts of trees are those of before.
//
// Freeing may run while an insert into another tree waits for memory, so it leaves the registers of btree.ts and
// `span` as they are.
import { free, usableBytes } from '../../memory/allocator.js';
import { wordWindows } from '../../memory/arena.js';
import { DENSE } from '../../memory/extents.js';
import {
  NULL_REF,
  type Ref,
  ROOT_BLOCK_BYTES,
  WINDOW_MASK,
  WINDOW_SHIFT,
} from '../../memory/layout.js';
import * as btree from '../../structures/btree.js';
import { Cursor } from '../../structures/btree_cursor.js';
import { forEachLeft, takeLast } from '../../structures/btree_drain.js';
import { NODE_BYTES } from '../../structures/btree_node.js';
import { verifyTree, verifyTreeFreeing } from '../../structures/btree_verify.js';
import {
  freeShell,
  INDEX_BYTES_PER_ENTRY,
  type Owners,
  shellMemory,
  TABLE_BYTES_PER_ENTRY,
  verifyShell,
} from '../../structures/entries.js';
import { span } from '../../structures/entry.js';
import { FREED_AT_ONCE_MAX, registerRetired, retire } from '../retired.js';
import {
  addGroup,
  blockOf,
  CONSUMER_BYTES,
  CONSUMERS_WORD,
  consumerAt,
  consumerCount,
  createConsumer,
  createGroups,
  entriesRead,
  FREEING_WORD,
  freeConsumer,
  GROUPS_WORD,
  groupAt,
  groupCount,
  loadEntriesRead,
  loadLastId,
  nameEntry,
  seenMillis,
  storeEntriesRead,
  storeLastId,
} from './group.js';
import { registerGroups } from './groups.js';
import {
  consumerOf,
  copyPending,
  hasPending,
  nextPending,
  PENDING_WORD,
  pending,
  pendingCount,
  RECORD_BYTES,
  seekPending,
} from './pending.js';
import { ID_MIN, StreamId } from './stream_id.js';

/** The retired form of a group; those below 8 are numbers of types (entry.ts). */
const GROUP_FORM = 8;

const cursor = new Cursor();
const copied = new StreamId();

// --- freeing -------------------------------------------------------------------------------------

function freeingOf(block: Ref): Ref {
  return wordWindows[block >>> WINDOW_SHIFT]![((block & WINDOW_MASK) << 2) + FREEING_WORD]! as Ref;
}
function setFreeing(block: Ref, ref: Ref): void {
  wordWindows[block >>> WINDOW_SHIFT]![((block & WINDOW_MASK) << 2) + FREEING_WORD] = ref;
}

/** Objects of a group that are freed one by one. */
function partsOf(group: Ref): number {
  return pendingCount(group) + consumerCount(group);
}

/** Frees a group that has no name any more: at once when it is small, else in steps. */
export function freeGroup(group: Ref): void {
  if (partsOf(group) > FREED_AT_ONCE_MAX) {
    retire(group, GROUP_FORM);
    return;
  }
  freeGroupSome(group, Number.POSITIVE_INFINITY);
  free(group, ROOT_BLOCK_BYTES, DENSE);
}

/** How many parts all groups have; the count ends when they are known to be many. */
function groupsParts(groups: Ref): number {
  const { w0, w1, w2 } = btree.item;
  const { view, offset, length } = span;
  const count = groupCount(groups);
  let parts = count;
  for (let i = 0; i < count && parts <= FREED_AT_ONCE_MAX; i++) {
    parts += partsOf(groupAt(groups, i));
  }
  btree.item.w0 = w0;
  btree.item.w1 = w1;
  btree.item.w2 = w2;
  span.view = view;
  span.offset = offset;
  span.length = length;
  return parts;
}

/** See RetiredForm: frees consumers, then records, not the block. */
function freeGroupSome(group: Ref, limit: number): number {
  let done = 0;
  while (done < limit) {
    let entry = freeingOf(group);
    if (entry === NULL_REF) {
      entry = takeLast(group, CONSUMERS_WORD) as Ref;
      if (entry === NULL_REF) break;
      setFreeing(group, entry);
    }
    done += btree.freeSome(blockOf(entry), PENDING_WORD, limit - done);
    if (done === limit) return done;
    setFreeing(group, NULL_REF);
    freeConsumer(entry);
    done++;
  }
  while (done < limit) {
    const record = takeLast(group, PENDING_WORD) as Ref;
    if (record === NULL_REF) break;
    free(record, RECORD_BYTES, DENSE);
    done++;
  }
  return done;
}

/** See GroupRules: the root block goes last. */
function freeGroupsSome(groups: Ref, limit: number): number {
  let done = 0;
  while (done < limit) {
    let group = freeingOf(groups);
    if (group === NULL_REF) {
      const entry = takeLast(groups, GROUPS_WORD) as Ref;
      if (entry === NULL_REF) {
        free(groups, ROOT_BLOCK_BYTES, DENSE);
        return done;
      }
      group = blockOf(entry);
      setFreeing(groups, group);
      freeShell(entry);
    }
    done += freeGroupSome(group, limit - done);
    if (done === limit) return done;
    setFreeing(groups, NULL_REF);
    free(group, ROOT_BLOCK_BYTES, DENSE);
    done++;
  }
  return done;
}

function verifyGroupFreeing(group: Ref, owners: Owners): void {
  const ownsNode = (ref: Ref, bytes: number) => owners.ownsDense(ref, bytes);
  const consumer = (entry: number): void => {
    verifyShell(entry as Ref, owners);
    owners.ownsDense(blockOf(entry as Ref), CONSUMER_BYTES);
    verifyTreeFreeing(blockOf(entry as Ref), PENDING_WORD, ownsNode);
  };
  if (freeingOf(group) !== NULL_REF) consumer(freeingOf(group));
  forEachLeft(group, CONSUMERS_WORD, consumer);
  verifyTreeFreeing(group, CONSUMERS_WORD, ownsNode);
  forEachLeft(group, PENDING_WORD, (record) => owners.ownsDense(record as Ref, RECORD_BYTES));
  verifyTreeFreeing(group, PENDING_WORD, ownsNode);
}

function verifyGroupsFreeing(groups: Ref, owners: Owners): void {
  owners.ownsDense(groups, ROOT_BLOCK_BYTES);
  const ownsGroup = (block: Ref): void => {
    owners.ownsDense(block, ROOT_BLOCK_BYTES);
    verifyGroupFreeing(block, owners);
  };
  if (freeingOf(groups) !== NULL_REF) ownsGroup(freeingOf(groups));
  forEachLeft(groups, GROUPS_WORD, (entry) => {
    verifyShell(entry as Ref, owners);
    ownsGroup(blockOf(entry as Ref));
  });
  verifyTreeFreeing(groups, GROUPS_WORD, (ref, bytes) => owners.ownsDense(ref, bytes));
}

registerRetired(GROUP_FORM, { freeSome: freeGroupSome, verify: verifyGroupFreeing });

// --- copying -------------------------------------------------------------------------------------

/** A copy of all groups; NULL_REF when the arena is full. Takes time for each pending entry. */
function duplicateGroups(source: Ref): Ref {
  const groups = createGroups();
  if (groups === NULL_REF) return NULL_REF;
  const count = groupCount(source);
  for (let i = 0; i < count; i++) {
    if (duplicateGroup(groupAt(source, i), groups)) continue;
    freeGroupsSome(groups, Number.POSITIVE_INFINITY);
    return NULL_REF;
  }
  return groups;
}

/** Adds a copy of a group, whose name is in `span`. False: no memory, but a part of it may be there. */
function duplicateGroup(source: Ref, groups: Ref): boolean {
  const group = addGroup(groups, span.view, span.offset, span.length);
  if (group === NULL_REF) return false;
  loadLastId(source, copied);
  storeLastId(group, copied);
  loadEntriesRead(source);
  storeEntriesRead(group, entriesRead.high, entriesRead.low);
  const copies = new Map<Ref, Ref>();
  const count = consumerCount(source);
  for (let i = 0; i < count; i++) {
    const consumer = consumerAt(source, i);
    const { view, offset, length } = span;
    const copy = createConsumer(group, view, offset, length, seenMillis(consumer));
    if (copy === NULL_REF) return false;
    copies.set(consumer, copy);
  }
  return copyPending(cursor, source, group, (consumer) => copies.get(consumer)!);
}

// --- proving -------------------------------------------------------------------------------------

/** Proves all groups of a stream and shows their objects. */
function verifyGroups(groups: Ref, owners: Owners): void {
  owners.ownsDense(groups, ROOT_BLOCK_BYTES);
  verifyTree(groups, GROUPS_WORD, (ref, bytes) => owners.ownsDense(ref, bytes));
  const count = groupCount(groups);
  if (count === 0)
    throw new Error(`groups ${groups >>> 0}: without a group there is no root block`);
  if (freeingOf(groups) !== NULL_REF) throw new Error(`groups ${groups >>> 0} are being freed`);
  for (let i = 0; i < count; i++) {
    const group = groupAt(groups, i);
    verifyShell(btree.item.w2 as Ref, owners);
    verifyGroup(group, owners);
  }
}

function verifyGroup(group: Ref, owners: Owners): void {
  owners.ownsDense(group, ROOT_BLOCK_BYTES);
  if (freeingOf(group) !== NULL_REF) throw new Error(`group ${group >>> 0} is being freed`);
  const node = (ref: Ref, bytes: number) => owners.ownsDense(ref, bytes);
  verifyTree(group, CONSUMERS_WORD, node);
  verifyTree(group, PENDING_WORD, node);
  const consumers = new Set<Ref>();
  let counted = 0;
  for (let i = 0; i < consumerCount(group); i++) {
    const consumer = consumerAt(group, i);
    const entry = btree.item.w2 as Ref;
    verifyShell(entry, owners);
    owners.ownsDense(consumer, CONSUMER_BYTES);
    if (nameEntry(consumer) !== entry) {
      throw new Error(`consumer ${consumer >>> 0} has a name that is not its own`);
    }
    verifyTree(consumer, PENDING_WORD, node);
    counted += pendingCount(consumer);
    consumers.add(consumer);
  }
  if (counted !== pendingCount(group)) {
    throw new Error(
      `group ${group >>> 0}: ${pendingCount(group)} pending, its consumers have ${counted}`,
    );
  }
  verifyRecords(group, consumers, owners);
}

/** Each record is in the tree of the consumer that it names: as counts agree, in no other. */
function verifyRecords(group: Ref, consumers: ReadonlySet<Ref>, owners: Owners): void {
  for (let found = seekPending(cursor, group, ID_MIN); found; found = nextPending(cursor)) {
    const { record } = pending;
    owners.ownsDense(record, RECORD_BYTES);
    const consumer = consumerOf(record);
    if (!consumers.has(consumer) || !hasPending(consumer, record)) {
      throw new Error(`group ${group >>> 0}: record ${record >>> 0} is not with its consumer`);
    }
  }
}

// --- size ----------------------------------------------------------------------------------------

/** Bytes that all groups own; trees by what their items take on average. */
function groupsMemory(groups: Ref): number {
  const count = groupCount(groups);
  let bytes = usableBytes(ROOT_BLOCK_BYTES) + treeBytes(count);
  for (let i = 0; i < count; i++) {
    const group = groupAt(groups, i);
    bytes += entryMemory(btree.item.w2 as Ref) + groupMemory(group);
  }
  return bytes;
}

function groupMemory(group: Ref): number {
  const consumers = consumerCount(group);
  const records = pendingCount(group);
  let bytes = usableBytes(ROOT_BLOCK_BYTES) + treeBytes(consumers) + treeBytes(records);
  bytes += records * RECORD_BYTES;
  for (let i = 0; i < consumers; i++) {
    const consumer = consumerAt(group, i);
    bytes += entryMemory(btree.item.w2 as Ref) + CONSUMER_BYTES + treeBytes(pendingCount(consumer));
  }
  return bytes;
}

/** An entry that is in no table. */
function entryMemory(entry: Ref): number {
  return shellMemory(entry) - TABLE_BYTES_PER_ENTRY;
}

function treeBytes(items: number): number {
  return items === 0 ? 0 : Math.max(NODE_BYTES, items * INDEX_BYTES_PER_ENTRY);
}

registerGroups({
  freeSome: freeGroupsSome,
  verifyFreeing: verifyGroupsFreeing,
  duplicate: duplicateGroups,
  verify: verifyGroups,
  memoryBytes: groupsMemory,
  parts: groupsParts,
});
