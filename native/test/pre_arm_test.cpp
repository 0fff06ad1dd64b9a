// Protection ahead of the cut: whatever is written between prepare() and start(), the image is the
// state at the cut, and a preparation that comes to nothing leaves nothing behind.
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "arena/test_points.h"
#include "test/fixture.h"
#include "test/hammer.h"
#include "test/hold.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

constexpr size_t kMemory = 8 << 20;

std::vector<uint8_t> allData(size_t extents) { return std::vector<uint8_t>(extents, 1); }

void prepare(Fixture& fixture, const std::vector<uint8_t>& kinds) {
  CHECK_OK(fixture.checkpoint.prepare(kMemory, kinds));
  fixture.waitPrepared();
}

// Splits the huge pages, as writes into a run do: one page of each extent is protected alone.
void split(Fixture& fixture) {
  for (size_t extent = 0; extent < fixture.arena.extentCount(); extent++) {
    uint8_t* page = fixture.arena.extentAt(extent) + 3 * kPageBytes;
    CHECK_EQUAL(fixture.arena.protection().protect(page, kPageBytes), 0);
    CHECK_EQUAL(fixture.arena.protection().lift(page, kPageBytes), 0);
  }
}

void checkRun(Fixture& fixture) {
  CHECK_OK(fixture.waitCopied());
  fixture.checkImage(fixture.path("run.tmp"));
  fixture.checkCounters();
  fixture.checkpoint.abort();
  fixture.checkUnprotected();
}

}  // namespace

TEST(pre_armed_pages_are_armed_once) {
  Fixture fixture(8);
  fixture.fill(1);
  prepare(fixture, allData(8));
  CHECK_OK(fixture.cut(allData(8), kMemory));
  CHECK_EQUAL(fixture.checkpoint.counters().rangesAtCut, 0);
  for (size_t offset = 0; offset < fixture.arena.bytes(); offset += kPageBytes) {
    fixture.write(offset, 9);
  }
  checkRun(fixture);
}

// Writes before the cut are part of the image, writes after it are not, in noted pages as in
// others.
void writesBeforeAndAfterTheCut(bool splitFirst) {
  Fixture fixture(8);
  fixture.fill(1);
  if (splitFirst) split(fixture);
  for (int round = 0; round < 3; round++) {
    prepare(fixture, allData(8));
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
    for (size_t offset = 0; offset < fixture.arena.bytes(); offset += kPageBytes) {
      fixture.write(offset, 9);
    }
    CHECK_OK(fixture.waitCopied());
    fixture.checkImage(fixture.path("run.tmp"));
    fixture.checkCounters();
    fixture.checkpoint.abort();
  }
  fixture.checkUnprotected();
}
TEST(pre_arm_of_whole_huge_pages) { writesBeforeAndAfterTheCut(false); }
TEST(pre_arm_of_split_huge_pages) { writesBeforeAndAfterTheCut(true); }

TEST(extents_come_and_go_between_pre_arm_and_cut) {
  Fixture fixture(8);
  fixture.fill(1);
  prepare(fixture, {1, 1, 0, 2, 1, 1});
  fixture.write(0, 1);                    // noted, then released
  for (const size_t extent : {size_t{0}, size_t{1}}) {  // one comes back, the other does not
    CHECK_OK(fixture.arena.mapping().discard(extent * kExtentBytes, kExtentBytes));
    fixture.checkpoint.noteReleased(extent, 1);
  }
  fixture.write(4 * kExtentBytes, 2);     // noted, then without a kind
  CHECK_OK(fixture.cut({1, 0, 1, 2, 0, 0, 1, 1}, kMemory));
  for (size_t offset = 0; offset < fixture.arena.bytes(); offset += kPageBytes) {
    fixture.write(offset, 9);
  }
  checkRun(fixture);
}

