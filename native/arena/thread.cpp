#include "arena/thread.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace stillframe {
namespace {

// struct sched_attr of sched_setattr(2) as of Linux 3.14, which C libraries do not declare.
struct SchedulerAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtimeNanos;  // of a fair policy: the time slice
  uint64_t deadlineNanos;
  uint64_t periodNanos;
};
constexpr uint64_t kShortSliceNanos = 100'000;
constexpr int kLowNice = 10;

// Of the calling thread; 0: the default one.
void setSlice(uint64_t nanos) {
  SchedulerAttributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;  // somebody has chosen another one
  attributes.runtimeNanos = nanos;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

struct Start {
  void (*body)(void*);
  void* context;
};

void* runBody(void* argument) {
  Start* start = static_cast<Start*>(argument);
  const Start copy = *start;
  delete start;
  setSlice(0);
  copy.body(copy.context);
  return nullptr;
}

}  // namespace

Status Thread::start(const char* name, void (*body)(void*), void* context) {
  sigset_t blocked, before;
  sigfillset(&blocked);
  for (const int fault : {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGTRAP}) sigdelset(&blocked, fault);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  Start* start = new Start{body, context};
  const int code = pthread_create(&handle_, nullptr, runBody, start);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (code != 0) {
    delete start;
    return Status::systemCall("pthread_create", code, std::string("starting thread ") + name);
  }
  pthread_setname_np(handle_, name);
  running_ = true;
  return Status();
}

void Thread::join() {
  if (!running_) return;
  pthread_join(handle_, nullptr);
  running_ = false;
}

void shortenOwnSlice() { setSlice(kShortSliceNanos); }

void lowerOwnPriority() {
  const sched_param parameter{};
  sched_setscheduler(0, SCHED_BATCH, &parameter);  // Linux: 0 means the calling thread
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kLowNice);
}

void lowerOtherThreads() {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return;
  const long own = syscall(SYS_gettid);
  while (const dirent* entry = readdir(tasks)) {
    const long id = strtol(entry->d_name, nullptr, 10);  // 0: "." and ".."
    if (id > 0 && id != own) setpriority(PRIO_PROCESS, static_cast<id_t>(id), kLowNice);
  }
  closedir(tasks);
}

void runWhenIdle() {
  const sched_param parameter{};
  sched_setscheduler(0, SCHED_IDLE, &parameter);
}

}  // namespace stillframe
