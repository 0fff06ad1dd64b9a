#include "snapshot/lazy_restore.h"

#include <limits.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "arena/clock.h"
#include "snapshot/cut.h"

namespace stillframe {

void Gate::enter() noexcept {
  for (;;) {
    inside_.fetch_add(1, std::memory_order_seq_cst);
    if (closing_.load(std::memory_order_seq_cst) == 0) return;
    inside_.fetch_sub(1, std::memory_order_seq_cst);
    while (closing_.load(std::memory_order_seq_cst) != 0) sched_yield();
  }
}

void Gate::fence() noexcept {
  closing_.fetch_add(1, std::memory_order_seq_cst);
  while (inside_.load(std::memory_order_seq_cst) != 0) sched_yield();
  closing_.fetch_sub(1, std::memory_order_seq_cst);
}

LazyRestore::LazyRestore(Arena& arena, Notify notify, void* context)
    : arena_(arena), notify_(notify), context_(context) {}

// ---- the thread that serves ----

Status LazyRestore::open(const RestoreRequest& request, DamageReport report) {
  missing_.attach(arena_.protection().userfaultDescriptor());
  if (!missing_.isAvailable()) {
    return Status::failure(std::string("a lazy restore needs userfaultfd; writes are caught by ") +
                           arena_.protection().name() + " here: restore eagerly");
  }
  SnapshotSource opened;
  Status status = opened.open(request, arena_.extentCount());
  if (!status.ok()) return status;
  status = stop();
  if (status.ok()) status = arena_.mapping().discard(0, arena_.bytes());
  if (status.ok()) {
    status = fillMemory_.open(kFillThreads * kExtentBytes, ArenaMapping::Pages::huge,
                              "filling the arena");
  }
  if (status.ok()) {
    status = touchMemory_.open(kTouchBuffers * kChecksumBlockBytes, ArenaMapping::Pages::small,
                               "blocks that are touched");
  }
  if (!status.ok()) return status;
  touchMemory_.touch(0, touchMemory_.bytes());
  source_.swap(opened);
  report_ = std::move(report);
  status = registerExtents(request);
  if (status.ok()) {
    active_.store(true, std::memory_order_seq_cst);
  } else {
    (void)stop();  // the first error is the one to report
  }
  return status;
}

Status LazyRestore::startFilling() {
  stopFilling();
  next_.store(0, std::memory_order_relaxed);
  stopping_.store(false, std::memory_order_relaxed);
  failure_ = Status();
  startedMicros_ = monotonicMicros();
  filling_ = true;
  Status status = thread_.start("still-fill", runFill, this);
  if (!status.ok()) filling_ = false;
  return status;
}

// Only what is in the file: fresh memory elsewhere must not raise a signal.
Status LazyRestore::registerExtents(const RestoreRequest& request) {
  extentCount_ = request.extentCount;
  awaited_.reset(new std::atomic<uint8_t>[extentCount_]());
  present_.reset(new std::atomic<uint8_t>[extentCount_ * kBlocksPerExtent]());
  for (auto* counter : {&blocksTotal_, &blocksDone_, &blocksTouched_}) {
    counter->store(0, std::memory_order_relaxed);
  }
  order_.clear();
  for (const bool dense : {true, false}) {
    for (size_t extent = 0; extent < extentCount_; extent++) {
      const auto kind = static_cast<ExtentKind>(request.kinds[extent]);
      if (kind == ExtentKind::absent || (kind == ExtentKind::denseMetadata) != dense) continue;
      order_.push_back(static_cast<uint32_t>(extent));
      awaited_[extent].store(1, std::memory_order_relaxed);
    }
  }
  blocksTotal_.store(order_.size() * kBlocksPerExtent, std::memory_order_relaxed);
  for (size_t first = 0, end = 0; first < extentCount_; first = end + 1) {
    end = first;
    while (end < extentCount_ && request.kinds[end] != 0) end++;
    if (end == first) continue;
    const int code = missing_.begin(arena_.extentAt(first), (end - first) * kExtentBytes);
    if (code != 0) {
      return Status::systemCall("ioctl", code, "UFFDIO_REGISTER of extents " +
                                                   std::to_string(first) + " to " +
                                                   std::to_string(end - 1) + " as missing");
    }
  }
  return Status();
}

void LazyRestore::stopFilling() {
  stopping_.store(true, std::memory_order_relaxed);
  thread_.join();
  const std::lock_guard<std::mutex> lock(mutex_);
  hasResult_ = false;
}

Status LazyRestore::stop() {
  stopFilling();
  endUse();
  const size_t count = extentCount_;
  Status status = forget(0, count);
  extentCount_ = 0;
  return status;
}

void LazyRestore::close() {
  stopFilling();
  endUse();
}

// File and memory are given up; nobody is using them any more.
void LazyRestore::endUse() {
  active_.store(false, std::memory_order_seq_cst);
  while (users_.load(std::memory_order_seq_cst) != 0) sched_yield();
  source_.close();
  fillMemory_.close();
  touchMemory_.close();
}

Status LazyRestore::forget(size_t firstExtent, size_t count) {
  const size_t end = std::min(firstExtent + count, extentCount_);
  Status status;
  for (size_t first = firstExtent; first < end && status.ok();) {
    size_t last = first;
    while (last < end && isAwaited(last)) last++;
    if (last > first) status = endMissing(first, last - first);
    first = last + 1;
  }
  // A background thread may be about to end the missing faults of those that were not awaited.
  gate_.fence();
  return status;
}

Status LazyRestore::endMissing(size_t firstExtent, size_t count) {
  for (size_t extent = firstExtent; extent < firstExtent + count; extent++) {
    awaited_[extent].store(0, std::memory_order_seq_cst);
  }
  gate_.fence();
  const int code = missing_.end(arena_.extentAt(firstExtent), count * kExtentBytes);
  markPresent(firstExtent * kBlocksPerExtent, count * kBlocksPerExtent);
  if (code == 0) return Status();
  return Status::systemCall("ioctl", code, "ending the missing faults of extents " +
                                               std::to_string(firstExtent) + " to " +
                                               std::to_string(firstExtent + count - 1));
}

bool LazyRestore::takeResult(Status& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!hasResult_) return false;
  hasResult_ = false;
  status = failure_;
  return true;
}

