// Measures the native part alone: native/test/run.sh bench [GIB]. Prints one line per figure.
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "snapshot/checkpoint.h"
#include "snapshot/lazy_restore.h"
#include "snapshot/restore.h"

using namespace stillframe;

namespace {

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void require(const Status& status) {
  if (status.ok()) return;
  fprintf(stderr, "%s\n", status.text().c_str());
  exit(1);
}

struct Bench {
  explicit Bench(size_t bytes)
      : checkpoint(arena, [](void*) {}, nullptr), restore(arena, [](void*) {}, nullptr) {
    checkpoint.attach(restore);
    require(arena.open(bytes));
    require(checkpoint.open());
    const double begin = now();
    memset(arena.base(), 7, bytes);
    printf("first touch of %.1f GiB: %.0f ms\n", gib(), (now() - begin) * 1e3);
    kinds.assign(arena.extentCount(), 1);
  }
  double gib() const { return static_cast<double>(arena.bytes()) / (1 << 30); }

  // One run from cut to durable; `write` makes faults right after the cut.
  template <typename Write>
  void run(const char* what, const std::string& directory, bool useDirect, Write write) {
    CheckpointStart start{};
    start.temporaryPath = directory + "/bench.tmp";
    start.kinds = kinds.data();
    start.extentCount = kinds.size();
    start.memoryBytesMax = 64 << 20;
    checkpoint.useDirect(useDirect);
    unlink((directory + "/bench.still").c_str());
    uint64_t pause = 0;
    const double begin = now();
    require(checkpoint.start(start, pause));
    const double started = now();
    write();
    checkpoint.wait();
    const double copied = now();
    CheckpointResult result;
    while (checkpoint.takeResult(result)) require(result.status);
    tableChecksum = result.tableChecksum;
    require(checkpoint.finish({}, directory + "/bench.still"));
    checkpoint.wait();
    const double end = now();
    checkpoint.takeResult(result);
    require(result.status);
    const CheckpointCounters counters = checkpoint.counters();
    printf("%s: pause %llu us, start() %.1f ms, copy and write %.0f ms (%.0f MB/s), "
           "sync and rename %.0f ms; faults %llu, saved %llu, overflows %llu\n",
           what, static_cast<unsigned long long>(pause), (started - begin) * 1e3,
           (copied - started) * 1e3,
           static_cast<double>(arena.bytes()) / 1e6 / (copied - started), (end - copied) * 1e3,
           static_cast<unsigned long long>(counters.faults),
           static_cast<unsigned long long>(counters.pagesSaved),
           static_cast<unsigned long long>(counters.poolOverflows));
  }

  // First touches of blocks all over the arena, then the rest in the background.
  void restoreLazily(const RestoreRequest& request, double megabytes) {
    double begin = now();
    require(restore.open(request, {}));
    const double opened = now();
    constexpr size_t kTouches = 1000;
    const size_t step = arena.bytes() / kTouches / kPageBytes * kPageBytes;
    for (size_t i = 0; i < kTouches; i++) {
      (void)*const_cast<volatile uint8_t*>(arena.base() + i * step);
    }
    printf("lazy restore: opened in %.1f ms, first touch %.0f us\n", (opened - begin) * 1e3,
           (now() - opened) * 1e6 / static_cast<double>(restore.progress().blocksTouched));
    require(restore.open(request, {}));
    begin = now();
    require(restore.startFilling());
    const std::atomic<bool> cancelled{false};
    require(restore.waitFilled(cancelled));
    const double seconds = now() - begin;
    printf("lazy restore: filled in %.0f ms (%.0f MB/s)\n", seconds * 1e3, megabytes / seconds);
  }

  Arena arena;
  Checkpoint checkpoint;
  LazyRestore restore;
  uint32_t tableChecksum = 0;
  std::vector<uint8_t> kinds;
};

}  // namespace

int main(int argc, char** argv) {
  std::string directory;
  double gib = 1;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--directory") == 0 && i + 1 < argc) {
      directory = argv[++i];
    } else {
      gib = atof(argv[i]);
    }
  }
  Bench bench(static_cast<size_t>(gib * 512) * kExtentBytes);
  const auto quiet = [] {};
  bench.run("O_DIRECT, no writers", directory, true, quiet);
  bench.run("O_DIRECT, again", directory, true, quiet);
  bench.run("page cache, paced", directory, false, quiet);
  // Writes on every fourth page of the second half, as fast as they go: each is a fault.
  double seconds = 0;
  size_t writes = 0;
  const auto storm = [&] {
    const double begin = now();
    for (size_t offset = bench.arena.bytes() / 2; offset < bench.arena.bytes() && writes < 8000;
         offset += 32 * kPageBytes, writes++) {
      *reinterpret_cast<volatile uint64_t*>(bench.arena.base() + offset) = offset;
    }
    seconds = now() - begin;
  };
  bench.run("O_DIRECT, storm of writes", directory, true, storm);
  printf("fault: %.1f us each (%zu writes)\n", seconds * 1e6 / static_cast<double>(writes), writes);
  bench.run("O_DIRECT, huge pages split by the storm", directory, true, quiet);
  const std::string path = directory + "/bench.still";
  const std::vector<uint8_t>& kinds = bench.kinds;
  const RestoreRequest request{path, kinds.data(), kinds.size(), kinds.size() * kExtentBytes,
                               bench.tableChecksum};
  const double megabytes = static_cast<double>(bench.arena.bytes()) / 1e6;
  for (int round = 0; round < 2; round++) {
    require(bench.restore.stop());
    SnapshotSource source;
    const double begin = now();
    require(source.open(request, kinds.size()));
    require(restoreExtents(bench.arena, source, request));
    const double seconds = now() - begin;
    printf("eager restore: %.0f ms (%.0f MB/s)\n", seconds * 1e3, megabytes / seconds);
    bench.restoreLazily(request, megabytes);
  }
  unlink(path.c_str());
  return 0;
}
