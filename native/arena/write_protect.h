// How writes into protected arena pages are caught.
//
// One interface, one class per mechanism: userfaultfd write protection, where the kernel sends
// SIGBUS to the writing thread (UFFD_FEATURE_SIGBUS; userfaultfd(2), ioctl_userfaultfd(2)), and
// mprotect(2) with SIGSEGV (arena/mprotect_protect.h). Page states and handler are the same.
//
// Invariant: protection is kept by the kernel and survives swapping. MADV_DONTNEED drops it with
// userfaultfd (so a pending page is never given back).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "arena/constants.h"
#include "arena/status.h"
#include "arena/system_calls.h"

namespace stillframe {

enum class Mechanism {
  automatic,    // userfaultfd(2), then /dev/userfaultfd, then mprotect
  userfaultfd,  // or an error
  mprotect,
};

struct WriteProtectOptions {
  Mechanism mechanism = Mechanism::automatic;
  // Do not use UFFD_FEATURE_WP_UNPOPULATED even where the kernel has it (tests of older kernels).
  bool ignoreUnpopulatedFeature = false;
  // Least granule of mprotect (tests; 64 KiB otherwise).
  size_t granuleBytesMin = size_t{64} << 10;
};

class WriteProtect {
 public:
  virtual ~WriteProtect() = default;

  // Chooses a mechanism for the range (2 MiB aligned) and sets it up; nothing is protected yet.
  static Status open(uint8_t* base, size_t bytes, const WriteProtectOptions& options,
                     std::unique_ptr<WriteProtect>& result);

  virtual const char* name() const = 0;           // "userfaultfd" or "mprotect"
  virtual const std::string& reason() const = 0;  // one sentence: why this mechanism
  virtual int signalNumber() const = 0;           // the signal a caught write raises
  // The userfaultfd that the range is registered with, for arena/missing_pages.h; -1: none.
  virtual int userfaultDescriptor() const { return -1; }

  // Called when nothing is protected, before a run over the first `usedBytes` of the range: the
  // mechanism may choose its granule anew.
  virtual void beginRun(size_t usedBytes) = 0;
  // What a writer should lift at least, and aligned to it: a power of two of whole pages, up to
  // several extents. Constant from beginRun() to the end of the run.
  virtual size_t granuleBytes() const = 0;

  // Makes protect() complete: some kernels do not protect pages that were never touched. Called
  // before protect() for the same range, outside of the pause. Returns 0 or errno.
  virtual int prepare(uint8_t* start, size_t bytes) = 0;
  // From now on writes into [start, start + bytes) raise the signal. Returns 0 or errno.
  virtual int protect(uint8_t* start, size_t bytes) = 0;
  // Undoes protect() for a page, an extent or more. Returns 0 or errno.
  int lift(uint8_t* start, size_t bytes) { return liftAs(SystemCall::lift, start, bytes); }
  // The same for the handler of a caught write, which tries again when refused. Signal-safe.
  int liftCaught(uint8_t* start, size_t bytes) {
    return liftAs(SystemCall::liftCaught, start, bytes);
  }
  // For whoever ends a run that failed, maybe with a refused call: tries a second time.
  int liftExtent(uint8_t* start) {
    return lift(start, kExtentBytes) == 0 ? 0 : lift(start, kExtentBytes);
  }

 private:
  virtual int liftAs(SystemCall name, uint8_t* start, size_t bytes) = 0;
};

}  // namespace stillframe
