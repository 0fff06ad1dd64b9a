// The system calls of a checkpoint run, with a place to make one of them fail.
//
// Tests ask what happens when the nth call of a run fails, writes less than it was given, or is the
// last thing the process does; injectFault() in the binding sets that up. Without it, each call
// costs one load of a flag. Async-signal-safe: the handler writes pre-images and lifts protection.
// This is process-wide state, used by one test at a time.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace stillframe {

enum class SystemCall : uint8_t {
  open, ftruncate, pwrite, pread, syncFileRange, fdatasync, rename, fsync, protect, lift,
  liftCaught,  // by the handler of a caught write
};
constexpr const char* kSystemCallNames[] = {
    "open", "ftruncate", "pwrite", "pread", "sync_file_range",
    "fdatasync", "rename", "fsync", "protect", "lift", "lift_caught",
};

struct FaultInjection {
  static constexpr int kShort = -1;       // pwrite: half of the bytes; other calls: nothing
  static constexpr int kCrash = -2;       // the call is made, then the process ends
  static constexpr int kCrashExitCode = 86;
  static constexpr size_t kRecordedMax = 16384;

  std::atomic<bool> armed{false};
  std::atomic<int> only{-1};     // a SystemCall: others are recorded, not counted; -1: all count
  std::atomic<uint32_t> nth{0};  // counted from 1; 0: only record
  std::atomic<int> outcome{0};   // an errno or one of the above
  std::atomic<uint32_t> count{0};          // of calls that count
  std::atomic<uint32_t> recordedCount{0};  // of all calls
  std::atomic<uint8_t> recorded[kRecordedMax]{};

  // Notes the call; true when it is the one.
  bool isTheOne(SystemCall call) noexcept {
    const uint32_t index = recordedCount.fetch_add(1, std::memory_order_relaxed);
    if (index < kRecordedMax) {
      recorded[index].store(static_cast<uint8_t>(call), std::memory_order_relaxed);
    }
    const int counted = only.load(std::memory_order_relaxed);
    if (counted >= 0 && counted != static_cast<int>(call)) return false;
    return count.fetch_add(1, std::memory_order_relaxed) + 1 ==
           nth.load(std::memory_order_relaxed);
  }
};
inline FaultInjection faultInjection;

// Makes a call that reports failure as -1 with errno. `make(shorter)` makes it; when `shorter`,
// with half of its bytes.
template <typename Make>
auto systemCall(SystemCall call, Make make) noexcept -> decltype(make(false)) {
  if (!faultInjection.armed.load(std::memory_order_relaxed)) return make(false);
  if (!faultInjection.isTheOne(call)) return make(false);
  const int outcome = faultInjection.outcome.load(std::memory_order_relaxed);
  if (outcome > 0) {
    errno = outcome;
    return -1;
  }
  const auto result = make(outcome == FaultInjection::kShort);
  if (outcome == FaultInjection::kCrash) _exit(FaultInjection::kCrashExitCode);
  return result;
}

}  // namespace stillframe
