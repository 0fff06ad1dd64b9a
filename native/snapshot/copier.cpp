#include "snapshot/copier.h"

#include <sched.h>

#include "snapshot/checksum.h"

namespace stillframe {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the block table is little-endian");

// `next`: the extent that will be staged after this one; what was spilled of it comes from the disk
// while this one goes there.
Status writeStaged(const CopyRequest& request, size_t extent, size_t next, uint8_t* staging) {
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

// The first extent of a kind at or behind `extent`; extentCount() when there is none.
size_t nextOfKind(const Cut& cut, ExtentKind kind, size_t extent) {
  while (extent < cut.extentCount() && cut.kindOf(extent) != kind) extent++;
  return extent;
}

// Copies all extents of one kind, `groupMax` at a time: first the whole group to memory, then to
// the file.
Status copyKind(const CopyRequest& request, ExtentKind kind, size_t groupMax) {
  size_t group[RunMemory::kStagingMax];
  const size_t extentCount = request.cut.extentCount();
  for (size_t extent = nextOfKind(request.cut, kind, 0); extent < extentCount;) {
    size_t count = 0;
    for (; extent < extentCount && count < groupMax;
         extent = nextOfKind(request.cut, kind, extent + 1)) {
      if (request.cancelled.load(std::memory_order_relaxed)) {
        return Status::failure("the run was stopped");
      }
      Status status = request.cut.copyExtent(extent, request.memory.staging(count));
      if (!status.ok()) return status;
      group[count++] = extent;
      sched_yield();
    }
    for (size_t i = 0; i < count; i++) {
      const size_t next = i + 1 < count ? group[i + 1] : extent;
      Status status = writeStaged(request, group[i], next, request.memory.staging(i));
      if (!status.ok()) return status;
    }
  }
  return Status();
}

}  // namespace

Status copyCut(const CopyRequest& request, uint32_t& tableChecksum) {
  const uint64_t dataBytes = uint64_t{request.cut.extentCount()} * kExtentBytes;
  Status status = request.file.reserve(dataBytes);
  if (status.ok()) {
    status = copyKind(request, ExtentKind::denseMetadata, request.memory.stagingCount());
  }
  request.memory.releaseStaging();
  if (status.ok()) status = copyKind(request, ExtentKind::data, 1);
  if (status.ok()) status = request.cut.checkComplete();
  if (!status.ok()) return status;
  const size_t tableBytes = request.cut.extentCount() * kBlocksPerExtent * sizeof(uint32_t);
  tableChecksum = crc32c(request.memory.table(), tableBytes);
  return request.file.writeAt(dataBytes, request.memory.table(), tableBytes, "the block table");
}

}  // namespace stillframe
