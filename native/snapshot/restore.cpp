#include "snapshot/restore.h"

#include <atomic>
#include <mutex>
#include <vector>

#include "arena/thread.h"

namespace stillframe {
namespace {

constexpr size_t kThreads = 2;
constexpr size_t kExtentsPerRead = 4;  // 8 MiB

// Neighbouring extents that are read in one call.
struct Range {
  size_t firstExtent;
  size_t count;
};

// Shared by the reading threads; the first error wins and stops the others.
struct Reading {
  Arena& arena;
  const SnapshotSource& source;
  std::vector<Range> ranges;
  std::atomic<size_t> nextRange{0};
  std::atomic<bool> stopped{false};
  std::mutex mutex;
  Status status;

  void fail(Status failure) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (status.ok()) status = std::move(failure);
    stopped.store(true, std::memory_order_relaxed);
  }
};

void readRanges(void* context) {
  Reading& reading = *static_cast<Reading*>(context);
  while (!reading.stopped.load(std::memory_order_relaxed)) {
    const size_t index = reading.nextRange.fetch_add(1, std::memory_order_relaxed);
    if (index >= reading.ranges.size()) return;
    const Range& range = reading.ranges[index];
    Status status = reading.source.readBlocks(range.firstExtent * kBlocksPerExtent,
                                              range.count * kBlocksPerExtent,
                                              reading.arena.extentAt(range.firstExtent));
    if (!status.ok()) reading.fail(std::move(status));
  }
}

std::vector<Range> rangesOf(const RestoreRequest& request) {
  std::vector<Range> ranges;
  for (size_t extent = 0; extent < request.extentCount; extent++) {
    if (request.kinds[extent] == 0) continue;
    if (!ranges.empty() && ranges.back().firstExtent + ranges.back().count == extent &&
        ranges.back().count < kExtentsPerRead) {
      ranges.back().count++;
    } else {
      ranges.push_back({extent, 1});
    }
  }
  return ranges;
}

}  // namespace

Status restoreExtents(Arena& arena, const SnapshotSource& source, const RestoreRequest& request) {
  Status status = arena.mapping().discard(0, arena.bytes());
  if (!status.ok()) return status;
  Reading reading{arena, source, rangesOf(request), {}, {}, {}, {}};
  Thread helpers[kThreads - 1];
  for (Thread& helper : helpers) {
    if (reading.ranges.size() > 1) (void)helper.start("still-restore", readRanges, &reading);
  }
  readRanges(&reading);  // this thread is the other one; without helpers it reads everything
  for (Thread& helper : helpers) helper.join();
  if (!reading.status.ok()) (void)arena.mapping().discard(0, arena.bytes());
  return std::move(reading.status);
}

}  // namespace stillframe
