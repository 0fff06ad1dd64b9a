#include "arena/populate.h"

#include "arena/constants.h"

namespace stillframe {

Status PopulateThread::request(size_t firstExtent, size_t count) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!thread_.running()) {
    requested_.assign(mapping_.bytes() / kExtentBytes, false);
    stopping_ = false;
    Status status = thread_.start("still-populate", run, this);
    if (!status.ok()) return status;
  }
  for (size_t i = firstExtent; i < firstExtent + count && i < requested_.size(); i++) {
    if (!requested_[i]) requestedCount_++;
    requested_[i] = true;
  }
  if (!busy_) cursor_ = firstExtent;
  changed_.notify_all();
  return Status();
}

void PopulateThread::cancel(size_t firstExtent, size_t count) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = firstExtent; i < firstExtent + count && i < requested_.size(); i++) {
    if (requested_[i]) requestedCount_--;
    requested_[i] = false;
  }
}

void PopulateThread::waitUntilIdle() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return requestedCount_ == 0 && !busy_; });
}

void PopulateThread::close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

// Requests are few and near each other: the search goes on where the last one was found.
bool PopulateThread::takeNext(size_t& extent) {
  if (requestedCount_ == 0) return false;
  while (!requested_[cursor_]) cursor_ = cursor_ + 1 < requested_.size() ? cursor_ + 1 : 0;
  extent = cursor_;
  requested_[extent] = false;
  requestedCount_--;
  return true;
}

void PopulateThread::work() {
  // At normal priority it took 9 ms of the 25 after a cut from the thread that serves, on its core.
  lowerOwnPriority();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || requestedCount_ > 0; });
    size_t extent = 0;
    if (stopping_) return;
    if (!takeNext(extent)) continue;
    busy_ = true;
    lock.unlock();
    // EFAULT: the extent is protected by a run. Anything else: the writer will touch it itself.
    (void)mapping_.populate(extent * kExtentBytes, kExtentBytes);
    lock.lock();
    busy_ = false;
    if (requestedCount_ == 0) changed_.notify_all();
  }
}

}  // namespace stillframe
