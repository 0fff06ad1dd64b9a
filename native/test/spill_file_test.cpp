// The file behind the pool: what was put comes back, whoever puts it and wherever the kernel has it
// meanwhile; every failure is noticed; nothing of it is left, neither a name nor much page cache.
#include "snapshot/spill_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "arena/system_calls.h"
#include "test/fixture.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

constexpr size_t kExtents = 16;
constexpr size_t kPages = kExtents * kPagesPerExtent;

std::string temporaryPath() { return options.directory + "/spill.tmp"; }

struct Image {
  alignas(8) uint8_t bytes[kPageBytes];
  explicit Image(size_t page) {
    Random random(page + options.seed);
    uint64_t* words = reinterpret_cast<uint64_t*>(bytes);
    for (size_t i = 0; i < kPageBytes / 8; i++) words[i] = random.next();
  }
};

bool isSpilled(size_t page) { return page * 0x9E3779B9 >> 7 & 1; }

// Reads an extent back: the spilled pages and no others.
Status readExtent(SpillFile& file, size_t extent) {
  std::vector<bool> wanted(kPagesPerExtent);
  for (size_t i = 0; i < kPagesPerExtent; i++) wanted[i] = isSpilled(extent * kPagesPerExtent + i);
  std::vector<uint8_t> staging(kExtentBytes, 7);
  Status status = file.read(extent, wanted, staging.data());
  for (size_t i = 0; i < kPagesPerExtent && status.ok(); i++) {
    const uint8_t* page = staging.data() + i * kPageBytes;
    if (wanted[i]) {
      CHECK(memcmp(page, Image(extent * kPagesPerExtent + i).bytes, kPageBytes) == 0);
    } else {
      CHECK(page[0] == 7 && memcmp(page, page + 1, kPageBytes - 1) == 0);
    }
  }
  return status;
}

// A descriptor of the test's own for the file without a name.
int openUnnamed() {
  DIR* directory = opendir("/proc/self/fd");
  CHECK(directory != nullptr);
  int found = -1;
  for (dirent* entry = readdir(directory); entry != nullptr; entry = readdir(directory)) {
    const std::string link = std::string("/proc/self/fd/") + entry->d_name;
    char target[512] = {};
    if (readlink(link.c_str(), target, sizeof target - 1) <= 0) continue;
    if (strstr(target, options.directory.c_str()) == target && strstr(target, "(deleted)")) {
      found = open(link.c_str(), O_RDWR | O_CLOEXEC);
    }
  }
  closedir(directory);
  return found;
}

struct Injected {
  Injected(SystemCall call, uint32_t nth, int outcome) {
    faultInjection.only.store(static_cast<int>(call));
    faultInjection.nth.store(nth);
    faultInjection.outcome.store(outcome);
    faultInjection.count.store(0);
    faultInjection.armed.store(true);
  }
  ~Injected() { faultInjection.armed.store(false); }
};

void putAll(SpillFile& file, bool writeBack) {
  for (size_t i = 0; i < kPages; i++) {
    const size_t page = i * 4099 % kPages;  // not in order; 4099 is prime
    if (!isSpilled(page)) continue;
    CHECK_EQUAL(file.put(page, Image(page).bytes), 0);
    if (writeBack && i % 50 == 0) CHECK_OK(file.writeBack());
  }
}

size_t cachedBytes(int descriptor) {
  struct stat found {};
  CHECK(fstat(descriptor, &found) == 0);
  const size_t bytes = static_cast<size_t>(found.st_size);
  void* mapping = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
  CHECK(mapping != MAP_FAILED);
  std::vector<unsigned char> resident((bytes + kPageBytes - 1) / kPageBytes);
  CHECK(mincore(mapping, bytes, resident.data()) == 0);
  munmap(mapping, bytes);
  size_t pages = 0;
  for (unsigned char page : resident) pages += page & 1;
  return pages * kPageBytes;
}

}  // namespace

TEST(spilled_pages_come_back) {
  SpillFile file;
  CHECK_OK(file.open(temporaryPath(), kPages));
  CHECK(!exists(temporaryPath()));
  putAll(file, false);
  for (size_t extent = 0; extent < kExtents; extent++) CHECK_OK(readExtent(file, extent));
  CHECK_OK(file.open(temporaryPath(), kPages));  // the next run's: empty
  CHECK(!readExtent(file, 0).ok());
}

