// Writing one checkpoint file.
//
//   0                 extent 0 .. n-1 at their arena offsets, 2 MiB each; absent ones are holes
//   n * 2 MiB         block table: little-endian u32 CRC32C per 64 KiB block, 0 where absent
//   behind the table  tail: manifest and footer, as TypeScript gives them
//
// The file is created under a temporary name and renamed when it is durable, so that a crash at any
// instant leaves either the whole file or a temporary one that nobody opens. Extents are written
// around the page cache (O_DIRECT) where the file system can; otherwise through it, with write-back
// started at once and waited for in steps, so that no storm of dirty pages meets the final sync.
//
// Two descriptors: `direct` for whole extents, `buffered` for everything small. The kernel keeps
// the two views of one file coherent: a direct write first flushes and drops cached pages of its
// range.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "arena/status.h"

namespace stillframe {

// Of a path, "." when it names none.
std::string directoryOf(const std::string& path);

class SnapshotFile {
 public:
  SnapshotFile() = default;
  SnapshotFile(const SnapshotFile&) = delete;
  SnapshotFile& operator=(const SnapshotFile&) = delete;
  ~SnapshotFile() { discard(); }

  // Creates the file; it must not exist.
  Status create(const std::string& path, bool useDirect = true);
  // Sets the length of the data area, so that extents are written inside of the file.
  Status reserve(size_t dataBytes);
  // `bytes`: kExtentBytes, aligned to a page.
  Status writeExtent(size_t extent, const uint8_t* bytes);
  Status writeAt(uint64_t offset, const void* bytes, size_t length, const char* what);

  // Makes data and size durable, gives the file its final name (which must be free) and makes the
  // name durable. `path()` is the final one afterwards, and discard() leaves it alone, even if the
  // directory could not be synced: then the file is whole but a power failure may take its name.
  Status sync();
  Status publish(const std::string& finalPath);

  // Closes; removes the file if it was not published. Idempotent.
  void discard();

  bool isOpen() const { return buffered_ >= 0; }
  bool usesDirect() const { return direct_ >= 0; }
  const std::string& path() const { return path_; }
  // Holes not counted. Any thread may ask; stays until the next create().
  uint64_t bytesWritten() const { return bytesWritten_.load(std::memory_order_relaxed); }

 private:
  Status pace(size_t extent);
  Status writeFully(int descriptor, uint64_t offset, const uint8_t* bytes, size_t length,
                    const std::string& what, size_t& written);

  std::string path_;
  int buffered_ = -1;
  int direct_ = -1;
  bool published_ = false;
  std::atomic<uint64_t> bytesWritten_{0};
  uint64_t paceFrom_ = 0;  // start of the range whose write-back was begun and not waited for
  uint64_t paceBytes_ = 0;
};

}  // namespace stillframe
