// A thread that touches arena extents ahead of use, because the first touch of a huge page takes
// milliseconds on some machines and must not happen on the thread that serves.
//
// Requests are bits, one per extent: asking is O(extents asked), never blocks on the kernel, cannot
// overflow, and asking twice is asking once. A request is a hint: an extent that a checkpoint run
// covers is not touched (the kernel would refuse it), nor is one that was released meanwhile.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "arena/arena_mapping.h"
#include "arena/thread.h"

namespace stillframe {

class PopulateThread {
 public:
  explicit PopulateThread(ArenaMapping& mapping) : mapping_(mapping) {}
  PopulateThread(const PopulateThread&) = delete;
  PopulateThread& operator=(const PopulateThread&) = delete;
  ~PopulateThread() { close(); }

  // The thread starts with the first request.
  Status request(size_t firstExtent, size_t count);
  // Forgets requests for extents that are being given back.
  void cancel(size_t firstExtent, size_t count);
  // Returns when no request is left (tests).
  void waitUntilIdle();
  void close();

 private:
  static void run(void* self) { static_cast<PopulateThread*>(self)->work(); }
  void work();
  bool takeNext(size_t& extent);

  ArenaMapping& mapping_;
  Thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> requested_;  // per extent
  size_t requestedCount_ = 0;
  size_t cursor_ = 0;  // where the search for the next requested extent begins
  bool busy_ = false;
  bool stopping_ = false;
};

}  // namespace stillframe
