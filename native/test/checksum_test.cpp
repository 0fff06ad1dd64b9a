// CRC32C against published vectors, and the fast implementation against the simple one.
#include <vector>

#include "snapshot/checksum.h"
#include "test/check.h"

using namespace stillframe;
using namespace stillframe::test;

// RFC 3720 (iSCSI), appendix B.4, and the check value of the algorithm.
TEST(checksum_published_vectors) {
  CHECK_EQUAL(crc32c("123456789", 9), 0xe3069283);
  std::vector<uint8_t> bytes(32, 0x00);
  CHECK_EQUAL(crc32c(bytes.data(), 32), 0x8a9136aa);
  bytes.assign(32, 0xff);
  CHECK_EQUAL(crc32c(bytes.data(), 32), 0x62a8ab43);
  for (uint8_t i = 0; i < 32; i++) bytes[i] = i;
  CHECK_EQUAL(crc32c(bytes.data(), 32), 0x46dd794e);
  for (uint8_t i = 0; i < 32; i++) bytes[i] = 31 - i;
  CHECK_EQUAL(crc32c(bytes.data(), 32), 0x113fdb5c);
  CHECK_EQUAL(crc32c(bytes.data(), 0), 0);
}

TEST(checksum_implementations_agree) {
  Random random(options.seed);
  std::vector<uint8_t> bytes(3 * 1024 * 3 + 77);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
  for (int i = 0; i < 2000; i++) {
    const size_t offset = random.below(64);
    const size_t length = random.below(bytes.size() - offset);
    const uint32_t seed = static_cast<uint32_t>(random.next());
    CHECK_EQUAL(crc32c(bytes.data() + offset, length, seed),
                crc32cPortable(bytes.data() + offset, length, seed));
  }
}

TEST(checksum_continues_from_a_seed) {
  std::vector<uint8_t> bytes(10'000);
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<uint8_t>(i * 7);
  const uint32_t whole = crc32c(bytes.data(), bytes.size());
  for (const size_t split : {0, 1, 7, 4096, 9999, 10'000}) {
    const uint32_t head = crc32c(bytes.data(), split);
    CHECK_EQUAL(crc32c(bytes.data() + split, bytes.size() - split, head), whole);
  }
}
