// The background half of a checkpoint run: takes every extent of the cut to the file.
//
// Order: dense metadata first, several extents at memory speed before their first byte goes to the
// file, because nearly every write lands there; then the data, one extent at a time. Each extent is
// free of protection as soon as it is copied, before its checksums and its write.
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
  const std::atomic<bool>& cancelled;  // looked at before every extent
};

// Copies the whole cut and writes the block table; `tableChecksum`: its CRC32C. On failure the
// caller lifts what is still protected. Never touches anything but the request.
Status copyCut(const CopyRequest& request, uint32_t& tableChecksum);

}  // namespace stillframe
