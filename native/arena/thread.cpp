#include "arena/thread.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stillframe {
namespace {

struct Start {
  void (*body)(void*);
  void* context;
};

void* runBody(void* argument) {
  Start* start = static_cast<Start*>(argument);
  const Start copy = *start;
  delete start;
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

void lowerOwnPriority() {
  const sched_param parameter{};
  sched_setscheduler(0, SCHED_BATCH, &parameter);  // Linux: 0 means the calling thread
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 10);
}

}  // namespace stillframe
