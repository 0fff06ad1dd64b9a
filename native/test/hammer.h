// Writers without end, and a way to make them meet the copier at every step.
#pragma once

#include <sched.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "arena/test_points.h"
#include "test/fixture.h"

namespace stillframe::test {

// Four threads that write all over the arena, one command after the other, as many commands as they
// are allowed: they run at full priority and the copier does not, so without an end to the commands
// a run would take as long as they do.
class Hammer {
 public:
  Hammer(Fixture& fixture, CommandGate& gate) {
    for (uint64_t id = 0; id < 4; id++) {
      threads_.emplace_back([this, &fixture, &gate, id] {
        Random random(options.seed * 100 + id);
        while (takeCommand()) {
          gate.enterCommand();
          const size_t writes = 1 + random.below(40);
          for (size_t i = 0; i < writes; i++) {
            fixture.write(random.below(fixture.arena.bytes() / 8) * 8, random.next());
          }
          gate.leave();
        }
      });
    }
  }
  ~Hammer() {
    allow(-1);
    for (std::thread& thread : threads_) thread.join();
  }
  void allow(int64_t commands) {
    const std::lock_guard<std::mutex> lock(mutex_);
    commands_ = commands;
    changed_.notify_all();
  }

 private:
  bool takeCommand() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return commands_ != 0; });
    if (commands_ < 0) return false;
    commands_--;
    return true;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t commands_ = 1000;  // -1: no more, ever
  std::vector<std::thread> threads_;
};

// Gives the processor away at every step of the protocol, now and then for long.
inline void randomDelays(TestPoint point) {
  static std::atomic<uint64_t> counter{0};
  const uint64_t mixed =
      (counter.fetch_add(1, std::memory_order_relaxed) + static_cast<uint64_t>(point)) *
      0x9E3779B97F4A7C15;
  if (mixed >> 60 == 0) sched_yield();
  if (mixed >> 54 == 0) usleep(200);
}

struct HookGuard {
  explicit HookGuard(TestPointHook hook) { testPointHook.store(hook); }
  ~HookGuard() { testPointHook.store(nullptr); }
};

}  // namespace stillframe::test
