#include "arena/missing_pages.h"

#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "arena/constants.h"

// Newer than the kernel headers of Debian 12: linux/userfaultfd.h of Linux 6.8.
#ifndef UFFDIO_MOVE
struct uffdio_move {
  __u64 dst;
  __u64 src;
  __u64 len;
  __u64 mode;
  __s64 move;
};
#define UFFDIO_MOVE _IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

namespace stillframe {
namespace {

// EAGAIN without progress means that the address space is changing; it lasts microseconds.
constexpr int kAgainMax = 1'000'000;

int registerRange(int descriptor, uint8_t* start, size_t bytes, uint64_t mode) {
  uffdio_register request{};
  request.range.start = reinterpret_cast<uintptr_t>(start);
  request.range.len = bytes;
  request.mode = mode;
  return ioctl(descriptor, UFFDIO_REGISTER, &request) == 0 ? 0 : errno;
}

}  // namespace

// Registering a range again replaces its mode, in one step under the kernel's lock.
int MissingPages::begin(uint8_t* start, size_t bytes) {
  return registerRange(descriptor_, start, bytes, UFFDIO_REGISTER_MODE_MISSING);
}

int MissingPages::end(uint8_t* start, size_t bytes) {
  return registerRange(descriptor_, start, bytes, UFFDIO_REGISTER_MODE_WP);
}

int MissingPages::copy(uint8_t* target, const uint8_t* source, size_t bytes) noexcept {
  size_t done = 0;
  int again = 0;
  while (done < bytes) {
    uffdio_copy request{};
    request.dst = reinterpret_cast<uintptr_t>(target + done);
    request.src = reinterpret_cast<uintptr_t>(source + done);
    request.len = bytes - done;
    if (ioctl(descriptor_, UFFDIO_COPY, &request) == 0) return 0;
    const int code = errno;
    if (request.copy > 0) {
      done += static_cast<size_t>(request.copy);  // up to a page that was there, or interrupted
    } else if (code == EEXIST) {
      done += kPageBytes;
    } else if (code != EAGAIN && code != EINTR) {
      return code;
    } else if (++again > kAgainMax) {
      return EAGAIN;
    } else {
      sched_yield();
    }
  }
  return 0;
}

bool MissingPages::move(uint8_t* target, uint8_t* source, size_t bytes) noexcept {
  if (cannotMove_.load(std::memory_order_relaxed)) return false;
  uffdio_move request{};
  request.dst = reinterpret_cast<uintptr_t>(target);
  request.src = reinterpret_cast<uintptr_t>(source);
  request.len = bytes;
  if (ioctl(descriptor_, UFFDIO_MOVE, &request) == 0) return true;
  // Unknown call or unfit mapping: it will not get better. EEXIST, EAGAIN, EBUSY: this time only.
  if (errno == EINVAL || errno == ENOTTY || errno == ENOSYS) {
    cannotMove_.store(true, std::memory_order_relaxed);
  }
  return false;
}

}  // namespace stillframe
