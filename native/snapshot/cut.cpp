// The other half of the cut: making it (the thread that serves) and copying it (the copier).
#include "snapshot/cut.h"

#include <sched.h>

#include <cstring>

#include "arena/test_points.h"
#include "snapshot/page_copy.h"

namespace stillframe {

Status Cut::open() {
  kinds_.assign(arena_.extentCount(), 0);
  saved_ = std::vector<Saved>(arena_.extentCount());
  extentCount_ = 0;
  statesPrepared_ = false;
  Status status = preArm_.open();
  if (!status.ok()) return status;
  return registration_.open(arena_.base(), arena_.bytes(), arena_.protection().signalNumber(),
                            *this);
}

void Cut::close() { registration_.close(); }

Status Cut::prepareStates(size_t extentCount) {
  if (statesPrepared_) return Status();
  Status status = arena_.states().advanceEpoch();
  if (!status.ok()) return status;
  arena_.states().touch(extentCount * kPagesPerExtent);
  statesPrepared_ = true;
  return status;
}

Status Cut::prepare(const uint8_t* kinds, size_t extentCount, SpillFile& spill) {
  Status status = prepareStates(extentCount);
  if (!status.ok()) return status;
  if (extentCount > 0) memcpy(kinds_.data(), kinds, extentCount);
  extentCount_ = extentCount;
  spill_ = &spill;
  failure_.store(0, std::memory_order_relaxed);
  uselessPage_.store(UINT64_MAX, std::memory_order_relaxed);
  uint64_t extents = 0;
  for (size_t extent = 0; extent < extentCount; extent++) {
    if (!covers(extent)) continue;
    extents++;
    saved_[extent].newest.store(PreimagePool::kNone, std::memory_order_relaxed);
    saved_[extent].spilled.store(0, std::memory_order_relaxed);
    saved_[extent].lifted.store(0, std::memory_order_relaxed);
  }
  pagesTotal_.store(extents * kPagesPerExtent, std::memory_order_relaxed);
  for (auto* counter : {&pagesCopied_, &pagesSaved_, &faults_, &poolOverflows_}) {
    counter->store(0, std::memory_order_relaxed);
  }
  return preArm_.prepareRest(kinds_.data(), extentCount);
}

Status Cut::arm() {
  armed_.store(true, std::memory_order_seq_cst);
  // A handler that came in before saw the flag down and may yet lift its page: let it leave first.
  registration_.waitForHandlers();
  statesPrepared_ = false;
  Status status = preArm_.armRest(kinds_.data(), extentCount_);
  if (!status.ok()) {
    (void)liftAll();  // the first error is the one to report
    disarm();
  }
  return status;
}

Status Cut::liftAll() {
  Status first;
  for (size_t extent = 0; extent < extentCount_; extent++) {
    if (!covers(extent) || saved_[extent].lifted.load(std::memory_order_relaxed) != 0) continue;
    const int code = arena_.protection().liftExtent(arena_.extentAt(extent));
    if (code == 0) {
      saved_[extent].lifted.store(1, std::memory_order_release);
    } else if (first.ok()) {
      first = Status::systemCall("ioctl", code, "lifting the protection of extent " +
                                                    std::to_string(extent));
    }
  }
  return first;
}

void Cut::disarm() {
  armed_.store(false, std::memory_order_seq_cst);
  registration_.waitForHandlers();
}

Status Cut::copyExtent(size_t extent, uint8_t* staging) {
  PageStates& states = arena_.states();
  const uint8_t copying = states.encode(PageState::copying);
  const uint8_t done = states.encode(PageState::done);
  const size_t firstPage = extent * kPagesPerExtent;
  uint64_t copied = 0;
  for (size_t i = 0; i < kPagesPerExtent; i++) {
    std::atomic<uint8_t>& state = states.at(firstPage + i);
    uint8_t seen = state.load(std::memory_order_relaxed);
    if (states.decided(seen)) continue;
    testPoint(TestPoint::copierLooked);
    // Only a writer changes an undecided page besides us, and it decides it.
    if (!state.compare_exchange_strong(seen, copying, std::memory_order_acq_rel)) continue;
    testPoint(TestPoint::copierClaimed);
    copyPage(staging + i * kPageBytes, arena_.pageAt(firstPage + i));
    testPoint(TestPoint::copierCopied);
    uint8_t expected = copying;
    if (state.compare_exchange_strong(expected, done, std::memory_order_acq_rel)) copied++;
  }
  pagesCopied_.fetch_add(copied, std::memory_order_relaxed);
  testPoint(TestPoint::copierDecided);
  const int code = arena_.protection().lift(arena_.extentAt(extent), kExtentBytes);
  if (code != 0) {
    return Status::systemCall("ioctl", code, "lifting the protection of extent " +
                                                 std::to_string(extent));
  }
  saved_[extent].lifted.store(1, std::memory_order_release);
  return Status();
}

Status Cut::overlaySaved(size_t extent, uint8_t* staging, const std::atomic<bool>& cancelled) {
  const size_t firstPage = extent * kPagesPerExtent;
  const uint8_t saved = arena_.states().encode(PageState::saved);
  size_t expected = 0;
  for (size_t i = 0; i < kPagesPerExtent; i++) {
    if (arena_.states().at(firstPage + i).load(std::memory_order_acquire) == saved) expected++;
  }
  if (expected == 0) return Status();

  std::vector<bool> placed(kPagesPerExtent, false);
  size_t fromSlots = 0;
  size_t spilled = 0;
  for (;;) {
    fromSlots += takeSlots(extent, staging, placed);
    spilled = saved_[extent].spilled.load(std::memory_order_acquire);
    if (fromSlots + spilled == expected) break;
    if (cancelled.load(std::memory_order_relaxed)) return Status::failure("the run was stopped");
    sched_yield();  // a writer has won a page and not yet hung up its slot
  }
  return spilled == 0 ? Status() : readSpilled(extent, staging, placed);
}

size_t Cut::takeSlots(size_t extent, uint8_t* staging, std::vector<bool>& placed) {
  std::atomic<uint32_t>& newest = saved_[extent].newest;
  if (newest.load(std::memory_order_relaxed) == PreimagePool::kNone) return 0;
  uint32_t slot = newest.exchange(PreimagePool::kNone, std::memory_order_acq_rel);
  size_t taken = 0;
  while (slot != PreimagePool::kNone) {
    const size_t page = pool_.pageOf(slot).load(std::memory_order_relaxed) % kPagesPerExtent;
    memcpy(staging + page * kPageBytes, pool_.data(slot), kPageBytes);
    placed[page] = true;
    taken++;
    uint32_t next = pool_.next(slot).load(std::memory_order_acquire);
    while (next == kUnlinked) {
      sched_yield();
      next = pool_.next(slot).load(std::memory_order_acquire);
    }
    pool_.giveBack(slot);
    slot = next;
  }
  return taken;
}

// Pages that are saved but were in no slot: their writers have put them into the spill file.
Status Cut::readSpilled(size_t extent, uint8_t* staging, const std::vector<bool>& placed) {
  if (failure_.load(std::memory_order_acquire) != 0) return checkComplete();
  const size_t firstPage = extent * kPagesPerExtent;
  const uint8_t saved = arena_.states().encode(PageState::saved);
  std::vector<bool> wanted(kPagesPerExtent);
  for (size_t i = 0; i < kPagesPerExtent; i++) {
    wanted[i] =
        !placed[i] && arena_.states().at(firstPage + i).load(std::memory_order_relaxed) == saved;
  }
  return spill_->read(extent, wanted, staging);
}

Status Cut::checkComplete() const {
  const int code = failure_.load(std::memory_order_acquire);
  if (code != 0) {
    return Status::systemCall("pwrite", code, "a writer storing a pre-image, the pool being full");
  }
  if (pagesCopied() + pagesSaved() == pagesTotal()) return Status();
  return Status::failure("checkpoint lost count of pages: copied " + std::to_string(pagesCopied()) +
                         " + saved " + std::to_string(pagesSaved()) + ", expected " +
                         std::to_string(pagesTotal()) + "; the file is not used");
}

}  // namespace stillframe
