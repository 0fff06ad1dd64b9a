// A small test harness: tests register themselves, a failed CHECK prints where and ends the
// process.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace stillframe::test {

struct Options {
  int effort = 1;      // repetitions of the random tests; the long form asks for more
  uint64_t seed = 1;
  std::string directory;  // scratch directory, removed by run.sh
  size_t mprotectGranule = 0;  // above 0: fixtures use mprotect, with this granule
};
extern Options options;
// What a test has to say beside that it passed; printed behind its name.
extern std::string figures;

struct Test {
  const char* name;
  void (*body)();
};
std::vector<Test>& registry();

struct Registration {
  Registration(const char* name, void (*body)()) { registry().push_back({name, body}); }
};

// xorshift64*: enough for choosing offsets, and the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 1) {}
  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1D;
  }
  uint64_t below(uint64_t bound) { return next() % bound; }

 private:
  uint64_t state_;
};

}  // namespace stillframe::test

#define TEST(name)                                                         \
  static void name();                                                      \
  static const stillframe::test::Registration registration_##name(#name, name); \
  static void name()

#define CHECK(condition)                                                              \
  do {                                                                                \
    if (!(condition)) {                                                               \
      fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition);   \
      fflush(stderr);                                                                 \
      abort();                                                                        \
    }                                                                                 \
  } while (0)

#define CHECK_OK(status)                                                                    \
  do {                                                                                      \
    const stillframe::Status checked = (status);                                            \
    if (!checked.ok()) {                                                                    \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #status, checked.text().c_str()); \
      fflush(stderr);                                                                       \
      abort();                                                                              \
    }                                                                                       \
  } while (0)

#define CHECK_EQUAL(left, right)                                                       \
  do {                                                                                 \
    const unsigned long long checkedLeft = (left), checkedRight = (right);             \
    if (checkedLeft != checkedRight) {                                                 \
      fprintf(stderr, "%s:%d: %s = %llu, %s = %llu\n", __FILE__, __LINE__, #left,      \
              checkedLeft, #right, checkedRight);                                      \
      fflush(stderr);                                                                  \
      abort();                                                                         \
    }                                                                                  \
  } while (0)
