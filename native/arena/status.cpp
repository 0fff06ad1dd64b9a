#include "arena/status.h"

#include <cstring>

namespace stillframe {

Status Status::systemCall(const char* call, int errnoCode, std::string detail) {
  char buffer[128];
  Status status;
  status.ok_ = false;
  status.errnoCode_ = errnoCode;
  status.call_ = call;
  // The GNU variant of strerror_r returns the text; it may or may not use the buffer.
  status.text_ = std::string(call) + ": " + strerror_r(errnoCode, buffer, sizeof buffer) + " (" +
                 std::move(detail) + ")";
  return status;
}

Status Status::failure(std::string detail) {
  Status status;
  status.ok_ = false;
  status.text_ = std::move(detail);
  return status;
}

}  // namespace stillframe
