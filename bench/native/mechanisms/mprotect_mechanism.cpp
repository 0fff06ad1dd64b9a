// mprotect and SIGSEGV: a write to a protected granule is copied to the pool, then the granule is
// made writable. Each border between the two is a border of mappings, of which a process may have
// only vm.max_map_count: when they run out, all protection is lifted and that is said.
#include <signal.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "mechanism.h"

namespace mechanisms {
namespace {

class Mprotect;
Mprotect* theMprotect = nullptr;

class Mprotect final : public Mechanism {
 public:
  explicit Mprotect(uint64_t granuleBytes) : granuleBytes_(granuleBytes) {}

  std::string open(Arena& arena) override {
    arena_ = &arena;
    saved_.assign(arena.pages(), 0);
    theMprotect = this;
    struct sigaction action {};
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
      const int saved = errno;
      theMprotect->caught(reinterpret_cast<uint64_t>(info->si_addr));
      errno = saved;
    };
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    return {};
  }

  void arm() override {
    memset(saved_.data(), 0, saved_.size());
    granules_ = 0;
    if (mprotect(arena_->base, arena_->bytes, PROT_READ) != 0) fail("mprotect");
  }

  void collect() override {
    if (mprotect(arena_->base, arena_->bytes, PROT_READ | PROT_WRITE) != 0) fail("mprotect off");
  }

  uint64_t found() const override { return granules_ * (granuleBytes_ / kPageBytes); }
  bool keepsOldContents() const override { return true; }
  uint64_t wrongPages() override { return countWrongPages(*arena_, saved_.data()); }
  uint64_t poolBytes() const override { return granules_ * granuleBytes_; }

  std::string failure() const override {
    if (gaveOutAt_ == 0) return {};
    return "mprotect: out of mappings (vm.max_map_count) after " + std::to_string(gaveOutAt_) +
           " caught writes";
  }

 private:
  void caught(uint64_t address) {
    const uint64_t offset = address - reinterpret_cast<uint64_t>(arena_->base);
    if (offset >= arena_->bytes) {
      signal(SIGSEGV, SIG_DFL);  // not ours: the access is made again, and ends the program
      return;
    }
    const uint64_t begin = offset / granuleBytes_ * granuleBytes_;
    memcpy(arena_->pool + begin, arena_->base + begin, granuleBytes_);
    memset(&saved_[begin / kPageBytes], 1, granuleBytes_ / kPageBytes);
    granules_++;
    if (mprotect(arena_->base + begin, granuleBytes_, PROT_READ | PROT_WRITE) == 0) return;
    gaveOutAt_ = granules_;
    collect();
  }

  const uint64_t granuleBytes_;
  Arena* arena_ = nullptr;
  std::vector<uint8_t> saved_;
  uint64_t granules_ = 0;
  uint64_t gaveOutAt_ = 0;
};

}  // namespace

std::unique_ptr<Mechanism> makeMprotect(uint64_t granuleBytes) {
  return std::make_unique<Mprotect>(granuleBytes);
}

}  // namespace mechanisms
