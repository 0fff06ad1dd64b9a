// The writer's half of the cut: everything here runs inside the signal handler, on the thread that
// wrote, and follows the rules in arena/fault_handler.h.
#include "arena/test_points.h"
#include "snapshot/cut.h"
#include "snapshot/lazy_restore.h"
#include "snapshot/page_copy.h"

namespace stillframe {

bool Cut::onWriteFault(size_t offset) noexcept {
  if (restore_ != nullptr && restore_->onFault(offset)) return true;
  const size_t page = offset / kPageBytes;
  const size_t extent = offset / kExtentBytes;
  // Pairs with arm() and disarm(): they change the flag and then wait for the handlers inside.
  const bool armed = armed_.load(std::memory_order_seq_cst);
  if (!armed && preArm_.active()) {
    if (!retry(page)) return false;
    (void)preArm_.onWriteFault(page);  // refused: again with the next fault
    return true;
  }
  faults_.fetch_add(1, std::memory_order_relaxed);
  if (!armed) return retry(page);
  if (!covers(extent)) {
    // What was protected ahead of the cut and freed before it; or nothing of ours.
    return retry(page) && (!preArm_.active() || liftExtent(extent));
  }
  const PageRange granule = granuleOf(page);
  bool saved = false;
  for (size_t i = granule.first; i < granule.end; i++) {
    if (saveIfPending(i)) saved = true;
  }
  // Whether this thread saved the pages or others were faster: now they are decided.
  if (saved) return liftGranule(page);
  // Decided, but still protected when this thread wrote: the copier is about to lift the extent, or
  // another writer the granule. Lifting one page of a whole huge page splits it, so look first.
  if (saved_[extent].lifted.load(std::memory_order_acquire) != 0) return retry(page);
  return retry(page) && liftGranule(page);
}

// Pages that are lifted together; within the arena.
Cut::PageRange Cut::granuleOf(size_t page) const noexcept {
  const size_t pages = arena_.protection().granuleBytes() / kPageBytes;
  const size_t first = page / pages * pages;
  const size_t end = first + pages;
  const size_t arenaPages = arena_.bytes() / kPageBytes;
  return {first, end < arenaPages ? end : arenaPages};
}

// True when the page was undecided; it is decided now.
bool Cut::saveIfPending(size_t page) noexcept {
  if (!covers(page / kPagesPerExtent)) return false;
  const uint8_t seen = arena_.states().at(page).load(std::memory_order_acquire);
  if (arena_.states().decided(seen)) return false;
  testPoint(TestPoint::writerLooked);
  const uint32_t slot = pool_.take();
  if (slot == PreimagePool::kNone) {
    saveToSpill(page, seen);
  } else {
    saveToPool(page, slot, seen);
  }
  return true;
}

// True when this thread's copy is the page's pre-image. At most two attempts: the only change that
// does not decide the page is pending -> copying. The copy made before stays good meanwhile, for an
// undecided page is still protected.
bool Cut::claimForWriter(size_t page, uint8_t seen) noexcept {
  std::atomic<uint8_t>& state = arena_.states().at(page);
  const uint8_t saved = arena_.states().encode(PageState::saved);
  // The loads of the copy come before the swap (release), the write that faulted after it.
  while (!state.compare_exchange_strong(seen, saved, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
    if (arena_.states().decided(seen)) return false;
  }
  // Some processors let a later store overtake the store half of a swap. The ioctl that lifts the
  // protection would order them too; this does not rely on it.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  pagesSaved_.fetch_add(1, std::memory_order_relaxed);
  testPoint(TestPoint::writerClaimed);
  return true;
}

bool Cut::saveToPool(size_t page, uint32_t slot, uint8_t seen) noexcept {
  copyPage(pool_.data(slot), arena_.pageAt(page));
  testPoint(TestPoint::writerCopied);
  if (!claimForWriter(page, seen)) {
    pool_.giveBack(slot);
    return false;
  }
  // Push in two steps that cannot fail: swing the head, then link. The copier, when it comes
  // between the two, waits for the link.
  pool_.pageOf(slot).store(static_cast<uint32_t>(page), std::memory_order_relaxed);
  pool_.next(slot).store(kUnlinked, std::memory_order_relaxed);
  const uint32_t before =
      saved_[page / kPagesPerExtent].newest.exchange(slot, std::memory_order_acq_rel);
  testPoint(TestPoint::writerSwung);
  pool_.next(slot).store(before, std::memory_order_release);
  testPoint(TestPoint::writerSaved);
  return true;
}

// Its own function, so that only this rare path uses the stack space.
__attribute__((noinline)) bool Cut::saveToSpill(size_t page, uint8_t seen) noexcept {
  alignas(64) uint8_t image[kPageBytes];
  copyPage(image, arena_.pageAt(page));
  testPoint(TestPoint::writerCopied);
  if (!claimForWriter(page, seen)) return false;
  const int code = spill_->put(page, image);
  if (code != 0) recordFailure(code);
  poolOverflows_.fetch_add(1, std::memory_order_relaxed);
  saved_[page / kPagesPerExtent].spilled.fetch_add(1, std::memory_order_release);
  testPoint(TestPoint::writerSaved);
  return true;
}

// The pre-image is lost, the write goes on: the run will fail, the server will not.
void Cut::recordFailure(int errnoCode) noexcept {
  int none = 0;
  failure_.compare_exchange_strong(none, errnoCode, std::memory_order_acq_rel);
}

// A refused call is made again with the next fault. When it is refused for good the write can never
// happen: retry() gives up and the process crashes where it is.
bool Cut::liftExtent(size_t extent) noexcept {
  return arena_.protection().liftCaught(arena_.extentAt(extent), kExtentBytes) == 0 ||
         retry(extent * kPagesPerExtent);
}

bool Cut::liftGranule(size_t page) noexcept {
  const PageRange granule = granuleOf(page);
  return arena_.protection().liftCaught(arena_.pageAt(granule.first),
                                  (granule.end - granule.first) * kPageBytes) == 0 ||
         retry(page);
}

// There was nothing to save: another thread was faster, or the run ended between the fault and this
// handler. The instruction is tried again. When that does not help, the page is lifted by itself
// (the call that should have lifted it may have failed). A page that faults without end even so is
// not held up by us (a failed read from swap looks like this): the fault goes on to crash the
// process.
bool Cut::retry(size_t page) noexcept {
  if (uselessPage_.exchange(page, std::memory_order_relaxed) != page) {
    uselessCount_.store(0, std::memory_order_relaxed);
    return true;
  }
  const uint32_t count = uselessCount_.fetch_add(1, std::memory_order_relaxed);
  if (count >= kUselessFaultsMax) return false;
  return count < kUselessFaultsBeforeLift ||
         arena_.protection().liftCaught(arena_.pageAt(page), kPageBytes) == 0;
}

}  // namespace stillframe
