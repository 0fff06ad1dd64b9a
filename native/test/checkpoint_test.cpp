// Whole runs: what reaches the file is the arena at the cut, byte for byte, whoever writes
// meanwhile.
#include "snapshot/checkpoint.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "arena/clock.h"
#include "arena/test_points.h"
#include "test/fixture.h"
#include "test/hammer.h"
#include "test/hold.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

constexpr size_t kTinyPool = kExtentBytes + 6 * kPageBytes;  // staging for one extent, few slots

std::vector<uint8_t> allData(size_t extents) { return std::vector<uint8_t>(extents, 1); }

struct HammerPlan {
  size_t extents;
  size_t memoryBytesMax;
  int runs;
  uint64_t commandsMax = 4000;
  bool expectSpill = false;
  bool coverAll = false;
  void (*beforeCut)(Fixture& fixture, Random& random) = nullptr;
};

void hammerRuns(const HammerPlan& plan) {
  Fixture fixture(plan.extents);
  fixture.fill(options.seed);
  CommandGate gate;
  Random random(options.seed);
  uint64_t faults = 0, saved = 0, spilled = 0;
  Hammer hammer(fixture, gate);
  for (int run = 0; run < plan.runs; run++) {
    std::vector<uint8_t> kinds(plan.coverAll ? plan.extents : 1 + random.below(plan.extents));
    for (uint8_t& kind : kinds) kind = static_cast<uint8_t>(random.below(3));
    if (plan.coverAll) std::replace(kinds.begin(), kinds.end(), uint8_t{0}, uint8_t{1});
    kinds.back() = 1;
    gate.closeForCut();
    if (plan.beforeCut != nullptr) plan.beforeCut(fixture, random);
    const Status started = fixture.cut(kinds, plan.memoryBytesMax);
    hammer.allow(static_cast<int64_t>(plan.commandsMax / 2 + random.below(plan.commandsMax / 2)));
    gate.leave();
    CHECK_OK(started);
    fixture.checkCopied();
    faults += fixture.checkpoint.counters().faults;
    saved += fixture.checkpoint.counters().pagesSaved;
    spilled += fixture.checkpoint.counters().poolOverflows;
    CHECK(fixture.checkpoint.counters().extraBytesPeak <= plan.memoryBytesMax);
    fixture.checkpoint.abort();  // the image was looked at; no need to make it durable
    CHECK(!exists(fixture.path("run.tmp")));
  }
  CHECK(saved > 0);
  if (plan.expectSpill) CHECK(spilled > 0);
  figures = std::to_string(plan.runs) + " runs, " + std::to_string(faults) + " faults, " +
            std::to_string(saved) + " pages saved, " + std::to_string(spilled) +
            " of them spilled";
}

// Holds the copier back until writers have faulted often: else it is done with a small arena before
// they have begun.
std::atomic<uint64_t> faultsToCome{0};
void copierWaitsForFaults(TestPoint point) {
  if (point == TestPoint::handlerEntered) {
    uint64_t left = faultsToCome.load();
    while (left > 0 && !faultsToCome.compare_exchange_weak(left, left - 1)) {
    }
  }
  while (point == TestPoint::copierLooked && faultsToCome.load() > 0) sched_yield();
}

void hammerSmallArena(size_t memoryBytesMax, bool expectSpill) {
  const HookGuard guard(copierWaitsForFaults);
  HammerPlan plan{4, memoryBytesMax, 20 * options.effort};
  plan.commandsMax = 1000;
  plan.expectSpill = expectSpill;
  plan.coverAll = true;
  // The writes of the run are four and more to a page: so many faults come for certain.
  plan.beforeCut = [](Fixture& fixture, Random& random) {
    const size_t granules = fixture.arena.bytes() / fixture.arena.protection().granuleBytes();
    faultsToCome.store(random.below(granules * 9 / 10));
  };
  hammerRuns(plan);
}

}  // namespace

TEST(run_without_writers) {
  Fixture fixture(5);
  fixture.fill(1);
  CHECK_OK(fixture.cut({1, 0, 2, 1, 1}, 16 << 20));
  CHECK_OK(fixture.waitCopied());
  fixture.checkCounters();
  CHECK_EQUAL(fixture.checkpoint.counters().pagesSaved, 0);
  CHECK_OK(fixture.finish(fixture.path("whole.still"), "manifest"));
  CHECK(!exists(fixture.path("run.tmp")));
  fixture.checkImage(fixture.path("whole.still"));
  const std::vector<uint8_t> file = readFile(fixture.path("whole.still"));
  CHECK_EQUAL(file.size(), 5 * (kExtentBytes + kBlocksPerExtent * 4) + 8);
  CHECK(memcmp(file.data() + file.size() - 8, "manifest", 8) == 0);
  CHECK_EQUAL(fixture.checkpoint.counters().fileBytes,
              4 * kExtentBytes + 5 * kBlocksPerExtent * 4 + 8);
  unlink(fixture.path("whole.still").c_str());
  fixture.checkUnprotected();
}

