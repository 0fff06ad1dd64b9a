// Protection ahead of the cut: whatever is written between prepare() and start(), the image is the
// state at the cut, and a preparation that comes to nothing leaves nothing behind.
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "arena/system_calls.h"
#include "arena/test_points.h"
#include "test/fixture.h"
#include "test/hammer.h"
#include "test/hold.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

constexpr size_t kMemory = 8 << 20;

std::vector<uint8_t> allData(size_t extents) { return std::vector<uint8_t>(extents, 1); }

// Splits the huge pages, as writes into a run do: one page of each extent is protected alone.
void split(Fixture& fixture) {
  for (size_t extent = 0; extent < fixture.arena.extentCount(); extent++) {
    uint8_t* page = fixture.arena.extentAt(extent) + 3 * kPageBytes;
    CHECK_EQUAL(fixture.arena.protection().protect(page, kPageBytes), 0);
    CHECK_EQUAL(fixture.arena.protection().lift(page, kPageBytes), 0);
  }
}

}  // namespace

TEST(pre_armed_pages_are_armed_once) {
  Fixture fixture(8);
  fixture.fill(1);
  fixture.prepare(kMemory, allData(8));
  CHECK_OK(fixture.cut(allData(8), kMemory));
  CHECK_EQUAL(fixture.checkpoint.counters().rangesAtCut, 0);
  fixture.overwritePages();
  fixture.checkRun();
}

// Writes before the cut are part of the image, writes after it are not, in noted pages as in
// others.
void writesBeforeAndAfterTheCut(bool splitFirst) {
  Fixture fixture(8);
  fixture.fill(1);
  if (splitFirst) split(fixture);
  for (int round = 0; round < 3; round++) {
    fixture.prepare(kMemory, allData(8));
    const uint64_t faultsBefore = fixture.checkpoint.counters().faults;
    Random random(options.seed + static_cast<uint64_t>(round));
    for (int i = 0; i < 500; i++) {
      fixture.write(random.below(fixture.arena.bytes() / 16) * 8, random.next());
    }
    const CheckpointCounters counters = fixture.checkpoint.counters();
    CHECK(counters.preArmFaults > 0 && counters.preArmFaults <= 500);
    CHECK_EQUAL(counters.faults, faultsBefore);
    CHECK_OK(fixture.cut(allData(8), kMemory));
    CHECK(fixture.checkpoint.counters().rangesAtCut > 0);
    fixture.overwritePages();
    fixture.checkCopied();
    fixture.checkpoint.abort();
  }
  fixture.checkUnprotected();
}
// Dense metadata is the server's: a write to it before its step meets no protection.
TEST(dense_metadata_is_protected_by_the_steps_of_the_server) {
  Fixture fixture(6);
  fixture.fill(1);
  const std::vector<uint8_t> kinds{2, 1, 2, 0, 2, 1};
  fixture.prepare(kMemory, kinds);
  for (const size_t extent : {0, 2, 4}) fixture.write(extent * kExtentBytes, 7);
  CHECK_EQUAL(fixture.checkpoint.counters().preArmFaults, 0);
  bool isNear = false;
  CHECK_OK(fixture.checkpoint.approach(isNear));
  CHECK(isNear);
  for (const size_t extent : {0, 2, 4}) fixture.write(extent * kExtentBytes + kPageBytes, 8);
  CHECK_EQUAL(fixture.checkpoint.counters().preArmFaults, 3);
  CHECK_OK(fixture.cut(kinds, kMemory));
  fixture.overwritePages();
  fixture.checkRun();
}

TEST(pre_arm_of_whole_huge_pages) { writesBeforeAndAfterTheCut(false); }
TEST(pre_arm_of_split_huge_pages) { writesBeforeAndAfterTheCut(true); }

TEST(extents_come_and_go_between_pre_arm_and_cut) {
  Fixture fixture(8);
  fixture.fill(1);
  fixture.prepare(kMemory, {1, 1, 0, 2, 1, 1});
  fixture.write(0, 1);                    // noted, then released
  for (const size_t extent : {size_t{0}, size_t{1}}) {  // one comes back, the other does not
    CHECK_OK(fixture.arena.mapping().discard(extent * kExtentBytes, kExtentBytes));
    fixture.checkpoint.noteReleased(extent, 1);
  }
  fixture.write(4 * kExtentBytes, 2);     // noted, then without a kind
  CHECK_OK(fixture.cut({1, 0, 1, 2, 0, 0, 1, 1}, kMemory));
  fixture.overwritePages();
  fixture.checkRun();
}

