#include "snapshot/snapshot_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "arena/constants.h"
#include "arena/system_calls.h"

namespace stillframe {
namespace {

// Without O_DIRECT at most about this much of the file is dirty in the page cache.
constexpr uint64_t kPaceBytes = uint64_t{16} << 20;

int openFile(const std::string& path, int flags) {
  return systemCall(SystemCall::open, [&](bool) { return open(path.c_str(), flags, 0640); });
}

}  // namespace

std::string directoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status SnapshotFile::create(const std::string& path, bool useDirect) {
  discard();
  const int descriptor = openFile(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC);
  if (descriptor < 0) {
    return Status::systemCall("open", errno, "creating " + path + ", which must not exist");
  }
  path_ = path;
  buffered_ = descriptor;
  published_ = false;
  bytesWritten_.store(0, std::memory_order_relaxed);
  paceFrom_ = paceBytes_ = 0;
  // Refused (EINVAL) by file systems that cannot: then everything goes through the page cache.
  if (useDirect) direct_ = openFile(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
  return Status();
}

Status SnapshotFile::reserve(size_t dataBytes) {
  const int code = systemCall(SystemCall::ftruncate, [&](bool) {
    return ftruncate(buffered_, static_cast<off_t>(dataBytes));
  });
  if (code == 0) return Status();
  return Status::systemCall("ftruncate", errno,
                            path_ + " to " + std::to_string(dataBytes) + " bytes");
}

Status SnapshotFile::writeFully(int descriptor, uint64_t offset, const uint8_t* bytes,
                                size_t length, const std::string& what, size_t& written) {
  written = 0;
  while (written < length) {
    const ssize_t result = systemCall(SystemCall::pwrite, [&](bool shorter) {
      const size_t left = length - written;
      return pwrite(descriptor, bytes + written, shorter ? (left + 1) / 2 : left,
                    static_cast<off_t>(offset + written));
    });
    if (result < 0 && errno == EINTR) continue;
    if (result <= 0) {
      return Status::systemCall("pwrite", result == 0 ? EIO : errno,
                                "writing " + what + " of " + path_ + " at " +
                                    std::to_string(offset + written));
    }
    written += static_cast<size_t>(result);
    bytesWritten_.fetch_add(static_cast<uint64_t>(result), std::memory_order_relaxed);
  }
  return Status();
}

Status SnapshotFile::writeExtent(size_t extent, const uint8_t* bytes) {
  const uint64_t offset = uint64_t{extent} * kExtentBytes;
  const std::string what = "extent " + std::to_string(extent);
  size_t written = 0;
  if (direct_ >= 0) {
    Status status = writeFully(direct_, offset, bytes, kExtentBytes, what, written);
    if (status.ok() || status.errnoCode() != EINVAL) return status;
    // This file system takes O_DIRECT only with a coarser alignment, or not after all (a short
    // write leaves an odd rest): go on through the page cache, from where it stopped.
    close(direct_);
    direct_ = -1;
  }
  const size_t begun = written;
  Status status = writeFully(buffered_, offset + begun, bytes + begun, kExtentBytes - begun, what,
                             written);
  return status.ok() ? pace(extent) : status;
}

// Starts write-back of the extent now; waits for what was started kPaceBytes ago and forgets it.
Status SnapshotFile::pace(size_t extent) {
  const uint64_t offset = uint64_t{extent} * kExtentBytes;
  sync_file_range(buffered_, static_cast<off_t>(offset), kExtentBytes, SYNC_FILE_RANGE_WRITE);
  if (paceBytes_ == 0) paceFrom_ = offset;
  paceBytes_ += kExtentBytes;
  if (paceBytes_ < kPaceBytes) return Status();
  const uint64_t from = paceFrom_ < offset ? paceFrom_ : offset;
  const uint64_t end = (paceFrom_ < offset ? offset : paceFrom_) + kExtentBytes;
  paceBytes_ = 0;
  const int code = systemCall(SystemCall::syncFileRange, [&](bool) {
    return sync_file_range(buffered_, static_cast<off_t>(from), static_cast<off_t>(end - from),
                           SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                               SYNC_FILE_RANGE_WAIT_AFTER);
  });
  if (code != 0 && errno != ENOSYS && errno != EINVAL) {
    return Status::systemCall("sync_file_range", errno, "writing back " + path_);
  }
  // The server has the same bytes in its arena: they need no second place in memory.
  posix_fadvise(buffered_, static_cast<off_t>(from), static_cast<off_t>(end - from),
                POSIX_FADV_DONTNEED);
  return Status();
}

Status SnapshotFile::writeAt(uint64_t offset, const void* bytes, size_t length, const char* what) {
  size_t written = 0;
  return writeFully(buffered_, offset, static_cast<const uint8_t*>(bytes), length, what, written);
}

Status SnapshotFile::sync() {
  while (systemCall(SystemCall::fdatasync, [&](bool) { return fdatasync(buffered_); }) != 0) {
    if (errno != EINTR) return Status::systemCall("fdatasync", errno, path_);
  }
  return Status();
}

Status SnapshotFile::publish(const std::string& finalPath) {
  int code = systemCall(SystemCall::rename, [&](bool) {
    return renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, finalPath.c_str(), RENAME_NOREPLACE);
  });
  if (code != 0 && (errno == EINVAL || errno == ENOSYS)) {
    // The file system cannot promise not to replace; names are numbered, so they are new anyway.
    code = rename(path_.c_str(), finalPath.c_str());
  }
  if (code != 0) {
    return Status::systemCall("rename", errno, "giving " + path_ + " its final name " + finalPath);
  }
  path_ = finalPath;
  published_ = true;
  const std::string directory = directoryOf(finalPath);
  const int descriptor = openFile(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return Status::systemCall("open", errno, "directory " + directory);
  const int syncResult = systemCall(SystemCall::fsync, [&](bool) { return fsync(descriptor); });
  const int syncCode = syncResult == 0 ? 0 : errno;
  close(descriptor);
  if (syncCode != 0) return Status::systemCall("fsync", syncCode, "directory " + directory);
  return Status();
}

void SnapshotFile::discard() {
  if (buffered_ < 0) return;
  if (!published_) unlink(path_.c_str());
  if (direct_ >= 0) close(direct_);
  close(buffered_);
  buffered_ = direct_ = -1;
}

}  // namespace stillframe
