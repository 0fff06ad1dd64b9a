// Restore: the arena comes back byte for byte, and nothing damaged ever gets in.
#include "snapshot/restore.h"

#include <unistd.h>

#include <cstring>

#include "snapshot/checksum.h"
#include "test/restore_fixture.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

Status restoreInto(Fixture& fixture, const RestoreRequest& request) {
  SnapshotSource source;
  const Status status = source.open(request, fixture.arena.extentCount());
  return status.ok() ? restoreExtents(fixture.arena, source, request) : status;
}

bool allZero(const Arena& arena) {
  for (size_t i = 0; i < arena.bytes(); i++) {
    if (arena.base()[i] != 0) return false;
  }
  return true;
}

}  // namespace

TEST(restore_brings_back_every_byte_and_zeros_elsewhere) {
  Saved saved;
  const std::vector<uint8_t> kinds = saved.fixture.kinds;
  for (int round = 0; round < 2; round++) {
    saved.fixture.fill(99);
    CHECK_OK(restoreInto(saved.fixture, saved.request()));
    const std::vector<uint8_t> zeros(kExtentBytes, 0);
    for (size_t extent = 0; extent < 12; extent++) {
      const bool present = extent < kinds.size() && kinds[extent] != 0;
      const uint8_t* expected =
          present ? saved.fixture.image.data() + extent * kExtentBytes : zeros.data();
      CHECK(memcmp(saved.fixture.arena.extentAt(extent), expected, kExtentBytes) == 0);
    }
    // What was restored can be checkpointed again.
    CHECK_OK(saved.fixture.cut(kinds, 16 << 20));
    for (size_t page = 0; page < 9 * kPagesPerExtent; page += 5) {
      saved.fixture.write(page * kPageBytes, 1);
    }
    CHECK_OK(saved.fixture.waitCopied());
    saved.fixture.checkImage(saved.fixture.path("run.tmp"));
    saved.fixture.checkpoint.abort();
    CHECK_OK(restoreInto(saved.fixture, saved.request()));
  }
}

TEST(restore_refuses_a_damaged_block) {
  for (const uint64_t offset : {uint64_t{5}, uint64_t{9 * kExtentBytes + 3 * kChecksumBlockBytes},
                                uint64_t{2 * kExtentBytes + kExtentBytes - 1}}) {
    const Saved saved;
    saved.patch(offset);
    Fixture other(12);
    other.fill(3);
    const Status status = restoreInto(other, saved.request());
    CHECK(!status.ok());
    const std::string block = "block " + std::to_string(offset / kChecksumBlockBytes) + " ";
    CHECK(status.text().find(block) != std::string::npos);
    CHECK(status.text().find(saved.path) != std::string::npos);
    CHECK(status.text().find("expected") != std::string::npos);
    CHECK(allZero(other.arena));
  }
}

TEST(restore_refuses_every_flipped_byte_of_the_block_table) {
  const Saved saved;
  const uint64_t table = saved.extentCount() * kExtentBytes;
  Fixture other(12);
  other.fill(3);
  for (size_t at = 0; at < saved.extentCount() * kBlocksPerExtent * 4; at++) {
    saved.patch(table + at);
    const Status status = restoreInto(other, saved.request());
    CHECK(!status.ok());
    CHECK(status.text().find("its block table") != std::string::npos);
    saved.patch(table + at);
  }
  CHECK(other.read(kPageBytes) != 0);  // refused before anything was touched
}

TEST(restore_refuses_checksums_of_absent_extents) {
  const Saved saved;
  const uint64_t table = saved.extentCount() * kExtentBytes;
  saved.patch(table + kBlocksPerExtent * 4);  // extent 1 is absent
  const std::vector<uint8_t> file = readFile(saved.path);
  RestoreRequest request = saved.request();
  request.tableChecksum = crc32cPortable(file.data() + table, saved.extentCount() * 128);
  Fixture other(12);
  const Status status = restoreInto(other, request);
  CHECK(status.text().find("block 32 belongs to an extent that is not in") != std::string::npos);
}

TEST(restore_refuses_what_is_cut_off_missing_or_too_large) {
  const Saved saved;
  Fixture other(12);
  RestoreRequest request = saved.request();
  request.path = saved.path + ".absent";
  CHECK_EQUAL(restoreInto(other, request).errnoCode(), ENOENT);
  Fixture small(9);
  const Status tooSmall = restoreInto(small, saved.request());
  CHECK(tooSmall.text().find("arena") != std::string::npos);
  // Within the table, and within an extent (the table is then claimed to lie further ahead).
  CHECK(truncate(saved.path.c_str(), static_cast<off_t>(10 * kExtentBytes + 100)) == 0);
  const Status noTable = restoreInto(other, saved.request());
  CHECK(noTable.text().find("block table") != std::string::npos);
  CHECK(truncate(saved.path.c_str(), static_cast<off_t>(9 * kExtentBytes + 5 * kPageBytes)) == 0);
  request = saved.request();
  request.tableOffset = 0;
  const std::vector<uint8_t> file = readFile(saved.path);
  request.tableChecksum = crc32cPortable(file.data(), 10 * kBlocksPerExtent * 4);
  CHECK(!restoreInto(other, request).ok());
  CHECK(allZero(other.arena));
}
