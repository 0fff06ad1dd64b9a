#include "arena/arena_mapping.h"

#include <sys/mman.h>

#include <cerrno>

#include "arena/constants.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

namespace stillframe {
namespace {

size_t roundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

Status ArenaMapping::open(size_t bytes, Pages pages, const char* purpose) {
  close();
  const size_t alignment = pages == Pages::huge ? kExtentBytes : kPageBytes;
  const size_t size = roundUp(bytes, kPageBytes);
  // Map one unit more than needed and cut both ends off, so that the start is aligned.
  const size_t reserved = size + alignment - kPageBytes;
  void* start = mmap(nullptr, reserved, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) {
    return Status::systemCall("mmap", errno,
                              std::to_string(size) + " bytes for " + purpose +
                                  "; check ulimit -v and vm.overcommit_memory");
  }
  const uintptr_t first = reinterpret_cast<uintptr_t>(start);
  const uintptr_t aligned = roundUp(first, alignment);
  if (aligned > first) munmap(start, aligned - first);
  const size_t behind = first + reserved - (aligned + size);
  if (behind > 0) munmap(reinterpret_cast<void*>(aligned + size), behind);
  data_ = reinterpret_cast<uint8_t*>(aligned);
  bytes_ = size;
  // A kernel without huge pages refuses the advice (EINVAL): slower, not wrong.
  madvise(data_, bytes_, pages == Pages::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  if (madvise(data_, bytes_, MADV_DONTFORK) != 0) {
    const int code = errno;
    close();
    return Status::systemCall("madvise", code, std::string("MADV_DONTFORK for ") + purpose);
  }
  return Status();
}

void ArenaMapping::close() {
  if (data_ == nullptr) return;
  munmap(data_, bytes_);
  data_ = nullptr;
  bytes_ = 0;
}

Status ArenaMapping::discard(size_t offset, size_t bytes) {
  if (bytes == 0 || madvise(data_ + offset, bytes, MADV_DONTNEED) == 0) return Status();
  return Status::systemCall("madvise", errno, "MADV_DONTNEED of " + std::to_string(bytes) +
                                                  " bytes at " + std::to_string(offset));
}

// By extent: the call holds the lock of the address space until it returns, and whoever maps or
// unmaps memory meanwhile (malloc, V8) waits for it. 64 MiB in one call: 130 ms.
Status ArenaMapping::populate(size_t offset, size_t bytes) {
  while (bytes != 0) {
    const size_t slice = bytes < kExtentBytes ? bytes : kExtentBytes;
    if (madvise(data_ + offset, slice, MADV_POPULATE_WRITE) == 0) {
      offset += slice;
      bytes -= slice;
    } else if (errno != EINTR && errno != EAGAIN) {
      return Status::systemCall("madvise", errno, "MADV_POPULATE_WRITE of " +
                                                      std::to_string(slice) + " bytes at " +
                                                      std::to_string(offset));
    }
  }
  return Status();
}

}  // namespace stillframe
