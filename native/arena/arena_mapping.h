// One owner per mapping. The arena itself, the page states and the memory of a checkpoint run are
// all private anonymous NORESERVE mappings: address space that costs nothing until it is touched.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arena/status.h"

namespace stillframe {

class ArenaMapping {
 public:
  enum class Pages {
    small,  // 4 KiB: sparse bookkeeping, where a huge page per touch would waste memory and time
    huge,   // MADV_HUGEPAGE, aligned to 2 MiB
  };

  ArenaMapping() = default;
  ArenaMapping(const ArenaMapping&) = delete;
  ArenaMapping& operator=(const ArenaMapping&) = delete;
  ~ArenaMapping() { close(); }

  // Maps `bytes` (rounded up to whole pages) of zeros. MADV_DONTFORK: a child process neither sees
  // the memory nor costs a copy of its page tables. `purpose` appears in errors.
  Status open(size_t bytes, Pages pages, const char* purpose);
  void close();

  uint8_t* data() const { return data_; }
  size_t bytes() const { return bytes_; }

  // Gives memory back; it reads as zeros afterwards. Page aligned.
  Status discard(size_t offset, size_t bytes);
  // Touches memory ahead of use, page by page as a writer would (a fresh huge page takes
  // milliseconds on some machines). Contents stay, whoever else writes there. Memory that is
  // protected is caught: for mappings that never are.
  void touch(size_t offset, size_t bytes);
  // The same by a system call, which the kernel refuses (EFAULT) where memory is protected. It
  // holds the lock of the address space as long as it takes: who maps or unmaps memory meanwhile
  // (malloc, V8) waits, and leaves its processor to the caller then. So only a bit at a time. Page
  // aligned. Failure leaves the memory usable but not touched.
  Status populate(size_t offset, size_t bytes);

 private:
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace stillframe
