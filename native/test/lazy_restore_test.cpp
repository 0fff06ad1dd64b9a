// Lazy restore: whatever is touched first, and by whom, the arena reads as the file does, and a
// block that does not match its checksum is never seen.
#include "snapshot/lazy_restore.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <thread>

#include "snapshot/restore.h"
#include "test/restore_fixture.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

// Blocks until the filling has ended, and says how.
Status waitFilled(Fixture& fixture) {
  const std::atomic<bool> cancelled{false};
  const Status waited = fixture.restore.waitFilled(cancelled);
  Status result;
  CHECK(fixture.restore.takeResult(result));
  CHECK(!fixture.restore.takeResult(result));
  CHECK_EQUAL(waited.ok(), result.ok());
  return result;
}

void checkArena(const Saved& saved, const Fixture& fixture) {
  for (size_t offset = 0; offset < fixture.arena.bytes(); offset += 8) {
    CHECK_EQUAL(fixture.read(offset), saved.expected(offset));
  }
}

void start(Fixture& fixture, const Saved& saved) {
  CHECK_OK(fixture.restore.open(saved.request(), {}));
  CHECK_OK(fixture.restore.startFilling());
}

struct Ended {
  int status;
  std::string text;
};

// Runs `body` in a child process; what it wrote to standard error and how it ended.
Ended endOfChild(const std::function<void()>& body) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  fflush(stdout);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    body();
    _exit(0);
  }
  close(ends[1]);
  Ended ended{};
  char piece[512];
  for (ssize_t got; (got = read(ends[0], piece, sizeof piece)) > 0;) {
    ended.text.append(piece, static_cast<size_t>(got));
  }
  close(ends[0]);
  CHECK(waitpid(child, &ended.status, 0) == child);
  return ended;
}

// A child process does not have the parent's arenas, and its own may come to lie in their place:
// they must not answer for its faults.
void leaveInChild(Fixture& fixture) { fixture.checkpoint.cut().close(); }

}  // namespace

TEST(lazy_restore_fills_the_arena) {
  const Saved saved;
  Fixture fixture(14);
  for (int round = 0; round < 3; round++) {
    fixture.fill(7);
    start(fixture, saved);
    CHECK_OK(waitFilled(fixture));
    const LazyRestoreProgress progress = fixture.restore.progress();
    CHECK(!progress.active);
    CHECK_EQUAL(progress.bytesTotal, 7 * kExtentBytes);
    CHECK_EQUAL(progress.bytesDone, progress.bytesTotal);
    checkArena(saved, fixture);
  }
}

TEST(lazy_restore_brings_in_what_is_touched) {
  const Saved saved;
  Fixture fixture(14);
  fixture.fill(7);
  CHECK_OK(fixture.restore.open(saved.request(), {}));
  CHECK_EQUAL(fixture.restore.progress().bytesDone, 0);
  // A first touch may be a write.
  const size_t written = 3 * kExtentBytes + 5 * kChecksumBlockBytes + 4096;
  fixture.write(written, 42);
  CHECK_EQUAL(fixture.restore.progress().blocksTouched, 1);
  CHECK_EQUAL(fixture.read(written + 8), saved.expected(written + 8));
  CHECK_EQUAL(fixture.restore.progress().blocksTouched, 1);
  CHECK_EQUAL(fixture.read(written), 42);
  fixture.write(written, saved.expected(written));
  checkArena(saved, fixture);
  CHECK_EQUAL(fixture.restore.progress().blocksTouched, 7 * kBlocksPerExtent);
  CHECK_OK(fixture.restore.stop());
  checkArena(saved, fixture);
}

// Outside of the file the kernel populates memory without us.
TEST(lazy_restore_leaves_other_memory_alone) {
  const Saved saved;
  Fixture fixture(14);
  CHECK_OK(fixture.restore.open(saved.request(), {}));
  CHECK_OK(fixture.arena.mapping().populate(kExtentBytes, kExtentBytes));
  CHECK_OK(fixture.arena.mapping().populate(10 * kExtentBytes, 4 * kExtentBytes));
  CHECK_EQUAL(fixture.arena.mapping().populate(0, kExtentBytes).errnoCode(), EFAULT);
  CHECK_EQUAL(fixture.read(kExtentBytes), 0);
  CHECK_EQUAL(fixture.restore.progress().blocksTouched, 0);
}

