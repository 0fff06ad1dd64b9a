// The background half of a checkpoint run: takes every extent of the cut to the file.
//
// Order: dense metadata first, as much of it as staging takes at memory speed before the first byte
// goes to the file, because nearly every write lands there; then the objects, one extent at a time.
// Each extent is free of protection as soon as it is copied, before its checksums and its write.
#pragma once

#include <atomic>
#include <vector>

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

// Copies the extents of dense metadata and writes them. The first `captured` of them are in staging
// already, in this order. On failure of this or the next the caller lifts what is still protected.
Status copyMetadata(const CopyRequest& request, const std::vector<uint32_t>& extents,
                    size_t captured);
// Then all others, and the block table; `tableChecksum`: its CRC32C.
Status copyObjects(const CopyRequest& request, uint32_t& tableChecksum);

}  // namespace stillframe
