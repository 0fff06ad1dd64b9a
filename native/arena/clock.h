// Time for measuring how long something took.
#pragma once

#include <time.h>

#include <cstdint>

namespace stillframe {

inline uint64_t clockNanos(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

inline uint64_t monotonicNanos() { return clockNanos(CLOCK_MONOTONIC); }
inline uint64_t monotonicMicros() { return monotonicNanos() / 1000; }
// Processor time of the calling thread.
inline uint64_t threadNanos() { return clockNanos(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace stillframe
