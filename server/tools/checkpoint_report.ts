// What lies in the heap that is this process's arena: one walk over all entries and one over the
// extent table. Reads only. Imported once the arena is known.
import { attachHeapReadOnly, databaseCount } from '../../storage/heap.js';
import { entryMemory } from '../../storage/keyspace/entries.js';
import { extentCount } from '../../storage/memory/arena.js';
import {
  DENSE,
  extentDensity,
  extentKind,
  extentSizeClass,
  extentUsed,
  KIND_FREE,
  KIND_METADATA,
  KIND_PAGES,
  KIND_RUN,
  KIND_SLAB,
} from '../../storage/memory/extents.js';
import { databaseRoot, EXTENT_BYTES, PAGE_BYTES, type Ref } from '../../storage/memory/layout.js';
import { slotGranules } from '../../storage/memory/size_classes.js';
import { headerOf, locateKey, span, TYPE_MASK } from '../../storage/structures/entry.js';
import { expiresCount } from '../../storage/structures/expiry_index.js';
import { tableCount } from '../../storage/structures/hash_table.js';
import { forEachEntry } from '../../storage/structures/table_walk.js';
import { typeNames } from '../../storage/values/value_types.js';

const BIGGEST_KEYS = 10;
/** Bytes of a key that are shown. */
const KEY_BYTES_SHOWN = 100;

export interface HeapReport {
  readonly keys: number;
  readonly expiringKeys: number;
  /** Databases that hold keys. */
  readonly databases: readonly {
    readonly index: number;
    readonly keys: number;
    readonly expiringKeys: number;
    /** `bytes` as MEMORY USAGE counts them. */
    readonly types: readonly {
      readonly type: string;
      readonly keys: number;
      readonly bytes: number;
    }[];
  }[];
  /** By memory, largest first. */
  readonly biggestKeys: readonly BigKey[];
  readonly memory: readonly MemoryUse[];
}

export interface BigKey {
  readonly database: number;
  readonly type: string;
  readonly bytes: number;
  readonly keyBytes: number;
  /** Its first bytes in quotes, escaped as redis-cli does. */
  readonly key: string;
  readonly isShortened: boolean;
}

export interface MemoryUse {
  readonly kind: 'metadata' | 'slabs' | 'pages' | 'runs' | 'free';
  readonly holds: 'objects' | 'tables' | 'allocator' | 'nothing';
  readonly extents: number;
  readonly bytes: number;
  readonly usedBytes: number;
}

/** Takes the mapped heap over and describes it. Throws when it cannot be walked. */
export function reportHeap(): HeapReport {
  attachHeapReadOnly();
  const biggest = new BiggestKeys();
  const databases: HeapReport['databases'][number][] = [];
  for (let index = 0; index < databaseCount(); index++) {
    const database = databaseRoot(index);
    const keys = tableCount(database);
    if (keys === 0) continue;
    const types = countTypes(database, index, biggest);
    databases.push({ index, keys, expiringKeys: expiresCount(database), types });
  }
  return {
    keys: databases.reduce((sum, { keys }) => sum + keys, 0),
    expiringKeys: databases.reduce((sum, { expiringKeys }) => sum + expiringKeys, 0),
    databases,
    biggestKeys: biggest.describe(),
    memory: memoryByKind(),
  };
}

function countTypes(
  database: Ref,
  index: number,
  biggest: BiggestKeys,
): HeapReport['databases'][number]['types'] {
  const keys = new Float64Array(TYPE_MASK + 1);
  const bytes = new Float64Array(TYPE_MASK + 1);
  forEachEntry(database, (ref) => {
    const memory = entryMemory(ref);
    const type = headerOf(ref) & TYPE_MASK;
    keys[type]!++;
    bytes[type]! += memory;
    if (memory > biggest.least) biggest.offer(ref, index, memory);
  });
  return typeNames.flatMap((type, i) =>
    keys[i] === 0 ? [] : [{ type, keys: keys[i]!, bytes: bytes[i]! }],
  );
}

/** The largest entries seen so far, in descending order. */
class BiggestKeys {
  /** Only what is larger is worth an offer. */
  least = 0;
  private readonly rows: { ref: Ref; database: number; bytes: number }[] = [];

  offer(ref: Ref, database: number, bytes: number): void {
    const at = this.rows.findIndex((row) => row.bytes < bytes);
    this.rows.splice(at < 0 ? this.rows.length : at, 0, { ref, database, bytes });
    if (this.rows.length > BIGGEST_KEYS) this.rows.pop();
    if (this.rows.length === BIGGEST_KEYS) this.least = this.rows[BIGGEST_KEYS - 1]!.bytes;
  }

  describe(): BigKey[] {
    return this.rows.map(({ ref, database, bytes }) => {
      locateKey(ref);
      const shown = Math.min(span.length, KEY_BYTES_SHOWN);
      return {
        database,
        type: typeNames[headerOf(ref) & TYPE_MASK]!,
        bytes,
        keyBytes: span.length,
        key: quoteBytes(span.view.subarray(span.offset, span.offset + shown)),
        isShortened: shown < span.length,
      };
    });
  }
}

const ESCAPES = new Map([
  [0x22, '\\"'],
  [0x5c, '\\\\'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x07, '\\a'],
  [0x08, '\\b'],
]);

function quoteBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    if (ESCAPES.has(byte)) text += ESCAPES.get(byte);
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${text}"`;
}

const KIND_NAMES = new Map<number, MemoryUse['kind']>([
  [KIND_METADATA, 'metadata'],
  [KIND_SLAB, 'slabs'],
  [KIND_PAGES, 'pages'],
  [KIND_RUN, 'runs'],
  [KIND_FREE, 'free'],
]);

/** Extents summed by what they are for; kinds that do not occur are left out. */
function memoryByKind(): MemoryUse[] {
  const sums = new Map<string, { -readonly [Name in keyof MemoryUse]: MemoryUse[Name] }>();
  for (const [value, kind] of KIND_NAMES) {
    for (const holds of ['allocator', 'objects', 'tables', 'nothing'] as const) {
      sums.set(`${value} ${holds}`, { kind, holds, extents: 0, bytes: 0, usedBytes: 0 });
    }
  }
  for (let extent = 0; extent < extentCount; extent++) {
    const kind = extentKind(extent);
    const sum = sums.get(`${kind} ${holdsOf(extent, kind)}`);
    if (sum === undefined) throw new Error(`extent ${extent} is of an unknown kind ${kind}`);
    sum.extents++;
    sum.bytes += EXTENT_BYTES;
    sum.usedBytes += usedBytesOf(extent, kind);
  }
  return [...sums.values()].filter(({ extents }) => extents > 0);
}

function holdsOf(extent: number, kind: number): MemoryUse['holds'] {
  if (kind === KIND_FREE) return 'nothing';
  if (kind === KIND_METADATA) return 'allocator';
  return extentDensity(extent) === DENSE ? 'tables' : 'objects';
}

function usedBytesOf(extent: number, kind: number): number {
  if (kind === KIND_SLAB) return extentUsed(extent) * slotGranules[extentSizeClass(extent)]! * 16;
  if (kind === KIND_PAGES) return extentUsed(extent) * PAGE_BYTES;
  return kind === KIND_FREE ? 0 : EXTENT_BYTES;
}
