// Those that only track: the kernel resolves the fault itself and notes that the page was
// written. userfaultfd in its asynchronous mode, read with PAGEMAP_SCAN (both Linux 6.7);
// soft-dirty bits, cleared through /proc/self/clear_refs and read from /proc/self/pagemap (a
// build option of the kernel). And none at all, for what a write costs unprotected.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "mechanism.h"
#include "uffd.h"

namespace mechanisms {
namespace {

// As in linux/fs.h of Linux 6.7.
struct ScanRegion {
  uint64_t start, end, categories;
};
struct ScanArguments {
  uint64_t size, flags, start, end, walkEnd, regions, regionCount, pagesMax;
  uint64_t inverted, mask, anyOf, returned;
};
constexpr uint64_t kWritten = 1 << 1;
const unsigned long kPagemapScan = _IOWR('f', 16, ScanArguments);

class None final : public Mechanism {
 public:
  std::string open(Arena&) override { return {}; }
  void arm() override {}
  void collect() override {}
  uint64_t found() const override { return 0; }
  bool keepsOldContents() const override { return false; }
};

class UffdAsync final : public Mechanism {
 public:
  ~UffdAsync() override {
    if (pagemap_ >= 0) close(pagemap_);
  }

  std::string open(Arena& arena) override {
    arena_ = &arena;
    pagemap_ = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (pagemap_ < 0) return std::string("/proc/self/pagemap: ") + strerror(errno);
    const std::string refused = uffd_.open(arena, kFeatureWpUnpopulated | kFeatureWpAsync);
    if (!refused.empty()) return refused + " (WP_ASYNC)";
    if (scan() < 0) return std::string("PAGEMAP_SCAN: ") + strerror(errno);
    return {};
  }

  void arm() override {
    if (!uffd_.protect(arena_->base, arena_->bytes, true)) fail("UFFDIO_WRITEPROTECT");
  }

  void collect() override {
    const int64_t pages = scan();
    if (pages < 0) fail("PAGEMAP_SCAN");
    found_ = static_cast<uint64_t>(pages);
    if (!uffd_.protect(arena_->base, arena_->bytes, false)) fail("UFFDIO_WRITEPROTECT off");
  }

  uint64_t found() const override { return found_; }
  bool keepsOldContents() const override { return false; }

 private:
  // Pages written since they were protected; -1 with errno.
  int64_t scan() {
    static ScanRegion regions[4096];
    uint64_t pages = 0;
    ScanArguments arguments{};
    arguments.size = sizeof arguments;
    arguments.start = reinterpret_cast<uint64_t>(arena_->base);
    arguments.end = arguments.start + arena_->bytes;
    arguments.regions = reinterpret_cast<uint64_t>(regions);
    arguments.regionCount = sizeof regions / sizeof regions[0];
    arguments.mask = arguments.returned = kWritten;
    for (;;) {
      const int count = ioctl(pagemap_, kPagemapScan, &arguments);
      if (count < 0) return -1;
      for (int i = 0; i < count; i++) pages += (regions[i].end - regions[i].start) / kPageBytes;
      // What walkEnd says is short of the last region at times (seen with Linux 6.18); a list
      // that is not full is the end.
      if (static_cast<uint64_t>(count) < arguments.regionCount) break;
      arguments.start = std::max(arguments.walkEnd, regions[count - 1].end);
    }
    return static_cast<int64_t>(pages);
  }

  Arena* arena_ = nullptr;
  Uffd uffd_;
  int pagemap_ = -1;
  uint64_t found_ = 0;
};

class SoftDirty final : public Mechanism {
 public:
  ~SoftDirty() override {
    if (clear_ >= 0) close(clear_);
    if (pagemap_ >= 0) close(pagemap_);
  }

  std::string open(Arena& arena) override {
    arena_ = &arena;
    clear_ = ::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (clear_ < 0) return std::string("/proc/self/clear_refs: ") + strerror(errno);
    pagemap_ = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (pagemap_ < 0) return std::string("/proc/self/pagemap: ") + strerror(errno);
    return noticesWrites() ? std::string{} : "the kernel is built without CONFIG_MEM_SOFT_DIRTY";
  }

  void arm() override {
    if (write(clear_, "4", 1) != 1) fail("/proc/self/clear_refs");
  }

  void collect() override { found_ = count(); }
  uint64_t found() const override { return found_; }
  bool keepsOldContents() const override { return false; }

 private:
  static constexpr uint64_t kSoftDirty = 1ULL << 55;

  // Without the build option the files are there and the bit is never set: a page is tried.
  bool noticesWrites() {
    if (write(clear_, "4", 1) != 1) return false;
    volatile uint8_t* byte = arena_->base + kPageBytes - 1;
    *byte = *byte;
    return count() > 0;
  }

  uint64_t count() {
    static uint64_t entries[8192];
    uint64_t dirty = 0;
    const uint64_t first = reinterpret_cast<uint64_t>(arena_->base) / kPageBytes;
    for (uint64_t page = 0; page < arena_->pages();) {
      const auto offset = static_cast<off_t>((first + page) * sizeof entries[0]);
      const uint64_t left = (arena_->pages() - page) * sizeof entries[0];
      const size_t wanted = left < sizeof entries ? left : sizeof entries;
      const ssize_t got = pread(pagemap_, entries, wanted, offset);
      if (got <= 0) fail("/proc/self/pagemap");
      const uint64_t count = static_cast<uint64_t>(got) / sizeof entries[0];
      for (uint64_t i = 0; i < count; i++) dirty += (entries[i] & kSoftDirty) != 0;
      page += count;
    }
    return dirty;
  }

  Arena* arena_ = nullptr;
  int clear_ = -1, pagemap_ = -1;
  uint64_t found_ = 0;
};

}  // namespace

std::unique_ptr<Mechanism> makeNone() { return std::make_unique<None>(); }
std::unique_ptr<Mechanism> makeUffdAsync() { return std::make_unique<UffdAsync>(); }
std::unique_ptr<Mechanism> makeSoftDirty() { return std::make_unique<SoftDirty>(); }

}  // namespace mechanisms
