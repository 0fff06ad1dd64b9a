// Where pre-images go when the pool of a run is full: a file without a name, beside the snapshot.
//
//   0                 entry of page 0 .. n-1: u32 record + 1 (0: none), u32 CRC32C of the image
//   n * 8, page up    record 0, 1, 2 ..: images of 4 KiB in the order in which they came
//
// It is a file of its own because a write into the snapshot would wait for the copier, which holds
// that file's lock in the kernel while a whole extent goes to the disk: 80 us a page, here 5.
// Images are appended, so the disk is written in one stream, and the copier keeps only a few MiB of
// them in the page cache (writeBack): what does not fit into the memory of a run must not
// stand in the memory of the system instead. They are read back an extent at a time, in parallel
// (prefetch), and checked: a write-back that failed would else leave no trace.
//
// The file never has a name after open(), so whatever ends the process ends the file. Its space on
// the disk, at most that of the pages written to during a run, is free again after close().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "arena/constants.h"
#include "arena/status.h"

namespace stillframe {

class SpillFile {
 public:
  SpillFile() = default;
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;
  ~SpillFile() { close(); }

  // Creates the file, for pages below `pageCount`, in the directory of `temporaryPath`. Where the
  // file system cannot create a file without a name, it is created under that one, which must be
  // free, and loses it at once.
  Status open(const std::string& temporaryPath, size_t pageCount);
  // Nobody is inside put(). Idempotent.
  void close();

  // Stores the image of a page, once for each page. Async-signal-safe, any thread, no waiting for
  // other threads. Returns 0 or errno. Whoever reads must have learnt from the writer that it
  // returned.
  int put(size_t page, const uint8_t* image) noexcept;

  // ---- the copier ----

  // Asks the kernel for the images of an extent that are no longer in memory, without waiting. A
  // hint: what comes later or cannot be asked for is read when it is needed.
  void prefetch(size_t extent);
  // Reads the images of the wanted pages of an extent, all of which were put, to their places.
  Status read(size_t extent, const std::vector<bool>& wanted, uint8_t* staging);
  // Keeps what the page cache holds of the file small. Called often.
  Status writeBack();

 private:
  struct Entry {
    uint32_t recordPlusOne;
    uint32_t checksum;
  };
  static constexpr uint64_t kBatchRecords = 256;  // 1 MiB: written back, and forgotten, together

  uint64_t recordOffset(uint64_t record) const { return recordsFrom_ + record * kPageBytes; }
  int writeFully(uint64_t offset, const void* bytes, size_t length) noexcept;
  Status readFully(uint64_t offset, void* bytes, size_t length);
  int syncRecords(uint64_t first, uint64_t end, unsigned flags);
  void forgetRecords(uint64_t first, uint64_t end);

  int descriptor_ = -1;
  uint64_t recordsFrom_ = 0;
  std::atomic<uint32_t> nextRecord_{0};
  Entry entries_[kPagesPerExtent];  // of the extent looked at last
  // [0, written_) is on the disk and was forgotten; [written_, begun_) is on its way.
  uint64_t written_ = 0;
  uint64_t begun_ = 0;
  uint64_t readAgain_ = 0;  // records below written_ that were read since they were forgotten
};

}  // namespace stillframe
