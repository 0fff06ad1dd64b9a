#include "snapshot/preimage_pool.h"

#include <new>

namespace stillframe {

size_t PreimagePool::bytesFor(size_t slots) {
  const size_t words = (slots + kBitsPerWord - 1) / kBitsPerWord;
  const size_t linkBytes = (slots * 2 * sizeof(uint32_t) + 7) / 8 * 8;
  return slots * kPageBytes + linkBytes + words * sizeof(uint64_t);
}

size_t PreimagePool::slotsWithin(size_t bytes) {
  size_t slots = bytes / kPageBytes;
  while (slots > 0 && bytesFor(slots) > bytes) slots--;
  return slots;
}

void PreimagePool::attach(uint8_t* memory, size_t slots) {
  memory_ = memory;
  slotCount_ = slots;
  wordCount_ = (slots + kBitsPerWord - 1) / kBitsPerWord;
  const size_t linkBytes = (slots * 2 * sizeof(uint32_t) + 7) / 8 * 8;
  uint8_t* links = memory + slots * kPageBytes;
  pageOf_ = reinterpret_cast<std::atomic<uint32_t>*>(links);
  next_ = pageOf_ + slots;
  free_ = reinterpret_cast<std::atomic<uint64_t>*>(links + linkBytes);
  for (size_t i = 0; i < slots; i++) {
    new (&pageOf_[i]) std::atomic<uint32_t>(kNone);
    new (&next_[i]) std::atomic<uint32_t>(kNone);
  }
  for (size_t word = 0; word < wordCount_; word++) {
    const size_t left = slots - word * kBitsPerWord;
    new (&free_[word]) std::atomic<uint64_t>(left >= kBitsPerWord ? ~uint64_t{0}
                                                                  : (uint64_t{1} << left) - 1);
  }
  hint_.store(0, std::memory_order_relaxed);
}

uint32_t PreimagePool::take() noexcept {
  const size_t start = hint_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < wordCount_; i++) {
    const size_t word = start + i < wordCount_ ? start + i : start + i - wordCount_;
    uint64_t seen = free_[word].load(std::memory_order_relaxed);
    for (int attempt = 0; attempt < kTriesPerWord && seen != 0; attempt++) {
      const uint64_t bit = seen & -seen;
      seen = free_[word].fetch_and(~bit, std::memory_order_acquire);
      if ((seen & bit) != 0) {
        hint_.store(word, std::memory_order_relaxed);
        return static_cast<uint32_t>(word * kBitsPerWord + __builtin_ctzll(bit));
      }
    }
  }
  return kNone;
}

void PreimagePool::giveBack(uint32_t slot) noexcept {
  const uint64_t bit = uint64_t{1} << (slot % kBitsPerWord);
  free_[slot / kBitsPerWord].fetch_or(bit, std::memory_order_release);
}

size_t PreimagePool::freeCount() const {
  size_t count = 0;
  for (size_t word = 0; word < wordCount_; word++) {
    count += __builtin_popcountll(free_[word].load(std::memory_order_acquire));
  }
  return count;
}

}  // namespace stillframe
