// The memory under test: one anonymous mapping, populated, with huge pages or without; and a pool
// of the same size for the old contents of pages, populated too, so that no mechanism pays for
// first touches of it. Every page starts with its own number, by which its old contents can be
// checked.
#pragma once

#include <cstdint>
#include <string>

namespace mechanisms {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kHugePageBytes = 2 << 20;

struct Arena {
  uint8_t* base = nullptr;
  uint8_t* pool = nullptr;
  uint64_t bytes = 0;
  bool hugePages = false;

  uint64_t pages() const { return bytes / kPageBytes; }
  // What the first word of a page is before it is written.
  static uint64_t mark(uint64_t page) { return page * 0x9E3779B97F4A7C15ULL + 1; }

  void map(uint64_t size, bool huge);
};

// Ends the program with a message and errno.
[[noreturn]] void fail(const char* what);

uint64_t nowNanos();

// User and system time of this process and of its children that ended, in microseconds.
uint64_t cpuMicros();

// A number after `name` in a file of /proc, in bytes where it is given in kB. 0 when it is not
// there.
uint64_t procNumber(const char* path, const char* name);

// Mappings of this process.
uint64_t countMappings();

// Bytes of memory and of page tables that this process holds.
uint64_t heldBytes();

}  // namespace mechanisms
