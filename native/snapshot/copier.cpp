#include "snapshot/copier.h"

#include <sched.h>

#include "snapshot/checksum.h"

namespace stillframe {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the block table is little-endian");

Status writeStaged(const CopyRequest& request, size_t extent, uint8_t* staging) {
  Status status = request.cut.overlaySaved(extent, staging, request.cancelled);
  if (!status.ok()) return status;
  uint32_t* sums = request.memory.table() + extent * kBlocksPerExtent;
  for (size_t block = 0; block < kBlocksPerExtent; block++) {
    sums[block] = crc32c(staging + block * kChecksumBlockBytes, kChecksumBlockBytes);
  }
  return request.file.writeExtent(extent, staging);
}

// Copies all extents of one kind, `groupMax` at a time: first the whole group to memory, then to
// the file.
Status copyKind(const CopyRequest& request, ExtentKind kind, size_t groupMax) {
  size_t group[RunMemory::kStagingMax];
  const size_t extentCount = request.cut.extentCount();
  for (size_t extent = 0; extent < extentCount;) {
    size_t count = 0;
    for (; extent < extentCount && count < groupMax; extent++) {
      if (request.cut.kindOf(extent) != kind) continue;
      if (request.cancelled.load(std::memory_order_relaxed)) {
        return Status::failure("the run was stopped");
      }
      Status status = request.cut.copyExtent(extent, request.memory.staging(count));
      if (!status.ok()) return status;
      group[count++] = extent;
      sched_yield();
    }
    for (size_t i = 0; i < count; i++) {
      Status status = writeStaged(request, group[i], request.memory.staging(i));
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
  if (status.ok()) status = copyKind(request, ExtentKind::data, 1);
  if (status.ok()) status = request.cut.checkComplete();
  if (!status.ok()) return status;
  const size_t tableBytes = request.cut.extentCount() * kBlocksPerExtent * sizeof(uint32_t);
  tableChecksum = crc32c(request.memory.table(), tableBytes);
  return request.file.writeAt(dataBytes, request.memory.table(), tableBytes, "the block table");
}

}  // namespace stillframe
