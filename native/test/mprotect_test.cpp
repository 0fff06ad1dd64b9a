// The mechanism that needs no userfaultfd: its granule, its bound on mappings, and faults that are
// not ours. Whole runs with it: run.sh passes --mprotect to the tests of the protocol.
#include "arena/mprotect_protect.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "test/fixture.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

WriteProtectOptions byMprotect() {
  WriteProtectOptions options;
  options.mechanism = Mechanism::mprotect;
  return options;
}

// Mappings that lie in the arena. Those of the whole process would count threads and sanitizers
// too.
size_t mappingCount(const Arena& arena) {
  FILE* file = fopen("/proc/self/maps", "re");
  CHECK(file != nullptr);
  const auto first = reinterpret_cast<uintptr_t>(arena.base());
  size_t count = 0;
  char line[4096];
  while (fgets(line, sizeof line, file) != nullptr) {
    const uintptr_t start = strtoull(line, nullptr, 16);
    count += start >= first && start < first + arena.bytes();
  }
  fclose(file);
  return count;
}

volatile uint8_t* readOnlyPage() {
  void* page = mmap(nullptr, kPageBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  return static_cast<volatile uint8_t*>(page);
}

}  // namespace

TEST(mprotect_granule_keeps_the_number_of_mappings) {
  const size_t least = size_t{64} << 10;
  const auto granuleFor = [&](size_t bytes) {
    return MprotectProtect::granuleFor(bytes, 6553, least);
  };
  CHECK_EQUAL(granuleFor(0), least);
  CHECK_EQUAL(granuleFor(size_t{400} << 20), least);
  CHECK_EQUAL(granuleFor(size_t{1} << 30), size_t{256} << 10);
  CHECK_EQUAL(granuleFor(size_t{12} << 30), size_t{2} << 20);
  CHECK_EQUAL(granuleFor(size_t{64} << 30), size_t{16} << 20);
  for (size_t bytes = kExtentBytes; bytes <= kArenaBytesMax; bytes += 1000 * kExtentBytes) {
    CHECK(bytes / granuleFor(bytes) <= 6553);
  }
}

TEST(mechanism_that_is_asked_for_is_taken) {
  Arena arena;
  CHECK_OK(arena.open(kExtentBytes, byMprotect()));
  CHECK(std::string(arena.protection().name()) == "mprotect");
  CHECK_EQUAL(arena.protection().signalNumber(), SIGSEGV);
  WriteProtectOptions options;
  options.mechanism = Mechanism::userfaultfd;
  CHECK_OK(arena.open(kExtentBytes, options));
  CHECK(std::string(arena.protection().name()) == "userfaultfd");
}

// A writer saves and lifts a granule; mappings come and go with it. The copier is not there yet.
TEST(mprotect_writers_lift_granules) {
  Fixture fixture(8, byMprotect());
  fixture.fill(1);
  const size_t before = mappingCount(fixture.arena);
  CHECK_OK(fixture.cut(std::vector<uint8_t>(8, 1), 32 << 20));
  for (size_t offset = 0; offset < fixture.arena.bytes(); offset += size_t{128} << 10) {
    fixture.write(offset, 9);
    CHECK(mappingCount(fixture.arena) <= before + 2 * 8 * 16 + 2);
  }
  fixture.checkRun();
  CHECK(mappingCount(fixture.arena) <= before);  // and the arena is one again
}

// Granules of several extents, some of which have no part in the run.
TEST(mprotect_granule_larger_than_an_extent) {
  WriteProtectOptions options = byMprotect();
  options.granuleBytesMin = 2 * kExtentBytes;
  Fixture fixture(7, options);
  fixture.fill(1);
  for (const bool prepared : {false, true}) {
    if (prepared) {
      fixture.prepare(64 << 20, {1, 1, 1, 1, 1, 1, 1});
      fixture.write(kExtentBytes + 8, 3);
      fixture.write(6 * kExtentBytes + 8, 3);
    }
    CHECK_OK(fixture.cut({1, 0, 2, 1, 0, 1, 1}, 64 << 20));
    for (size_t offset = 0; offset < fixture.arena.bytes(); offset += 37 * kPageBytes) {
      fixture.write(offset, 9);
    }
    fixture.checkRun();
  }
}

TEST(foreign_segmentation_fault_still_crashes) {
  const auto crash = [](bool duringRun) {
    Fixture fixture(4, byMprotect());
    fixture.fill(3);
    if (duringRun) {
      CHECK_OK(fixture.cut({1, 1, 1, 1}, 8 << 20));
      fixture.write(0, 1);
    }
    *readOnlyPage() = 1;
  };
  for (const bool duringRun : {false, true}) {
    const int status = statusOfChild([&] { crash(duringRun); });
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  }
  unlink((options.directory + "/run.tmp").c_str());  // a crash leaves the temporary file
}

TEST(foreign_segmentation_fault_goes_to_the_handler_that_was_there) {
  const int status = statusOfChild([] {
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
      _exit(info->si_code == SEGV_ACCERR ? 42 : 43);
    };
    sigaction(SIGSEGV, &action, nullptr);
    const Fixture fixture(1, byMprotect());
    *readOnlyPage() = 1;
  });
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}
