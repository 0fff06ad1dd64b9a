// Lazy restore: the server works on the arena while the checkpoint file is still being read.
//
// The extents that the file holds are registered as missing. Whoever touches a 64 KiB block that is
// not there takes SIGBUS, reads the block from the file, checks it, puts it in place and goes on;
// meanwhile two threads at low priority read the rest, dense metadata first, 2 MiB at a time. An
// extent nothing of which is there yet is moved in as one huge page; all else is copied.
//
// Why it is right:
// - A page that is there is never replaced (arena/missing_pages.h). JavaScript's first touch of a
//   block brings the block in, so what it writes lies in present pages and no copy undoes it.
// - Bytes are put in place only inside the gate and only while the extent is `awaited`. Whoever
//   gives an extent back first ends that, then waits for the gate: nothing stale follows.
// - A checkpoint run waits for the end of the filling before it protects anything (waitFilled, in
//   its background part), so a run and a restore never meet, and the cut knows no absent pages.
// - A block that does not match its checksum is never put in place. On touch there is no way on:
//   the handler says what is wrong and ends the process with kDamagedExitCode. The background
//   threads report it as their result instead.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arena/arena.h"
#include "arena/missing_pages.h"
#include "arena/thread.h"
#include "snapshot/snapshot_source.h"

namespace stillframe {

// Exit code of a process that touched a block of its checkpoint that cannot be used.
constexpr int kDamagedExitCode = 3;

struct LazyRestoreProgress {
  bool active;  // until everything is in memory, failed, or stopped
  uint64_t bytesTotal, bytesDone;
  uint64_t blocksTouched;  // blocks that were read because they were touched
  uint64_t durationMicros;
};

// Where and how the process says why it ends.
struct DamageReport {
  int logDescriptor = -1;  // told beside standard error; -1: none
  std::string advice;      // ends the message
};

// Threads that put bytes in place are inside; a fence waits until those that were inside have left.
class Gate {
 public:
  void enter() noexcept;
  void leave() noexcept { inside_.fetch_sub(1, std::memory_order_seq_cst); }
  // What the caller stored before is seen by everyone who enters later (sequential consistency).
  void fence() noexcept;

 private:
  std::atomic<uint32_t> inside_{0};
  std::atomic<uint32_t> closing_{0};
};

class LazyRestore {
 public:
  using Notify = void (*)(void* context);  // called on a background thread when there is a result

  LazyRestore(Arena& arena, Notify notify, void* context);
  LazyRestore(const LazyRestore&) = delete;
  LazyRestore& operator=(const LazyRestore&) = delete;
  ~LazyRestore() { close(); }

  // ---- the thread that serves ----

  // Makes the arena read as the file's extents and zeros elsewhere: blocks come when they are
  // touched. Outside of a run. When the file is refused nothing has changed; after another failure
  // the arena reads as zeros.
  Status open(const RestoreRequest& request, DamageReport report);
  // Starts the background threads, after open() or stopFilling().
  Status startFilling();
  // Ends them; blocks still come when they are touched. Idempotent.
  void stopFilling();
  // Ends everything: what was not read yet reads as zeros. Outside of a run. No result follows.
  Status stop();
  void close();  // as stop(), but leaves the arena alone, which is being closed

  // The contents of these extents are not needed any more: what is absent of them reads as zeros
  // and is not filled. Not for extents that an active run covers.
  Status forget(size_t firstExtent, size_t count);
  // Once per startFilling(), unless it was stopped: how the filling ended.
  bool takeResult(Status& status);
  LazyRestoreProgress progress();

  // ---- a checkpoint run, any thread ----

  // Returns when nothing is absent any more; at once without a restore. Fails when the file is
  // damaged, the filling was stopped, or `cancelled` was set and wake() called.
  Status waitFilled(const std::atomic<bool>& cancelled);
  void wake();

  // ---- signal context ----

  // `offset` of the arena was touched. True: its block is there now, try again. False: it was there
  // before, the fault is of another kind.
  bool onFault(size_t offset) noexcept;

 private:
  static constexpr size_t kFillThreads = 2;
  static constexpr size_t kTouchBuffers = 8;   // threads that bring in a touched block at a time
  static constexpr size_t kBlocksPerCopy = 4;  // put in place between two looks at the gate

  static void runFill(void* self) { static_cast<LazyRestore*>(self)->fill(); }
  static void runHelper(void* self) { static_cast<LazyRestore*>(self)->fillExtents(1); }
  void fill();
  void fillExtents(size_t thread);
  Status fillExtent(size_t extent, uint8_t* buffer);
  bool moveExtent(size_t extent, uint8_t* buffer);
  int putInPlace(size_t firstBlock, size_t count, const uint8_t* buffer) noexcept;
  Status endMissingOf(size_t extent);
  void markPresent(size_t firstBlock, size_t count) noexcept;
  bool enterUse() noexcept;
  void leaveUse() noexcept { users_.fetch_sub(1, std::memory_order_seq_cst); }
  void endUse();
  Status registerExtents(const RestoreRequest& request);
  Status endMissing(size_t firstExtent, size_t count);
  size_t takeTouchBuffer() noexcept;
  bool bringIn(size_t block) noexcept;
  [[noreturn]] void die(const BlockProblem& problem) const noexcept;

  bool isAwaited(size_t extent) const {
    return awaited_[extent].load(std::memory_order_seq_cst) != 0;
  }
  bool isPresent(size_t block) const {
    return present_[block].load(std::memory_order_acquire) != 0;
  }

  Arena& arena_;
  const Notify notify_;
  void* const context_;
  Gate gate_;
  MissingPages missing_;
  SnapshotSource source_;
  Thread thread_, helper_;

  // Allocated by open(), kept until the next one: handlers read them.
  std::unique_ptr<std::atomic<uint8_t>[]> awaited_;  // 1 per extent whose absent pages raise SIGBUS
  std::unique_ptr<std::atomic<uint8_t>[]> present_;  // 1 per block that is there
  size_t extentCount_ = 0;
  std::vector<uint32_t> order_;  // of filling
  std::atomic<size_t> next_{0};  // in order_

  // The file and the memory below are used between enterUse() and leaveUse(), while active_.
  std::atomic<bool> active_{false};
  std::atomic<uint32_t> users_{0};
  ArenaMapping fillMemory_;   // a 2 MiB buffer per fill thread
  ArenaMapping touchMemory_;  // kTouchBuffers of a block each
  std::atomic<uint32_t> touchBuffersTaken_{0};  // a bit each
  DamageReport report_;

  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> blocksTotal_{0}, blocksDone_{0}, blocksTouched_{0};

  std::mutex mutex_;  // guards the next block
  std::condition_variable changed_;
  Status failure_;
  bool filling_ = false;
  bool hasResult_ = false;
  uint64_t startedMicros_ = 0, durationMicros_ = 0;
};

}  // namespace stillframe
