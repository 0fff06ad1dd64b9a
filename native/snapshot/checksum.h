// CRC32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720 appendix B.4 has test vectors).
//
// Three implementations with one result: the SSE4.2 instruction (chosen at run time), the ARMv8 CRC
// instruction (when the compiler targets it), and a table. The instruction has a latency of three
// cycles and a throughput of one, so three lanes run side by side and are joined by a table that
// advances a checksum over one lane of zeros: about 20 GB/s, far from being the bottleneck.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stillframe {

// Checksum of `bytes`, continuing from `seed`: crc32c(b, n, crc32c(a, m)) is the checksum of a and
// b joined. Thread safe. An empty input returns the seed.
uint32_t crc32c(const void* bytes, size_t length, uint32_t seed = 0);

// The table implementation alone; the tests compare the two.
uint32_t crc32cPortable(const void* bytes, size_t length, uint32_t seed = 0);

// Name of the implementation in use: "sse4.2", "armv8" or "table".
const char* crc32cImplementation();

}  // namespace stillframe
