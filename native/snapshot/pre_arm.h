// Protecting the arena ahead of the cut, so that the cut itself protects little.
//
// Protecting costs per page-table entry: 1 us for a whole huge page, 13 us and more once its 512
// pages were split by single-page faults. At 12 GiB that is 80 ms and more, which nobody may wait
// for. So a background thread protects the extents of data one after the other while the server
// goes on. A write that meets the protection needs no pre-image yet: it drops the protection and
// leaves a note. The thread comes back for what was noted, a few times; each pass is shorter than
// the last, because fewer writes fall into it. Dense metadata, where nearly every write lands, it
// leaves out: at 50,000 writes a second all of it was let go again within milliseconds, and
// protecting it four times over cost the writers 170 faults.
//
// How many notes are left then depends on how long it takes until the server hears of it, so the
// last part is the server's own: between two commands it protects what is open, dense metadata
// above all, and again what was noted, as far as a number of calls goes (catchUp). When that was
// everything, nothing is left and the cut follows on the spot. When it was not, commands run first,
// and the next step may take more calls. A note costs its writer several times a call, so a step is
// soon longer than what one turn of the server adds, whatever the rate of writes.
//
//   extent     open --pass--> held --write--> noted (512 bits: which pages were let go)
//                ^              ^--- pass ------'
//                '--- write that lets the whole extent go (held or noted)
//
// Invariant: a page of an extent that is not `open` is protected unless its bit is set or a handler
// is between letting it go and writing that down. Why it holds: the thread takes the note first and
// protects second, the handler lets go first and notes second; so whatever the order of the two,
// the last word about an unprotected page is a note. The reverse (a note about a protected page) is
// harmless. The cut waits for handlers before it reads the notes.
//
// What a write lets go: the whole extent when protecting it again is cheap (its huge page is whole
// and stays whole), else the mechanism's granule. "Cheap" is the processor time that protecting it
// whole took: no kernel interface says it for less, and a wrong answer costs time, never a page.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "arena/arena.h"

namespace stillframe {

class PreArm {
 public:
  explicit PreArm(Arena& arena) : arena_(arena) {}
  PreArm(const PreArm&) = delete;
  PreArm& operator=(const PreArm&) = delete;

  // The arena is open and no handler is registered.
  Status open();

  // ---- a background thread, before the cut ----

  // Protects the extents of data. Ends early when `cancelled`. On failure the caller
  // lifts what was protected (liftRest).
  Status run(const uint8_t* kinds, size_t extentCount, const std::atomic<bool>& cancelled);

  // ---- the thread that makes the cut; no handler is inside ----

  // Between two commands, after run() has ended: protects again what was written since, as far as
  // the calls of a step go. `caughtUp`: nothing is left.
  Status catchUp(const uint8_t* kinds, size_t extentCount, bool& caughtUp);
  // See WriteProtect::prepare: for extents that are `open`. Outside of the pause.
  Status prepareRest(const uint8_t* kinds, size_t extentCount);
  // Protects what is not protected, in as few calls as it has gaps. From then on these extents are
  // the cut's; those that were protected and have no kind any more stay with this object.
  Status armRest(const uint8_t* kinds, size_t extentCount);
  // The extents were given back to the kernel, which drops their protection. Call it afterwards.
  void noteReleased(size_t firstExtent, size_t count);

  // ---- whoever ends the run ----

  // Lifts what armRest() has not taken over. Idempotent.
  Status liftRest();

  // ---- signal context ----

  // Something may be protected that is not the cut's.
  bool active() const noexcept { return active_.load(std::memory_order_seq_cst); }
  // Lets the page go. False when the kernel refuses: nothing has changed then.
  bool onWriteFault(size_t page) noexcept;

  // ---- counters of the present or last preparation ----
  uint64_t faults() const { return faults_.load(std::memory_order_relaxed); }
  // What the last armRest() cost, in calls: ranges of noted extents, neighbouring open ones.
  uint64_t rangesAtCut() const { return rangesAtCut_.load(std::memory_order_relaxed); }
  uint64_t passes() const { return passes_.load(std::memory_order_relaxed); }

 private:
  // Costs below are in calls: of 1.1 us that protect a few pages of a split huge page.
  static constexpr size_t kPassesMax = 10;
  // A pass that was as short as this is not worth another one.
  static constexpr size_t kFewCalls = 64;
  // With both cores busy this thread may get little of them, while writers undo what it did: the
  // rest is then left to the steps of the server.
  static constexpr uint64_t kPassesNanosMax = 2'000'000'000;
  // The first step of catchUp() takes a quarter of a millisecond, each further one a bit more.
  // Between two of them the server runs about half as many commands, so a few dozen are enough.
  static constexpr size_t kCallsInFirstStep = 224;
  static constexpr size_t kCallsMorePerStep = 4;
  // Protecting a split extent as a whole costs as much as this many of its ranges.
  static constexpr size_t kCallsPerExtent = 12;
  // Noted pages that are no farther apart than this are protected by one call: it costs as much as
  // 45 page-table entries of 24 ns.
  static constexpr size_t kBridgedPages = 32;
  // Processor time of protecting an extent up to which it is let go as a whole.
  static constexpr uint64_t kCheapNanos = 3000;
  static constexpr size_t kWords = kPagesPerExtent / 64;

  enum : uint8_t { kOpen, kHeld, kNoted };
  struct Extent {
    std::atomic<uint8_t> state{kOpen};
    std::atomic<uint8_t> costly{0};
    // Protected at some time in this preparation and not taken over by the cut. `open` does not say
    // that nothing is protected: a note may come late. Not for handlers.
    bool ours = false;
  };

  struct PageRange {
    size_t first, end;
  };
  static size_t notedRanges(const uint64_t (&notes)[kWords], PageRange (&ranges)[kCallsPerExtent]);

  std::atomic<uint64_t>* bitsOf(size_t extent) {
    return reinterpret_cast<std::atomic<uint64_t>*>(bits_.data()) + extent * kWords;
  }
  Status holdMeasured(size_t extent);
  Status holdPrepared(size_t extent);
  Status holdNoted(size_t extent, size_t& calls);
  size_t callsToHold(size_t extent) const {
    return extents_[extent].costly.load(std::memory_order_relaxed) != 0 ? kCallsPerExtent : 1;
  }
  void note(size_t extent, size_t firstPage, size_t count) noexcept;
  template <typename Action>
  Status forEachOpenRange(const uint8_t* kinds, size_t extentCount, Action action);

  Arena& arena_;
  std::vector<Extent> extents_;  // sized for the whole arena at open()
  ArenaMapping bits_;            // kWords per extent, touched where pages were let go
  std::atomic<bool> active_{false};
  std::atomic<uint64_t> faults_{0};
  std::atomic<uint64_t> rangesAtCut_{0};
  std::atomic<uint64_t> passes_{0};
  size_t steps_ = 0;  // of catchUp() since run()
};

}  // namespace stillframe
