// The worst instruction to be stopped at, one test each: a thread is held at a test point while the
// others go as far as they can, then released. The image must be the cut in every case, and nobody
// but the copier may ever wait for the held thread.
#include <sched.h>

#include <thread>

#include "arena/test_points.h"
#include "test/fixture.h"
#include "test/hold.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

constexpr size_t kTinyPool = kExtentBytes + 6 * kPageBytes;
constexpr size_t kRoomyPool = 8 << 20;

// Waits until the copier has decided the page (or a writer has).
void waitUntilDecided(Fixture& fixture, size_t page) {
  PageStates& states = fixture.arena.states();
  while (!states.decided(states.at(page).load())) sched_yield();
}

void waitUntilLifted(Fixture& fixture, size_t pagesCopied) {
  while (fixture.checkpoint.counters().pagesCopied < pagesCopied) sched_yield();
}

void checkRun(Fixture& fixture, uint64_t pagesSaved) {
  fixture.checkCopied();
  CHECK_EQUAL(fixture.checkpoint.counters().pagesSaved, pagesSaved);
  fixture.checkpoint.abort();
  fixture.checkUnprotected();
}

}  // namespace

// The writer has its copy; before its swap the copier copies the page, lifts the extent and is done
// with everything. The run ends when the writer has left the handler, without its copy.
TEST(writer_held_before_its_swap_while_the_copier_finishes) {
  Fixture fixture(2);
  fixture.fill(1);
  const Holding holding;
  first.set(TestPoint::writerCopied);
  second.set(TestPoint::copierClaimed);
  CHECK_OK(fixture.cut({1, 1}, kRoomyPool));
  std::thread writer([&] { fixture.write(kExtentBytes, 77); });
  first.waitUntilReached();
  second.release();
  waitUntilLifted(fixture, 2 * kPagesPerExtent);
  CHECK(fixture.checkpoint.active());
  first.release();
  writer.join();
  CHECK_EQUAL(fixture.read(kExtentBytes), 77);
  checkRun(fixture, 0);
}

// Another thread saves and writes the page while the first holds its stale copy, or while the first
// has found the page undecided and not copied it: then its copy has newer bytes in it.
void writerHeldWhileAnotherWrites(TestPoint point) {
  Fixture fixture(2);
  fixture.fill(1);
  const Holding holding;
  first.set(point);
  second.set(TestPoint::copierClaimed);
  CHECK_OK(fixture.cut({1, 1}, kRoomyPool));
  std::thread writer([&] { fixture.write(kExtentBytes, 77); });
  first.waitUntilReached();
  fixture.write(kExtentBytes + 8, 88);  // this thread does not wait for the held one
  CHECK_EQUAL(fixture.read(kExtentBytes + 8), 88);
  first.release();
  writer.join();
  second.release();
  checkRun(fixture, 1);
}

TEST(writer_held_before_its_copy_while_another_writes) {
  writerHeldWhileAnotherWrites(TestPoint::writerLooked);
}
TEST(writer_held_before_its_swap_while_another_writes) {
  writerHeldWhileAnotherWrites(TestPoint::writerCopied);
}

TEST(writer_held_at_the_entry_of_the_handler) {
  Fixture fixture(2);
  fixture.fill(1);
  const Holding holding;
  first.set(TestPoint::handlerEntered);
  second.set(TestPoint::copierClaimed);
  CHECK_OK(fixture.cut({1, 1}, kRoomyPool));
  std::thread writer([&] { fixture.write(kExtentBytes, 77); });
  first.waitUntilReached();
  fixture.write(kExtentBytes + 8, 88);
  first.release();
  writer.join();
  second.release();
  checkRun(fixture, 1);
}

