// A finished checkpoint to restore from.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "snapshot/snapshot_source.h"
#include "test/fixture.h"

namespace stillframe::test {

// Of an arena with two extents more than `kinds`; the file is removed at the end.
struct Saved {
  explicit Saved(std::vector<uint8_t> kinds = {1, 0, 2, 1, 1, 1, 1, 0, 0, 1})
      : fixture(kinds.size() + 2), path(fixture.path("restore.still")) {
    fixture.fill(options.seed);
    CHECK_OK(fixture.cut(kinds, 16 << 20));
    CHECK_OK(fixture.waitCopied());
    CHECK_OK(fixture.finish(path));
  }
  ~Saved() { unlink(path.c_str()); }
  size_t extentCount() const { return fixture.kinds.size(); }
  RestoreRequest request() const {
    return {path, fixture.kinds.data(), extentCount(), extentCount() * kExtentBytes,
            fixture.tableChecksum};
  }
  void patch(uint64_t offset) const {
    const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
    uint8_t byte = 0;
    CHECK(pread(descriptor, &byte, 1, static_cast<off_t>(offset)) == 1);
    byte ^= 1;
    CHECK(pwrite(descriptor, &byte, 1, static_cast<off_t>(offset)) == 1);
    close(descriptor);
  }
  // What a restored arena reads at a byte offset.
  uint64_t expected(size_t offset) const {
    const size_t extent = offset / kExtentBytes;
    if (extent >= extentCount() || fixture.kinds[extent] == 0) return 0;
    uint64_t word;
    __builtin_memcpy(&word, fixture.image.data() + offset, sizeof word);
    return word;
  }

  Fixture fixture;
  std::string path;
};

}  // namespace stillframe::test
