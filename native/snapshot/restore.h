// Eager restore: reads the extents of a checkpoint file into the arena and checks every block.
#pragma once

#include <string>

#include "arena/arena.h"

namespace stillframe {

struct RestoreRequest {
  std::string path;
  const uint8_t* present;  // one byte per extent; not 0: in the file at its arena offset
  size_t extentCount;
  uint64_t tableOffset;  // of extentCount * kBlocksPerExtent little-endian u32 checksums
};

// After success the arena holds the extents and zeros elsewhere; after failure only zeros: what did
// not pass its check is never seen. The error names the file and, for a damaged block, its number
// and both checksums. The arena is unprotected (no run is active). Blocks until done; two threads
// read, several MiB at a time and around the page cache where the file system can.
Status restoreExtents(Arena& arena, const RestoreRequest& request);

}  // namespace stillframe