TEST(preparation_without_a_run_leaves_nothing) {
  Fixture fixture(4);
  fixture.fill(1);
  fixture.prepare(kMemory, allData(4));
  CHECK(fixture.checkpoint.prepared());
  fixture.write(kExtentBytes, 5);
  fixture.prepare(kMemory, allData(4));  // again: what was noted is protected again
  fixture.checkpoint.abort();
  CHECK(!fixture.checkpoint.prepared());
  fixture.checkUnprotected();
  const std::string taken = fixture.path("taken.tmp");
  fclose(fopen(taken.c_str(), "w"));
  CHECK_OK(fixture.checkpoint.protectAhead(allData(4), taken));
  fixture.checkpoint.wait();
  CheckpointResult result;
  CHECK(fixture.checkpoint.takeResult(result));
  CHECK_EQUAL(result.status.errnoCode(), EEXIST);
  CHECK(!fixture.checkpoint.prepared());
  fixture.checkUnprotected();
  // A start that fails undoes it, too.
  fixture.prepare(kMemory, allData(4));
  CheckpointStart start{};
  const std::vector<uint8_t> kinds = allData(4);
  start.temporaryPath = taken;
  start.kinds = kinds.data();
  start.extentCount = kinds.size();
  start.memoryBytesMax = kMemory;
  CHECK_EQUAL(fixture.checkpoint.start(start, fixture.pauseMicros).errnoCode(), EEXIST);
  unlink(taken.c_str());
  CHECK(!exists(fixture.path("run.tmp")));
  CHECK(!fixture.checkpoint.prepared());
  fixture.checkUnprotected();
}

// The two orders that the invariant of snapshot/pre_arm.h is about: the background thread is held
// between taking the notes and protecting, a writer between letting go and noting.
TEST(pre_arm_held_before_it_protects) {
  Fixture fixture(2);
  fixture.fill(1);
  split(fixture);
  for (const bool again : {false, true}) {
    if (again) {
      fixture.prepare(kMemory, {1, 1});
      fixture.write(8, 1);  // a note, which the next preparation takes
    }
    const Holding holding;
    first.set(TestPoint::preArmTaken);
    CHECK_OK(fixture.checkpoint.protectAhead({1, 1}, fixture.path("run.tmp")));
    first.waitUntilReached();
    fixture.write(16, 2);
    fixture.write(kExtentBytes, 3);
    first.release();
    fixture.waitFor(CheckpointEvent::protectedAhead);
    fixture.write(24, 4);
    CHECK_OK(fixture.cut({1, 1}, kMemory));
    for (size_t page = 0; page < 2 * kPagesPerExtent; page++) fixture.write(page * kPageBytes, 5);
    fixture.checkRun();
  }
}

TEST(writer_held_before_it_notes) {
  for (const bool splitFirst : {false, true}) {
    Fixture fixture(2);
    fixture.fill(1);
    if (splitFirst) split(fixture);
    fixture.prepare(kMemory, {1, 1});
    const Holding holding;
    first.set(TestPoint::preArmLetGo);
    std::thread writer([&] { fixture.write(0, 77); });
    first.waitUntilReached();
    fixture.write(0, 78);  // another page of the extent may need a note of its own
    fixture.write(5 * kPageBytes, 79);
    CHECK_OK(fixture.checkpoint.protectAhead({1, 1}, fixture.path("run.tmp")));  // a pass meanwhile
    fixture.waitFor(CheckpointEvent::protectedAhead);
    first.release();
    writer.join();
    CHECK_EQUAL(fixture.read(0), 77);
    CHECK_OK(fixture.cut({1, 1}, kMemory));
    for (size_t page = 0; page < 2 * kPagesPerExtent; page++) fixture.write(page * kPageBytes, 5);
    fixture.checkRun();
  }
}

// Counts the calls that protect something.
class ProtectCalls {
 public:
  ProtectCalls() { restart(); }
  ~ProtectCalls() { faultInjection.armed.store(false); }
  size_t taken() {
    size_t count = 0;
    for (size_t i = 0; i < faultInjection.recordedCount.load(); i++) {
      if (faultInjection.recorded[i].load() == static_cast<uint8_t>(SystemCall::protect)) count++;
    }
    restart();
    return count;
  }

 private:
  void restart() {
    faultInjection.recordedCount.store(0);
    faultInjection.nth.store(0);
    faultInjection.armed.store(true);
  }
};

