// Write protection by mprotect(2) and SIGSEGV: for systems that refuse userfaultfd.
//
// The kernel keeps this protection per mapping (VMA), not per page: every border between protected
// and writable memory costs one, and a process may have vm.max_map_count of them. So a writer lifts
// a granule, 64 KiB or more, chosen for each run so that even alternating granules stay below a
// tenth of that limit: 64 KiB up to 400 MiB in use, 2 MiB up to 12 GiB with the usual limit.
//
// What differs from userfaultfd: a granule for every caught write (all its pages are saved), calls
// that hold up page faults of the whole process while they run, and no lazy restore.
#pragma once

#include "arena/write_protect.h"

namespace stillframe {

class MprotectProtect final : public WriteProtect {
 public:
  // `reason`: why this mechanism, one sentence.
  MprotectProtect(std::string reason, size_t granuleBytesMin);

  const char* name() const override { return "mprotect"; }
  const std::string& reason() const override { return reason_; }
  int signalNumber() const override;

  void beginRun(size_t usedBytes) override {
    granuleBytes_ = granuleFor(usedBytes, mappingsMax_, granuleBytesMin_);
  }
  size_t granuleBytes() const override { return granuleBytes_; }

  int prepare(uint8_t*, size_t) override { return 0; }  // pages never touched are protected too
  int protect(uint8_t* start, size_t bytes) override;

  // The smallest `granuleBytesMin` * 2^n of which `usedBytes` has at most `mappingsMax`.
  static size_t granuleFor(size_t usedBytes, size_t mappingsMax, size_t granuleBytesMin);

 private:
  int liftAs(SystemCall name, uint8_t* start, size_t bytes) override;

  const std::string reason_;
  const size_t mappingsMax_;
  const size_t granuleBytesMin_;
  size_t granuleBytes_;
};

}  // namespace stillframe
