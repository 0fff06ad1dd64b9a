// One checkpoint run at a time: its phases, its thread and its results.
//
//   idle --start--> copying --thread--> copied --finish--> finishing --thread--> idle
//                      |                   |                   |
//                      +------- failure, abort(), close() -----+--> idle, nothing left behind
//
// All public functions are called by the thread that serves (the arena's isolate). Three threads of
// this class do the work. They are started with the first run and joined by close():
//
//   still-metadata  normal priority     dense metadata: as long as that waits nearly every write is
//                                       caught, so to give way would be to hold up the server
//   still-objects   only on idle cores  the objects, nearly all of a run: a server at full speed
//                                       keeps two thirds of its rate (with still-copier in its
//                                       place, half)
//   still-copier    gives way           all else; and the objects that are left, when an idle core
//                                       is not to be had
//
// The serving thread could copy dense metadata itself, which spares caught writes the interrupt of
// another core (15 us each in a virtual machine): tried, and its own replies waited as long for the
// copying as they otherwise do for the interrupts.
//
// When a phase ends it leaves a result, which takeResult() hands out exactly once, and calls the
// notification, after which the owner comes and takes it on its own thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "arena/thread.h"
#include "snapshot/copier.h"

namespace stillframe {

enum class CheckpointEvent : uint8_t { prepared, protectedAhead, copied, finished };

struct CheckpointResult {
  CheckpointEvent event;
  Status status;
  uint32_t tableChecksum = 0;  // of a good `copied`: CRC32C of the block table
};

struct CheckpointCounters {
  bool active;
  uint8_t epoch;  // of the page states
  uint64_t pauseMicros;
  uint64_t durationMicros;
  uint64_t pagesTotal, pagesCopied, pagesSaved;
  uint64_t faults;
  uint64_t poolOverflows;
  uint64_t extraBytes;  // of memory, now
  uint64_t extraBytesPeak;
  uint64_t preArmFaults;
  uint64_t rangesAtCut;
  uint64_t fileBytes;
};

struct CheckpointStart {
  std::string temporaryPath;
  const uint8_t* kinds;  // one ExtentKind per extent
  size_t extentCount;
  size_t memoryBytesMax;
};

class Checkpoint {
 public:
  using Notify = void (*)(void* context);  // called on the checkpoint thread

  Checkpoint(Arena& arena, Notify notify, void* context)
      : arena_(arena), cut_(arena), notify_(notify), context_(context) {}
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;
  ~Checkpoint() { close(); }

  // A lazy restore of the same arena, before it starts: runs wait until it has read everything.
  void attach(LazyRestore& restore);
  Status open();
  void close();  // aborts a run, joins the thread, leaves the fault handler; idempotent

  // Two steps ahead of a run, in the background. prepare() touches its memory and ends with
  // `prepared`; protectAhead() creates its file, protects the extents and ends with
  // `protectedAhead`. Both are optional: start() does what was not done, but then the serving
  // thread waits for it. Without a start() after them, abort() undoes them.
  Status prepare(size_t memoryBytesMax, std::vector<uint8_t> kinds);
  Status protectAhead(std::vector<uint8_t> kinds, std::string temporaryPath);
  // Between two commands, after `protectedAhead`: one step towards the cut. `isNear`: nothing is
  // left to protect, so that a start() before the next command pauses least. See PreArm::catchUp.
  Status approach(bool& isNear);
  // Makes the cut and starts the copier; `pauseMicros` is the time the protection took, that of an
  // approach() right before it included.
  Status start(const CheckpointStart& request, uint64_t& pauseMicros);
  // Second phase, in phase `copied` only.
  Status finish(std::vector<uint8_t> tail, std::string finalPath);
  // Blocks while the thread works on a phase.
  void wait();
  void abort();
  bool takeResult(CheckpointResult& result);

  // The extents were given back to the kernel (not covers()): their protection is gone.
  void noteReleased(size_t firstExtent, size_t count) {
    cut_.preArm().noteReleased(firstExtent, count);
  }
  // True from prepare() or protectAhead() until the protection became that of a run or was lifted.
  bool prepared();
  // True while a run is between start and its end and its cut includes one of the extents.
  bool covers(size_t firstExtent, size_t count);
  bool active();
  // For benches: whether files are written around the page cache, where they can be. Between runs.
  void useDirect(bool on) { useDirect_ = on; }
  CheckpointCounters counters();
  Cut& cut() { return cut_; }

 private:
  enum class Phase : uint8_t { idle, copying, copied, finishing };
  enum class Job : uint8_t {
    none, prepare, protectAhead, copyMetadata, copyObjects, copyRest, finish, exit,
  };

  static void runBackground(void* self);
  static void runPrompt(void* self);
  static void runIdle(void* self);
  void work();
  void workOnly(Job job, Job then, Status (Checkpoint::*step)());
  Status checkKinds(const uint8_t* kinds, size_t extentCount) const;
  Status checkIdle();
  Status prepareRun();
  Status protectRun();
  Status openFiles(const std::string& temporaryPath);
  CopyRequest copyRequest() { return {cut_, memory_, file_, spill_, cancelled_}; }
  Status copyDense();
  Status copyIdly();
  Status copyRest();
  Status finishFile();
  Status startThreads();
  void submit(Job job);
  void submitLocked(Job job);
  void waitForJob(std::unique_lock<std::mutex>& lock);

  Arena& arena_;
  LazyRestore* restore_ = nullptr;
  Cut cut_;
  const Notify notify_;
  void* const context_;
  Thread background_;
  Thread prompt_;  // for Job::copyMetadata alone
  Thread idle_;    // for Job::copyObjects alone

  std::mutex mutex_;  // guards the next block
  std::condition_variable changed_;
  Job job_ = Job::none;
  Phase phase_ = Phase::idle;
  std::vector<CheckpointResult> results_;  // at most one per event
  uint64_t startedMicros_ = 0;
  uint64_t durationMicros_ = 0;
  uint64_t pauseMicros_ = 0;
  uint64_t approachNanos_ = 0;  // of the last step before start()
  uint64_t extraBytesPeak_ = 0;

  // Owned by whoever runs: the thread while there is a job, the caller otherwise.
  RunMemory memory_;
  SnapshotFile file_;
  SpillFile spill_;
  bool useDirect_ = true;
  uint32_t tableChecksum_ = 0;
  size_t nextExtent_ = 0;  // of the objects: the first that is not in the file
  Status copyStatus_;
  std::vector<uint8_t> tail_;
  std::string finalPath_;
  std::string preparedPath_;
  size_t preparedBytesMax_ = 0;
  std::vector<uint8_t> preparedKinds_;  // of the present or last job ahead of a run

  std::atomic<bool> cancelled_{false};
};

}  // namespace stillframe