// The signal was raised in one run and its handler begins in the next: the page is then saved for
// the next cut (the write comes after it), and the first image is not touched.
TEST(handler_that_begins_in_the_next_run) {
  Fixture fixture(2);
  fixture.fill(1);
  const Holding holding;
  first.set(TestPoint::handlerEntered);
  second.set(TestPoint::copierClaimed);
  CHECK_OK(fixture.cut({1, 1}, kRoomyPool));
  std::thread writer([&] { fixture.write(kExtentBytes, 77); });
  first.waitUntilReached();
  second.release();
  CHECK_OK(fixture.waitCopied());
  fixture.checkImage(fixture.path("run.tmp"));
  fixture.checkpoint.abort();
  second.set(TestPoint::copierClaimed);
  CHECK_OK(fixture.cut({1, 1}, kRoomyPool));
  first.release();
  writer.join();
  CHECK_EQUAL(fixture.read(kExtentBytes), 77);
  second.release();
  checkRun(fixture, 1);
}

// The run is over when the handler begins: nothing is armed, the write goes through.
TEST(handler_that_begins_after_the_run) {
  Fixture fixture(1);
  fixture.fill(1);
  const Holding holding;
  first.set(TestPoint::handlerEntered);
  second.set(TestPoint::copierClaimed);
  CHECK_OK(fixture.cut({1}, kRoomyPool));
  std::thread writer([&] { fixture.write(0, 77); });
  first.waitUntilReached();
  second.release();
  CHECK_OK(fixture.waitCopied());
  fixture.checkImage(fixture.path("run.tmp"));
  fixture.checkpoint.abort();
  first.release();
  writer.join();
  CHECK_EQUAL(fixture.read(0), 77);
}

// The writer has won the page but not said where its copy is: only the copier waits.
void writerHeldAfterItsSwap(TestPoint point, size_t memoryBytesMax) {
  Fixture fixture(2);
  fixture.fill(1);
  const Holding holding;
  second.set(TestPoint::copierClaimed);
  CHECK_OK(fixture.cut({1, 1}, memoryBytesMax));
  second.waitUntilReached();
  size_t saved = 0;
  if (memoryBytesMax == kTinyPool) {  // use the slots up, so that the next writer overflows
    while (fixture.checkpoint.counters().poolOverflows == 0) {
      fixture.write(kExtentBytes + (10 + saved++) * kPageBytes, 5);
    }
  }
  first.set(point);
  std::thread writer([&] { fixture.write(kExtentBytes, 77); });
  first.waitUntilReached();
  fixture.write(kExtentBytes + 8, 88);               // same page
  fixture.write(kExtentBytes + 5 * kPageBytes, 99);  // same extent
  second.release();
  waitUntilLifted(fixture, 2 * kPagesPerExtent - saved - 2);
  CHECK(fixture.checkpoint.active());
  first.release();
  writer.join();
  checkRun(fixture, saved + 2);
}
TEST(writer_held_after_its_swap) {
  writerHeldAfterItsSwap(TestPoint::writerClaimed, kRoomyPool);
}
TEST(writer_held_in_the_middle_of_its_push) {
  writerHeldAfterItsSwap(TestPoint::writerSwung, kRoomyPool);
}
TEST(writer_held_before_it_lifts_the_page) {
  writerHeldAfterItsSwap(TestPoint::writerSaved, kRoomyPool);
}
TEST(overflowing_writer_held_before_it_spills) {
  writerHeldAfterItsSwap(TestPoint::writerClaimed, kTinyPool);
}