LazyRestoreProgress LazyRestore::progress() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {filling_, blocksTotal_.load(std::memory_order_relaxed) * kChecksumBlockBytes,
          blocksDone_.load(std::memory_order_relaxed) * kChecksumBlockBytes,
          blocksTouched_.load(std::memory_order_relaxed),
          filling_ ? monotonicMicros() - startedMicros_ : durationMicros_};
}

// ---- the background threads ----

void LazyRestore::fill() {
  // Without a helper this thread fills alone.
  (void)helper_.start("still-fill-2", runHelper, this);
  fillExtents(0);
  helper_.join();
  // Only these two threads write the failure, and a stop is not taken back before this one ended.
  const bool stopped = stopping_.load(std::memory_order_relaxed);
  if (failure_.ok() && !stopped) endUse();
  const std::lock_guard<std::mutex> lock(mutex_);
  filling_ = false;
  durationMicros_ = monotonicMicros() - startedMicros_;
  hasResult_ = !stopped;
  changed_.notify_all();
  // Under the lock: see Checkpoint::work().
  if (hasResult_) notify_(context_);
}

void LazyRestore::fillExtents(size_t thread) {
  lowerOwnPriority();
  uint8_t* buffer = fillMemory_.data() + thread * kExtentBytes;
  while (!stopping_.load(std::memory_order_relaxed)) {
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= order_.size()) return;
    Status status = fillExtent(order_[index], buffer);
    if (status.ok()) status = endMissingOf(order_[index]);
    if (status.ok()) continue;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failure_.ok()) failure_ = std::move(status);
    next_.store(order_.size(), std::memory_order_relaxed);
    return;
  }
}

Status LazyRestore::fillExtent(size_t extent, uint8_t* buffer) {
  const size_t begin = extent * kBlocksPerExtent;
  const size_t end = begin + kBlocksPerExtent;
  for (size_t first = begin; first < end;) {
    if (!isAwaited(extent)) return Status();
    if (isPresent(first)) {
      first++;
      continue;
    }
    size_t last = first + 1;
    while (last < end && !isPresent(last)) last++;
    Status status = source_.readBlocks(first, last - first, buffer);
    if (!status.ok()) return status;
    if (last - first < kBlocksPerExtent || !moveExtent(extent, buffer)) {
      const int code = putInPlace(first, last - first, buffer);
      if (code != 0) {
        return Status::systemCall("ioctl", code,
                                  "UFFDIO_COPY into extent " + std::to_string(extent));
      }
    }
    first = last;
  }
  return Status();
}

// The whole extent as one huge page, if nothing of it is there. What could not be moved is still in
// the buffer.
bool LazyRestore::moveExtent(size_t extent, uint8_t* buffer) {
  const size_t begin = extent * kBlocksPerExtent;
  gate_.enter();
  bool moved = isAwaited(extent);
  for (size_t i = 0; i < kBlocksPerExtent && moved; i++) moved = !isPresent(begin + i);
  moved = moved && missing_.move(arena_.extentAt(extent), buffer, kExtentBytes);
  if (moved) markPresent(begin, kBlocksPerExtent);
  gate_.leave();
  return moved;
}

