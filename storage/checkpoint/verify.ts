// verify: walks the heap from the root page and proves that every granule is owned exactly once or
// free, and that all counters agree. It reads only; it keeps one bit per granule of the arena in use
// on the side. Runs after every fuzz step, in `stillframe verify`, and when asked for.

import { databaseCount } from '../heap.js';
import { hashesExpiring, verifyFields } from '../keyspace/field_expiry.js';
import '../keyspace/keyspace.js'; // tells verifyRetired() what a flushed database is
import { extentCount } from '../memory/arena.js';
import {
  bitmapWord,
  DATA,
  DENSE,
  entryWindow,
  extentDensity,
  extentKind,
  extentRunLength,
  extentSizeClass,
  extentUsed,
  KIND_FREE,
  KIND_METADATA,
  KIND_PAGES,
  KIND_RUN,
  KIND_SLAB,
} from '../memory/extents.js';
import {
  BITMAP_WORDS,
  DATABASE_FIELDS_WORD,
  databaseRoot,
  EXTENT_MASK,
  EXTENT_SHIFT,
  PAGES_PER_EXTENT,
  type Ref,
} from '../memory/layout.js';
import {
  classOfGranules,
  SLAB_BYTES_MAX,
  slotCount,
  slotGranules,
  slotReciprocal,
} from '../memory/size_classes.js';
import { verifyTree } from '../structures/btree_verify.js';
import type { Owners } from '../structures/entries.js';
import { verifyEntryTable } from '../structures/entry_table.js';
import { tableCount } from '../structures/hash_table.js';
import { verifyRetired } from '../values/retired.js';
import { valueTypeOf } from '../values/value_types.js';

export interface VerifyReport {
  keys: number;
  objects: number;
  usedBytes: number;
}

/**
 * Walks the whole heap. Throws an Error that names what is wrong at the first inconsistency.
 * `onProgress` gets the number of keys seen, now and then.
 */
export function verifyHeap(onProgress: (keys: number) => void = () => {}): VerifyReport {
  const walk = new HeapWalk(onProgress);
  let keys = 0;
  for (let i = 0; i < databaseCount(); i++) keys += verifyDatabase(i, walk);
  verifyRetired(walk);
  walk.compareWithBitmaps();
  return { keys, objects: walk.objects, usedBytes: walk.bytes };
}

function verifyDatabase(index: number, walk: HeapWalk): number {
  const database = databaseRoot(index);
  let hashes = 0;
  verifyEntryTable(database, walk, (ref) => {
    walk.noteKey();
    valueTypeOf(ref).verify(ref, walk);
    if (verifyFields(database, ref)) hashes++;
  });
  verifyTree(database, DATABASE_FIELDS_WORD, (ref, bytes) => walk.ownsDense(ref, bytes));
  if (hashes !== hashesExpiring(database)) {
    throw new Error(
      `database ${index}: fields of ${hashes} hashes expire, the index has ${hashesExpiring(database)}`,
    );
  }
  return tableCount(database);
}

/** Keys between two calls of onProgress. */
const PROGRESS_KEYS = 1 << 16;

/** Slots and pages that have an owner, as bitmaps shaped like those of the extents. */
class HeapWalk implements Owners {
  objects = 0;
  bytes = 0;
  private keys = 0;
  private readonly owned: (Int32Array | null)[] = new Array(extentCount).fill(null);

  constructor(private readonly onProgress: (keys: number) => void) {}

  noteKey(): void {
    if ((++this.keys & (PROGRESS_KEYS - 1)) === 0) this.onProgress(this.keys);
  }

  ownsData(ref: Ref, bytes: number): void {
    this.owns(ref, bytes, DATA);
  }
  ownsDense(ref: Ref, bytes: number): void {
    this.owns(ref, bytes, DENSE);
  }

  private owns(ref: Ref, bytes: number, density: number): void {
    this.objects++;
    const extent = ref >>> EXTENT_SHIFT;
    if (extent >= extentCount) throw new Error(`ref ${ref >>> 0} lies outside the arena`);
    if (extentDensity(extent) !== density) {
      throw new Error(`ref ${ref >>> 0} lies in an extent of density ${extentDensity(extent)}`);
    }
    if (bytes <= SLAB_BYTES_MAX) this.ownsSlot(ref, extent, bytes);
    else this.ownsPages(ref, extent, Math.ceil(bytes / 4096));
  }

