#include "snapshot/run_memory.h"

#include <algorithm>

#include "snapshot/extent_kind.h"

namespace stillframe {
namespace {

// Slots take so much of the memory at most: what is staged needs none.
constexpr size_t kSlotShare = 8;

constexpr size_t wholePages(size_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

}  // namespace

Status RunMemory::open(size_t memoryBytesMax, const uint8_t* kinds, size_t extentCount,
                       size_t more) {
  const size_t allExtents = extentCount + more;
  const size_t tableBytes = wholePages(allExtents * kBlocksPerExtent * sizeof(uint32_t));
  const size_t stateBytes = wholePages(allExtents * kStateBytesPerExtent);
  const size_t oneSlot = 2 * kPageBytes;  // with its bookkeeping, whole pages
  const size_t needed = kExtentBytes + oneSlot + tableBytes + stateBytes;
  if (memoryBytesMax < needed) {
    return Status::failure("memory for a checkpoint must be at least " + std::to_string(needed) +
                           " bytes for an arena in use up to extent " +
                           std::to_string(allExtents) + "; got " +
                           std::to_string(memoryBytesMax));
  }
  const auto countOf = [&](ExtentKind kind) {
    const auto byte = static_cast<uint8_t>(kind);
    return static_cast<size_t>(std::count(kinds, kinds + extentCount, byte)) + more;
  };
  const size_t dense = countOf(ExtentKind::denseMetadata);
  const size_t budget = memoryBytesMax - tableBytes - stateBytes;
  const size_t forSlots = std::max(budget / kSlotShare, oneSlot);
  const size_t staging =
      std::clamp<size_t>((budget - forSlots) / kExtentBytes, 1, std::max<size_t>(dense, 1));
  const size_t left = std::min(budget - staging * kExtentBytes, forSlots);
  const size_t slots = std::min((dense + countOf(ExtentKind::data)) * kPagesPerExtent,
                                PreimagePool::slotsWithin(left / kPageBytes * kPageBytes));
  const size_t poolBytes = wholePages(PreimagePool::bytesFor(slots));
  const size_t total = staging * kExtentBytes + poolBytes + tableBytes;
  // Prepared memory may be a little larger than needed now (the arena grew meanwhile).
  if (mapping_.bytes() < total || mapping_.bytes() + stateBytes > memoryBytesMax) {
    touched_ = false;
    Status status = mapping_.open(total, ArenaMapping::Pages::huge, "a checkpoint run");
    if (!status.ok()) return status;
  }
  stagingCount_ = staging;
  poolOffset_ = staging * kExtentBytes;
  slotCount_ = slots;
  tableOffset_ = poolOffset_ + poolBytes;
  if (!touched_) mapping_.touch(0, mapping_.bytes());
  touched_ = true;
  bytes_.store(mapping_.bytes() + stateBytes, std::memory_order_relaxed);
  return Status();
}

void RunMemory::releaseStaging(size_t index) {
  (void)mapping_.discard(index * kExtentBytes, kExtentBytes);  // cannot fail for our own mapping
  touched_ = false;
  bytes_.fetch_sub(kExtentBytes, std::memory_order_relaxed);
}

void RunMemory::release() {
  if (mapping_.data() == nullptr) return;
  (void)mapping_.discard(0, mapping_.bytes());
  touched_ = false;
  bytes_.store(0, std::memory_order_relaxed);
}

}  // namespace stillframe
