#include "arena/page_states.h"

namespace stillframe {

Status PageStates::open(size_t pageCount) {
  epoch_ = 0;
  return mapping_.open(pageCount, ArenaMapping::Pages::small, "page states");
}

Status PageStates::advanceEpoch() {
  if (epoch_ == kEpochMax) {
    Status status = mapping_.discard(0, mapping_.bytes());
    if (!status.ok()) return status;
    epoch_ = 0;
  }
  epoch_++;
  return Status();
}

void PageStates::touch(size_t pageCount) {
  const size_t bytes = (pageCount + kPageBytes - 1) / kPageBytes * kPageBytes;
  mapping_.touch(0, bytes < mapping_.bytes() ? bytes : mapping_.bytes());
}

}  // namespace stillframe
