// Mapping, page states, populate thread, and what happens to faults that are not ours.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "test/fixture.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

size_t residentPages(const Arena& arena, size_t offset, size_t bytes) {
  std::vector<unsigned char> resident(bytes / kPageBytes);
  CHECK(mincore(arena.base() + offset, bytes, resident.data()) == 0);
  size_t count = 0;
  for (const unsigned char page : resident) count += page & 1;
  return count;
}

// A page of a file that is shorter than its mapping: touching it is a bus error.
volatile uint8_t* pageBehindTheEndOfAFile() {
  const std::string path = options.directory + "/short";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(descriptor >= 0);
  void* page = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  CHECK(page != MAP_FAILED);
  unlink(path.c_str());
  return static_cast<volatile uint8_t*>(page);
}

}  // namespace

TEST(arena_sizes_are_checked) {
  Arena arena;
  CHECK(!arena.open(0).ok());
  CHECK(!arena.open(kExtentBytes + kPageBytes).ok());
  CHECK(!arena.open(kArenaBytesMax + kExtentBytes).ok());
  CHECK_OK(arena.open(kArenaBytesMax));
  CHECK_EQUAL(reinterpret_cast<uintptr_t>(arena.base()) % kExtentBytes, 0);
  arena.close();
  arena.close();
}

TEST(arena_discard_reads_as_zeros) {
  Fixture fixture(2);
  fixture.fill(1);
  CHECK_OK(fixture.arena.mapping().discard(0, kExtentBytes));
  CHECK_EQUAL(fixture.read(8), 0);
  CHECK(fixture.read(kExtentBytes + 8) != 0);
}

TEST(populate_touches_what_was_asked_and_nothing_else) {
  Fixture fixture(8);
  fixture.write(2 * kExtentBytes, 7);
  CHECK_OK(fixture.arena.populate().request(2, 3));
  fixture.arena.populate().waitUntilIdle();
  CHECK_EQUAL(residentPages(fixture.arena, 2 * kExtentBytes, 3 * kExtentBytes),
              3 * kPagesPerExtent);
  CHECK_EQUAL(residentPages(fixture.arena, 5 * kExtentBytes, kExtentBytes), 0);
  CHECK_EQUAL(fixture.read(2 * kExtentBytes), 7);
}

TEST(page_states_of_another_epoch_are_pending) {
  PageStates states;
  CHECK_OK(states.open(kPagesPerExtent));
  for (int run = 1; run <= 3 * PageStates::kEpochMax; run++) {
    CHECK_OK(states.advanceEpoch());
    CHECK(states.epoch() >= 1 && states.epoch() <= PageStates::kEpochMax);
    for (const size_t page : {size_t{0}, kPagesPerExtent - 1}) {
      CHECK(states.decode(states.at(page).load()) == PageState::pending);
      CHECK(!states.decided(states.at(page).load()));
    }
    states.at(0).store(states.encode(PageState::saved));
    states.at(kPagesPerExtent - 1).store(states.encode(PageState::copying));
    CHECK(states.decided(states.at(0).load()));
    CHECK(states.decode(states.at(kPagesPerExtent - 1).load()) == PageState::copying);
  }
}

TEST(foreign_bus_error_still_crashes) {
  const int status = statusOfChild([] {
    const Fixture fixture(1);
    *pageBehindTheEndOfAFile() = 1;
  });
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

TEST(foreign_bus_error_during_a_run_still_crashes) {
  const int status = statusOfChild([] {
    Fixture fixture(4);
    fixture.fill(3);
    CHECK_OK(fixture.cut({1, 1, 1, 1}, 8 << 20));
    fixture.write(0, 1);
    *pageBehindTheEndOfAFile() = 1;
  });
  unlink((options.directory + "/run.tmp").c_str());  // a crash leaves the temporary file
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

TEST(bus_error_sent_by_a_process_still_kills) {
  const int status = statusOfChild([] {
    const Fixture fixture(1);
    kill(getpid(), SIGBUS);
  });
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

TEST(foreign_bus_error_goes_to_the_handler_that_was_there) {
  const int status = statusOfChild([] {
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
      _exit(info->si_code == BUS_ADRERR ? 42 : 43);
    };
    sigaction(SIGBUS, &action, nullptr);
    const Fixture fixture(1);
    *pageBehindTheEndOfAFile() = 1;
  });
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

// Several arenas in one process (one per isolate): each gets its own faults.
TEST(several_arenas_in_one_process) {
  Fixture first(2), second(3);
  {
    Fixture passing(1);  // a slot in the middle becomes free
    passing.fill(1);
  }
  Fixture third(1);
  first.fill(1);
  second.fill(2);
  third.fill(3);
  Fixture* const all[] = {&first, &second, &third};
  CheckpointResult result;
  for (Fixture* fixture : all) {
    fixture->kinds.assign(fixture->arena.extentCount(), 1);
    fixture->image.assign(fixture->arena.base(), fixture->arena.base() + fixture->arena.bytes());
  }
  for (size_t i = 0; i < 3; i++) {
    CheckpointStart start{};
    start.temporaryPath = first.path(("arena" + std::to_string(i) + ".tmp").c_str());
    start.kinds = all[i]->kinds.data();
    start.extentCount = all[i]->kinds.size();
    start.memoryBytesMax = 4 << 20;
    uint64_t pause = 0;
    CHECK_OK(all[i]->checkpoint.start(start, pause));
  }
  for (Fixture* fixture : all) {
    for (size_t offset = 0; offset < fixture->arena.bytes(); offset += kPageBytes) {
      fixture->write(offset, 1);
    }
  }
  for (size_t i = 0; i < 3; i++) {
    CHECK_OK(all[i]->waitCopied());
    all[i]->checkImage(first.path(("arena" + std::to_string(i) + ".tmp").c_str()));
    all[i]->checkCounters();
  }
}
