#include "arena/arena.h"

namespace stillframe {

Status Arena::open(size_t bytes, const WriteProtectOptions& options) {
  close();
  if (bytes == 0 || bytes % kExtentBytes != 0 || bytes > kArenaBytesMax) {
    return Status::failure("arena size must be a multiple of " + std::to_string(kExtentBytes) +
                           " bytes, at least that and at most " + std::to_string(kArenaBytesMax) +
                           "; got " + std::to_string(bytes));
  }
  Status status = mapping_.open(bytes, ArenaMapping::Pages::huge, "the arena");
  if (status.ok()) status = states_.open(bytes / kPageBytes);
  if (status.ok()) status = WriteProtect::open(base(), bytes, options, protection_);
  if (!status.ok()) close();
  return status;
}

void Arena::close() {
  populate_.close();
  protection_.reset();
  states_.close();
  mapping_.close();
}

}  // namespace stillframe
