// Result of an operation that may fail. System calls report errno; nothing here throws, because the
// addon is built without exceptions. Only addon.cpp turns a Status into a JavaScript error.
#pragma once

#include <string>
#include <utility>

namespace stillframe {

class [[nodiscard]] Status {
 public:
  Status() = default;

  // A system call failed: `call` is its name, `detail` says what was being done.
  static Status systemCall(const char* call, int errnoCode, std::string detail);
  // Something else is wrong: `detail` says what was expected, what was found and what to do.
  static Status failure(std::string detail);

  bool ok() const { return ok_; }
  int errnoCode() const { return errnoCode_; }   // 0 when no system call was at fault
  const char* call() const { return call_; }     // "" when no system call was at fault
  // One sentence, e.g. "pwrite: No space left on device (writing extent 3 of /data/7.tmp)".
  const std::string& text() const { return text_; }

 private:
  bool ok_ = true;
  int errnoCode_ = 0;
  const char* call_ = "";
  std::string text_;
};

}  // namespace stillframe
