// The signal handler that turns a write into a protected page into a call of the arena's owner.
//
// Rules of everything that runs inside it (DESIGN.md section 4): preallocated memory only; no
// malloc, no V8, no lock, no logging; errno is saved; an address outside every arena goes to the
// handler that was there before, or to the default action, so that a real bus error still crashes
// the process at the faulting instruction.
//
// This file holds the one piece of global state of the addon: a signal handler has no argument of
// ours, so the arenas of a process (one per isolate) stand in a fixed table of atomic slots. Each
// slot counts the handlers inside it. Unregistering clears the slot and waits for the count to fall
// to zero; a handler raises the count before it looks at the slot, so none is missed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arena/status.h"

namespace stillframe {

// Who resolves the faults of one arena. Called in signal context, by several threads at once.
class FaultSink {
 public:
  // `offset` is the byte of the arena that was written to. True: try the instruction again.
  // False: this fault is not of our making and must crash.
  virtual bool onWriteFault(size_t offset) noexcept = 0;

 protected:
  ~FaultSink() = default;
};

class FaultRegistration {
 public:
  static constexpr size_t kArenasMax = 64;

  FaultRegistration() = default;
  FaultRegistration(const FaultRegistration&) = delete;
  FaultRegistration& operator=(const FaultRegistration&) = delete;
  ~FaultRegistration() { close(); }

  // Faults raised as `signalNumber` within [base, base + bytes) go to `sink` until close().
  Status open(uint8_t* base, size_t bytes, int signalNumber, FaultSink& sink);
  // After it no handler is inside the sink. Idempotent.
  void close();

  // Returns when every handler that was inside the sink at the call has left it. What the caller
  // stored before the call is seen by every handler that enters later (sequential consistency).
  void waitForHandlers() const;

 private:
  struct Region {
    uintptr_t base;
    size_t bytes;
    FaultSink* sink;
  };
  struct Slot {
    std::atomic<const Region*> region{nullptr};
    std::atomic<uint32_t> inside{0};
  };
  friend struct FaultDispatch;

  Region region_{};
  Slot* slot_ = nullptr;
};

}  // namespace stillframe
