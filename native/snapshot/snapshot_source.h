// A checkpoint file being read back: its block table, and blocks with their checksums compared.
//
// Opening checks what can be checked at once: that the file is long enough, that the block table is
// the one the manifest speaks of (its own checksum), and that absent extents have zero entries.
// After that every block is covered by an entry; none is handed out that does not match.
//
// The file stays open, so it may be unlinked meanwhile. tryBlocks() may be called in signal
// context.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "arena/constants.h"
#include "arena/status.h"

namespace stillframe {

struct RestoreRequest {
  std::string path;
  const uint8_t* kinds;  // one ExtentKind per extent; not 0: in the file at its arena offset
  size_t extentCount;
  uint64_t tableOffset;    // of extentCount * kBlocksPerExtent little-endian u32 checksums
  uint32_t tableChecksum;  // CRC32C of those bytes
};

// Why blocks cannot be used; all zero when they can.
struct BlockProblem {
  size_t block = 0;        // the first bad one
  int errnoCode = 0;       // the read failed
  bool truncated = false;  // the file ends before the block does
  bool mismatch = false;
  uint32_t expected = 0, found = 0;

  bool any() const { return errnoCode != 0 || truncated || mismatch; }
};

class SnapshotSource {
 public:
  SnapshotSource() = default;
  SnapshotSource(const SnapshotSource&) = delete;
  SnapshotSource& operator=(const SnapshotSource&) = delete;
  ~SnapshotSource() { close(); }

  // `arenaExtents`: how many there is room for.
  Status open(const RestoreRequest& request, size_t arenaExtents);
  void close();

  // Reads and checks blocks [first, first + count), page aligned `target`, around the page cache
  // where the file system can. Async-signal-safe, any thread.
  BlockProblem tryBlocks(size_t first, size_t count, uint8_t* target) const noexcept;
  // The same with a sentence.
  Status readBlocks(size_t first, size_t count, uint8_t* target) const;
  Status describe(const BlockProblem& problem) const;
  // The sentence of a problem, not ended by a zero; returns its length, cut at `size`.
  // Async-signal-safe.
  size_t format(const BlockProblem& problem, char* text, size_t size) const noexcept;

  void swap(SnapshotSource& other);

  const std::string& path() const { return path_; }

 private:
  Status readTable(const RestoreRequest& request);

  std::string path_;
  std::vector<uint32_t> table_;
  int buffered_ = -1;
  int direct_ = -1;  // -1: not available
};

}  // namespace stillframe
