// The memory of one checkpoint run, in a single mapping within the configured bound:
//
//   [ staging: n x 2 MiB ][ pre-image slots and their bookkeeping ][ block table ]
//
// It is touched before the cut (fresh memory is slow) and given back to the system after the run: a
// server that holds 64 MiB for the few seconds of a checkpoint should not show them for hours. All
// staging but one extent is given back once dense metadata is in the file: only that is copied
// ahead, and the more of it at once, the fewer writes are caught.
// Small arenas take less than the bound: a run never needs more staging than it has extents of
// dense metadata, nor more slots than it has pages.
//
// What a run touches elsewhere counts against the bound too: page states and the notes of pre-arm.
#pragma once

#include <atomic>

#include "arena/arena_mapping.h"
#include "snapshot/preimage_pool.h"

namespace stillframe {

class RunMemory {
 public:
  // Lays out memory for a run over the extents with these kinds and `more` extents behind them, and
  // touches it. Keeps what is laid out already when it fits. Fails when the bound is too small for
  // one extent, one slot and the block table, and says how much is needed.
  Status open(size_t memoryBytesMax, const uint8_t* kinds, size_t extentCount, size_t more = 0);
  // Gives back one slot of staging, which is not used any more in this run.
  void releaseStaging(size_t index);
  // Gives the memory back; the address space stays for the next run.
  void release();

  uint8_t* staging(size_t index) const { return mapping_.data() + index * kExtentBytes; }
  size_t stagingCount() const { return stagingCount_; }
  uint8_t* poolMemory() const { return mapping_.data() + poolOffset_; }
  size_t slotCount() const { return slotCount_; }
  // Block table: one u32 per block of `extentCount` extents, zeros: nothing is written between
  // open() and the run, and after it the memory is given back.
  uint32_t* table() const { return reinterpret_cast<uint32_t*>(mapping_.data() + tableOffset_); }
  // All of it that is resident now; any thread may ask.
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  // A state byte and a bit of pre-arm's notes for each page.
  static constexpr size_t kStateBytesPerExtent = kPagesPerExtent + kPagesPerExtent / 8;

  ArenaMapping mapping_;
  size_t stagingCount_ = 0;
  size_t poolOffset_ = 0;
  size_t slotCount_ = 0;
  size_t tableOffset_ = 0;
  bool touched_ = false;
  std::atomic<size_t> bytes_{0};
};

}  // namespace stillframe
