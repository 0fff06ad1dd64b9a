#include "snapshot/spill_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "arena/system_calls.h"
#include "snapshot/checksum.h"
#include "snapshot/snapshot_file.h"

namespace stillframe {
namespace {

int openFile(const std::string& path, int flags) {
  return systemCall(SystemCall::open,
                    [&](bool) { return open(path.c_str(), flags | O_RDWR | O_CLOEXEC, 0600); });
}

// What open(2) says where the file system, or the kernel, does not know O_TMPFILE.
bool knowsNoTemporaryFiles(int code) {
  return code == EOPNOTSUPP || code == EISDIR || code == EINVAL || code == ENOENT;
}

}  // namespace

Status SpillFile::open(const std::string& temporaryPath, size_t pageCount) {
  close();
  descriptor_ = openFile(directoryOf(temporaryPath), O_TMPFILE | O_EXCL);
  if (descriptor_ < 0 && knowsNoTemporaryFiles(errno)) {
    descriptor_ = openFile(temporaryPath, O_CREAT | O_EXCL);
    if (descriptor_ >= 0) unlink(temporaryPath.c_str());
  }
  if (descriptor_ < 0) {
    return Status::systemCall("open", errno, "creating a temporary file beside " + temporaryPath);
  }
  // Records are read one by one, wherever they are: to read ahead of one would be for nothing.
  posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM);
  const uint64_t tableBytes = uint64_t{pageCount} * sizeof(Entry);
  recordsFrom_ = (tableBytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  nextRecord_.store(0, std::memory_order_relaxed);
  written_ = begun_ = readAgain_ = 0;
  (void)crc32c(nullptr, 0);  // chooses its implementation now and not in signal context
  return Status();
}

void SpillFile::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

int SpillFile::writeFully(uint64_t offset, const void* bytes, size_t length) noexcept {
  size_t written = 0;
  while (written < length) {
    const ssize_t result = systemCall(SystemCall::pwrite, [&](bool shorter) {
      const size_t left = length - written;
      return pwrite(descriptor_, static_cast<const uint8_t*>(bytes) + written,
                    shorter ? (left + 1) / 2 : left, static_cast<off_t>(offset + written));
    });
    if (result > 0) {
      written += static_cast<size_t>(result);
    } else if (result == 0 || errno != EINTR) {
      return result == 0 ? EIO : errno;
    }
  }
  return 0;
}

int SpillFile::put(size_t page, const uint8_t* image) noexcept {
  const uint32_t record = nextRecord_.fetch_add(1, std::memory_order_relaxed);
  const int code = writeFully(recordOffset(record), image, kPageBytes);
  if (code != 0) return code;
  const Entry entry{record + 1, crc32c(image, kPageBytes)};
  return writeFully(uint64_t{page} * sizeof(Entry), &entry, sizeof entry);
}

Status SpillFile::readFully(uint64_t offset, void* bytes, size_t length) {
  size_t got = 0;
  while (got < length) {
    const ssize_t result = systemCall(SystemCall::pread, [&](bool) {
      return pread(descriptor_, static_cast<uint8_t*>(bytes) + got, length - got,
                   static_cast<off_t>(offset + got));
    });
    if (result < 0 && errno == EINTR) continue;
    if (result <= 0) {
      return Status::systemCall("pread", result == 0 ? EIO : errno,
                                "reading pre-images back from the temporary file");
    }
    got += static_cast<size_t>(result);
  }
  return Status();
}

void SpillFile::prefetch(size_t extent) {
  if (written_ == 0) return;  // all are in memory
  if (!readFully(extent * sizeof entries_, entries_, sizeof entries_).ok()) return;
  for (const Entry& entry : entries_) {
    if (entry.recordPlusOne == 0 || entry.recordPlusOne > written_) continue;
    posix_fadvise(descriptor_, static_cast<off_t>(recordOffset(entry.recordPlusOne - 1)),
                  kPageBytes, POSIX_FADV_WILLNEED);
  }
}

Status SpillFile::read(size_t extent, const std::vector<bool>& wanted, uint8_t* staging) {
  // The table lies in front of the records, so where there is one it can be read whole.
  Status status = readFully(extent * sizeof entries_, entries_, sizeof entries_);
  for (size_t i = 0; i < kPagesPerExtent && status.ok(); i++) {
    if (!wanted[i]) continue;
    const Entry entry = entries_[i];
    if (entry.recordPlusOne == 0) {
      return Status::failure("a pre-image of extent " + std::to_string(extent) +
                             " is missing in the temporary file; the checkpoint is not used");
    }
    const uint64_t record = uint64_t{entry.recordPlusOne} - 1;
    uint8_t* image = staging + i * kPageBytes;
    status = readFully(recordOffset(record), image, kPageBytes);
    if (record < written_) readAgain_++;
    if (status.ok() && crc32c(image, kPageBytes) != entry.checksum) {
      return Status::failure("a pre-image of extent " + std::to_string(extent) +
                             " came back changed from the temporary file; the checkpoint is "
                             "not used");
    }
  }
  return status;
}

int SpillFile::syncRecords(uint64_t first, uint64_t end, unsigned flags) {
  return systemCall(SystemCall::syncFileRange, [&](bool) {
    return sync_file_range(descriptor_, static_cast<off_t>(recordOffset(first)),
                           static_cast<off_t>((end - first) * kPageBytes), flags);
  });
}

void SpillFile::forgetRecords(uint64_t first, uint64_t end) {
  posix_fadvise(descriptor_, static_cast<off_t>(recordOffset(first)),
                static_cast<off_t>((end - first) * kPageBytes), POSIX_FADV_DONTNEED);
}

// Starts to write what came since the last time, waits for what was started then and forgets it.
Status SpillFile::writeBack() {
  if (readAgain_ >= kBatchRecords) {
    forgetRecords(0, written_);
    readAgain_ = 0;
  }
  const uint64_t records = nextRecord_.load(std::memory_order_relaxed);
  if (records - begun_ < kBatchRecords) return Status();
  int code = syncRecords(begun_, records, SYNC_FILE_RANGE_WRITE);
  if (code == 0 && written_ < begun_) {
    code = syncRecords(written_, begun_, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                             SYNC_FILE_RANGE_WAIT_AFTER);
  }
  if (code != 0 && errno != ENOSYS && errno != EINVAL) {
    return Status::systemCall("sync_file_range", errno, "writing back the temporary file");
  }
  forgetRecords(written_, begun_);
  written_ = begun_;
  begun_ = records;
  return Status();
}

}  // namespace stillframe
