// What the keyspace asks of a value, whatever its type: one row per type. A new type adds its row
// here and nothing else in the keyspace changes.
import type { Ref } from '../memory/layout.js';
import type { Owners } from '../structures/entries.js';
import {
  headerOf,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_MASK,
  TYPE_SET,
  TYPE_SORTED_SET,
  TYPE_STREAM,
  TYPE_STRING,
} from '../structures/entry.js';
import { hashValue } from './hash.js';
import { listValue } from './list.js';
import { setValue } from './set.js';
import { sortedSetValue } from './sorted_set.js';
import './stream/group_rules.js'; // tells streams what consumer groups are
import { streamValue } from './stream/whole.js';
import { stringValue } from './string.js';

export interface ValueType {
  /** Frees what the entry's body owns. */
  free(ref: Ref): void;
  /** Gives `target`, a bytewise clone of an entry, its own copy of what the body owns. False: OOM,
   *  with nothing owned by the clone. */
  duplicate(target: Ref): boolean;
  /** Reports every object that the body owns to the heap walk; throws on an inconsistency. */
  verify(ref: Ref, owners: Owners): void;
  /** Bytes that the body owns outside the entry. */
  memoryBytes(ref: Ref): number;
  /**
   * Moves what the entry's body owns out of extents that are being emptied: relocateObject() for each
   * object, relocateTable() for a table of elements (structures/relocation.ts). Does a piece of the
   * work from `cursor` on, 0 at first, and ends when work.left is used up. Returns the next cursor, which
   * is the type's own; 0 when all is done. The value may change between two pieces: a cursor that does
   * not hold any more must do no harm. A type without this is not moved, only its entries are.
   */
  relocate?(ref: Ref, cursor: number): number;
}

const types: (ValueType | undefined)[] = [];
types[TYPE_STRING] = stringValue;
types[TYPE_LIST] = listValue;
types[TYPE_SET] = setValue;
types[TYPE_SORTED_SET] = sortedSetValue;
types[TYPE_HASH] = hashValue;
types[TYPE_STREAM] = streamValue;

/** Names as TYPE replies them. */
export const typeNames: string[] = [];
typeNames[TYPE_STRING] = 'string';
typeNames[TYPE_LIST] = 'list';
typeNames[TYPE_SET] = 'set';
typeNames[TYPE_SORTED_SET] = 'zset';
typeNames[TYPE_HASH] = 'hash';
typeNames[TYPE_STREAM] = 'stream';

export function valueTypeOf(ref: Ref): ValueType {
  const type = types[headerOf(ref) & TYPE_MASK];
  if (type === undefined) throw new Error(`heap corruption: entry ${ref >>> 0} has no known type`);
  return type;
}

export function freeValue(ref: Ref): void {
  valueTypeOf(ref).free(ref);
}
