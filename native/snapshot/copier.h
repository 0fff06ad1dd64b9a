// The background half of a checkpoint run: takes every extent of the cut to the file.
//
// Order: dense metadata first, as much of it as staging takes at memory speed before the first byte
// goes to the file, because nearly every write lands there; then the objects, one extent at a time.
// Each extent is free of protection as soon as it is copied, before its checksums and its write.
#pragma once

#include <atomic>

#include "snapshot/cut.h"
#include "snapshot/run_memory.h"
#include "snapshot/snapshot_file.h"

namespace stillframe {

struct CopyRequest {
  Cut& cut;
  RunMemory& memory;
  SnapshotFile& file;
  SpillFile& spill;
  const std::atomic<bool>& cancelled;  // looked at before every write of an extent
};

// Copies the extents of dense metadata and writes them. On failure of this or one of the next the
// caller lifts what is still protected.
Status copyMetadata(const CopyRequest& request);
// Then all others from `extent` on, which becomes the first that is not done: the end, or where an
// extent took longer than `patienceNanos`.
Status copyObjects(const CopyRequest& request, uint64_t patienceNanos, size_t& extent);
// Then the block table; `tableChecksum`: its CRC32C.
Status writeTable(const CopyRequest& request, uint32_t& tableChecksum);

}  // namespace stillframe
