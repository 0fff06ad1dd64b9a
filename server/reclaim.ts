// Frees what large values leave behind (storage/values/retired.ts) in slices between commands, so that
// neither a DEL of millions of elements nor a FLUSHDB holds the server up.
import { isFilling } from '../storage/memory/extents.js';
import { freeRetired, hasRetired } from '../storage/values/retired.js';

/** A slice lasts this long: with the loop over ready sockets at 1 ms, a third of the server's time. */
const SLICE_MILLIS = 0.5;
/** Parts between two looks at the time; at worst 30 us each. */
const PARTS_PER_CHECK = 16;

let scheduled = false;

/** Schedules the next slice when anything waits to be freed. Called between commands. */
export function reclaimSoon(): void {
  // What a restore has not read yet would be read to be freed: that can wait.
  if (scheduled || !hasRetired() || isFilling()) return;
  scheduled = true;
  setImmediate(slice);
}

function slice(): void {
  scheduled = false;
  const end = performance.now() + SLICE_MILLIS;
  while (hasRetired() && performance.now() < end) freeRetired(PARTS_PER_CHECK);
  reclaimSoon();
}
