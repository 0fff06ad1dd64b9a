#include "snapshot/checksum.h"

#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace stillframe {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;
constexpr size_t kLaneBytes = 1024;
constexpr size_t kSliceCount = 8;

// All functions below work on the register, that is, the checksum without its final inversion.
struct Tables {
  // byteAt[k][b]: what byte b contributes when k zero bytes follow it (slicing by eight).
  uint32_t byteAt[kSliceCount][256];
  // advance[k][b]: register with b in byte k, after one lane of zero bytes.
  uint32_t advance[4][256];

  Tables() {
    for (uint32_t b = 0; b < 256; b++) {
      uint32_t value = b;
      for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ ((value & 1) ? kPolynomial : 0);
      byteAt[0][b] = value;
    }
    for (size_t k = 1; k < kSliceCount; k++) {
      for (uint32_t b = 0; b < 256; b++) {
        const uint32_t value = byteAt[k - 1][b];
        byteAt[k][b] = (value >> 8) ^ byteAt[0][value & 0xff];
      }
    }
    // Advancing is linear over GF(2): advance the 32 single bits and add up.
    uint32_t ofBit[32];
    for (int bit = 0; bit < 32; bit++) {
      uint32_t value = uint32_t{1} << bit;
      for (size_t i = 0; i < kLaneBytes; i++) value = (value >> 8) ^ byteAt[0][value & 0xff];
      ofBit[bit] = value;
    }
    for (int k = 0; k < 4; k++) {
      for (uint32_t b = 0; b < 256; b++) {
        uint32_t value = 0;
        for (int bit = 0; bit < 8; bit++) {
          if (b >> bit & 1) value ^= ofBit[k * 8 + bit];
        }
        advance[k][b] = value;
      }
    }
  }
};

const Tables& tables() {
  static const Tables instance;
  return instance;
}

uint64_t load64(const uint8_t* at) {
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

uint32_t updatePortable(const Tables& t, uint32_t crc, const uint8_t* at, size_t length) {
  for (; length >= 8; length -= 8, at += 8) {
    crc = t.byteAt[7][(crc ^ at[0]) & 0xff] ^ t.byteAt[6][((crc >> 8) ^ at[1]) & 0xff] ^
          t.byteAt[5][((crc >> 16) ^ at[2]) & 0xff] ^ t.byteAt[4][((crc >> 24) ^ at[3]) & 0xff] ^
          t.byteAt[3][at[4]] ^ t.byteAt[2][at[5]] ^ t.byteAt[1][at[6]] ^ t.byteAt[0][at[7]];
  }
  for (; length > 0; length--, at++) crc = (crc >> 8) ^ t.byteAt[0][(crc ^ *at) & 0xff];
  return crc;
}

#if defined(__x86_64__) || (defined(__aarch64__) && defined(__ARM_FEATURE_CRC32))
#define STILLFRAME_CRC_INSTRUCTION 1

#if defined(__x86_64__)
#define STILLFRAME_CRC_TARGET __attribute__((target("sse4.2")))
STILLFRAME_CRC_TARGET inline uint64_t step8(uint64_t crc, uint64_t value) {
  return _mm_crc32_u64(crc, value);
}
STILLFRAME_CRC_TARGET inline uint32_t step1(uint32_t crc, uint8_t value) {
  return _mm_crc32_u8(crc, value);
}
const char* const kInstructionName = "sse4.2";
bool instructionPresent() { return __builtin_cpu_supports("sse4.2"); }
#else
#define STILLFRAME_CRC_TARGET
inline uint64_t step8(uint64_t crc, uint64_t value) {
  return __crc32cd(static_cast<uint32_t>(crc), value);
}
inline uint32_t step1(uint32_t crc, uint8_t value) { return __crc32cb(crc, value); }
const char* const kInstructionName = "armv8";
bool instructionPresent() { return true; }
#endif

uint32_t advanceLane(const Tables& t, uint32_t crc) {
  return t.advance[0][crc & 0xff] ^ t.advance[1][crc >> 8 & 0xff] ^
         t.advance[2][crc >> 16 & 0xff] ^ t.advance[3][crc >> 24];
}

STILLFRAME_CRC_TARGET uint32_t updateInstruction(const Tables& t, uint32_t crc, const uint8_t* at,
                                                 size_t length) {
  for (; length >= 3 * kLaneBytes; length -= 3 * kLaneBytes, at += 3 * kLaneBytes) {
    uint64_t a = crc, b = 0, c = 0;
    for (size_t i = 0; i < kLaneBytes; i += 8) {
      a = step8(a, load64(at + i));
      b = step8(b, load64(at + i + kLaneBytes));
      c = step8(c, load64(at + i + 2 * kLaneBytes));
    }
    crc = advanceLane(t, static_cast<uint32_t>(a)) ^ static_cast<uint32_t>(b);
    crc = advanceLane(t, crc) ^ static_cast<uint32_t>(c);
  }
  uint64_t rest = crc;
  for (; length >= 8; length -= 8, at += 8) rest = step8(rest, load64(at));
  crc = static_cast<uint32_t>(rest);
  for (; length > 0; length--, at++) crc = step1(crc, *at);
  return crc;
}
#endif

}  // namespace

uint32_t crc32cPortable(const void* bytes, size_t length, uint32_t seed) {
  return ~updatePortable(tables(), ~seed, static_cast<const uint8_t*>(bytes), length);
}

uint32_t crc32c(const void* bytes, size_t length, uint32_t seed) {
#ifdef STILLFRAME_CRC_INSTRUCTION
  static const bool present = instructionPresent();
  if (present) {
    return ~updateInstruction(tables(), ~seed, static_cast<const uint8_t*>(bytes), length);
  }
#endif
  return crc32cPortable(bytes, length, seed);
}

const char* crc32cImplementation() {
#ifdef STILLFRAME_CRC_INSTRUCTION
  if (instructionPresent()) return kInstructionName;
#endif
  return "table";
}

}  // namespace stillframe
