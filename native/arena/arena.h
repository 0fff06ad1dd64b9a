// The arena: its mapping, its write protection, its page states and its populate thread. The memory
// stays mapped until close(), which the environment calls when no JavaScript runs any more.
#pragma once

#include <memory>

#include "arena/arena_mapping.h"
#include "arena/constants.h"
#include "arena/page_states.h"
#include "arena/populate.h"
#include "arena/write_protect.h"

namespace stillframe {

class Arena {
 public:
  Arena() : populate_(mapping_) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { close(); }

  // `bytes`: a positive multiple of the extent size, at most kArenaBytesMax.
  Status open(size_t bytes, const WriteProtectOptions& options = {});
  void close();

  uint8_t* base() const { return mapping_.data(); }
  size_t bytes() const { return mapping_.bytes(); }
  size_t extentCount() const { return bytes() / kExtentBytes; }
  uint8_t* extentAt(size_t extent) const { return base() + extent * kExtentBytes; }
  uint8_t* pageAt(size_t page) const { return base() + page * kPageBytes; }

  ArenaMapping& mapping() { return mapping_; }
  WriteProtect& protection() { return *protection_; }
  PageStates& states() { return states_; }
  PopulateThread& populate() { return populate_; }

 private:
  ArenaMapping mapping_;
  std::unique_ptr<WriteProtect> protection_;
  PageStates states_;
  PopulateThread populate_;
};

}  // namespace stillframe
