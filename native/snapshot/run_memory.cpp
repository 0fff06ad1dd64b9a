#include "snapshot/run_memory.h"

#include <algorithm>
#include <cstring>

namespace stillframe {

Status RunMemory::open(size_t memoryBytesMax, size_t dataExtents, size_t extentCount) {
  const size_t tableBytes = extentCount * kBlocksPerExtent * sizeof(uint32_t);
  const size_t tablePages = (tableBytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  const size_t oneSlot = 2 * kPageBytes;  // with its bookkeeping, whole pages
  const size_t needed = kExtentBytes + oneSlot + tablePages;
  if (memoryBytesMax < needed) {
    return Status::failure("memory for a checkpoint must be at least " + std::to_string(needed) +
                           " bytes for an arena in use up to extent " +
                           std::to_string(extentCount) + "; got " +
                           std::to_string(memoryBytesMax));
  }
  // Up to half for staging, the rest for slots.
  const size_t budget = memoryBytesMax - tablePages;
  const size_t staging = std::clamp<size_t>(std::min(budget / 2 / kExtentBytes, dataExtents), 1,
                                            kStagingMax);
  const size_t slots = std::min(dataExtents * kPagesPerExtent,
                                PreimagePool::slotsWithin((budget - staging * kExtentBytes) /
                                                          kPageBytes * kPageBytes));
  const size_t poolBytes =
      (PreimagePool::bytesFor(slots) + kPageBytes - 1) / kPageBytes * kPageBytes;
  const size_t total = staging * kExtentBytes + poolBytes + tablePages;
  // Prepared memory may be a little larger than needed now (the arena grew meanwhile).
  if (mapping_.bytes() < total || mapping_.bytes() > memoryBytesMax) {
    touched_ = false;
    Status status = mapping_.open(total, ArenaMapping::Pages::huge, "a checkpoint run");
    if (!status.ok()) return status;
  }
  stagingCount_ = staging;
  slotCount_ = slots;
  tableOffset_ = staging * kExtentBytes + poolBytes;
  if (!touched_ && !mapping_.populate(0, mapping_.bytes()).ok()) {
    memset(mapping_.data(), 0, mapping_.bytes());  // Linux before 5.14
  }
  touched_ = true;
  return Status();
}

void RunMemory::release() {
  if (mapping_.data() == nullptr) return;
  (void)mapping_.discard(0, mapping_.bytes());  // cannot fail for a mapping of our own
  touched_ = false;
}

}  // namespace stillframe
