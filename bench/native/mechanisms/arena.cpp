// See arena.h.
#include "arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mechanisms {
namespace {

uint8_t* mapAligned(uint64_t bytes, int advice) {
  void* raw = mmap(nullptr, bytes + kHugePageBytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) fail("mmap");
  const uint64_t address = reinterpret_cast<uint64_t>(raw);
  const uint64_t aligned = (address + kHugePageBytes - 1) & ~(kHugePageBytes - 1);
  auto* base = reinterpret_cast<uint8_t*>(aligned);
  if (madvise(base, bytes, advice) != 0) fail("madvise");
  return base;
}

uint64_t micros(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

}  // namespace

void fail(const char* what) {
  fprintf(stderr, "mechanisms: %s: %s\n", what, strerror(errno));
  exit(1);
}

void Arena::map(uint64_t size, bool huge) {
  bytes = size;
  hugePages = huge;
  base = mapAligned(bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  pool = mapAligned(bytes, MADV_HUGEPAGE);
  // The pool belongs to this process alone: a forked child must not make it copy.
  if (madvise(pool, bytes, MADV_DONTFORK) != 0) fail("madvise pool");
  memset(pool, 1, bytes);
  for (uint64_t page = 0; page < pages(); page++) {
    const uint64_t word = mark(page);
    memset(base + page * kPageBytes, static_cast<int>(page), kPageBytes);
    memcpy(base + page * kPageBytes, &word, sizeof word);
  }
}

uint64_t nowNanos() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

uint64_t cpuMicros() {
  uint64_t sum = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    sum += micros(usage.ru_utime) + micros(usage.ru_stime);
  }
  return sum;
}

uint64_t procNumber(const char* path, const char* name) {
  FILE* file = fopen(path, "r");
  if (file == nullptr) return 0;
  char line[256];
  uint64_t number = 0;
  while (fgets(line, sizeof line, file) != nullptr) {
    if (strncmp(line, name, strlen(name)) != 0) continue;
    number = strtoull(line + strlen(name), nullptr, 10);
    if (strstr(line, " kB") != nullptr) number *= 1024;
    break;
  }
  fclose(file);
  return number;
}

uint64_t countMappings() {
  // A file of /proc is read in pieces: no buffer is as large as 65,530 lines.
  const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("/proc/self/maps");
  char bytes[16 * 1024];
  uint64_t lines = 0;
  for (ssize_t got; (got = read(file, bytes, sizeof bytes)) > 0;) {
    for (ssize_t i = 0; i < got; i++) lines += bytes[i] == '\n';
  }
  close(file);
  return lines;
}

uint64_t heldBytes() {
  return procNumber("/proc/self/status", "VmRSS:") + procNumber("/proc/self/status", "VmPTE:");
}

}  // namespace mechanisms
