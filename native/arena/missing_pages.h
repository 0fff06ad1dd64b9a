// Pages that are not there yet: parts of the arena whose first touch raises SIGBUS, so that their
// contents can be brought in before the access goes on (userfaultfd(2),
// UFFDIO_REGISTER_MODE_MISSING; ioctl_userfaultfd(2), UFFDIO_COPY; UFFDIO_MOVE since Linux 6.8).
//
// It works on the descriptor that write protection uses: a mapping can belong to one descriptor
// only. Ranges outside are left as they are, so fresh memory there costs no signal.
//
// Invariant: a page that is there is never replaced. A copy goes around it, whoever put it there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace stillframe {

class MissingPages {
 public:
  // -1: the mechanism has no such thing; isAvailable() says so.
  void attach(int userfaultDescriptor) { descriptor_ = userfaultDescriptor; }
  bool isAvailable() const { return descriptor_ >= 0; }

  // From now on absent pages of the range raise the signal; until end() the range cannot be write
  // protected. Returns 0 or errno.
  int begin(uint8_t* start, size_t bytes);
  // Absent pages of the range read as zeros again. Returns 0 or errno.
  int end(uint8_t* start, size_t bytes);

  // Fills the absent pages of [target, target + bytes) with bytes from `source`. Async-signal-safe.
  // Returns 0 or errno.
  int copy(uint8_t* target, const uint8_t* source, size_t bytes) noexcept;
  // Gives the memory of [source, source + bytes) to the absent pages of the target, huge pages
  // whole; the source is absent afterwards. Returns false when pages are left that copy() must do:
  // some were there already, or the kernel cannot.
  bool move(uint8_t* target, uint8_t* source, size_t bytes) noexcept;

 private:
  int descriptor_ = -1;
  std::atomic<bool> cannotMove_{false};
};

}  // namespace stillframe
