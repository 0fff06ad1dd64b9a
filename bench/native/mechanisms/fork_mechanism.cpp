// fork and copy-on-write: the child holds the memory as it was and waits; the parent's first
// write to a page copies it. The child answers one question (are the old contents right?) and is
// then ended.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "mechanism.h"

namespace mechanisms {
namespace {

class Fork final : public Mechanism {
 public:
  std::string open(Arena& arena) override {
    arena_ = &arena;
    if (pipe(ask_) != 0 || pipe(answer_) != 0) return "no pipe";
    return {};
  }

  void arm() override {
    child_ = fork();
    if (child_ < 0) fail("fork");
    if (child_ == 0) beChild();
  }

  void collect() override {
    kill(child_, SIGKILL);
    if (waitpid(child_, nullptr, 0) != child_) fail("waitpid");
  }

  // Which pages were written a parent does not learn.
  uint64_t found() const override { return 0; }
  bool keepsOldContents() const override { return true; }

  uint64_t wrongPages() override {
    uint64_t wrong = 0;
    if (write(ask_[1], "?", 1) != 1) fail("asking the child");
    if (read(answer_[0], &wrong, sizeof wrong) != sizeof wrong) fail("the child's answer");
    return wrong;
  }

  // What is the child's alone, and its page tables.
  uint64_t outsideBytes() override {
    const std::string proc = "/proc/" + std::to_string(child_);
    const std::string rollup = proc + "/smaps_rollup", status = proc + "/status";
    return procNumber(rollup.c_str(), "Private_Dirty:") +
           procNumber(rollup.c_str(), "Private_Clean:") + procNumber(status.c_str(), "VmPTE:");
  }

 private:
  [[noreturn]] void beChild() {
    char question;
    if (read(ask_[0], &question, 1) != 1) _exit(1);
    uint64_t wrong = 0;
    for (uint64_t page = 0; page < arena_->pages(); page++) {
      uint64_t word;
      memcpy(&word, arena_->base + page * kPageBytes, sizeof word);
      wrong += word != Arena::mark(page);
    }
    if (write(answer_[1], &wrong, sizeof wrong) != sizeof wrong) _exit(1);
    for (;;) pause();
  }

  Arena* arena_ = nullptr;
  int ask_[2] = {-1, -1}, answer_[2] = {-1, -1};
  pid_t child_ = -1;
};

}  // namespace

std::unique_ptr<Mechanism> makeFork() { return std::make_unique<Fork>(); }

}  // namespace mechanisms
