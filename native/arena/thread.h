// One owner per thread. std::thread throws when the system is out of threads; this reports it.
#pragma once

#include <pthread.h>

#include "arena/status.h"

namespace stillframe {

class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() { join(); }

  // Runs `body(context)` in a new thread named `name` (15 characters at most). All signals but
  // those of the processor's own faults are blocked in it: process-wide signals belong to Node's
  // threads.
  Status start(const char* name, void (*body)(void*), void* context);
  // Waits for the end of the thread; idempotent. The caller has told the body to return.
  void join();
  bool running() const { return running_; }

 private:
  pthread_t handle_{};
  bool running_ = false;
};

// Lets the calling thread run soon rather than long: its time slice becomes 0.1 ms (Linux 6.12 and
// newer, without privileges), so that it comes before the others that want its core when it wakes.
// Its share of the core stays what it is, and threads of this class do not inherit it. Older
// kernels ignore it.
void shortenOwnSlice();

// Lets the calling thread give way to every other one that wants its core: batch scheduling and
// nice +10. Refusals are ignored: the thread then merely runs at normal priority.
void lowerOwnPriority();

// Lets all other threads that the process has now give way to those of normal priority: nice +10.
// For the helpers that V8 and Node start, which compile and collect in the background: at times the
// kernel puts several of them on the core of the thread that serves though another one is idle, and
// that got a twentieth of it for 5 ms. Refusals are ignored.
void lowerOtherThreads();

// Lets the calling thread run only where a core has nothing else to do: a core that runs it counts
// as idle when the kernel looks for one for a thread that wakes. On a machine that is busy
// throughout, that is next to never (0.3 % of a core), and without privileges there is no way back.
void runWhenIdle();

}  // namespace stillframe
