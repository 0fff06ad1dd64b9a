// Stops threads at the steps of the protocol (arena/test_points.h), one or two at a time.
#pragma once

#include <sched.h>

#include <atomic>

#include "arena/test_points.h"

namespace stillframe::test {

// Holds the first thread that comes to `point` (a second hold may wait at another point).
struct Hold {
  std::atomic<int> point{-1};
  std::atomic<bool> reached{false};
  std::atomic<bool> released{false};

  void set(TestPoint where) {
    reached.store(false);
    released.store(false);
    point.store(static_cast<int>(where));
  }
  bool pass(TestPoint where) {
    int expected = static_cast<int>(where);
    if (!point.compare_exchange_strong(expected, -1)) return false;
    reached.store(true);
    while (!released.load()) sched_yield();
    return true;
  }
  void waitUntilReached() const {
    while (!reached.load()) sched_yield();
  }
  void release() { released.store(true); }
};
inline Hold first, second;

class Holding {
 public:
  Holding() {
    testPointHook.store([](TestPoint point) {
      if (!first.pass(point)) second.pass(point);
    });
  }
  ~Holding() {
    first.release();
    second.release();
    testPointHook.store(nullptr);
  }
};

}  // namespace stillframe::test
