// Eager restore: reads the extents of a checkpoint file into the arena and checks every block.
#pragma once

#include "arena/arena.h"
#include "snapshot/snapshot_source.h"

namespace stillframe {

// `source` was opened with `request`. After success the arena holds the extents and zeros
// elsewhere; after failure only zeros: what did not pass its check is never seen. The error names
// the file and, for a damaged block, its number and both checksums. The arena is unprotected (no
// run is active, no lazy restore). Blocks until done; two threads read, several MiB at a time and
// around the page cache where the file system can.
Status restoreExtents(Arena& arena, const SnapshotSource& source, const RestoreRequest& request);

}  // namespace stillframe
