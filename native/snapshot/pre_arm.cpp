#include "snapshot/pre_arm.h"

#include "arena/clock.h"
#include "arena/test_points.h"
#include "snapshot/extent_kind.h"

namespace stillframe {
namespace {

Status protectFailed(int code, size_t extent) {
  return Status::systemCall("ioctl", code,
                            "setting the protection of extent " + std::to_string(extent));
}

}  // namespace

Status PreArm::open() {
  extents_ = std::vector<Extent>(arena_.extentCount());
  active_.store(false, std::memory_order_relaxed);
  return bits_.open(arena_.extentCount() * kWords * sizeof(uint64_t), ArenaMapping::Pages::small,
                    "notes of writes before a checkpoint");
}

// ---- the background thread -------------------------------------------------------------------

Status PreArm::run(const uint8_t* kinds, size_t extentCount, const std::atomic<bool>& cancelled) {
  if (!active()) arena_.protection().beginRun(extentCount * kExtentBytes);
  faults_.store(0, std::memory_order_relaxed);
  passes_.store(0, std::memory_order_relaxed);
  steps_ = 0;
  active_.store(true, std::memory_order_seq_cst);
  constexpr uint8_t kData = static_cast<uint8_t>(ExtentKind::data);
  const uint64_t end = monotonicNanos() + kPassesNanosMax;
  for (size_t pass = 0; pass < kPassesMax; pass++) {
    size_t calls = 0;
    for (size_t extent = 0; extent < extentCount; extent++) {
      const uint8_t state = extents_[extent].state.load(std::memory_order_acquire);
      if (kinds[extent] != kData || state == kHeld) continue;
      if (cancelled.load(std::memory_order_relaxed) || monotonicNanos() > end) return Status();
      Status status = state == kOpen ? holdMeasured(extent) : holdNoted(extent, calls);
      if (!status.ok()) return status;
      if (state == kOpen) calls += callsToHold(extent);
    }
    passes_.fetch_add(1, std::memory_order_relaxed);
    if (calls <= kFewCalls) break;
  }
  return Status();
}

// Protects a whole extent and learns what that costs.
Status PreArm::holdMeasured(size_t extent) {
  const int code = arena_.protection().prepare(arena_.extentAt(extent), kExtentBytes);
  if (code != 0) return protectFailed(code, extent);
  const uint64_t begin = threadNanos();  // being preempted in the middle does not count
  Status status = holdPrepared(extent);
  const bool costly = threadNanos() - begin > kCheapNanos;
  extents_[extent].costly.store(costly, std::memory_order_relaxed);
  return status;
}

Status PreArm::holdPrepared(size_t extent) {
  std::atomic<uint64_t>* bits = bitsOf(extent);
  for (size_t word = 0; word < kWords; word++) {
    // Written only where needed: most extents never have notes, and their words stay untouched.
    if (bits[word].load(std::memory_order_relaxed) != 0) {
      bits[word].store(0, std::memory_order_relaxed);
    }
  }
  extents_[extent].ours = true;
  extents_[extent].state.store(kHeld, std::memory_order_seq_cst);
  testPoint(TestPoint::preArmTaken);
  const int code = arena_.protection().protect(arena_.extentAt(extent), kExtentBytes);
  return code == 0 ? Status() : protectFailed(code, extent);
}

// Protects the noted pages of an extent. Takes the notes first: see the invariant. Adds what it
// cost to `calls`.
Status PreArm::holdNoted(size_t extent, size_t& calls) {
  extents_[extent].state.store(kHeld, std::memory_order_seq_cst);
  std::atomic<uint64_t>* bits = bitsOf(extent);
  uint64_t taken[kWords];
  for (size_t word = 0; word < kWords; word++) {
    taken[word] = bits[word].exchange(0, std::memory_order_seq_cst);
  }
  testPoint(TestPoint::preArmTaken);
  PageRange ranges[kCallsPerExtent];
  size_t count = notedRanges(taken, ranges);
  if (count == kCallsPerExtent) {
    ranges[0] = {0, kPagesPerExtent};
    count = 1;
    calls += kCallsPerExtent - 1;
  }
  for (size_t i = 0; i < count; i++) {
    const int code =
        arena_.protection().protect(arena_.extentAt(extent) + ranges[i].first * kPageBytes,
                                    (ranges[i].end - ranges[i].first) * kPageBytes);
    if (code != 0) return protectFailed(code, extent);
  }
  calls += count;
  return Status();
}

// Pages of one extent that one call protects. Returns kCallsPerExtent as soon as there are so many.
size_t PreArm::notedRanges(const uint64_t (&notes)[kWords], PageRange (&ranges)[kCallsPerExtent]) {
  size_t count = 0;
  for (size_t page = 0; page < kPagesPerExtent; page++) {
    const uint64_t rest = notes[page / 64] >> page % 64;
    if (rest == 0) {
      page |= 63;  // on to the next word
      continue;
    }
    page += static_cast<size_t>(__builtin_ctzll(rest));
    if (count > 0 && page - ranges[count - 1].end < kBridgedPages) {
      ranges[count - 1].end = page + 1;
    } else {
      if (count == kCallsPerExtent) break;
      ranges[count++] = {page, page + 1};
    }
  }
  return count;
}

// ---- the cut ---------------------------------------------------------------------------------

// Calls action(start, bytes), which returns 0 or errno, for neighbouring extents that are open.
template <typename Action>
Status PreArm::forEachOpenRange(const uint8_t* kinds, size_t extentCount, Action action) {
  const auto open = [&](size_t extent) {
    return kinds[extent] != 0 &&
           extents_[extent].state.load(std::memory_order_relaxed) == kOpen;
  };
  for (size_t first = 0; first < extentCount; first++) {
    if (!open(first)) continue;
    size_t end = first + 1;
    while (end < extentCount && open(end)) end++;
    const int code = action(arena_.extentAt(first), (end - first) * kExtentBytes);
    if (code != 0) {
      return Status::systemCall("ioctl", code,
                                "setting the protection of extents " + std::to_string(first) +
                                    " to " + std::to_string(end - 1));
    }
    first = end;
  }
  return Status();
}

Status PreArm::catchUp(const uint8_t* kinds, size_t extentCount, bool& caughtUp) {
  caughtUp = true;
  if (!active()) return Status();
  const size_t callsMax = kCallsInFirstStep + steps_++ * kCallsMorePerStep;
  size_t calls = 0;
  for (size_t extent = 0; extent < extentCount; extent++) {
    const uint8_t state = extents_[extent].state.load(std::memory_order_acquire);
    if (kinds[extent] == 0 || state == kHeld) continue;
    if (calls >= callsMax) {
      caughtUp = false;
      break;
    }
    Status status = state == kOpen ? holdMeasured(extent) : holdNoted(extent, calls);
    if (!status.ok()) return status;
    if (state == kOpen) calls += callsToHold(extent);
  }
  return Status();
}

Status PreArm::prepareRest(const uint8_t* kinds, size_t extentCount) {
  if (!active()) arena_.protection().beginRun(extentCount * kExtentBytes);
  return forEachOpenRange(kinds, extentCount, [this](uint8_t* start, size_t bytes) {
    return arena_.protection().prepare(start, bytes);
  });
}

Status PreArm::armRest(const uint8_t* kinds, size_t extentCount) {
  size_t calls = 0;
  Status status = forEachOpenRange(kinds, extentCount, [&](uint8_t* start, size_t bytes) {
    calls++;
    return arena_.protection().protect(start, bytes);
  });
  for (size_t extent = 0; status.ok() && extent < extentCount; extent++) {
    if (kinds[extent] == 0) continue;
    std::atomic<uint8_t>& state = extents_[extent].state;
    if (state.load(std::memory_order_relaxed) == kNoted) status = holdNoted(extent, calls);
    if (!status.ok()) break;
    state.store(kOpen, std::memory_order_relaxed);
    extents_[extent].ours = false;
  }
  rangesAtCut_.store(calls, std::memory_order_relaxed);
  return status;
}

void PreArm::noteReleased(size_t firstExtent, size_t count) {
  for (size_t extent = firstExtent; extent < firstExtent + count; extent++) {
    extents_[extent].state.store(kOpen, std::memory_order_seq_cst);
  }
}

Status PreArm::liftRest() {
  if (!active()) return Status();
  Status first;
  for (size_t extent = 0; extent < extents_.size(); extent++) {
    if (!extents_[extent].ours) continue;
    const int code = arena_.protection().liftExtent(arena_.extentAt(extent));
    if (code == 0) {
      extents_[extent].ours = false;
      extents_[extent].state.store(kOpen, std::memory_order_seq_cst);
    } else if (first.ok()) {
      first = Status::systemCall("ioctl", code,
                                 "lifting the protection of extent " + std::to_string(extent));
    }
  }
  // With a call refused, handlers go on to lift what is touched.
  if (first.ok()) active_.store(false, std::memory_order_seq_cst);
  return first;
}

// ---- signal context --------------------------------------------------------------------------

bool PreArm::onWriteFault(size_t page) noexcept {
  faults_.fetch_add(1, std::memory_order_relaxed);
  const bool costly =
      extents_[page / kPagesPerExtent].costly.load(std::memory_order_relaxed) != 0;
  size_t pages = arena_.protection().granuleBytes() / kPageBytes;
  if (!costly && pages < kPagesPerExtent) pages = kPagesPerExtent;
  const size_t first = page / pages * pages;
  const size_t arenaPages = arena_.bytes() / kPageBytes;
  if (pages > arenaPages - first) pages = arenaPages - first;
  if (arena_.protection().liftCaught(arena_.pageAt(first), pages * kPageBytes) != 0) return false;
  testPoint(TestPoint::preArmLetGo);
  for (size_t done = 0; done < pages;) {
    const size_t extent = (first + done) / kPagesPerExtent;
    const size_t inExtent = (first + done) % kPagesPerExtent;
    const size_t count =
        pages - done < kPagesPerExtent - inExtent ? pages - done : kPagesPerExtent - inExtent;
    note(extent, inExtent, count);
    done += count;
  }
  return true;
}

void PreArm::note(size_t extent, size_t firstPage, size_t count) noexcept {
  std::atomic<uint8_t>& state = extents_[extent].state;
  if (count == kPagesPerExtent) {
    state.store(kOpen, std::memory_order_seq_cst);
    return;
  }
  std::atomic<uint64_t>* bits = bitsOf(extent);
  for (size_t page = firstPage; page < firstPage + count; page++) {
    bits[page / 64].fetch_or(uint64_t{1} << page % 64, std::memory_order_seq_cst);
  }
  uint8_t held = kHeld;  // open stays open: it says more
  state.compare_exchange_strong(held, kNoted, std::memory_order_seq_cst);
}

}  // namespace stillframe
