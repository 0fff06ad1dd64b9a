// Slot sizes of slab extents: steps of 16 bytes up to 256, then eight per doubling up to 32 KiB, so
// that at most 1/9 of a slot is waste above 256 bytes. Larger objects take whole pages.
import { EXTENT_BYTES, GRANULE_BYTES } from './layout.js';

export const SLAB_BYTES_MAX = 32 * 1024;

function listSlotGranules(): number[] {
  const sizes: number[] = [];
  for (let granules = 1; granules <= 16; granules++) sizes.push(granules);
  for (let base = 16; base < SLAB_BYTES_MAX / GRANULE_BYTES; base *= 2) {
    for (let step = 1; step <= 8; step++) sizes.push(base + (base / 8) * step);
  }
  return sizes;
}

const sizes = listSlotGranules();
export const SIZE_CLASSES = sizes.length;

/** Granules per slot, by class. */
export const slotGranules = Int32Array.from(sizes);
/** Slots per extent, by class. */
export const slotCount = Int32Array.from(sizes, (g) =>
  Math.floor(EXTENT_BYTES / GRANULE_BYTES / g),
);
/** 1 / slotGranules, for turning an offset into a slot number without a division. */
export const slotReciprocal = Float64Array.from(sizes, (g) => 1 / g);

/** Class of an object of n granules (1..2048). */
export const classOfGranules = new Uint8Array(SLAB_BYTES_MAX / GRANULE_BYTES + 1);
for (let granules = 1, sizeClass = 0; granules < classOfGranules.length; granules++) {
  if (granules > sizes[sizeClass]!) sizeClass++;
  classOfGranules[granules] = sizeClass;
}
