// Priorities, and time slices: the serving thread's is short, and the threads that it starts have
// the usual one.
#include "arena/thread.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>

#include "test/check.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

struct Attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t sliceNanos, deadlineNanos, periodNanos;
};

Attributes ownAttributes() {
  Attributes attributes{};
  CHECK_EQUAL(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0), 0);
  return attributes;
}

// Older kernels have slices, but nobody can ask for one.
bool kernelTakesSlices() {
  utsname name{};
  CHECK_EQUAL(uname(&name), 0);
  int major = 0, minor = 0;
  CHECK_EQUAL(sscanf(name.release, "%d.%d", &major, &minor), 2);
  return major > 6 || (major == 6 && minor >= 12);
}

void noteAttributes(void* to) { *static_cast<Attributes*>(to) = ownAttributes(); }

void shortenAndStart(void* to) {
  const Attributes before = ownAttributes();
  shortenOwnSlice();
  const Attributes after = ownAttributes();
  CHECK_EQUAL(after.nice, before.nice);
  CHECK_EQUAL(after.policy, before.policy);
  if (kernelTakesSlices()) CHECK_EQUAL(after.sliceNanos, 100'000);
  Thread child;
  CHECK_OK(child.start("child", noteAttributes, to));
  child.join();
  CHECK_EQUAL(static_cast<Attributes*>(to)->sliceNanos, before.sliceNanos);
}

}  // namespace

TEST(other_threads_give_way_to_the_one_that_serves) {
  std::atomic<pid_t> id{0};
  std::atomic<bool> ends{false};
  struct Context {
    std::atomic<pid_t>& id;
    std::atomic<bool>& ends;
  } context{id, ends};
  Thread other;
  CHECK_OK(other.start("other", [](void* to) {
    Context& shared = *static_cast<Context*>(to);
    shared.id.store(static_cast<pid_t>(syscall(SYS_gettid)));
    while (!shared.ends.load()) sched_yield();
  }, &context));
  while (id.load() == 0) sched_yield();
  const int own = ownAttributes().nice;
  lowerOtherThreads();
  CHECK_EQUAL(getpriority(PRIO_PROCESS, static_cast<id_t>(id.load())), 10);
  CHECK_EQUAL(ownAttributes().nice, own);
  ends.store(true);
  other.join();
}

TEST(a_thread_may_have_short_slices_and_its_children_do_not) {
  Attributes ofChild{};
  Thread thread;
  CHECK_OK(thread.start("short", shortenAndStart, &ofChild));
  thread.join();
  CHECK_EQUAL(ofChild.nice, ownAttributes().nice);
}
