#include "snapshot/checkpoint.h"

#include <algorithm>
#include <utility>

#include "arena/clock.h"
#include "snapshot/lazy_restore.h"

namespace stillframe {
namespace {

// Of the thread for idle cores, with one extent: milliseconds when there is one.
constexpr uint64_t kPatienceNanos = 50'000'000;

}  // namespace

// Extents that come into use between preparation and cut, as far as memory is laid out for them.
constexpr size_t kGrownExtents = 4;

Status Checkpoint::checkKinds(const uint8_t* kinds, size_t extentCount) const {
  if (extentCount > arena_.extentCount()) {
    return Status::failure("the extents of a checkpoint must lie in the arena: got " +
                           std::to_string(extentCount) + " of " +
                           std::to_string(arena_.extentCount()));
  }
  for (size_t i = 0; i < extentCount; i++) {
    if (kinds[i] > static_cast<uint8_t>(ExtentKind::denseMetadata)) {
      return Status::failure("the kind of extent " + std::to_string(i) +
                             " must be 0, 1 or 2; got " + std::to_string(kinds[i]));
    }
  }
  return Status();
}

void Checkpoint::attach(LazyRestore& restore) {
  restore_ = &restore;
  cut_.attach(restore);
}

Status Checkpoint::open() { return cut_.open(); }

void Checkpoint::close() {
  abort();
  if (background_.running() || prompt_.running() || idle_.running()) {
    submit(Job::exit);
    background_.join();
    prompt_.join();
    idle_.join();
    job_ = Job::none;
  }
  cut_.close();
}

Status Checkpoint::startThreads() {
  Status status;
  if (!prompt_.running()) status = prompt_.start("still-metadata", runPrompt, this);
  if (status.ok() && !idle_.running()) status = idle_.start("still-objects", runIdle, this);
  if (!status.ok() || background_.running()) return status;
  return background_.start("still-copier", runBackground, this);
}

void Checkpoint::submit(Job job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  submitLocked(job);
}

void Checkpoint::submitLocked(Job job) {
  job_ = job;
  changed_.notify_all();
}

void Checkpoint::waitForJob(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] { return job_ == Job::none; });
}

Status Checkpoint::checkIdle() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (phase_ == Phase::idle && job_ == Job::none && results_.empty()) return Status();
  return Status::failure("a checkpoint run is active: prepare the next one when it has ended");
}

Status Checkpoint::prepare(size_t memoryBytesMax, std::vector<uint8_t> kinds) {
  Status status = checkKinds(kinds.data(), kinds.size());
  if (status.ok()) status = checkIdle();
  if (status.ok()) status = startThreads();
  if (!status.ok()) return status;
  preparedBytesMax_ = memoryBytesMax;
  preparedKinds_ = std::move(kinds);
  submit(Job::prepare);
  return status;
}

Status Checkpoint::protectAhead(std::vector<uint8_t> kinds, std::string temporaryPath) {
  Status status = checkKinds(kinds.data(), kinds.size());
  if (status.ok()) status = checkIdle();
  if (status.ok()) status = startThreads();
  if (!status.ok()) return status;
  preparedKinds_ = std::move(kinds);
  preparedPath_ = std::move(temporaryPath);
  submit(Job::protectAhead);
  return status;
}

Status Checkpoint::approach(bool& isNear) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (phase_ != Phase::idle || job_ != Job::none || !cut_.preArm().active()) {
      return Status::failure("a checkpoint is approached after onProtected(null) and before its "
                             "start");
    }
  }
  const uint64_t begin = monotonicNanos();
  Status status =
      cut_.preArm().catchUp(preparedKinds_.data(), preparedKinds_.size(), isNear);
  approachNanos_ = monotonicNanos() - begin;
  return status;
}

