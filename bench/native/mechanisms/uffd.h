// userfaultfd write protection of the arena: opening it, asking for features at run time,
// protecting. Kernel headers of Debian 12 are older than some of the features, so these are
// defined here.
#pragma once

#include <linux/userfaultfd.h>

#include <cstdint>
#include <string>

#include "arena.h"

namespace mechanisms {

constexpr uint64_t kFeatureWpUnpopulated = 1 << 13;  // Linux 6.4
constexpr uint64_t kFeatureWpAsync = 1 << 15;        // Linux 6.7

class Uffd {
 public:
  Uffd() = default;
  Uffd(const Uffd&) = delete;
  Uffd& operator=(const Uffd&) = delete;
  ~Uffd() { close(); }

  // Empty, or why it cannot be had. Registers the arena for write protection.
  std::string open(const Arena& arena, uint64_t features);
  // Returns false with errno.
  bool protect(const void* address, uint64_t bytes, bool on) const;
  int descriptor() const { return descriptor_; }
  void close();

 private:
  int descriptor_ = -1;
};

}  // namespace mechanisms