TEST(run_over_no_extents) {
  Fixture fixture(2);
  CHECK_OK(fixture.cut({}, 16 << 20));
  CHECK_OK(fixture.waitCopied());
  CHECK_OK(fixture.finish(fixture.path("empty.still")));
  CHECK_EQUAL(readFile(fixture.path("empty.still")).size(), 4);
  unlink(fixture.path("empty.still").c_str());
}

// Pages that were never touched are zeros in the image, even when written right after the cut.
void writesIntoUntouchedPages(const WriteProtectOptions& options) {
  Fixture fixture(4, options);
  fixture.write(kExtentBytes, 5);
  CHECK_OK(fixture.cut(allData(4), 16 << 20));
  fixture.overwritePages();
  fixture.checkRun();
}
TEST(writes_into_untouched_pages) { writesIntoUntouchedPages({}); }
TEST(writes_into_untouched_pages_on_an_older_kernel) {
  WriteProtectOptions older;
  older.ignoreUnpopulatedFeature = true;
  writesIntoUntouchedPages(older);
}

TEST(hammer_with_a_large_pool) { hammerRuns({16, 64 << 20, 10 * options.effort}); }
TEST(hammer_with_a_tiny_pool) {
  hammerRuns({16, kTinyPool, 10 * options.effort, 4000, true});
}
TEST(hammer_with_delays_at_every_step) {
  const HookGuard guard(randomDelays);
  hammerRuns({8, 16 << 20, 10 * options.effort});
}
TEST(hammer_with_delays_and_a_tiny_pool) {
  const HookGuard guard(randomDelays);
  hammerRuns({8, kTinyPool, 10 * options.effort, 4000, true});
}
// Nearly every page is written to in every run: what the long form is for (npm run soak).
TEST(hammer_on_a_small_arena) { hammerSmallArena(16 << 20, false); }
TEST(hammer_on_a_small_arena_with_a_tiny_pool) { hammerSmallArena(kTinyPool, true); }

TEST(many_runs_over_the_wrap_of_the_epoch) {
  Fixture fixture(3);
  Random random(options.seed);
  for (int run = 0; run < PageStates::kEpochMax + 5; run++) {
    std::vector<uint8_t> kinds = allData(3);
    kinds[random.below(3)] = 0;  // so that old state bytes of several epochs stay about
    CHECK_OK(fixture.cut(kinds, 8 << 20));
    for (int i = 0; i < 100; i++) {
      fixture.write(random.below(fixture.arena.bytes() / 8) * 8, random.next());
    }
    fixture.checkCopied();
    fixture.checkpoint.abort();
  }
}

TEST(populate_during_a_run_changes_nothing) {
  Fixture fixture(8);
  fixture.fill(1);
  const HookGuard guard(randomDelays);
  CHECK_OK(fixture.cut({1, 1, 1, 1, 1, 1}, 8 << 20));
  CHECK_OK(fixture.arena.populate().request(0, 8));
  for (size_t offset = 0; offset < fixture.arena.bytes(); offset += 3 * kPageBytes) {
    fixture.write(offset, 9);
  }
  CHECK_OK(fixture.waitCopied());
  fixture.arena.populate().waitUntilIdle();
  fixture.checkImage(fixture.path("run.tmp"));
  fixture.checkCounters();
}

TEST(abort_at_random_instants_leaves_nothing) {
  Fixture fixture(16);
  fixture.fill(1);
  CommandGate gate;
  Random random(options.seed);
  for (int run = 0; run < 15 * options.effort; run++) {
    {
      Hammer hammer(fixture, gate);
      hammer.allow(1'000'000);
      gate.closeForCut();
      const Status started = fixture.cut(allData(16), run % 2 == 0 ? kTinyPool : 16 << 20);
      gate.leave();
      CHECK_OK(started);
      const uint64_t faults = random.below(1000);
      while (fixture.checkpoint.counters().faults < faults && fixture.checkpoint.active() &&
             fixture.checkpoint.counters().pagesCopied +
                     fixture.checkpoint.counters().pagesSaved < 15 * kPagesPerExtent) {
        sched_yield();
      }
      fixture.checkpoint.abort();
    }
    CHECK(!exists(fixture.path("run.tmp")));
    CHECK(!fixture.checkpoint.active());
    CheckpointResult result;
    CHECK(!fixture.checkpoint.takeResult(result));
    fixture.checkUnprotected();
  }
}