Status Checkpoint::start(const CheckpointStart& request, uint64_t& pauseMicros) {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    const bool undelivered = std::any_of(results_.begin(), results_.end(), [](const auto& result) {
      return result.event >= CheckpointEvent::copied;
    });
    if (phase_ != Phase::idle || undelivered) {
      return Status::failure("a checkpoint run is active: wait for its end or abort it");
    }
    waitForJob(lock);  // a preparation
  }
  Status status = checkKinds(request.kinds, request.extentCount);
  if (status.ok() && restore_ != nullptr) status = restore_->waitFilled(cancelled_);
  if (status.ok()) status = startThreads();
  if (status.ok()) {
    status = memory_.open(request.memoryBytesMax, request.kinds, request.extentCount);
  }
  if (status.ok()) status = openFiles(request.temporaryPath);
  if (status.ok()) {
    cut_.pool().attach(memory_.poolMemory(), memory_.slotCount());
    status = cut_.prepare(request.kinds, request.extentCount, spill_);
    nextExtent_ = 0;
    copyStatus_ = Status();
  }
  const uint64_t begin = monotonicNanos();
  if (status.ok()) status = cut_.arm();
  const uint64_t end = monotonicNanos();
  const uint64_t nanos = end - begin + std::exchange(approachNanos_, 0);
  if (!status.ok()) {
    (void)cut_.liftRest();  // the first error is the one to report
    file_.discard();
    spill_.close();
    memory_.release();
    return status;
  }
  pauseMicros = (nanos + 999) / 1000;
  const std::lock_guard<std::mutex> lock(mutex_);
  startedMicros_ = begin / 1000;
  durationMicros_ = 0;
  pauseMicros_ = pauseMicros;
  extraBytesPeak_ = memory_.bytes();
  phase_ = Phase::copying;
  submitLocked(Job::copyMetadata);
  return status;
}

// Unless protectAhead() has done it.
Status Checkpoint::openFiles(const std::string& temporaryPath) {
  if (file_.isOpen() && file_.path() == temporaryPath) return Status();
  Status status = spill_.open(temporaryPath, arena_.extentCount() * kPagesPerExtent);
  if (status.ok()) status = file_.create(temporaryPath, useDirect_);
  return status;
}

Status Checkpoint::finish(std::vector<uint8_t> tail, std::string finalPath) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (phase_ != Phase::copied || !results_.empty()) {
    return Status::failure("a checkpoint is finished after its pages were copied: wait for "
                           "onCopied(null)");
  }
  tail_ = std::move(tail);
  finalPath_ = std::move(finalPath);
  phase_ = Phase::finishing;
  submitLocked(Job::finish);
  return Status();
}

void Checkpoint::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  waitForJob(lock);
}

void Checkpoint::abort() {
  cancelled_.store(true, std::memory_order_relaxed);
  if (restore_ != nullptr) restore_->wake();
  std::unique_lock<std::mutex> lock(mutex_);
  waitForJob(lock);
  results_.clear();
  if (phase_ == Phase::copied) {
    phase_ = Phase::idle;
    durationMicros_ = monotonicMicros() - startedMicros_;
  }
  (void)cut_.liftRest();  // of a preparation; what the kernel refuses is lifted when it is touched
  approachNanos_ = 0;
  file_.discard();
  spill_.close();
  memory_.release();
  cancelled_.store(false, std::memory_order_relaxed);
}

bool Checkpoint::takeResult(CheckpointResult& result) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (results_.empty()) return false;
  result = std::move(results_.front());
  results_.erase(results_.begin());
  return true;
}

bool Checkpoint::active() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return phase_ != Phase::idle;
}

bool Checkpoint::prepared() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool ahead = job_ == Job::prepare || job_ == Job::protectAhead || cut_.preArm().active();
  return phase_ == Phase::idle && ahead;
}

bool Checkpoint::covers(size_t firstExtent, size_t count) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (phase_ != Phase::copying) return false;  // copied: nothing is pending any more
  for (size_t extent = firstExtent; extent < firstExtent + count; extent++) {
    if (cut_.covers(extent)) return true;
  }
  return false;
}

CheckpointCounters Checkpoint::counters() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool active = phase_ != Phase::idle;
  return {active,
          arena_.states().epoch(),
          pauseMicros_,
          active ? monotonicMicros() - startedMicros_ : durationMicros_,
          cut_.pagesTotal(),
          cut_.pagesCopied(),
          cut_.pagesSaved(),
          cut_.faults(),
          cut_.poolOverflows(),
          memory_.bytes(),
          extraBytesPeak_,
          cut_.preArm().faults(),
          cut_.preArm().rangesAtCut(),
          file_.bytesWritten()};
}

// ---- the thread ----

void Checkpoint::runBackground(void* self) {
  lowerOwnPriority();
  static_cast<Checkpoint*>(self)->work();
}

void Checkpoint::runPrompt(void* self) {
  static_cast<Checkpoint*>(self)->workOnly(Job::copyMetadata, Job::copyObjects,
                                           &Checkpoint::copyDense);
}

void Checkpoint::runIdle(void* self) {
  runWhenIdle();
  static_cast<Checkpoint*>(self)->workOnly(Job::copyObjects, Job::copyRest, &Checkpoint::copyIdly);
}

