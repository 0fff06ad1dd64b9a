#include "test/fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "snapshot/checksum.h"

namespace stillframe::test {

namespace {

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    CHECK(descriptor_ >= 0);
  }
  ~OpenFile() { close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  size_t bytes() const {
    struct stat file {};
    CHECK(fstat(descriptor_, &file) == 0);
    return static_cast<size_t>(file.st_size);
  }
  void read(size_t offset, uint8_t* target, size_t length) const {
    for (size_t got = 0; got < length;) {
      const auto at = static_cast<off_t>(offset + got);
      const ssize_t result = pread(descriptor_, target + got, length - got, at);
      CHECK(result > 0);
      got += static_cast<size_t>(result);
    }
  }

 private:
  int descriptor_;
};

}  // namespace

CommandGate::CommandGate() {
  pthread_rwlockattr_t attributes;
  pthread_rwlockattr_init(&attributes);
  pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
  pthread_rwlock_init(&lock_, &attributes);
  pthread_rwlockattr_destroy(&attributes);
}

Fixture::Fixture(size_t extents, const WriteProtectOptions& options)
    : checkpoint(arena, [](void*) {}, nullptr), restore(arena, [](void*) {}, nullptr) {
  checkpoint.attach(restore);
  WriteProtectOptions chosen = options;
  if (test::options.mprotectGranule != 0) {
    chosen.mechanism = Mechanism::mprotect;
    chosen.granuleBytesMin = test::options.mprotectGranule;
  }
  CHECK_OK(arena.open(extents * kExtentBytes, chosen));
  CHECK_OK(checkpoint.open());
}

void Fixture::write(size_t offset, uint64_t value) {
  __atomic_store_n(reinterpret_cast<uint64_t*>(arena.base() + offset), value, __ATOMIC_RELAXED);
}

uint64_t Fixture::read(size_t offset) const {
  return __atomic_load_n(reinterpret_cast<const uint64_t*>(arena.base() + offset),
                         __ATOMIC_RELAXED);
}

void Fixture::fill(uint64_t salt) {
  uint64_t* words = reinterpret_cast<uint64_t*>(arena.base());
  for (size_t i = 0; i < arena.bytes() / 8; i++) words[i] = i * 0x9E3779B97F4A7C15 + salt;
}

Status Fixture::cut(const std::vector<uint8_t>& extentKinds, size_t memoryBytesMax) {
  kinds = extentKinds;
  image.assign(arena.base(), arena.base() + kinds.size() * kExtentBytes);
  CheckpointStart start{};
  start.temporaryPath = path("run.tmp");
  start.kinds = kinds.data();
  start.extentCount = kinds.size();
  start.memoryBytesMax = memoryBytesMax;
  return checkpoint.start(start, pauseMicros);
}

void Fixture::prepare(size_t memoryBytesMax, const std::vector<uint8_t>& extentKinds) {
  CHECK_OK(checkpoint.prepare(memoryBytesMax, extentKinds));
  waitFor(CheckpointEvent::prepared);
  CHECK_OK(checkpoint.protectAhead(extentKinds, path("run.tmp")));
  waitFor(CheckpointEvent::protectedAhead);
}

void Fixture::waitFor(CheckpointEvent event) {
  checkpoint.wait();
  CheckpointResult result;
  CHECK(checkpoint.takeResult(result));
  CHECK(result.event == event);
  CHECK_OK(result.status);
}

Status Fixture::waitCopied() {
  checkpoint.wait();
  CheckpointResult result;
  CHECK(checkpoint.takeResult(result));
  CHECK(result.event == CheckpointEvent::copied);
  CHECK(!checkpoint.takeResult(result));
  tableChecksum = result.tableChecksum;
  return result.status;
}

Status Fixture::finish(const std::string& finalPath, const std::string& tail) {
  Status status =
      checkpoint.finish(std::vector<uint8_t>(tail.begin(), tail.end()), finalPath);
  if (!status.ok()) return status;
  checkpoint.wait();
  CheckpointResult result;
  CHECK(checkpoint.takeResult(result));
  CHECK(result.event == CheckpointEvent::finished);
  return result.status;
}

void Fixture::checkImage(const std::string& imagePath) const {
  // Read by the extent into memory that is used again: fresh memory costs a sanitizer several times
  // what it costs others.
  static std::vector<uint8_t> found(kExtentBytes), table;
  const OpenFile file(imagePath);
  const size_t dataBytes = kinds.size() * kExtentBytes;
  table.resize(kinds.size() * kBlocksPerExtent * sizeof(uint32_t));
  CHECK(file.bytes() >= dataBytes + table.size());
  file.read(dataBytes, table.data(), table.size());
  const std::vector<uint8_t> zeros(kExtentBytes, 0);
  for (size_t extent = 0; extent < kinds.size(); extent++) {
    const bool present = kinds[extent] != 0;
    const uint8_t* expected = present ? image.data() + extent * kExtentBytes : zeros.data();
    file.read(extent * kExtentBytes, found.data(), kExtentBytes);
    if (memcmp(expected, found.data(), kExtentBytes) != 0) {
      size_t at = 0;
      while (expected[at] == found[at]) at++;
      fprintf(stderr, "extent %zu page %zu byte %zu differs from the cut (kind %d)\n", extent,
              at / kPageBytes, at % kPageBytes, kinds[extent]);
      abort();
    }
    for (size_t block = 0; block < kBlocksPerExtent; block++) {
      uint32_t sum = 0;
      memcpy(&sum, table.data() + (extent * kBlocksPerExtent + block) * 4, 4);
      const uint32_t wanted =
          present ? crc32cPortable(expected + block * kChecksumBlockBytes, kChecksumBlockBytes) : 0;
      CHECK_EQUAL(sum, wanted);
    }
  }
}

void Fixture::checkCounters() {
  const CheckpointCounters counters = checkpoint.counters();
  size_t extents = 0;
  for (const uint8_t kind : kinds) extents += kind != 0;
  CHECK_EQUAL(counters.pagesTotal, extents * kPagesPerExtent);
  CHECK_EQUAL(counters.pagesCopied + counters.pagesSaved, counters.pagesTotal);
  const uint64_t granulePages = arena.protection().granuleBytes() / kPageBytes;
  CHECK(counters.faults * granulePages >= counters.pagesSaved);
  CHECK(counters.poolOverflows <= counters.pagesSaved);
}

void Fixture::checkCopied() {
  CHECK_OK(waitCopied());
  checkImage(path("run.tmp"));
  checkCounters();
}

void Fixture::checkRun() {
  checkCopied();
  checkpoint.abort();
  checkUnprotected();
}

void Fixture::overwritePages() {
  for (size_t extent = 0; extent < arena.extentCount(); extent++) overwriteExtent(extent);
}

void Fixture::overwriteExtent(size_t extent) {
  for (size_t page = 0; page < kPagesPerExtent; page++) {
    write(extent * kExtentBytes + page * kPageBytes, 9);
  }
}

void Fixture::checkUnprotected() {
  const CheckpointCounters before = checkpoint.counters();
  for (size_t offset = 0; offset < arena.bytes(); offset += kPageBytes) write(offset, offset);
  CHECK_EQUAL(checkpoint.counters().faults, before.faults);
  CHECK_EQUAL(checkpoint.counters().preArmFaults, before.preArmFaults);
}

int statusOfChild(const std::function<void()>& body) {
  fflush(stdout);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    body();
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::vector<uint8_t> readFile(const std::string& path) {
  const OpenFile file(path);
  std::vector<uint8_t> bytes(file.bytes());
  file.read(0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace stillframe::test
