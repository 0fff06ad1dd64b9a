// The types of values, by their number in an entry's header: one row per type. A new type adds its row
// here and nothing else in the keyspace changes.
import type { Ref } from '../memory/layout.js';
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
import type { ValueType } from './value_type.js';

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
