#include "snapshot/snapshot_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "snapshot/checksum.h"

namespace stillframe {
namespace {

// Reads until `length` bytes are there, the file ends (`got` < length) or a call fails.
int readFully(int descriptor, uint8_t* target, size_t length, uint64_t offset,
              size_t& got) noexcept {
  got = 0;
  while (got < length) {
    const ssize_t result =
        pread(descriptor, target + got, length - got, static_cast<off_t>(offset + got));
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) return errno;
    if (result == 0) break;
    got += static_cast<size_t>(result);
  }
  return 0;
}

// Text put together without malloc or stdio, as signal context requires.
struct TextBuffer {
  char* const text;
  const size_t size;
  size_t length = 0;

  TextBuffer& add(const char* part) {
    while (*part != '\0' && length < size) text[length++] = *part++;
    return *this;
  }
  TextBuffer& addDecimal(uint64_t value) {
    char digits[21];
    char* at = digits + sizeof digits - 1;
    *at = '\0';
    do {
      *--at = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    return add(at);
  }
  TextBuffer& addHex(uint32_t value) {
    char digits[9] = {};
    for (int i = 0; i < 8; i++) digits[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    return add(digits);
  }
};

constexpr size_t kSentenceBytesMax = 200;  // of format(), beside the path

std::string checksums(uint32_t expected, uint32_t found) {
  char text[64];
  snprintf(text, sizeof text, "expected %08x, found %08x", expected, found);
  return text;
}

}  // namespace

Status SnapshotSource::open(const RestoreRequest& request, size_t arenaExtents) {
  close();
  path_ = request.path;
  if (request.extentCount > arenaExtents) {
    return Status::failure("checkpoint " + path_ + " needs an arena of " +
                           std::to_string(request.extentCount * kExtentBytes) +
                           " bytes, this one has " +
                           std::to_string(arenaExtents * kExtentBytes) +
                           ": start with a larger arena-size");
  }
  buffered_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (buffered_ < 0) return Status::systemCall("open", errno, "checkpoint " + path_);
  direct_ = ::open(path_.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
  Status status = readTable(request);
  if (!status.ok()) close();
  return status;
}

void SnapshotSource::close() {
  if (buffered_ >= 0) ::close(buffered_);
  if (direct_ >= 0) ::close(direct_);
  buffered_ = direct_ = -1;
  table_ = {};
}

Status SnapshotSource::readTable(const RestoreRequest& request) {
  struct stat file {};
  if (fstat(buffered_, &file) != 0) return Status::systemCall("fstat", errno, path_);
  const size_t bytes = request.extentCount * kBlocksPerExtent * sizeof(uint32_t);
  const uint64_t size = static_cast<uint64_t>(file.st_size);
  if (request.tableOffset > size || size - request.tableOffset < bytes) {
    return Status::failure("checkpoint " + path_ + " is truncated: its block table needs " +
                           std::to_string(bytes) + " bytes at " +
                           std::to_string(request.tableOffset) + ", the file has " +
                           std::to_string(size));
  }
  table_.resize(bytes / sizeof(uint32_t));
  size_t got = 0;
  const int code = readFully(buffered_, reinterpret_cast<uint8_t*>(table_.data()), bytes,
                             request.tableOffset, got);
  if (code != 0 || got < bytes) {
    return Status::systemCall("pread", code != 0 ? code : EIO,
                              "reading the block table of checkpoint " + path_);
  }
  const uint32_t found = crc32c(table_.data(), bytes);
  if (found != request.tableChecksum) {
    return Status::failure("checkpoint " + path_ + " is damaged: checksum of its block table: " +
                           checksums(request.tableChecksum, found));
  }
  for (size_t block = 0; block < table_.size(); block++) {
    if (request.kinds[block / kBlocksPerExtent] != 0 || table_[block] == 0) continue;
    return Status::failure("checkpoint " + path_ + " is inconsistent: block " +
                           std::to_string(block) + " belongs to an extent that is not in the " +
                           "file, but its checksum is not zero");
  }
  return Status();
}

BlockProblem SnapshotSource::tryBlocks(size_t first, size_t count,
                                       uint8_t* target) const noexcept {
  const uint64_t offset = uint64_t{first} * kChecksumBlockBytes;
  const size_t length = count * kChecksumBlockBytes;
  BlockProblem problem;
  size_t got = 0;
  int code = EINVAL;
  if (direct_ >= 0) code = readFully(direct_, target, length, offset, got);
  // EINVAL: the file system wants another alignment; a short direct read ends at an odd place.
  if (code == EINVAL) code = readFully(buffered_, target, length, offset, got);
  if (code != 0) {
    problem.block = first;
    problem.errnoCode = code;
    return problem;
  }
  for (size_t i = 0; i < count; i++) {
    problem.block = first + i;
    problem.truncated = got < (i + 1) * kChecksumBlockBytes;
    if (problem.truncated) return problem;
    problem.expected = table_[first + i];
    problem.found = crc32c(target + i * kChecksumBlockBytes, kChecksumBlockBytes);
    problem.mismatch = problem.expected != problem.found;
    if (problem.mismatch) return problem;
  }
  return problem;
}

Status SnapshotSource::readBlocks(size_t first, size_t count, uint8_t* target) const {
  const BlockProblem problem = tryBlocks(first, count, target);
  return problem.any() ? describe(problem) : Status();
}

Status SnapshotSource::describe(const BlockProblem& problem) const {
  std::string text(path_.size() + kSentenceBytesMax, '\0');
  text.resize(format(problem, text.data(), text.size()));
  if (problem.errnoCode == 0) return Status::failure(std::move(text));
  return Status::systemCall("pread", problem.errnoCode, std::move(text));
}

size_t SnapshotSource::format(const BlockProblem& problem, char* text,
                              size_t size) const noexcept {
  TextBuffer out{text, size};
  out.add("checkpoint ").add(path_.c_str());
  if (problem.mismatch) out.add(" is damaged: checksum of");
  else out.add(problem.truncated ? " is truncated: it ends before the end of" : ": reading");
  out.add(" block ").addDecimal(problem.block);
  out.add(" (file offset ").addDecimal(problem.block * kChecksumBlockBytes).add(")");
  if (problem.mismatch) {
    out.add(": expected ").addHex(problem.expected).add(", found ").addHex(problem.found);
  } else if (problem.errnoCode != 0) {
    out.add(": errno ").addDecimal(static_cast<uint64_t>(problem.errnoCode));
  }
  return out.length;
}

void SnapshotSource::swap(SnapshotSource& other) {
  path_.swap(other.path_);
  table_.swap(other.table_);
  std::swap(buffered_, other.buffered_);
  std::swap(direct_, other.direct_);
}

}  // namespace stillframe
