#include "arena/file_arena.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "arena/constants.h"

namespace stillframe {

Status FileArena::open(int descriptor, size_t bytes) {
  close();
  if (bytes == 0 || bytes % kExtentBytes != 0 || bytes > kArenaBytesMax) {
    return Status::failure("the data of a checkpoint must be a multiple of " +
                           std::to_string(kExtentBytes) + " bytes, at least that and at most " +
                           std::to_string(kArenaBytesMax) + "; got " + std::to_string(bytes));
  }
  struct stat file;
  if (fstat(descriptor, &file) != 0) {
    return Status::systemCall("fstat", errno, "a file to map as the arena");
  }
  if (file.st_size < 0 || static_cast<size_t>(file.st_size) < bytes) {
    return Status::failure("a file of at least " + std::to_string(bytes) +
                           " bytes is expected, it has " + std::to_string(file.st_size));
  }
  void* start = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (start == MAP_FAILED) {
    return Status::systemCall("mmap", errno, std::to_string(bytes) + " bytes of a file");
  }
  data_ = static_cast<uint8_t*>(start);
  bytes_ = bytes;
  return Status();
}

void FileArena::close() {
  if (data_ == nullptr) return;
  munmap(data_, bytes_);
  data_ = nullptr;
  bytes_ = 0;
}

}  // namespace stillframe
