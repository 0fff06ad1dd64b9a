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

// Page faults take the lock of their mapping alone (Linux 6.4). With the system call in its place
// the serving thread waited for up to 48 ms when V8 returned memory while 56 MiB were populated.
void ArenaMapping::touch(size_t offset, size_t bytes) {
  for (size_t at = offset; at < offset + bytes; at += kPageBytes) {
    // A write that changes nothing. Compilers may turn an atomic `or` of 0 into a load, but not
    // this; what is not 0 was touched before. (A load first would bring in the page of zeros.)
    uint8_t zero = 0;
    __atomic_compare_exchange_n(data_ + at, &zero, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  }
}

Status ArenaMapping::populate(size_t offset, size_t bytes) {
  while (bytes != 0 && madvise(data_ + offset, bytes, MADV_POPULATE_WRITE) != 0) {
    if (errno == EINTR || errno == EAGAIN) continue;
    return Status::systemCall("madvise", errno, "MADV_POPULATE_WRITE of " + std::to_string(bytes) +
                                                    " bytes at " + std::to_string(offset));
  }
  return Status();
}

}  // namespace stillframe