// A thread that does one step of each run, unless an earlier one has failed, and hands on.
void Checkpoint::workOnly(Job job, Job then, Status (Checkpoint::*step)()) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return job_ == job || job_ == Job::exit; });
    if (job_ == Job::exit) return;
    lock.unlock();
    if (copyStatus_.ok()) copyStatus_ = (this->*step)();
    lock.lock();
    submitLocked(then);
  }
}

void Checkpoint::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] {
      return job_ != Job::none && job_ != Job::copyMetadata && job_ != Job::copyObjects;
    });
    const Job job = job_;
    if (job == Job::exit) return;
    lock.unlock();
    CheckpointResult result{};
    if (job == Job::prepare) {
      result = {CheckpointEvent::prepared, prepareRun(), 0};
    } else if (job == Job::protectAhead) {
      result = {CheckpointEvent::protectedAhead, protectRun(), 0};
    } else if (job == Job::copyRest) {
      result = {CheckpointEvent::copied, copyRest(), 0};
      result.tableChecksum = tableChecksum_;
    } else {
      result = {CheckpointEvent::finished, finishFile(), 0};
    }
    lock.lock();
    if (job == Job::copyRest) phase_ = result.status.ok() ? Phase::copied : Phase::idle;
    if (job == Job::finish) phase_ = Phase::idle;
    if ((job == Job::copyRest || job == Job::finish) && phase_ == Phase::idle) {
      durationMicros_ = monotonicMicros() - startedMicros_;
    }
    results_.push_back(std::move(result));
    job_ = Job::none;
    changed_.notify_all();
    // Under the lock: whoever sees the job ended, as close() does, may tear down the context. An
    // abort takes no result.
    if (!cancelled_.load(std::memory_order_relaxed)) notify_(context_);
  }
}

Status Checkpoint::prepareRun() {
  const size_t extentCount = preparedKinds_.size();
  const uint8_t* kinds = preparedKinds_.data();
  Status status;
  if (restore_ != nullptr) status = restore_->waitFilled(cancelled_);
  if (status.ok()) {
    // With room for what the heap grows by until the cut: laying out anew would be part of it.
    status = memory_.open(preparedBytesMax_, kinds, extentCount, kGrownExtents);
    if (!status.ok()) status = memory_.open(preparedBytesMax_, kinds, extentCount);
  }
  if (status.ok()) status = cut_.prepareStates(extentCount);
  if (!status.ok()) memory_.release();
  return status;
}

Status Checkpoint::protectRun() {
  Status status;
  if (restore_ != nullptr) status = restore_->waitFilled(cancelled_);
  if (status.ok()) status = openFiles(preparedPath_);
  if (status.ok()) {
    status = cut_.preArm().run(preparedKinds_.data(), preparedKinds_.size(), cancelled_);
  }
  if (!status.ok()) {
    (void)cut_.liftRest();  // the first error is the one to report
    file_.discard();
    spill_.close();
    memory_.release();
  }
  return status;
}

Status Checkpoint::copyDense() { return copyMetadata(copyRequest()); }

Status Checkpoint::copyIdly() { return copyObjects(copyRequest(), kPatienceNanos, nextExtent_); }

// What the other two have left, or failed at.
Status Checkpoint::copyRest() {
  Status status = copyStatus_;
  if (status.ok()) status = copyObjects(copyRequest(), UINT64_MAX, nextExtent_);
  if (status.ok()) status = writeTable(copyRequest(), tableChecksum_);
  if (!status.ok()) (void)cut_.liftAll();  // the first error is the one to report
  cut_.disarm();
  const Status lifted = cut_.liftRest();  // extents that were freed before the cut
  if (status.ok()) status = lifted;
  if (status.ok() && cut_.pool().freeCount() != cut_.pool().slotCount()) {
    status = Status::failure("checkpoint lost slots of its pre-image pool: " +
                             std::to_string(cut_.pool().freeCount()) + " of " +
                             std::to_string(cut_.pool().slotCount()) +
                             " came back; the file is not used");
  }
  if (!status.ok()) file_.discard();
  spill_.close();
  memory_.release();
  return status;
}

Status Checkpoint::finishFile() {
  const uint64_t tailOffset =
      uint64_t{cut_.extentCount()} * (kExtentBytes + kBlocksPerExtent * sizeof(uint32_t));
  Status status = file_.writeAt(tailOffset, tail_.data(), tail_.size(), "the manifest");
  if (status.ok()) status = file_.sync();
  if (status.ok() && cancelled_.load(std::memory_order_relaxed)) {
    status = Status::failure("the run was stopped");
  }
  if (status.ok()) status = file_.publish(finalPath_);
  file_.discard();
  tail_ = {};
  return status;
}

}  // namespace stillframe
