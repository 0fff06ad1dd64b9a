// What most native tests need: an arena with a checkpoint, the image of a cut to compare with, and
// a gate that stops writers between two commands.
#pragma once

#include <pthread.h>

#include <functional>
#include <string>
#include <vector>

#include "arena/arena.h"
#include "snapshot/checkpoint.h"
#include "snapshot/lazy_restore.h"
#include "test/check.h"

namespace stillframe::test {

// Writers hold it shared for one command; whoever makes the cut holds it alone. Prefers the cut.
class CommandGate {
 public:
  CommandGate();
  ~CommandGate() { pthread_rwlock_destroy(&lock_); }
  void enterCommand() { pthread_rwlock_rdlock(&lock_); }
  void closeForCut() { pthread_rwlock_wrlock(&lock_); }
  void leave() { pthread_rwlock_unlock(&lock_); }

 private:
  pthread_rwlock_t lock_;
};

class Fixture {
 public:
  explicit Fixture(size_t extents, const WriteProtectOptions& options = {});
  ~Fixture() {
    checkpoint.close();
    restore.close();
  }

  // Fills the arena with bytes that depend on their place and on `salt`.
  void fill(uint64_t salt);
  // A plain store, as JavaScript makes it (relaxed: other threads may write there too).
  void write(size_t offset, uint64_t value);
  uint64_t read(size_t offset) const;

  std::string path(const char* name) const { return options.directory + "/" + name; }
  // Remembers the arena and starts a run over `kinds`; nobody else writes meanwhile.
  Status cut(const std::vector<uint8_t>& kinds, size_t memoryBytesMax);
  // Memory and protection ahead of a run.
  void prepare(size_t memoryBytesMax, const std::vector<uint8_t>& kinds);
  // Waits for the end of a job ahead of a run, which succeeds.
  void waitFor(CheckpointEvent event);
  // Waits for the end of the copy and takes its result.
  Status waitCopied();
  Status finish(const std::string& finalPath, const std::string& tail = "tail");
  // Waits for the end of the copy, which succeeds, and checks its file and its counters.
  void checkCopied();
  // The same, and that the end of the run leaves nothing protected.
  void checkRun();
  // A store into each page.
  void overwritePages();
  void overwriteExtent(size_t extent);
  // The file holds what the arena held at the cut, and the checksums of it.
  void checkImage(const std::string& path) const;
  void checkCounters();
  // Writes into every page, which must not raise a fault: nothing is protected any more.
  void checkUnprotected();

  Arena arena;
  Checkpoint checkpoint;
  LazyRestore restore;
  std::vector<uint8_t> kinds;
  std::vector<uint8_t> image;  // of the arena at the cut
  uint64_t pauseMicros = 0;
  uint32_t tableChecksum = 0;  // of the last copy that succeeded
};

// Wait status of a child process that runs `body`.
int statusOfChild(const std::function<void()>& body);
bool exists(const std::string& path);
std::vector<uint8_t> readFile(const std::string& path);

}  // namespace stillframe::test
