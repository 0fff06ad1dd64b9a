// See uffd.h.
#include "uffd.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

namespace mechanisms {
namespace {

// poll(2) works on non-blocking descriptors only.
constexpr int kFlags = O_CLOEXEC | O_NONBLOCK;

std::string reason(const char* what) { return std::string(what) + ": " + strerror(errno); }

int openDescriptor() {
  const long own = syscall(SYS_userfaultfd, kFlags | UFFD_USER_MODE_ONLY);
  if (own >= 0) return static_cast<int>(own);
  const int refused = errno;
  const int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
  if (device >= 0) {
    const int made = ioctl(device, _IO(0xAA, 0x00), kFlags);
    close(device);
    if (made >= 0) return made;
  }
  errno = refused;
  return -1;
}

// What this kernel offers; a descriptor takes its features once, so it is asked of another.
uint64_t offered() {
  const int probe = openDescriptor();
  if (probe < 0) return 0;
  uffdio_api api{};
  api.api = UFFD_API;
  const bool answered = ioctl(probe, UFFDIO_API, &api) == 0;
  close(probe);
  return answered ? api.features : 0;
}

}  // namespace

std::string Uffd::open(const Arena& arena, uint64_t features) {
  descriptor_ = openDescriptor();
  if (descriptor_ < 0) return reason("userfaultfd");
  const uint64_t there = offered();
  if ((features & ~there) != 0) return "the kernel does not offer the feature";
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = features;
  if (ioctl(descriptor_, UFFDIO_API, &api) != 0) return reason("UFFDIO_API");
  uffdio_register range{};
  range.range = {reinterpret_cast<uint64_t>(arena.base), arena.bytes};
  range.mode = UFFDIO_REGISTER_MODE_WP;
  if (ioctl(descriptor_, UFFDIO_REGISTER, &range) != 0) return reason("UFFDIO_REGISTER");
  return {};
}

bool Uffd::protect(const void* address, uint64_t bytes, bool on) const {
  uffdio_writeprotect range{};
  range.range = {reinterpret_cast<uint64_t>(address), bytes};
  range.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0;
  int result;
  do {
    result = ioctl(descriptor_, UFFDIO_WRITEPROTECT, &range);
  } while (result != 0 && errno == EAGAIN);
  return result == 0;
}

void Uffd::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace mechanisms