// With the pool full two threads come to one page. The held one has an old copy; when it goes on,
// the other has saved the page, changed it, and the copier may have written the extent. Its copy,
// or a newer one, must not reach the file.
void overflowingWriterHeld(TestPoint point, bool untilAllIsWritten) {
  Fixture fixture(2);
  fixture.fill(1);
  const Holding holding;
  second.set(TestPoint::copierClaimed);
  CHECK_OK(fixture.cut({1, 1}, kTinyPool));
  second.waitUntilReached();
  size_t saved = 0;
  while (fixture.checkpoint.counters().poolOverflows == 0) {
    fixture.write(kExtentBytes + (10 + saved++) * kPageBytes, 5);
  }
  first.set(point);
  std::thread writer([&] { fixture.write(kExtentBytes, 77); });
  first.waitUntilReached();
  for (size_t offset = 0; offset < kPageBytes; offset += 8) {
    fixture.write(kExtentBytes + offset, 88);
  }
  if (untilAllIsWritten) {
    second.release();
    while (fixture.checkpoint.counters().fileBytes < 2 * kExtentBytes) sched_yield();
  }
  first.release();
  writer.join();
  second.release();
  checkRun(fixture, saved + 1);
}
TEST(overflowing_writer_held_before_its_copy) {
  overflowingWriterHeld(TestPoint::writerLooked, false);
}
TEST(overflowing_writer_held_before_its_copy_until_all_is_written) {
  overflowingWriterHeld(TestPoint::writerLooked, true);
}
TEST(overflowing_writer_held_before_its_swap) {
  overflowingWriterHeld(TestPoint::writerCopied, false);
}
TEST(overflowing_writer_held_before_its_swap_until_all_is_written) {
  overflowingWriterHeld(TestPoint::writerCopied, true);
}

// The copier is held with the page claimed, before or after its copy: the writer takes the page
// over.
void copierHeld(TestPoint point) {
  Fixture fixture(1);
  fixture.fill(1);
  const Holding holding;
  first.set(point);
  CHECK_OK(fixture.cut({1}, kRoomyPool));
  first.waitUntilReached();
  fixture.write(8, 77);                // the page the copier holds
  fixture.write(3 * kPageBytes, 78);   // one it has not come to
  CHECK_EQUAL(fixture.read(8), 77);
  CHECK_EQUAL(fixture.checkpoint.counters().pagesSaved, 2);
  for (size_t offset = 0; offset < kPageBytes; offset += 8) fixture.write(offset, 79);
  first.release();
  checkRun(fixture, 2);
}
TEST(copier_held_before_its_claim) { copierHeld(TestPoint::copierLooked); }
TEST(copier_held_before_its_copy) { copierHeld(TestPoint::copierClaimed); }
TEST(copier_held_after_its_copy) { copierHeld(TestPoint::copierCopied); }

// All pages decided, the extent still protected: writers go through without saving anything.
TEST(copier_held_before_it_lifts_the_extent) {
  Fixture fixture(1);
  fixture.fill(1);
  const Holding holding;
  first.set(TestPoint::copierDecided);
  CHECK_OK(fixture.cut({1}, kRoomyPool));
  first.waitUntilReached();
  for (size_t page = 0; page < kPagesPerExtent; page += 7) fixture.write(page * kPageBytes, page);
  CHECK_EQUAL(fixture.checkpoint.counters().pagesSaved, 0);
  first.release();
  checkRun(fixture, 0);
}

// An abort comes while a writer is inside the handler with a slot in its hands: it waits for that
// writer before it gives the memory back, and the next run starts clean.
TEST(abort_waits_for_the_writer_in_the_handler) {
  Fixture fixture(2);
  fixture.fill(1);
  const Holding holding;
  first.set(TestPoint::writerCopied);
  second.set(TestPoint::copierClaimed);
  CHECK_OK(fixture.cut({1, 1}, kRoomyPool));
  std::thread writer([&] { fixture.write(kExtentBytes, 77); });
  first.waitUntilReached();
  second.waitUntilReached();  // else the abort may come before the copier has begun
  std::atomic<bool> aborted{false};
  std::thread aborting([&] {
    fixture.checkpoint.abort();
    aborted.store(true);
  });
  second.release();
  waitUntilDecided(fixture, 0);
  for (int i = 0; i < 1000; i++) sched_yield();
  CHECK(!aborted.load());
  first.release();
  writer.join();
  aborting.join();
  CHECK(!exists(fixture.path("run.tmp")));
  CHECK_EQUAL(fixture.read(kExtentBytes), 77);
  fixture.checkUnprotected();
  CHECK_OK(fixture.cut({1, 1}, kRoomyPool));
  checkRun(fixture, 0);
}
