#include "snapshot/restore.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <mutex>
#include <vector>

#include "arena/thread.h"
#include "snapshot/checksum.h"

namespace stillframe {
namespace {

constexpr size_t kThreads = 2;
constexpr size_t kExtentsPerRead = 4;  // 8 MiB

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  int get() const { return value_; }

 private:
  int value_;
};

// Neighbouring extents that are read in one call.
struct Range {
  size_t firstExtent;
  size_t count;
};

// Reads until `length` bytes are there, the file ends (`got` < length) or a call fails.
int readFully(int descriptor, uint8_t* target, size_t length, uint64_t offset, size_t& got) {
  got = 0;
  while (got < length) {
    const ssize_t result =
        pread(descriptor, target + got, length - got, static_cast<off_t>(offset + got));
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) return errno;
    if (result == 0) break;
    got += static_cast<size_t>(result);
  }
  return 0;
}

// Shared by the reading threads; the first error wins and stops the others.
struct Reading {
  Arena& arena;
  const RestoreRequest& request;
  int buffered;
  int direct;  // -1: not available
  std::vector<uint32_t> table;
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

Status checkExtent(const Reading& reading, size_t extent) {
  const uint8_t* bytes = reading.arena.extentAt(extent);
  for (size_t i = 0; i < kBlocksPerExtent; i++) {
    const size_t block = extent * kBlocksPerExtent + i;
    const uint32_t found = crc32c(bytes + i * kChecksumBlockBytes, kChecksumBlockBytes);
    const uint32_t expected = reading.table[block];
    if (found == expected) continue;
    char sums[64];
    snprintf(sums, sizeof sums, "expected %08x, found %08x", expected, found);
    return Status::failure("checkpoint " + reading.request.path +
                           " is damaged: checksum of block " + std::to_string(block) + " (file offset " +
                           std::to_string(block * kChecksumBlockBytes) + "): " + sums);
  }
  return Status();
}

Status readRange(const Reading& reading, const Range& range) {
  const uint64_t offset = uint64_t{range.firstExtent} * kExtentBytes;
  const size_t length = range.count * kExtentBytes;
  uint8_t* target = reading.arena.extentAt(range.firstExtent);
  size_t got = 0;
  int code = EINVAL;
  if (reading.direct >= 0) code = readFully(reading.direct, target, length, offset, got);
  // EINVAL: the file system wants another alignment; a short direct read ends at an odd place.
  if (code == EINVAL) code = readFully(reading.buffered, target, length, offset, got);
  if (code != 0) {
    return Status::systemCall("pread", code, "reading extent " + std::to_string(range.firstExtent) +
                                                 " of checkpoint " + reading.request.path);
  }
  if (got < length) {
    return Status::failure("checkpoint " + reading.request.path +
                           " is truncated: expected extent " + std::to_string(range.firstExtent) + " to end at " +
                           std::to_string(offset + length) + ", the file ends at " +
                           std::to_string(offset + got));
  }
  for (size_t i = 0; i < range.count; i++) {
    Status status = checkExtent(reading, range.firstExtent + i);
    if (!status.ok()) return status;
  }
  return Status();
}

void readRanges(void* context) {
  Reading& reading = *static_cast<Reading*>(context);
  while (!reading.stopped.load(std::memory_order_relaxed)) {
    const size_t index = reading.nextRange.fetch_add(1, std::memory_order_relaxed);
    if (index >= reading.ranges.size()) return;
    Status status = readRange(reading, reading.ranges[index]);
    if (!status.ok()) reading.fail(std::move(status));
  }
}

Status readTable(Reading& reading) {
  const RestoreRequest& request = reading.request;
  struct stat file {};
  if (fstat(reading.buffered, &file) != 0) return Status::systemCall("fstat", errno, request.path);
  const size_t bytes = request.extentCount * kBlocksPerExtent * sizeof(uint32_t);
  const uint64_t size = static_cast<uint64_t>(file.st_size);
  if (request.tableOffset > size || size - request.tableOffset < bytes) {
    return Status::failure("checkpoint " + request.path + " is truncated: its block table needs " +
                           std::to_string(bytes) + " bytes at " +
                           std::to_string(request.tableOffset) + ", the file has " +
                           std::to_string(size));
  }
  reading.table.resize(bytes / sizeof(uint32_t));
  size_t got = 0;
  const int code = readFully(reading.buffered, reinterpret_cast<uint8_t*>(reading.table.data()),
                             bytes, request.tableOffset, got);
  if (code != 0 || got < bytes) {
    return Status::systemCall("pread", code != 0 ? code : EIO,
                              "reading the block table of checkpoint " + request.path);
  }
  return Status();
}

std::vector<Range> rangesOf(const RestoreRequest& request) {
  std::vector<Range> ranges;
  for (size_t extent = 0; extent < request.extentCount; extent++) {
    if (request.present[extent] == 0) continue;
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

Status restoreExtents(Arena& arena, const RestoreRequest& request) {
  if (request.extentCount > arena.extentCount()) {
    return Status::failure("checkpoint " + request.path + " needs an arena of " +
                           std::to_string(request.extentCount * kExtentBytes) +
                           " bytes, this one has " + std::to_string(arena.bytes()) +
                           ": start with a larger arena-size");
  }
  const Descriptor buffered(open(request.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (buffered.get() < 0) {
    return Status::systemCall("open", errno, "checkpoint " + request.path);
  }
  const Descriptor direct(open(request.path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  Reading reading{arena, request, buffered.get(), direct.get(), {}, rangesOf(request),
                  {},    {},      {},             {}};
  Status status = readTable(reading);
  if (status.ok()) status = arena.mapping().discard(0, arena.bytes());
  if (!status.ok()) return status;

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
