// Runs the native tests:
//   [--effort N] [--seed N] [--mprotect BYTES] [--directory DIR] [name-part | -name-part ...]
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "test/check.h"

namespace stillframe::test {

Options options;
std::string figures;

std::vector<Test>& registry() {
  static std::vector<Test> tests;
  return tests;
}

namespace {

// Names with one of the parts; a part after a '-' leaves out.
bool selected(const char* name, const std::vector<std::string>& parts) {
  bool asked = false, askedForSome = false;
  for (const std::string& part : parts) {
    if (part[0] == '-') {
      if (strstr(name, part.c_str() + 1) != nullptr) return false;
      continue;
    }
    askedForSome = true;
    if (strstr(name, part.c_str()) != nullptr) asked = true;
  }
  return asked || !askedForSome;
}

int runAll(int argc, char** argv) {
  std::vector<std::string> parts;
  for (int i = 1; i < argc; i++) {
    const bool hasValue = i + 1 < argc;
    if (strcmp(argv[i], "--effort") == 0 && hasValue) {
      options.effort = atoi(argv[++i]);
    } else if (strcmp(argv[i], "--seed") == 0 && hasValue) {
      options.seed = strtoull(argv[++i], nullptr, 10);
    } else if (strcmp(argv[i], "--directory") == 0 && hasValue) {
      options.directory = argv[++i];
    } else if (strcmp(argv[i], "--mprotect") == 0 && hasValue) {
      options.mprotectGranule = strtoull(argv[++i], nullptr, 10);
    } else {
      parts.push_back(argv[i]);
    }
  }
  if (options.directory.empty()) {
    fprintf(stderr, "--directory DIR is needed: where checkpoint files are written\n");
    return 2;
  }
  int count = 0;
  for (const Test& test : registry()) {
    if (!selected(test.name, parts)) continue;
    const auto begin = std::chrono::steady_clock::now();
    printf("%-50s", test.name);
    fflush(stdout);
    figures.clear();
    test.body();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    printf(" ok  %.2f s%s%s\n", seconds.count(), figures.empty() ? "" : "  ", figures.c_str());
    fflush(stdout);
    count++;
  }
  printf("%d tests passed (seed %llu, effort %d)\n", count,
         static_cast<unsigned long long>(options.seed), options.effort);
  return count > 0 || options.mprotectGranule > 0 ? 0 : 2;
}

}  // namespace
}  // namespace stillframe::test

int main(int argc, char** argv) { return stillframe::test::runAll(argc, argv); }
