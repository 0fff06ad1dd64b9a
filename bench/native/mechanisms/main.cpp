// The same random writes to the same memory under one mechanism that notices them.
//
//   mechanisms NAME MIB WRITES HUGE SEED      HUGE: 1 with huge pages, 0 without
//
// Each write stores 8 bytes at a uniformly random place (not the page's first word, by which its
// old contents are checked) and is timed by itself. Prints one line of JSON; times in
// nanoseconds:
//
//   reason         why the mechanism cannot be had here; then nothing else
//   arm, armAgain  what arming took: the memory as it was populated, and after the writes
//   first, all     p50, p99, p999, max, mean: of the first write to each page, and of all
//   collect        finding the written pages and lifting what is left
//   cpu            user and system time of arming, writing and collecting
//   mappings       of the process after the writes, less those before
//   extra          bytes beyond those held before: old contents, page tables, a child's own
//   touched        pages written; found: those that the mechanism says were
//   keeps, wrong   whether it keeps old contents; pages of which they are not what they were
//   failure        what went wrong meanwhile
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "mechanism.h"

namespace mechanisms {

uint64_t countWrongPages(const Arena& arena, const uint8_t* saved) {
  uint64_t wrong = 0;
  for (uint64_t page = 0; page < arena.pages(); page++) {
    uint64_t word;
    memcpy(&word, arena.pool + page * kPageBytes, sizeof word);
    wrong += saved[page] != 0 && word != Arena::mark(page);
  }
  return wrong;
}

namespace {

class Random {  // xorshift64*
 public:
  explicit Random(uint64_t seed) : state_(seed * 2 + 1) {}
  uint64_t below(uint64_t bound) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return ((state_ * 0x2545F4914F6CDD1DULL) >> 16) % bound;
  }

 private:
  uint64_t state_;
};

// Made and touched before the run, so that it does not count as memory of the run.
struct Costs {
  explicit Costs(const Arena& arena, uint64_t writes)
      : first(writes, 0), all(writes, 0), touched(arena.pages(), 0) {}
  std::vector<uint32_t> first, all;
  std::vector<uint8_t> touched;
  uint64_t firstCount = 0;
};

std::unique_ptr<Mechanism> make(const std::string& name) {
  if (name == "none") return makeNone();
  if (name == "uffd-sigbus") return makeUffdSigbus();
  if (name == "uffd-thread") return makeUffdThread();
  if (name == "uffd-async") return makeUffdAsync();
  if (name == "mprotect-4k") return makeMprotect(kPageBytes);
  if (name == "mprotect-64k") return makeMprotect(64 * 1024);
  if (name == "soft-dirty") return makeSoftDirty();
  if (name == "fork") return makeFork();
  return nullptr;
}

void writeRandomly(const Arena& arena, uint64_t seed, Costs& costs) {
  Random random(seed);
  for (uint64_t i = 0; i < costs.all.size(); i++) {
    const uint64_t page = random.below(arena.pages());
    const uint64_t word = 1 + random.below(kPageBytes / 8 - 1);
    auto* place = reinterpret_cast<volatile uint64_t*>(arena.base + page * kPageBytes) + word;
    const uint64_t begin = nowNanos();
    *place = i;
    const auto nanos = static_cast<uint32_t>(std::min<uint64_t>(nowNanos() - begin, UINT32_MAX));
    costs.all[i] = nanos;
    if (costs.touched[page] == 0) costs.first[costs.firstCount++] = nanos;
    costs.touched[page] = 1;
  }
}

void printCosts(const char* name, std::vector<uint32_t>& nanos) {
  std::sort(nanos.begin(), nanos.end());
  uint64_t sum = 0;
  for (const uint32_t one : nanos) sum += one;
  const auto at = [&](double share) {
    const auto index = static_cast<size_t>(share * static_cast<double>(nanos.size()));
    return nanos[std::min(index, nanos.size() - 1)];
  };
  printf(",\"%s\":{\"p50\":%u,\"p99\":%u,\"p999\":%u,\"max\":%u,\"mean\":%" PRIu64 "}", name,
         at(0.5), at(0.99), at(0.999), nanos.back(), sum / nanos.size());
}

void run(Mechanism& mechanism, Arena& arena, uint64_t writes, uint64_t seed) {
  Costs costs(arena, writes);
  const uint64_t heldBefore = heldBytes(), mappingsBefore = countMappings();
  const uint64_t cpuBefore = cpuMicros(), armBegin = nowNanos();
  mechanism.arm();
  const uint64_t armed = nowNanos();
  writeRandomly(arena, seed, costs);
  uint64_t cpu = cpuMicros() - cpuBefore;
  const int64_t held = static_cast<int64_t>(heldBytes()) - static_cast<int64_t>(heldBefore);
  const uint64_t mappings = countMappings() - mappingsBefore;
  const uint64_t outside = mechanism.outsideBytes() + mechanism.poolBytes();
  const uint64_t wrong = mechanism.wrongPages();
  const uint64_t collectCpu = cpuMicros(), collectBegin = nowNanos();
  mechanism.collect();
  const uint64_t collected = nowNanos();
  cpu += cpuMicros() - collectCpu;
  const uint64_t found = mechanism.found();
  const uint64_t again = nowNanos();
  mechanism.arm();
  const uint64_t armAgain = nowNanos() - again;
  // Writes after it gave out were not caught: they are no cost of it.
  const bool gaveOut = !mechanism.failure().empty();
  costs.first.resize(gaveOut ? std::min(found, costs.firstCount) : costs.firstCount);
  printf("\"arm\":%" PRIu64 ",\"armAgain\":%" PRIu64 ",\"collect\":%" PRIu64 ",\"cpu\":%" PRIu64,
         armed - armBegin, armAgain, collected - collectBegin, cpu * 1000);
  printf(",\"mappings\":%" PRIu64 ",\"extra\":%" PRId64, mappings,
         static_cast<int64_t>(outside) + std::max<int64_t>(0, held));
  printCosts("first", costs.first);
  printCosts("all", costs.all);
  mechanism.collect();
  printf(",\"touched\":%" PRIu64 ",\"found\":%" PRIu64 ",\"wrong\":%" PRIu64,
         costs.firstCount, found, wrong);
  printf(",\"keeps\":%s,\"failure\":\"%s\"", mechanism.keepsOldContents() ? "true" : "false",
         mechanism.failure().c_str());
}

}  // namespace
}  // namespace mechanisms

int main(int count, char** arguments) {
  using namespace mechanisms;
  const std::string name = count > 1 ? arguments[1] : "";
  const std::unique_ptr<Mechanism> mechanism = make(name);
  if (count != 6 || mechanism == nullptr) {
    fputs("mechanisms NAME MIB WRITES HUGE SEED\n", stderr);
    return 1;
  }
  static Arena arena;
  arena.map(strtoull(arguments[2], nullptr, 10) << 20, arguments[4][0] == '1');
  const std::string reason = mechanism->open(arena);
  printf("{\"name\":\"%s\",\"hugePages\":%s,", name.c_str(), arena.hugePages ? "true" : "false");
  if (reason.empty()) {
    const uint64_t writes = strtoull(arguments[3], nullptr, 10);
    run(*mechanism, arena, writes, strtoull(arguments[5], nullptr, 10));
  } else {
    printf("\"reason\":\"%s\"", reason.c_str());
  }
  printf("}\n");
  return 0;
}
