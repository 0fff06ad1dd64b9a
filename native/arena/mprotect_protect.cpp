#include "arena/mprotect_protect.h"

#include <signal.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdio>

#include "arena/system_calls.h"

namespace stillframe {
namespace {

constexpr size_t kMapCountUsual = 65530;  // where /proc cannot be read
constexpr size_t kShare = 10;             // of the mappings that a process may have

size_t mappingsAllowed() {
  size_t count = kMapCountUsual;
  FILE* file = fopen("/proc/sys/vm/max_map_count", "re");
  if (file != nullptr) {
    if (fscanf(file, "%zu", &count) != 1) count = kMapCountUsual;
    fclose(file);
  }
  return count / kShare > 0 ? count / kShare : 1;
}

}  // namespace

MprotectProtect::MprotectProtect(std::string reason, size_t granuleBytesMin)
    : reason_(std::move(reason)),
      mappingsMax_(mappingsAllowed()),
      granuleBytesMin_(granuleBytesMin),
      granuleBytes_(granuleBytesMin) {}

int MprotectProtect::signalNumber() const { return SIGSEGV; }

size_t MprotectProtect::granuleFor(size_t usedBytes, size_t mappingsMax,
                                   size_t granuleBytesMin) {
  size_t granule = granuleBytesMin;
  while (usedBytes / granule > mappingsMax) granule *= 2;
  return granule;
}

int MprotectProtect::protect(uint8_t* start, size_t bytes) {
  const int result =
      systemCall(SystemCall::protect, [&](bool) { return mprotect(start, bytes, PROT_READ); });
  return result == 0 ? 0 : errno;
}

int MprotectProtect::liftAs(SystemCall name, uint8_t* start, size_t bytes) {
  const int result = systemCall(name, [&](bool) {
    return mprotect(start, bytes, PROT_READ | PROT_WRITE);
  });
  return result == 0 ? 0 : errno;
}

}  // namespace stillframe
