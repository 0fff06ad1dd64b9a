// The arena's layout: every constant that decides where a byte lies. Changing one of them changes
// the file format: raise FORMAT_VERSION.
//
// The arena is a row of 1 GiB windows, a window a row of 512 extents of 2 MiB. Each window carries
// its own metadata, so the layout does not depend on the size of the arena:
//
//   window  0          4 KiB        12 KiB              64 KiB                 8 MiB          1 GiB
//           +----------+------------+-------------------+----------------------+--------------+
//           | page 0   | extent     | database roots,   | bitmaps of extents   | extents      |
//           | root     | table      | at 44 KiB retired | 4..511, 16 KiB each  | 4..511       |
//           |          |            | (window 0 only)   |                      |              |
//           +----------+------------+-------------------+----------------------+--------------+
//            \__________________ metadata extents 0..3 ______________________/
//
// A reference (Ref) is an int32 count of 16-byte granules from the start of the arena; 0 is null
// (granule 0 is the root page). Above 32 GiB refs are negative numbers: compare them with === only
// and take them apart with >>>. No object crosses a window.
//
//   ref:  | window: 6 bits | granule in window: 26 bits |

declare const refBrand: unique symbol;
/** An int32 count of granules; 0 is null. Minted by the allocator alone. */
export type Ref = number & { readonly [refBrand]: true };
export const NULL_REF = 0 as Ref;

export const FORMAT_VERSION = 1;

export const GRANULE_BYTES = 16;
export const PAGE_BYTES = 4096;
export const EXTENT_BYTES = 2 * 1024 * 1024;
export const WINDOW_BYTES = 1024 * 1024 * 1024;

export const WINDOW_SHIFT = 26; // ref >>> WINDOW_SHIFT = window index
export const WINDOW_MASK = 0x3ffffff; // ref & WINDOW_MASK = granule in window
export const EXTENT_SHIFT = 17; // ref >>> EXTENT_SHIFT = extent index
export const EXTENT_MASK = 0x1ffff; // ref & EXTENT_MASK = granule in extent

export const EXTENTS_PER_WINDOW = WINDOW_BYTES / EXTENT_BYTES;
export const METADATA_EXTENTS = 4;
export const PAGES_PER_EXTENT = EXTENT_BYTES / PAGE_BYTES;
/** The largest arena a Ref can address. */
export const ARENA_BYTES_MAX = 64 * WINDOW_BYTES;
/** The smallest arena that holds the metadata and a few extents of data. */
export const ARENA_BYTES_MIN = 16 * EXTENT_BYTES;

/** One bit per granule-sized slot of an extent, in Int32 words. */
export const BITMAP_WORDS = EXTENT_BYTES / GRANULE_BYTES / 32;

export const EXTENT_TABLE_WORD = PAGE_BYTES / 4;
export const EXTENT_ENTRY_WORDS = 4;
export const DATABASE_ROOTS_REF = ((3 * PAGE_BYTES) / GRANULE_BYTES) as Ref;
export const DATABASE_ROOT_WORDS = 16;
export const DATABASES_MAX = 512;
/** Roots of databases that were flushed and whose memory is freed in steps: one page of them. */
export const RETIRED_DATABASES_REF = ((11 * PAGE_BYTES) / GRANULE_BYTES) as Ref;
export const RETIRED_DATABASES_MAX = PAGE_BYTES / (DATABASE_ROOT_WORDS * 4);

// --- the root page (window 0, page 0), as Int32 words -------------------------------------------
export const ROOT_MAGIC_0 = 0; // 'STIL'
export const ROOT_MAGIC_1 = 1; // 'LFRM'
export const ROOT_FORMAT_VERSION = 2;
export const ROOT_GRANULE_BYTES = 3;
export const ROOT_PAGE_BYTES = 4;
export const ROOT_EXTENT_BYTES = 5;
export const ROOT_WINDOW_BYTES = 6;
export const ROOT_FEATURE_FLAGS = 7; // FEATURE_*; a set bit that is not known is refused
export const ROOT_EPOCH = 8; // number of checkpoints of this data set (unsigned)
export const ROOT_DATABASES = 9; // count of database roots
export const ROOT_EXTENTS_USED = 10; // one past the highest extent that is not free
export const ROOT_RETIRED = 11; // first of the root blocks whose values are freed in steps
export const ROOT_RETIRED_COUNT = 12; // how many there are

/** Collections, root blocks and what is retired. Heaps of before are taken over as they are. */
export const FEATURE_COLLECTIONS = 1 << 0;
/** Streams and their consumer groups, with entries in all four forms. */
export const FEATURE_STREAMS = 1 << 1;

export const MAGIC_0 = 0x4c495453; // 'STIL' in little-endian order
export const MAGIC_1 = 0x4d52464c; // 'LFRM'

// --- a database root: DATABASE_ROOT_WORDS words --------------------------------------------------
// Words 0..7 are the root of the key table (structures/hash_table.ts), words 8..11 the root of the
// expiry index (structures/btree.ts), words 12..15 the root of the index of hashes whose fields expire
// (keyspace/field_expiry.ts).
export const DATABASE_TABLE_WORD = 0;
export const DATABASE_EXPIRY_WORD = 8;
export const DATABASE_FIELDS_WORD = 12;

// --- a root block: ROOT_BLOCK_BYTES, dense, the root of a large collection ------------------------
// Words 0..11 as those of a database where the collection has elements in a table, 12..15 (or all 16) its
// own, and then what retired.ts needs when the collection is freed in steps.
export const ROOT_BLOCK_BYTES = 80;
export const BLOCK_OWN_WORD = 12;
export const BLOCK_NEXT_WORD = 16; // the next retired block
export const BLOCK_FORM_WORD = 17; // the form of a retired block; words 18 and 19 are zero

/** The root of database `index`. */
export function databaseRoot(index: number): Ref {
  return (DATABASE_ROOTS_REF + index * ((DATABASE_ROOT_WORDS * 4) / GRANULE_BYTES)) as Ref;
}