TEST(spilled_pages_come_back_from_the_disk) {
  SpillFile file;
  CHECK_OK(file.open(temporaryPath(), kPages));
  putAll(file, true);
  const int descriptor = openUnnamed();
  CHECK(descriptor >= 0);
  struct statfs system {};
  CHECK(fstatfs(descriptor, &system) == 0);
  const bool onDisk = system.f_type != TMPFS_MAGIC;
  // Of 16 MiB: the batches that are on their way, and the table.
  if (onDisk) CHECK(cachedBytes(descriptor) < 4 << 20);
  file.prefetch(0);
  for (size_t extent = 0; extent < kExtents; extent++) {
    if (extent + 1 < kExtents) file.prefetch(extent + 1);
    CHECK_OK(readExtent(file, extent));
    CHECK_OK(file.writeBack());
  }
  if (onDisk) CHECK(cachedBytes(descriptor) < 6 << 20);
  close(descriptor);
}

TEST(spilled_by_several_threads) {
  SpillFile file;
  CHECK_OK(file.open(temporaryPath(), kPages));
  std::vector<std::thread> threads;
  for (size_t id = 0; id < 4; id++) {
    threads.emplace_back([&file, id] {
      for (size_t page = id; page < kPages; page += 4) {
        if (isSpilled(page)) CHECK_EQUAL(file.put(page, Image(page).bytes), 0);
      }
    });
  }
  for (int i = 0; i < 100; i++) {
    CHECK_OK(file.writeBack());
    file.prefetch(static_cast<size_t>(i) % kExtents);
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t extent = 0; extent < kExtents; extent++) CHECK_OK(readExtent(file, extent));
}

TEST(spill_file_where_there_are_no_unnamed_files) {
  SpillFile file;
  {
    const Injected refused(SystemCall::open, 1, EOPNOTSUPP);
    CHECK_OK(file.open(temporaryPath(), kPages));
  }
  CHECK(!exists(temporaryPath()));
  putAll(file, true);
  for (size_t extent = 0; extent < kExtents; extent++) CHECK_OK(readExtent(file, extent));
  fclose(fopen(temporaryPath().c_str(), "w"));
  {
    const Injected refused(SystemCall::open, 1, EOPNOTSUPP);
    CHECK_EQUAL(file.open(temporaryPath(), kPages).errnoCode(), EEXIST);
  }
  CHECK(exists(temporaryPath()));  // not ours
  unlink(temporaryPath().c_str());
}

TEST(spill_file_reports_what_fails) {
  SpillFile file;
  for (const int code : {EMFILE, ENOSPC, EACCES}) {
    const Injected failing(SystemCall::open, 1, code);
    CHECK_EQUAL(file.open(temporaryPath(), kPages).errnoCode(), code);
  }
  CHECK_OK(file.open(temporaryPath(), kPages));
  for (const uint32_t nth : {1u, 2u}) {  // image, entry
    const Injected failing(SystemCall::pwrite, nth, ENOSPC);
    CHECK_EQUAL(file.put(0, Image(0).bytes), ENOSPC);
  }
  for (const uint32_t nth : {1u, 2u, 3u}) {
    const Injected failing(SystemCall::pwrite, nth, FaultInjection::kShort);
    CHECK_EQUAL(file.put(nth, Image(nth).bytes), 0);
  }
  std::vector<bool> wanted(kPagesPerExtent);
  wanted[1] = wanted[2] = wanted[3] = true;
  std::vector<uint8_t> staging(kExtentBytes);
  CHECK_OK(file.read(0, wanted, staging.data()));
  for (size_t i = 1; i < 4; i++) {
    CHECK(memcmp(staging.data() + i * kPageBytes, Image(i).bytes, kPageBytes) == 0);
  }
  for (const uint32_t nth : {1u, 2u}) {  // entries, image
    const Injected failing(SystemCall::pread, nth, EIO);
    CHECK_EQUAL(file.read(0, wanted, staging.data()).errnoCode(), EIO);
  }
  {
    const Injected failing(SystemCall::syncFileRange, 1, EIO);
    for (size_t page = 10; page < 10 + 300; page++) {
      CHECK_EQUAL(file.put(page, Image(page).bytes), 0);
    }
    CHECK_EQUAL(file.writeBack().errnoCode(), EIO);
  }
}

// What a failed write-back leaves on the disk, or a disk that forgets.
TEST(spilled_page_that_comes_back_changed_is_refused) {
  SpillFile file;
  CHECK_OK(file.open(temporaryPath(), kPages));
  putAll(file, false);
  const int descriptor = openUnnamed();
  struct stat found {};
  CHECK(fstat(descriptor, &found) == 0);
  const uint8_t wrong[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(pwrite(descriptor, wrong, 8, found.st_size - 100) == 8);
  close(descriptor);
  size_t refused = 0;
  for (size_t extent = 0; extent < kExtents; extent++) {
    const Status status = readExtent(file, extent);
    if (status.ok()) continue;
    CHECK(status.text().find("came back changed") != std::string::npos);
    refused++;
  }
  CHECK_EQUAL(refused, 1);
}
