// A bounded pool of 4 KiB slots for pre-images, shared by writers in signal context and the copier.
//
//   memory:  [ slot 0 | slot 1 | ... ]  [ page of slot: u32 ]  [ next: u32 ]  [ free bitmap: u64 ]
//
// take() is wait-free: it passes over the bitmap once, trying each word a bounded number of times,
// and reports a full pool rather than wait. giveBack() is one atomic operation. A bitmap needs no
// tags against reuse: a bit says that the slot is free and nothing else.
//
// Order: giveBack releases and take acquires the bit, so the last reading of a slot comes before
// its next filling. Memory is given in from outside, preallocated and touched; the pool never
// allocates.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arena/constants.h"

namespace stillframe {

class PreimagePool {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Memory needed for `slots` slots, and the most slots that fit into `bytes`.
  static size_t bytesFor(size_t slots);
  static size_t slotsWithin(size_t bytes);

  // Lays `slots` free slots out in `memory` (page aligned, bytesFor(slots) bytes). Nobody may be
  // using the pool.
  void attach(uint8_t* memory, size_t slots);

  // A free slot, or kNone when there is none. Async-signal-safe, any thread.
  uint32_t take() noexcept;
  void giveBack(uint32_t slot) noexcept;

  uint8_t* data(uint32_t slot) const { return memory_ + size_t{slot} * kPageBytes; }
  std::atomic<uint32_t>& pageOf(uint32_t slot) { return pageOf_[slot]; }
  std::atomic<uint32_t>& next(uint32_t slot) { return next_[slot]; }

  size_t slotCount() const { return slotCount_; }
  // Exact only while nobody takes or gives back.
  size_t freeCount() const;

 private:
  static constexpr size_t kBitsPerWord = 64;
  static constexpr int kTriesPerWord = 8;

  uint8_t* memory_ = nullptr;
  std::atomic<uint32_t>* pageOf_ = nullptr;
  std::atomic<uint32_t>* next_ = nullptr;
  std::atomic<uint64_t>* free_ = nullptr;
  size_t slotCount_ = 0;
  size_t wordCount_ = 0;
  std::atomic<size_t> hint_{0};  // word where a free slot was seen last
};

}  // namespace stillframe
