// A checkpoint file as an arena that is only read: its data area lies at arena offsets, so mapping
// the file is all there is to do. The kernel reads pages as they are touched and drops them as it
// likes, so a file larger than the memory can be walked. A store into it is a segmentation fault.
//
// The file must not become shorter while it is mapped, or touching what is gone is a bus error; the
// server never changes a checkpoint, it only removes whole files.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arena/status.h"

namespace stillframe {

class FileArena {
 public:
  FileArena() = default;
  FileArena(const FileArena&) = delete;
  FileArena& operator=(const FileArena&) = delete;
  ~FileArena() { close(); }

  // Maps the first `bytes` of an open file: a positive multiple of the extent size, at most
  // kArenaBytesMax and not more than the file has. The descriptor may be closed afterwards.
  Status open(int descriptor, size_t bytes);
  void close();

  const uint8_t* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace stillframe
