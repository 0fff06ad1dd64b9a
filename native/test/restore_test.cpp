// Restore: the arena comes back byte for byte, and nothing damaged ever gets in.
#include "snapshot/restore.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "test/fixture.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

const std::vector<uint8_t> kKinds = {1, 0, 2, 1, 1, 1, 1, 0, 0, 1};

// A finished checkpoint of an arena of 12 extents, removed at the end.
struct Saved {
  Saved() : fixture(12), path(fixture.path("restore.still")) {
    fixture.fill(options.seed);
    CHECK_OK(fixture.cut(kKinds, 16 << 20));
    CHECK_OK(fixture.waitCopied());
    CHECK_OK(fixture.finish(path));
  }
  ~Saved() { unlink(path.c_str()); }
  RestoreRequest request() const {
    return {path, kKinds.data(), kKinds.size(), kKinds.size() * kExtentBytes};
  }
  void patch(uint64_t offset) const {
    const int descriptor = open(path.c_str(), O_RDWR);
    uint8_t byte = 0;
    CHECK(pread(descriptor, &byte, 1, static_cast<off_t>(offset)) == 1);
    byte ^= 1;
    CHECK(pwrite(descriptor, &byte, 1, static_cast<off_t>(offset)) == 1);
    close(descriptor);
  }
  Fixture fixture;
  std::string path;
};

bool allZero(const Arena& arena) {
  for (size_t i = 0; i < arena.bytes(); i++) {
    if (arena.base()[i] != 0) return false;
  }
  return true;
}

}  // namespace

TEST(restore_brings_back_every_byte_and_zeros_elsewhere) {
  Saved saved;
  for (int round = 0; round < 2; round++) {
    saved.fixture.fill(99);
    CHECK_OK(restoreExtents(saved.fixture.arena, saved.request()));
    const std::vector<uint8_t> zeros(kExtentBytes, 0);
    for (size_t extent = 0; extent < 12; extent++) {
      const bool present = extent < kKinds.size() && kKinds[extent] != 0;
      const uint8_t* expected =
          present ? saved.fixture.image.data() + extent * kExtentBytes : zeros.data();
      CHECK(memcmp(saved.fixture.arena.extentAt(extent), expected, kExtentBytes) == 0);
    }
    // What was restored can be checkpointed again.
    CHECK_OK(saved.fixture.cut(kKinds, 16 << 20));
    for (size_t page = 0; page < 9 * kPagesPerExtent; page += 5) {
      saved.fixture.write(page * kPageBytes, 1);
    }
    CHECK_OK(saved.fixture.waitCopied());
    saved.fixture.checkImage(saved.fixture.path("run.tmp"));
    saved.fixture.checkpoint.abort();
    CHECK_OK(restoreExtents(saved.fixture.arena, saved.request()));
  }
}

TEST(restore_refuses_a_damaged_block) {
  for (const uint64_t offset : {uint64_t{5}, uint64_t{9 * kExtentBytes + 3 * kChecksumBlockBytes},
                                uint64_t{2 * kExtentBytes + kExtentBytes - 1}}) {
    const Saved saved;
    saved.patch(offset);
    Fixture other(12);
    other.fill(3);
    const Status status = restoreExtents(other.arena, saved.request());
    CHECK(!status.ok());
    const std::string block = "block " + std::to_string(offset / kChecksumBlockBytes) + " ";
    CHECK(status.text().find(block) != std::string::npos);
    CHECK(status.text().find(saved.path) != std::string::npos);
    CHECK(status.text().find("expected") != std::string::npos);
    CHECK(allZero(other.arena));
  }
}

TEST(restore_refuses_a_damaged_block_table) {
  const Saved saved;
  saved.patch(kKinds.size() * kExtentBytes + 3 * kBlocksPerExtent * 4);
  Fixture other(12);
  const Status status = restoreExtents(other.arena, saved.request());
  CHECK(!status.ok());
  CHECK(status.text().find("block 96 ") != std::string::npos);
}

TEST(restore_refuses_what_is_cut_off_missing_or_too_large) {
  const Saved saved;
  Fixture other(12);
  RestoreRequest request = saved.request();
  request.path = saved.path + ".absent";
  CHECK_EQUAL(restoreExtents(other.arena, request).errnoCode(), ENOENT);
  Fixture small(9);
  const Status tooSmall = restoreExtents(small.arena, saved.request());
  CHECK(tooSmall.text().find("arena") != std::string::npos);
  // Within the table, and within an extent (the table is then claimed to lie further ahead).
  CHECK(truncate(saved.path.c_str(), static_cast<off_t>(10 * kExtentBytes + 100)) == 0);
  const Status noTable = restoreExtents(other.arena, saved.request());
  CHECK(noTable.text().find("block table") != std::string::npos);
  CHECK(truncate(saved.path.c_str(), static_cast<off_t>(9 * kExtentBytes + 5 * kPageBytes)) == 0);
  request = saved.request();
  request.tableOffset = 0;
  CHECK(!restoreExtents(other.arena, request).ok());
  CHECK(allZero(other.arena));
}