TEST(preparation_without_a_run_leaves_nothing) {
  Fixture fixture(4);
  fixture.fill(1);
  prepare(fixture, allData(4));
  CHECK(fixture.checkpoint.prepared());
  fixture.write(kExtentBytes, 5);
  prepare(fixture, allData(4));  // again: what was noted is protected again
  fixture.checkpoint.abort();
  CHECK(!fixture.checkpoint.prepared());
  fixture.checkUnprotected();
  prepare(fixture, allData(4));
  fclose(fopen(fixture.path("run.tmp").c_str(), "w"));
  CHECK_EQUAL(fixture.cut(allData(4), kMemory).errnoCode(), EEXIST);
  unlink(fixture.path("run.tmp").c_str());
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
      prepare(fixture, {1, 1});
      fixture.write(8, 1);  // a note, which the next preparation takes
    }
    const Holding holding;
    first.set(TestPoint::preArmTaken);
    CHECK_OK(fixture.checkpoint.prepare(kMemory, {1, 1}));
    first.waitUntilReached();
    fixture.write(16, 2);
    fixture.write(kExtentBytes, 3);
    first.release();
    fixture.waitPrepared();
    fixture.write(24, 4);
    CHECK_OK(fixture.cut({1, 1}, kMemory));
    for (size_t page = 0; page < 2 * kPagesPerExtent; page++) fixture.write(page * kPageBytes, 5);
    checkRun(fixture);
  }
}

TEST(writer_held_before_it_notes) {
  for (const bool splitFirst : {false, true}) {
    Fixture fixture(2);
    fixture.fill(1);
    if (splitFirst) split(fixture);
    prepare(fixture, {1, 1});
    const Holding holding;
    first.set(TestPoint::preArmLetGo);
    std::thread writer([&] { fixture.write(0, 77); });
    first.waitUntilReached();
    fixture.write(0, 78);  // another page of the extent may need a note of its own
    fixture.write(5 * kPageBytes, 79);
    CHECK_OK(fixture.checkpoint.prepare(kMemory, {1, 1}));  // a pass meanwhile
    fixture.waitPrepared();
    first.release();
    writer.join();
    CHECK_EQUAL(fixture.read(0), 77);
    CHECK_OK(fixture.cut({1, 1}, kMemory));
    for (size_t page = 0; page < 2 * kPagesPerExtent; page++) fixture.write(page * kPageBytes, 5);
    checkRun(fixture);
  }
}

// Four writers all the time: during the passes, between them and the cut, and during the copy.
void hammerPreparedRuns(size_t extents, int runs) {
  Fixture fixture(extents);
  fixture.fill(options.seed);
  split(fixture);
  CommandGate gate;
  Random random(options.seed);
  uint64_t preArmFaults = 0, saved = 0;
  Hammer hammer(fixture, gate);
  for (int run = 0; run < runs; run++) {
    hammer.allow(INT64_MAX);
    std::vector<uint8_t> kinds(1 + random.below(extents));
    for (uint8_t& kind : kinds) kind = static_cast<uint8_t>(random.below(3));
    CHECK_OK(fixture.checkpoint.prepare(kMemory, kinds));
    fixture.waitPrepared();
    for (uint8_t& kind : kinds) {
      if (random.below(8) == 0) kind = static_cast<uint8_t>(random.below(3));
    }
    gate.closeForCut();
    hammer.allow(static_cast<int64_t>(500 + random.below(4000)));
    const Status started = fixture.cut(kinds, kMemory);
    gate.leave();
    CHECK_OK(started);
    CHECK_OK(fixture.waitCopied());
    fixture.checkImage(fixture.path("run.tmp"));
    fixture.checkCounters();
    preArmFaults += fixture.checkpoint.counters().preArmFaults;
    saved += fixture.checkpoint.counters().pagesSaved;
    fixture.checkpoint.abort();
  }
  CHECK(preArmFaults > 0 && saved > 0);
}
TEST(hammer_with_pre_arm) { hammerPreparedRuns(16, 10 * options.effort); }
TEST(hammer_with_pre_arm_and_delays_at_every_step) {
  const HookGuard guard(randomDelays);
  hammerPreparedRuns(8, 10 * options.effort);
}
