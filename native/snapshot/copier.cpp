#include "snapshot/copier.h"

#include <sched.h>

#include <vector>

#include "arena/clock.h"
#include "snapshot/checksum.h"

namespace stillframe {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the block table is little-endian");

// `next`: the extent that will be staged after this one; what was spilled of it comes from the disk
// while this one goes there.
Status writeStaged(const CopyRequest& request, size_t extent, size_t next, uint8_t* staging) {
  if (request.cancelled.load(std::memory_order_relaxed)) {
    return Status::failure("the run was stopped");
  }
  Status status = request.cut.overlaySaved(extent, staging, request.cancelled);
  if (status.ok()) status = request.spill.writeBack();
  if (!status.ok()) return status;
  if (next < request.cut.extentCount()) request.spill.prefetch(next);
  uint32_t* sums = request.memory.table() + extent * kBlocksPerExtent;
  for (size_t block = 0; block < kBlocksPerExtent; block++) {
    sums[block] = crc32c(staging + block * kChecksumBlockBytes, kChecksumBlockBytes);
  }
  return request.file.writeExtent(extent, staging);
}

Status copyToStaging(const CopyRequest& request, size_t extent, size_t slot) {
  Status status = request.cut.copyExtent(extent, request.memory.staging(slot));
  sched_yield();
  return status;
}

// The first extent of objects at or behind `extent`; extentCount() when there is none.
size_t nextObjects(const Cut& cut, size_t extent) {
  while (extent < cut.extentCount() && cut.kindOf(extent) != ExtentKind::data) extent++;
  return extent;
}

}  // namespace

Status copyMetadata(const CopyRequest& request) {
  std::vector<size_t> extents;
  for (size_t extent = 0; extent < request.cut.extentCount(); extent++) {
    if (request.cut.kindOf(extent) == ExtentKind::denseMetadata) extents.push_back(extent);
  }
  const size_t slots = request.memory.stagingCount();
  Status status = request.file.reserve(uint64_t{request.cut.extentCount()} * kExtentBytes);
  size_t copied = 0;
  for (size_t written = 0; status.ok() && written < extents.size(); written++) {
    // Every slot that is free takes an extent before the next one is written.
    for (; status.ok() && copied < extents.size() && copied - written < slots; copied++) {
      status = copyToStaging(request, extents[copied], copied % slots);
    }
    if (!status.ok()) break;
    const size_t next = written + 1 < extents.size() ? extents[written + 1]
                                                     : nextObjects(request.cut, 0);
    const size_t slot = written % slots;
    status = writeStaged(request, extents[written], next, request.memory.staging(slot));
    // What is left over goes to updates out of place at once; objects need one slot.
    if (copied == extents.size() && slot != 0) request.memory.releaseStaging(slot);
  }
  return status;
}

Status copyObjects(const CopyRequest& request, uint64_t patienceNanos, size_t& extent) {
  extent = nextObjects(request.cut, extent);
  while (extent < request.cut.extentCount()) {
    const uint64_t begin = monotonicNanos();
    const size_t next = nextObjects(request.cut, extent + 1);
    Status status = copyToStaging(request, extent, 0);
    if (status.ok()) status = writeStaged(request, extent, next, request.memory.staging(0));
    if (!status.ok()) return status;
    extent = next;
    if (monotonicNanos() - begin > patienceNanos) break;
  }
  return Status();
}

Status writeTable(const CopyRequest& request, uint32_t& tableChecksum) {
  Status status = request.cut.checkComplete();
  if (!status.ok()) return status;
  const size_t extentCount = request.cut.extentCount();
  const size_t tableBytes = extentCount * kBlocksPerExtent * sizeof(uint32_t);
  tableChecksum = crc32c(request.memory.table(), tableBytes);
  return request.file.writeAt(uint64_t{extentCount} * kExtentBytes, request.memory.table(),
                              tableBytes, "the block table");
}

}  // namespace stillframe
