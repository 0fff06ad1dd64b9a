// A way to notice writes to memory. One cycle is arm, writes, collect; after it nothing is
// protected.
//
// Those that keep old contents copy a page to its place in the pool before the write goes on (a
// forked child holds them itself); those that only track say afterwards which pages were written.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "arena.h"

namespace mechanisms {

class Mechanism {
 public:
  virtual ~Mechanism() = default;

  // Empty, or why it cannot be had here. Called once, before all else.
  virtual std::string open(Arena& arena) = 0;
  // From here on writes are noticed.
  virtual void arm() = 0;
  // Finds out which pages were written, where that is not known yet, and lifts what is left.
  virtual void collect() = 0;

  // Pages that it says were written, in the last cycle; asked after collect().
  virtual uint64_t found() const = 0;
  virtual bool keepsOldContents() const = 0;
  // How many pages of old contents are not what they were before arm(); asked before collect().
  virtual uint64_t wrongPages() { return 0; }
  // Memory beside this process's own, such as a child's; asked before collect().
  virtual uint64_t outsideBytes() { return 0; }
  // Bytes of the pool in use.
  virtual uint64_t poolBytes() const { return 0; }
  // Empty, or what went wrong while writes were noticed.
  virtual std::string failure() const { return {}; }
};

std::unique_ptr<Mechanism> makeNone();
std::unique_ptr<Mechanism> makeUffdSigbus();
std::unique_ptr<Mechanism> makeUffdThread();
std::unique_ptr<Mechanism> makeUffdAsync();
std::unique_ptr<Mechanism> makeMprotect(uint64_t granuleBytes);
std::unique_ptr<Mechanism> makeSoftDirty();
std::unique_ptr<Mechanism> makeFork();

// How many of the pages that `saved` names (one byte a page) have other old contents in the pool
// than they had.
uint64_t countWrongPages(const Arena& arena, const uint8_t* saved);

}  // namespace mechanisms