TEST(close_in_the_middle_of_a_run) {
  for (int i = 0; i < 5; i++) {
    Fixture fixture(8);
    fixture.fill(1);
    CHECK_OK(fixture.cut(allData(8), 8 << 20));
    fixture.write(7 * kExtentBytes, 1);
    fixture.checkpoint.close();
    CHECK(!exists(fixture.path("run.tmp")));
    for (size_t offset = 0; offset < fixture.arena.bytes(); offset += kPageBytes) {
      fixture.write(offset, 1);  // the handler is gone: a fault would kill
    }
  }
}

TEST(start_refuses_and_leaves_nothing) {
  Fixture fixture(4);
  fixture.fill(1);
  CHECK(!fixture.cut({1, 3}, 8 << 20).ok());
  CHECK(!fixture.cut(allData(4), kExtentBytes).ok());          // no room for a slot
  const Status tooMany = fixture.checkpoint.start({fixture.path("x"), nullptr, 5, 8 << 20},
                                                  fixture.pauseMicros);
  CHECK(!tooMany.ok());
  fclose(fopen(fixture.path("run.tmp").c_str(), "w"));
  const Status taken = fixture.cut(allData(4), 8 << 20);       // exclusive creation
  CHECK_EQUAL(taken.errnoCode(), EEXIST);
  CHECK(exists(fixture.path("run.tmp")));                      // not ours: not removed
  unlink(fixture.path("run.tmp").c_str());
  fixture.checkUnprotected();
  CHECK_OK(fixture.cut(allData(4), 8 << 20));
  CHECK(!fixture.cut(allData(4), 8 << 20).ok());               // one at a time
  CHECK_OK(fixture.waitCopied());
  CHECK(!fixture.cut(allData(4), 8 << 20).ok());               // still between the phases
  CHECK_OK(fixture.finish(fixture.path("a.still")));
  CHECK_OK(fixture.cut(allData(4), 8 << 20));
  CHECK_OK(fixture.waitCopied());
  CHECK_EQUAL(fixture.finish(fixture.path("a.still")).errnoCode(), EEXIST);
  CHECK(!exists(fixture.path("run.tmp")));
  CHECK(exists(fixture.path("a.still")));                      // the first one is untouched
  unlink(fixture.path("a.still").c_str());
  CHECK(!fixture.checkpoint.finish({}, "x").ok());
}

TEST(prepared_memory_is_used_and_given_back) {
  Fixture fixture(4);
  fixture.fill(1);
  CHECK_OK(fixture.checkpoint.prepare(16 << 20, allData(4)));
  fixture.waitFor(CheckpointEvent::prepared);
  CHECK_OK(fixture.cut(allData(4), 16 << 20));
  CHECK_OK(fixture.waitCopied());
  fixture.checkImage(fixture.path("run.tmp"));
  fixture.checkpoint.abort();
  CHECK_OK(fixture.checkpoint.prepare(8 << 20, allData(4)));
  fixture.waitFor(CheckpointEvent::prepared);
  CHECK_OK(fixture.cut(allData(3), 8 << 20));  // fits into what is there
  CHECK_OK(fixture.waitCopied());
  fixture.checkImage(fixture.path("run.tmp"));
  CHECK(fixture.checkpoint.counters().extraBytesPeak <= 8 << 20);
  fixture.checkpoint.abort();
  CHECK_OK(fixture.checkpoint.prepare(16 << 20, allData(4)));
  CHECK_OK(fixture.cut(allData(4), 8 << 20));  // waits for the preparation, uses another size
  fixture.checkpoint.wait();
  CheckpointResult result;
  CHECK(fixture.checkpoint.takeResult(result));
  CHECK(result.event == CheckpointEvent::prepared);
  CHECK_OK(fixture.waitCopied());
  fixture.checkpoint.abort();
}

// ---- who copies what ----

TEST(metadata_that_staging_cannot_hold_waits_for_the_disk) {
  Fixture fixture(9);
  fixture.fill(1);
  CHECK_OK(fixture.cut({2, 2, 2, 2, 2, 2, 2, 1, 1}, 8 << 20));  // staging for three
  fixture.overwritePages();
  fixture.checkRun();
}

// Whichever thread is at work, and whatever is still protected.
TEST(runs_may_be_given_up_at_once) {
  Fixture fixture(4);
  fixture.fill(1);
  for (int run = 0; run < 20; run++) {
    CHECK_OK(fixture.cut({2, 2, 2, 1}, 32 << 20));
    for (int i = 0; i < run % 5; i++) sched_yield();
    fixture.checkpoint.abort();
    CHECK(!fixture.checkpoint.active());
    CHECK(!exists(fixture.path("run.tmp")));
    fixture.checkUnprotected();
  }
  CHECK_OK(fixture.cut({2, 2, 2, 1}, 32 << 20));
  fixture.checkpoint.close();
  CHECK(!exists(fixture.path("run.tmp")));
}

