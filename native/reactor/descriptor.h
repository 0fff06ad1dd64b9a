// One owner per file descriptor, and the shape in which failed system calls are reported.
//
// Nothing in native/reactor throws: functions return a value and fill a SystemFailure. The N-API
// file alone turns it into a JavaScript error.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <unistd.h>

namespace stillframe {

/** An open file descriptor, closed exactly once. Movable, never copied. */
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& source) noexcept : fd_(std::exchange(source.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& source) noexcept {
    if (this != &source) {
      close();
      fd_ = std::exchange(source.fd_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  bool isOpen() const { return fd_ >= 0; }

  /** Idempotent. Linux frees the number even when close() reports an error: never retried. */
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

/** What failed: `call` names the system call and its object ("bind 127.0.0.1:6379"). */
struct SystemFailure {
  int error = 0;
  std::string call;

  bool failed() const { return error != 0; }
  /** "bind 127.0.0.1:6379: Address already in use" */
  std::string message() const { return call + ": " + std::strerror(error); }

  static SystemFailure of(const std::string& call, int error = errno) { return {error, call}; }
};

}  // namespace stillframe
