// One atomic byte per 4 KiB page of the arena: how far the current checkpoint run is with the page.
//
//   byte = epoch << 2 | state          epoch 1..63, one per run; 0 in fresh memory
//
//                        writer saves the pre-image
//            +----------------------------------------+
//            |                   +------------------->v
//         pending --copier--> copying --copier--> done saved
//
// A byte that carries another epoch counts as pending, so nothing is cleared when a run starts; all
// bytes are cleared once in 63 runs, outside of a run. `done` and `saved` are final ("decided").
// Only a decided page may have its protection lifted while the run is sound, hence: whoever finds a
// page undecided after reading it has read what the page held at the cut.
//
// Cost: 1 byte in 4096 (0.024 %), touched for extents that took part in a run.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arena/arena_mapping.h"
#include "arena/constants.h"

namespace stillframe {

enum class PageState : uint8_t { pending = 0, copying = 1, done = 2, saved = 3 };

class PageStates {
 public:
  static constexpr uint8_t kEpochMax = 63;

  Status open(size_t pageCount);
  void close() { mapping_.close(); }

  std::atomic<uint8_t>& at(size_t page) {
    return reinterpret_cast<std::atomic<uint8_t>*>(mapping_.data())[page];
  }
  uint8_t epoch() const { return epoch_; }
  uint8_t encode(PageState state) const {
    return static_cast<uint8_t>(epoch_ << 2 | static_cast<uint8_t>(state));
  }
  PageState decode(uint8_t byte) const {
    return byte >> 2 == epoch_ ? static_cast<PageState>(byte & 3) : PageState::pending;
  }
  bool decided(uint8_t byte) const { return decode(byte) >= PageState::done; }

  // Opens the epoch of the next run: every page is pending. Outside of a run only.
  Status advanceEpoch();
  // Touches the bytes of the first `pageCount` pages, so that the handler meets no fresh memory.
  void touch(size_t pageCount);

  uint8_t* data() const { return mapping_.data(); }
  size_t bytes() const { return mapping_.bytes(); }

 private:
  static_assert(sizeof(std::atomic<uint8_t>) == 1 && std::atomic<uint8_t>::is_always_lock_free);

  ArenaMapping mapping_;
  uint8_t epoch_ = 0;
};

}  // namespace stillframe