  private ownsSlot(ref: Ref, extent: number, bytes: number): void {
    const sizeClass = classOfGranules[(bytes + 15) >>> 4]!;
    if (extentKind(extent) !== KIND_SLAB || extentSizeClass(extent) !== sizeClass) {
      throw new Error(`ref ${ref >>> 0} of ${bytes} bytes lies in an extent of another kind`);
    }
    const granules = slotGranules[sizeClass]!;
    const at = ref & EXTENT_MASK;
    const slot = ((at + 0.5) * slotReciprocal[sizeClass]!) | 0;
    if (slot * granules !== at || slot >= slotCount[sizeClass]!) {
      throw new Error(`ref ${ref >>> 0} is not at the start of a slot`);
    }
    this.mark(extent, slot, ref);
    this.bytes += granules * 16;
  }

  private ownsPages(ref: Ref, extent: number, pages: number): void {
    this.bytes += pages * 4096;
    let left = pages;
    let current = extent;
    if (
      left >= PAGES_PER_EXTENT &&
      extentRunLength(extent) !== Math.floor(pages / PAGES_PER_EXTENT)
    ) {
      throw new Error(`run of ${pages} pages at ref ${ref >>> 0} has another length in the table`);
    }
    for (; left >= PAGES_PER_EXTENT; left -= PAGES_PER_EXTENT) {
      if (extentKind(current) !== KIND_RUN) throw new Error(`extent ${current} is not of a run`);
      this.mark(current++, 0, ref);
    }
    if (left > 0 && extentKind(current) !== KIND_PAGES) {
      throw new Error(`extent ${current} does not hold pages`);
    }
    const first = current === extent ? (ref & EXTENT_MASK) >>> 8 : 0;
    for (let page = first; page < first + left; page++) this.mark(current, page, ref);
  }

  private mark(extent: number, bit: number, ref: Ref): void {
    let bits = this.owned[extent]!;
    if (bits === null) {
      bits = new Int32Array(BITMAP_WORDS);
      this.owned[extent] = bits;
    }
    const mask = 1 << (bit & 31);
    if ((bits[bit >>> 5]! & mask) !== 0) throw new Error(`ref ${ref >>> 0} has two owners`);
    bits[bit >>> 5] = bits[bit >>> 5]! | mask;
  }

  compareWithBitmaps(): void {
    for (let extent = 0; extent < extentCount; extent++) {
      const kind = extentKind(extent);
      if (kind === KIND_METADATA) continue;
      const owned = this.owned[extent]!;
      if (kind === KIND_FREE || kind === KIND_RUN) {
        const full = owned === null ? 0 : 1;
        if (full !== (kind === KIND_RUN ? 1 : 0)) {
          throw new Error(`extent ${extent}: kind ${kind}, but owned by ${full} objects`);
        }
        this.compare(extent, null, 0);
        continue;
      }
      const bits = kind === KIND_SLAB ? slotCount[extentSizeClass(extent)]! : PAGES_PER_EXTENT;
      this.compare(extent, owned, bits);
    }
  }

  /** The bitmap of an extent must equal the owned bits, with the bits past the last slot set. */
  private compare(extent: number, owned: Int32Array | null, bits: number): void {
    const words = entryWindow(extent);
    const first = bitmapWord(extent);
    const count = BITMAP_WORDS;
    const fenceWord = (bits & 31) === 0 ? -1 : bits >>> 5;
    let used = 0;
    for (let word = 0; word < count; word++) {
      const allocated = words[first + word]!;
      const fence = word === fenceWord ? -1 << (bits & 31) : 0;
      const expected = (owned === null ? 0 : owned[word]!) | fence;
      if (allocated === 0 && expected === 0) continue; // nearly all words of a large arena
      if (allocated !== expected) {
        const leaked = allocated & ~expected;
        throw new Error(
          `extent ${extent}, word ${word}: ${leaked !== 0 ? 'allocated without owner' : 'owned but free'}`,
        );
      }
      used += bitCount(allocated & ~fence);
    }
    if (used !== extentUsed(extent)) {
      throw new Error(
        `extent ${extent}: ${used} slots in use, the table says ${extentUsed(extent)}`,
      );
    }
  }
}

function bitCount(word: number): number {
  let count = 0;
  for (let bits = word; bits !== 0; bits &= bits - 1) count++;
  return count;
}