// Blocks of one extent. In small pieces, so that a fence is short.
int LazyRestore::putInPlace(size_t firstBlock, size_t count, const uint8_t* buffer) noexcept {
  const size_t extent = firstBlock / kBlocksPerExtent;
  int code = 0;
  for (size_t done = 0; done < count && code == 0; done += kBlocksPerCopy) {
    const size_t blocks = std::min(kBlocksPerCopy, count - done);
    gate_.enter();
    if (isAwaited(extent)) {
      code = missing_.copy(arena_.base() + (firstBlock + done) * kChecksumBlockBytes,
                           buffer + done * kChecksumBlockBytes, blocks * kChecksumBlockBytes);
      if (code == 0) markPresent(firstBlock + done, blocks);
    }
    gate_.leave();
  }
  return code;
}

void LazyRestore::markPresent(size_t firstBlock, size_t count) noexcept {
  uint64_t marked = 0;
  for (size_t block = firstBlock; block < firstBlock + count; block++) {
    if (present_[block].exchange(1, std::memory_order_acq_rel) == 0) marked++;
  }
  blocksDone_.fetch_add(marked, std::memory_order_relaxed);
}

// Memory that is given back later must read as zeros, and a run must be able to protect it.
Status LazyRestore::endMissingOf(size_t extent) {
  int code = 0;
  gate_.enter();
  // Not exchanged before the call: a page that is there raises nothing, and if the call fails the
  // extent is still known to be registered.
  if (isAwaited(extent)) {
    code = missing_.end(arena_.extentAt(extent), kExtentBytes);
    if (code == 0) awaited_[extent].store(0, std::memory_order_seq_cst);
  }
  gate_.leave();
  if (code == 0) return Status();
  return Status::systemCall("ioctl", code,
                            "ending the missing faults of extent " + std::to_string(extent));
}

// ---- a checkpoint run ----

Status LazyRestore::waitFilled(const std::atomic<bool>& cancelled) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !filling_ || cancelled.load(std::memory_order_relaxed); });
  if (filling_) return Status::failure("the run was stopped");
  if (!active_.load(std::memory_order_relaxed)) return Status();
  return failure_.ok() ? Status::failure("the restore was stopped before its end") : failure_;
}

void LazyRestore::wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  changed_.notify_all();
}

// ---- signal context ----

bool LazyRestore::enterUse() noexcept {
  users_.fetch_add(1, std::memory_order_seq_cst);
  if (active_.load(std::memory_order_seq_cst)) return true;
  leaveUse();
  return false;
}

bool LazyRestore::onFault(size_t offset) noexcept {
  if (!enterUse()) return false;
  const size_t block = offset / kChecksumBlockBytes;
  const size_t extent = offset / kExtentBytes;
  const bool missing =
      extent < extentCount_ && isAwaited(extent) && !isPresent(block);
  const bool resolved = missing && bringIn(block);
  leaveUse();
  return resolved;
}

bool LazyRestore::bringIn(size_t block) noexcept {
  const size_t index = takeTouchBuffer();
  uint8_t* buffer = touchMemory_.data() + index * kChecksumBlockBytes;
  const BlockProblem problem = source_.tryBlocks(block, 1, buffer);
  if (problem.any()) die(problem);
  const int code = putInPlace(block, 1, buffer);
  touchBuffersTaken_.fetch_and(~(uint32_t{1} << index), std::memory_order_release);
  blocksTouched_.fetch_add(1, std::memory_order_relaxed);
  return code == 0;
}

// More threads than buffers wait for one another; each holds a buffer for one read of a block.
size_t LazyRestore::takeTouchBuffer() noexcept {
  uint32_t taken = touchBuffersTaken_.load(std::memory_order_relaxed);
  for (;;) {
    const uint32_t free = ~taken & ((uint32_t{1} << kTouchBuffers) - 1);
    if (free == 0) {
      sched_yield();
      taken = touchBuffersTaken_.load(std::memory_order_relaxed);
    } else if (touchBuffersTaken_.compare_exchange_weak(taken, taken | (free & -free),
                                                        std::memory_order_acquire)) {
      return static_cast<size_t>(__builtin_ctz(free));
    }
  }
}

void LazyRestore::die(const BlockProblem& problem) const noexcept {
  static constexpr char kBefore[] = "stillframe: ";
  static constexpr char kMiddle[] = "; it is never served: the process ends with exit code 3. ";
  static_assert(kDamagedExitCode == 3);
  char text[PATH_MAX + 1024];
  char* at = std::copy_n(kBefore, sizeof kBefore - 1, text);
  at += source_.format(problem, at, PATH_MAX + 256);
  at = std::copy_n(kMiddle, sizeof kMiddle - 1, at);
  at = std::copy_n(report_.advice.data(), std::min<size_t>(report_.advice.size(), 512), at);
  *at++ = '\n';
  const size_t length = static_cast<size_t>(at - text);
  for (const int descriptor : {STDERR_FILENO, report_.logDescriptor}) {
    // Nothing can be done when it cannot be written; the exit code remains.
    if (descriptor >= 0 && write(descriptor, text, length) < 0) continue;
  }
  _exit(kDamagedExitCode);
}

}  // namespace stillframe
