// The cut: the state of the arena at one instant, as writers and the copier share it during a run.
//
// A writer that faults saves the page's pre-image and goes on; the copier takes all other pages.
// Who gets a page is settled by one compare-and-swap on its state byte (arena/page_states.h):
//
//   writer  (signal context)             copier (one thread)
//   1 copy the page to a pool slot       1 pending -> copying
//   2 pending|copying -> saved           2 copy the page to the staging buffer
//   3 hang the slot on the extent        3 copying -> done; if lost, the page is `saved`
//   4 lift the page's protection         4 all 512 decided: lift the extent, take saved slots
//
// Why it is right:
// - A page's protection is lifted only after its state is decided, and a write happens only after
//   the lift. So if a copy of the page contains a byte of a later write, the state was decided
//   before that write, the swap that follows the copy fails, and the copy is thrown away. A copy
//   whose swap succeeds holds the page as it was at the cut. This needs no agreement on time: a
//   writer may lose its processor between any two steps, for as long as it likes.
// - The writer never waits: steps 1 to 4 are bounded. With the pool full it copies to its own stack
//   and, having won the swap, puts that copy into the spill file (spill_file.h). (It must not put
//   it there before it has won: the loser's copy may hold newer bytes than the winner's.)
// - The copier may wait for a writer that won the swap and has not yet hung up its slot. It waits
//   only for as many pages as it found `saved`.
// - Each page is decided once, so copied + saved = total, which the end of the run checks.
// - Where the mechanism lifts no less than a granule of several pages (mprotect), a writer takes
//   steps 1 to 3 for every page of it that is not decided, then lifts it whole. The same rule
//   holds:
//   what is lifted is decided. The number of steps stays bounded, by the pages of a granule.
//
// The object lives as long as the arena, so a late handler never meets freed memory; what a run
// owns (file descriptor, pool memory) is given up only after disarm(), which waits for handlers to
// leave.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "arena/arena.h"
#include "arena/fault_handler.h"
#include "snapshot/extent_kind.h"
#include "snapshot/pre_arm.h"
#include "snapshot/preimage_pool.h"
#include "snapshot/spill_file.h"

namespace stillframe {

class LazyRestore;

class Cut final : public FaultSink {
 public:
  explicit Cut(Arena& arena) : arena_(arena), preArm_(arena) {}
  Cut(const Cut&) = delete;
  Cut& operator=(const Cut&) = delete;
  ~Cut() { close(); }

  // Registers with the fault handler; the arena is open.
  Status open();
  void close();
  // Faults on blocks that a lazy restore has not read yet are its own. Before it starts.
  void attach(LazyRestore& restore) { restore_ = &restore; }

  // ---- the thread that makes the cut, between two commands ----

  // Opens the epoch of the coming run and touches its page states; prepare() does it when it was
  // not done. Also for a background thread, between runs.
  Status prepareStates(size_t extentCount);
  // Prepares a run: epoch, extent kinds, empty lists. `spill` is where pre-images go when the pool
  // is full; it stays open until disarm() has returned.
  Status prepare(const uint8_t* kinds, size_t extentCount, SpillFile& spill);
  // Protects what preArm() has not, in as few calls as that has gaps. On failure nothing is
  // protected and the run is disarmed.
  Status arm();

  // ---- the copier, or whoever ends the run ----

  // Lifts all protection of the run, whatever its pages' states. Only for a run that is given up.
  Status liftAll();
  // Lifts what was protected ahead of the cut and is not part of it, all of it without a cut.
  Status liftRest() { return preArm_.liftRest(); }
  // From now on handlers do not touch what the run owns; returns when none is inside.
  void disarm();

  // Copies the pages of the extent that no writer has saved; lifts the extent's protection.
  Status copyExtent(size_t extent, uint8_t* staging);
  // Puts the saved pages of a copied extent in their places and gives their slots back. May wait
  // for writers. `cancelled` ends the waiting.
  Status overlaySaved(size_t extent, uint8_t* staging, const std::atomic<bool>& cancelled);
  // copied + saved = total, and no writer failed to put a pre-image in the file.
  Status checkComplete() const;