// Neighbouring notes share a call, and many notes of an extent are one call, since each costs as
// much as 45 pages of a range.
TEST(notes_are_protected_in_few_calls) {
  Fixture fixture(2);
  if (fixture.arena.protection().granuleBytes() > kPageBytes) return;  // notes are of granules
  fixture.fill(1);
  split(fixture);
  const auto callsFor = [&](std::vector<size_t> pages) {
    fixture.prepare(kMemory, {1, 1});
    for (const size_t page : pages) fixture.write(page * kPageBytes, 7);
    bool isNear = false;
    ProtectCalls calls;
    CHECK_OK(fixture.checkpoint.approach(isNear));
    CHECK(isNear);
    const size_t taken = calls.taken();
    CHECK_OK(fixture.cut({1, 1}, kMemory));
    CHECK_EQUAL(calls.taken(), 0);
    for (size_t page = 0; page < 2 * kPagesPerExtent; page++) fixture.write(page * kPageBytes, 5);
    fixture.checkRun();
    split(fixture);
    return taken;
  };
  CHECK_EQUAL(callsFor({}), 0);
  CHECK_EQUAL(callsFor({0, 2, 31, 60}), 1);
  CHECK_EQUAL(callsFor({63, 64, 127, 511}), 3);
  CHECK_EQUAL(callsFor({511, 512}), 2);  // of two extents
  std::vector<size_t> scattered;
  for (size_t page = 0; page < kPagesPerExtent; page += 40) scattered.push_back(page);
  CHECK_EQUAL(callsFor(scattered), 1);
}

// However much was written since: a step makes a bounded number of calls, and steps end when less
// is written in between than a step takes away.
TEST(the_last_steps_before_the_cut_are_bounded) {
  constexpr size_t kExtents = 64;
  Fixture fixture(kExtents);
  if (fixture.arena.protection().granuleBytes() > kPageBytes) return;  // fewer notes than that
  fixture.fill(1);
  split(fixture);
  const std::vector<uint8_t> kinds(kExtents, 1);
  fixture.prepare(kMemory, kinds);
  for (size_t extent = 0; extent < kExtents; extent++) {
    for (size_t page = 0; page < 440; page += 44) {  // ten ranges in each extent
      fixture.write(extent * kExtentBytes + page * kPageBytes, 7);
    }
  }
  ProtectCalls calls;
  bool isNear = false;
  size_t steps = 0;
  for (; !isNear; steps++) {
    for (size_t i = 0; i < 100; i++) fixture.write((i * 641 % (kExtents * 512)) * kPageBytes, 9);
    CHECK_OK(fixture.checkpoint.approach(isNear));
    CHECK(calls.taken() <= 224 + 4 * steps + 12);
  }
  CHECK(steps >= 3 && steps <= 7);  // 640 calls and 100 more in between
  CHECK_OK(fixture.cut(kinds, kMemory));
  CHECK_EQUAL(fixture.checkpoint.counters().rangesAtCut, 0);
  fixture.checkRun();
}

// Four writers all the time: during the passes, between them and the cut, and during the copy.
void hammerPreparedRuns(size_t extents, int runs) {
  Fixture fixture(extents);
  fixture.fill(options.seed);
  split(fixture);
  CommandGate gate;
  Random random(options.seed);
  uint64_t preArmFaults = 0, faults = 0, saved = 0;
  Hammer hammer(fixture, gate);
  for (int run = 0; run < runs; run++) {
    hammer.allow(INT64_MAX);
    std::vector<uint8_t> kinds(1 + random.below(extents));
    for (uint8_t& kind : kinds) kind = static_cast<uint8_t>(random.below(3));
    fixture.prepare(kMemory, kinds);
    for (uint8_t& kind : kinds) {
      if (random.below(8) == 0) kind = static_cast<uint8_t>(random.below(3));
    }
    bool isNear = false;
    if (random.below(2) == 0) CHECK_OK(fixture.checkpoint.approach(isNear));
    gate.closeForCut();
    if (random.below(2) == 0) CHECK_OK(fixture.checkpoint.approach(isNear));
    hammer.allow(static_cast<int64_t>(500 + random.below(4000)));
    const Status started = fixture.cut(kinds, kMemory);
    gate.leave();
    CHECK_OK(started);
    fixture.checkCopied();
    preArmFaults += fixture.checkpoint.counters().preArmFaults;
    faults += fixture.checkpoint.counters().faults;
    saved += fixture.checkpoint.counters().pagesSaved;
    fixture.checkpoint.abort();
  }
  CHECK(preArmFaults > 0 && saved > 0);
  figures = std::to_string(runs) + " runs, " + std::to_string(preArmFaults) +
            " faults before the cut, " + std::to_string(faults) + " after it, " +
            std::to_string(saved) + " pages saved";
}
TEST(hammer_with_pre_arm) { hammerPreparedRuns(16, 10 * options.effort); }
TEST(hammer_with_pre_arm_and_delays_at_every_step) {
  const HookGuard guard(randomDelays);
  hammerPreparedRuns(8, 10 * options.effort);
}
