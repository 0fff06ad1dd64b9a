// What an epoll event says about its origin: 64 bits of user data.
//
//   connection  | generation (32)                 | 0 | id (31)       |
//   listener    | 0                               | 1 | number (31)   |
//   the reactor's own descriptors: the two highest listener numbers
#pragma once

#include <cstdint>

namespace stillframe {

constexpr uint64_t kSpecialBit = 0x80000000u;
constexpr uint64_t kWakeToken = 0xffffffffu;
constexpr uint64_t kAcceptRetryToken = 0xfffffffeu;

constexpr uint64_t listenerToken(int listener) {
  return kSpecialBit | static_cast<uint64_t>(listener);
}

}  // namespace stillframe