  bool covers(size_t extent) const {
    return extent < extentCount_ && kinds_[extent] != static_cast<uint8_t>(ExtentKind::absent);
  }
  ExtentKind kindOf(size_t extent) const { return static_cast<ExtentKind>(kinds_[extent]); }
  size_t extentCount() const { return extentCount_; }
  PreimagePool& pool() { return pool_; }
  PreArm& preArm() { return preArm_; }

  // ---- counters of the present or last run; readable by any thread ----
  uint64_t pagesTotal() const { return pagesTotal_.load(std::memory_order_relaxed); }
  uint64_t pagesCopied() const { return pagesCopied_.load(std::memory_order_relaxed); }
  uint64_t pagesSaved() const { return pagesSaved_.load(std::memory_order_relaxed); }
  uint64_t faults() const { return faults_.load(std::memory_order_relaxed); }
  uint64_t poolOverflows() const { return poolOverflows_.load(std::memory_order_relaxed); }

  // ---- signal context ----
  bool onWriteFault(size_t offset) noexcept override;

 private:
  // What writers leave behind in an extent. 12 bytes in 2 MiB.
  struct Saved {
    std::atomic<uint32_t> newest{PreimagePool::kNone};  // list of slots, linked by pool.next
    std::atomic<uint32_t> spilled{0};                   // pages whose image is in the spill file
    std::atomic<uint8_t> lifted{0};                     // the whole extent is unprotected again
  };
  static constexpr uint32_t kUnlinked = PreimagePool::kNone - 1;
  // Faults in a row on one page with nothing to save. Threads that lost a race cause a few; above
  // the first limit the page is lifted, above the second its trouble is not our protection.
  static constexpr uint32_t kUselessFaultsBeforeLift = 64;
  static constexpr uint32_t kUselessFaultsMax = 10'000;

  struct PageRange {
    size_t first, end;
  };
  PageRange granuleOf(size_t page) const noexcept;
  bool saveIfPending(size_t page) noexcept;
  bool saveToPool(size_t page, uint32_t slot, uint8_t seen) noexcept;
  bool saveToSpill(size_t page, uint8_t seen) noexcept;
  bool claimForWriter(size_t page, uint8_t seen) noexcept;
  bool liftGranule(size_t page) noexcept;
  bool liftExtent(size_t extent) noexcept;
  bool retry(size_t page) noexcept;
  void recordFailure(int errnoCode) noexcept;

  size_t takeSlots(size_t extent, uint8_t* staging, std::vector<bool>& placed);
  Status readSpilled(size_t extent, uint8_t* staging, const std::vector<bool>& placed);

  Arena& arena_;
  LazyRestore* restore_ = nullptr;
  PreArm preArm_;
  FaultRegistration registration_;
  PreimagePool pool_;
  std::vector<uint8_t> kinds_;  // sized for the whole arena at open()
  std::vector<Saved> saved_;    // likewise
  size_t extentCount_ = 0;
  bool statesPrepared_ = false;
  SpillFile* spill_ = nullptr;
  std::atomic<bool> armed_{false};
  std::atomic<int> failure_{0};  // errno of a writer that could not store a pre-image

  // Page that faulted last without there being anything to do, and how often in a row.
  std::atomic<uint64_t> uselessPage_{UINT64_MAX};
  std::atomic<uint32_t> uselessCount_{0};

  std::atomic<uint64_t> pagesTotal_{0};
  std::atomic<uint64_t> pagesCopied_{0};
  std::atomic<uint64_t> pagesSaved_{0};
  std::atomic<uint64_t> faults_{0};
  std::atomic<uint64_t> poolOverflows_{0};
};

}  // namespace stillframe