TEST(lazy_restore_while_threads_write) {
  const Saved saved({2, 1, 1, 0, 1, 1, 1, 1, 1, 1, 2, 1});
  Fixture fixture(14);
  for (int round = 0; round < 4 * options.effort; round++) {
    fixture.fill(7);
    start(fixture, saved);
    std::vector<std::thread> threads;
    // Thread i writes words i mod 4 of pages; each word goes up by one, so a lost one is seen.
    for (size_t id = 0; id < 4; id++) {
      threads.emplace_back([&, id] {
        Random random(options.seed * 100 + id + static_cast<uint64_t>(round) * 10);
        for (int i = 0; i < 4000; i++) {
          const size_t word = random.below(fixture.arena.bytes() / 32) * 4 + id;
          fixture.write(word * 8, fixture.read(word * 8) + 1);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK_OK(waitFilled(fixture));
    uint64_t sum = 0;
    for (size_t offset = 0; offset < fixture.arena.bytes(); offset += 8) {
      sum += fixture.read(offset) - saved.expected(offset);
    }
    CHECK_EQUAL(sum, 16'000);
  }
}

TEST(lazy_restore_and_extents_that_are_given_back) {
  const Saved saved({1, 1, 1, 1, 1, 1, 1, 1});
  Fixture fixture(10);
  for (int round = 0; round < 10 * options.effort; round++) {
    start(fixture, saved);
    // Some are read by now, some are not, one is perhaps on its way.
    for (const size_t extent : {size_t{7}, size_t{0}, size_t(round % 8), size_t{4}}) {
      CHECK_OK(fixture.restore.forget(extent, 1));
      CHECK_OK(fixture.arena.mapping().discard(extent * kExtentBytes, kExtentBytes));
      fixture.write(extent * kExtentBytes + 8, 1);
    }
    CHECK_OK(waitFilled(fixture));
    for (size_t extent = 0; extent < 8; extent++) {
      const bool kept = extent != 7 && extent != 0 && extent != 4 && extent != size_t(round % 8);
      for (size_t offset = extent * kExtentBytes; offset < (extent + 1) * kExtentBytes;
           offset += 8) {
        const uint64_t fresh = offset % kExtentBytes == 8 ? 1 : 0;
        CHECK_EQUAL(fixture.read(offset), kept ? saved.expected(offset) : fresh);
      }
    }
    const LazyRestoreProgress progress = fixture.restore.progress();
    CHECK_EQUAL(progress.bytesDone, progress.bytesTotal);
    // Later, too, what is given back reads as zeros.
    CHECK_OK(fixture.arena.mapping().discard(kExtentBytes, kExtentBytes));
    CHECK_EQUAL(fixture.read(kExtentBytes + 8), 0);
  }
}

TEST(lazy_restore_then_a_run_waits_and_is_exact) {
  for (const bool unpopulated : {true, false}) {
    const Saved saved;
    WriteProtectOptions older;
    older.ignoreUnpopulatedFeature = !unpopulated;
    Fixture fixture(12, older);
    start(fixture, saved);
    fixture.write(3 * kExtentBytes + 16, 99);
    CheckpointResult result;
    if (unpopulated) {
      fixture.prepare(16 << 20, saved.fixture.kinds);
    }
    // The image is taken by a run's own copy, not by touching the arena first.
    CheckpointStart start{};
    start.temporaryPath = fixture.path("run.tmp");
    start.kinds = saved.fixture.kinds.data();
    start.extentCount = saved.extentCount();
    start.memoryBytesMax = 16 << 20;
    CHECK_OK(fixture.checkpoint.start(start, fixture.pauseMicros));
    for (size_t page = 0; page < 10 * kPagesPerExtent; page += 3) {
      fixture.write(page * kPageBytes + 24, page);
    }
    fixture.kinds = saved.fixture.kinds;
    fixture.image = saved.fixture.image;
    const uint64_t value = 99;
    memcpy(fixture.image.data() + 3 * kExtentBytes + 16, &value, sizeof value);
    fixture.checkCopied();
    fixture.checkpoint.abort();
    CHECK_OK(waitFilled(fixture));
    fixture.checkUnprotected();
  }
}

TEST(lazy_restore_in_pieces_when_the_kernel_cannot_move) {
  const Saved saved;
  Fixture fixture(12);
  CHECK_OK(fixture.restore.open(saved.request(), {}));
  // A block of each extent is there: those are copied around it.
  for (size_t extent = 0; extent < 10; extent++) {
    const size_t offset = extent * kExtentBytes + 64;
    CHECK_EQUAL(fixture.read(offset), saved.expected(offset));
  }
  CHECK_OK(fixture.restore.startFilling());
  CHECK_OK(waitFilled(fixture));
  checkArena(saved, fixture);
}

TEST(lazy_restore_reports_a_bad_block_and_never_serves_it) {
  Saved saved;
  const size_t bad = 5 * kBlocksPerExtent + 7;
  saved.patch(bad * kChecksumBlockBytes + 1000);
  const std::string sentence = "checkpoint " + saved.path + " is damaged: checksum of block 167 " +
                               "(file offset 10944512): expected ";
  Fixture fixture(12);
  start(fixture, saved);
  const Status status = waitFilled(fixture);
  CHECK(status.text().rfind(sentence, 0) == 0);
  CHECK(!fixture.checkpoint.prepare(16 << 20, saved.fixture.kinds).ok() ||
        [&] {
          CheckpointResult result;
          fixture.checkpoint.wait();
          CHECK(fixture.checkpoint.takeResult(result));
          return result.status.text().rfind(sentence, 0) == 0;
        }());
  // What is good still comes in; the bad one ends the process.
  CHECK_EQUAL(fixture.read(8 * kExtentBytes + 8), 0);
  CHECK_EQUAL(fixture.read(6 * kExtentBytes), saved.expected(6 * kExtentBytes));
  const std::string log = fixture.path("damage.log");
  const Ended ended = endOfChild([&] {
    leaveInChild(saved.fixture);
    leaveInChild(fixture);
    Fixture child(12);
    const int descriptor = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK_OK(child.restore.open(saved.request(), {descriptor, "Do that."}));
    (void)child.read((bad - 1) * kChecksumBlockBytes);
    (void)child.read(bad * kChecksumBlockBytes);
  });
  CHECK(WIFEXITED(ended.status));
  CHECK_EQUAL(WEXITSTATUS(ended.status), kDamagedExitCode);
  CHECK(ended.text.rfind("stillframe: " + sentence, 0) == 0);
  CHECK(ended.text.find("exit code 3. Do that.\n") != std::string::npos);
  const std::vector<uint8_t> logged = readFile(log);
  CHECK(std::string(logged.begin(), logged.end()) == ended.text);
  unlink(log.c_str());
}

TEST(lazy_restore_of_a_file_that_is_cut_off_meanwhile) {
  Saved saved;
  const Ended ended = endOfChild([&] {
    leaveInChild(saved.fixture);
    Fixture child(12);
    CHECK_OK(child.restore.open(saved.request(), {}));
    CHECK(truncate(saved.path.c_str(), static_cast<off_t>(4 * kExtentBytes)) == 0);
    (void)child.read(3 * kExtentBytes);
    (void)child.read(4 * kExtentBytes);
  });
  CHECK(WIFEXITED(ended.status));
  CHECK_EQUAL(WEXITSTATUS(ended.status), kDamagedExitCode);
  CHECK(ended.text.find("is truncated: it ends before the end of block 128 ") !=
        std::string::npos);
}

TEST(lazy_restore_refuses_before_it_touches_anything) {
  const Saved saved;
  Fixture fixture(12);
  fixture.fill(3);
  RestoreRequest request = saved.request();
  request.tableChecksum ^= 1;
  CHECK(fixture.restore.open(request, {}).text().find("its block table") != std::string::npos);
  request = saved.request();
  request.path += ".absent";
  CHECK_EQUAL(fixture.restore.open(request, {}).errnoCode(), ENOENT);
  CHECK(fixture.read(8) != 0);
}

TEST(lazy_restore_is_stopped_for_an_eager_one) {
  const Saved saved;
  Fixture fixture(14);
  for (int round = 0; round < 5; round++) {
    start(fixture, saved);
    (void)fixture.read(3 * kExtentBytes);
    CHECK_OK(fixture.restore.stop());
    CHECK(!fixture.restore.progress().active);
    SnapshotSource source;
    CHECK_OK(source.open(saved.request(), fixture.arena.extentCount()));
    CHECK_OK(restoreExtents(fixture.arena, source, saved.request()));
    checkArena(saved, fixture);
  }
}
