// userfaultfd write protection that keeps old contents: a write to a protected page raises SIGBUS
// on the thread that writes, or wakes a thread that reads the descriptor.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "mechanism.h"
#include "uffd.h"

namespace mechanisms {
namespace {

// What both share: a page is copied to the pool, then its protection is lifted.
class UffdKeeping : public Mechanism {
 public:
  void arm() override {
    memset(saved_.data(), 0, saved_.size());
    count_ = 0;
    if (!uffd_.protect(arena_->base, arena_->bytes, true)) fail("UFFDIO_WRITEPROTECT");
  }
  void collect() override {
    if (!uffd_.protect(arena_->base, arena_->bytes, false)) fail("UFFDIO_WRITEPROTECT off");
  }
  uint64_t found() const override { return count_; }
  bool keepsOldContents() const override { return true; }
  uint64_t wrongPages() override { return countWrongPages(*arena_, saved_.data()); }
  uint64_t poolBytes() const override { return count_ * kPageBytes; }

 protected:
  std::string openWith(Arena& arena, uint64_t features) {
    arena_ = &arena;
    saved_.assign(arena.pages(), 0);
    return uffd_.open(arena, features);
  }

  void saveAndLift(uint64_t address) {
    const uint64_t page = (address - reinterpret_cast<uint64_t>(arena_->base)) / kPageBytes;
    const uint64_t offset = page * kPageBytes;
    memcpy(arena_->pool + offset, arena_->base + offset, kPageBytes);
    saved_[page] = 1;
    count_ = count_ + 1;
    if (!uffd_.protect(arena_->base + offset, kPageBytes, false)) fail("lifting a page");
  }

  bool inside(uint64_t address) const {
    return address - reinterpret_cast<uint64_t>(arena_->base) < arena_->bytes;
  }

  Arena* arena_ = nullptr;
  Uffd uffd_;

 private:
  std::vector<uint8_t> saved_;
  std::atomic<uint64_t> count_{0};
};

class UffdSigbus;
UffdSigbus* theSigbus = nullptr;  // a signal handler has no other way to it

class UffdSigbus final : public UffdKeeping {
 public:
  std::string open(Arena& arena) override {
    theSigbus = this;
    struct sigaction action {};
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
      const int saved = errno;
      const auto address = reinterpret_cast<uint64_t>(info->si_addr);
      if (!theSigbus->inside(address)) abort();
      theSigbus->saveAndLift(address);
      errno = saved;
    };
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &action, nullptr);
    return openWith(arena, UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_SIGBUS);
  }
};

class UffdThread final : public UffdKeeping {
 public:
  std::string open(Arena& arena) override {
    const std::string refused = openWith(arena, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
    if (!refused.empty()) return refused;
    stop_ = eventfd(0, EFD_CLOEXEC);
    auto body = [](void* self) -> void* {
      static_cast<UffdThread*>(self)->serve();
      return nullptr;
    };
    if (stop_ < 0 || pthread_create(&thread_, nullptr, body, this) != 0) return "no thread";
    return {};
  }

  ~UffdThread() override {
    if (stop_ < 0) return;
    const uint64_t one = 1;
    if (write(stop_, &one, sizeof one) == sizeof one) pthread_join(thread_, nullptr);
    close(stop_);
  }

 private:
  void serve() {
    pollfd waits[2] = {{uffd_.descriptor(), POLLIN, 0}, {stop_, POLLIN, 0}};
    for (;;) {
      if (poll(waits, 2, -1) < 0 && errno != EINTR) fail("poll");
      if ((waits[1].revents & POLLIN) != 0) return;
      uffd_msg message{};
      if (read(uffd_.descriptor(), &message, sizeof message) != sizeof message) continue;
      if (message.event == UFFD_EVENT_PAGEFAULT) saveAndLift(message.arg.pagefault.address);
    }
  }

  int stop_ = -1;
  pthread_t thread_{};
};

}  // namespace

std::unique_ptr<Mechanism> makeUffdSigbus() { return std::make_unique<UffdSigbus>(); }
std::unique_ptr<Mechanism> makeUffdThread() { return std::make_unique<UffdThread>(); }

}  // namespace mechanisms