std::atomic<int> extentsDecided{0};

// The copier is held at the first extent of objects: by then dense metadata is in the file.
TEST(staging_is_given_back_after_the_metadata) {
  Fixture fixture(10);
  fixture.fill(1);
  const Holding holding;
  extentsDecided.store(0);
  testPointHook.store([](TestPoint point) {
    if (point == TestPoint::copierDecided && extentsDecided.fetch_add(1) == 6) first.pass(point);
  });
  first.set(TestPoint::copierDecided);
  CHECK_OK(fixture.cut({2, 2, 2, 2, 2, 2, 1, 1, 1, 1}, 32 << 20));
  first.waitUntilReached();
  const CheckpointCounters counters = fixture.checkpoint.counters();
  CHECK_EQUAL(counters.extraBytes, counters.extraBytesPeak - 5 * kExtentBytes);
  first.release();
  CHECK_OK(fixture.waitCopied());
  CHECK_EQUAL(fixture.checkpoint.counters().extraBytes, 0);
  fixture.checkImage(fixture.path("run.tmp"));
  fixture.checkpoint.abort();
}

std::atomic<pid_t> threadOfExtent[6];

pid_t ownThread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

// The thread for idle cores loses its core for longer than it may, in the second extent at the
// latest: on a busy machine it may have lost it in the first already.
TEST(objects_are_copied_by_another_thread_when_no_core_is_idle) {
  Fixture fixture(6);
  fixture.fill(1);
  const Holding holding;
  extentsDecided.store(0);
  testPointHook.store([](TestPoint point) {
    if (point != TestPoint::copierDecided) return;
    const int extent = extentsDecided.fetch_add(1);
    threadOfExtent[extent].store(ownThread());
    if (extent != 1) return;
    const uint64_t end = monotonicNanos() + 60'000'000;
    while (monotonicNanos() < end) sched_yield();
  });
  CHECK_OK(fixture.cut({1, 1, 1, 1, 1, 1}, 32 << 20));
  fixture.checkCopied();
  int handovers = 0;
  for (int extent = 1; extent < 6; extent++) {
    if (threadOfExtent[extent].load() != threadOfExtent[extent - 1].load()) handovers++;
  }
  CHECK_EQUAL(handovers, 1);
  CHECK(threadOfExtent[2].load() != threadOfExtent[0].load());
  fixture.checkpoint.abort();
}

// ---- disk faults: the file may not grow over a limit ----

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limited{bytes, before_.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &limited) == 0);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(failing_write_fails_the_run_and_leaves_nothing) {
  Fixture fixture(6);
  fixture.fill(1);
  {
    const FileSizeLimit limit(3 << 20);
    CHECK_OK(fixture.cut(allData(6), 8 << 20));
    fixture.write(5 * kExtentBytes, 1);
    const Status status = fixture.waitCopied();
    CHECK_EQUAL(status.errnoCode(), EFBIG);
    CHECK(status.text().find("run.tmp") != std::string::npos);
  }
  CHECK(!exists(fixture.path("run.tmp")));
  CHECK(!fixture.checkpoint.active());
  fixture.checkUnprotected();
  CHECK_OK(fixture.cut(allData(6), 8 << 20));  // and the next one succeeds
  CHECK_OK(fixture.waitCopied());
  fixture.checkImage(fixture.path("run.tmp"));
}

std::atomic<bool> copierHeld{false};
void holdCopier(TestPoint point) {
  while (point == TestPoint::copierClaimed && copierHeld.load()) sched_yield();
}

// A writer that cannot store its pre-image goes on; the run must not pretend to be whole. The file
// may grow to its data size (the copier's ftruncate has passed) when the writer meets the limit.
TEST(failing_spill_write_fails_the_run_not_the_writer) {
  Fixture fixture(6);
  fixture.fill(1);
  copierHeld.store(true);
  const HookGuard guard(holdCopier);
  CHECK_OK(fixture.cut(allData(6), kTinyPool));
  while (fixture.arena.states().decode(fixture.arena.states().at(0).load()) !=
         PageState::copying) {
    sched_yield();
  }
  {
    const FileSizeLimit limit(1 << 20);
    for (size_t page = 0; page < kPagesPerExtent; page++) {
      fixture.write(5 * kExtentBytes + page * kPageBytes, page);
    }
  }
  copierHeld.store(false);
  const Status status = fixture.waitCopied();
  CHECK_EQUAL(status.errnoCode(), EFBIG);
  for (size_t page = 0; page < kPagesPerExtent; page++) {
    CHECK_EQUAL(fixture.read(5 * kExtentBytes + page * kPageBytes), page);
  }
  CHECK(!exists(fixture.path("run.tmp")));
  fixture.checkUnprotected();
}
