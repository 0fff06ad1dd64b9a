// Runs the reactor's native tests: all, or those whose name contains the argument.
#include <cstring>

#include "reactor_harness.h"

int main(int argc, char** argv) {
  using namespace stillframe::test;
  int passed = 0;
  for (const auto& group : {dataTests(), receiveTests(), endTests(), acceptTests(), spinTests()}) {
    for (const TestCase& test : group) {
      if (argc > 1 && std::strstr(test.name, argv[1]) == nullptr) continue;
      std::printf("%s\n", test.name);
      std::fflush(stdout);
      test.run();
      passed++;
    }
  }
  std::printf("%d passed\n", passed);
  return passed > 0 ? 0 : 1;
}
