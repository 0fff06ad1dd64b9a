// The pool: bounded, full means full, and no slot is ever given to two takers.
#include "snapshot/preimage_pool.h"

#include <memory>
#include <set>
#include <thread>

#include "test/check.h"

using namespace stillframe;
using namespace stillframe::test;

namespace {

struct PoolMemory {
  explicit PoolMemory(size_t slots)
      : memory(static_cast<uint8_t*>(aligned_alloc(
            kPageBytes, PreimagePool::bytesFor(slots) / kPageBytes * kPageBytes + kPageBytes))) {
    pool.attach(memory.get(), slots);
  }
  struct Free {
    void operator()(uint8_t* bytes) const { free(bytes); }
  };
  std::unique_ptr<uint8_t, Free> memory;
  PreimagePool pool;
};

}  // namespace

TEST(pool_gives_each_slot_once_and_then_reports_full) {
  for (const size_t slots : {1, 2, 63, 64, 65, 200}) {
    PoolMemory memory(slots);
    std::set<uint32_t> taken;
    for (size_t i = 0; i < slots; i++) {
      const uint32_t slot = memory.pool.take();
      CHECK(slot < slots);
      CHECK(taken.insert(slot).second);
    }
    CHECK_EQUAL(memory.pool.take(), PreimagePool::kNone);
    CHECK_EQUAL(memory.pool.freeCount(), 0);
    memory.pool.giveBack(static_cast<uint32_t>(slots / 2));
    CHECK_EQUAL(memory.pool.take(), slots / 2);
    CHECK_EQUAL(memory.pool.take(), PreimagePool::kNone);
  }
}

TEST(pool_of_no_slots_is_full) {
  PoolMemory memory(0);
  CHECK_EQUAL(memory.pool.take(), PreimagePool::kNone);
}

TEST(pool_sizes_fit_their_memory) {
  for (size_t bytes = 0; bytes < 5 * kExtentBytes; bytes += 13 * kPageBytes) {
    const size_t slots = PreimagePool::slotsWithin(bytes);
    CHECK(PreimagePool::bytesFor(slots) <= bytes);
    CHECK(PreimagePool::bytesFor(slots + 1) > bytes);
  }
}

// Takers mark their slot; finding the mark of another would be a slot given twice.
TEST(pool_shared_by_threads) {
  constexpr size_t kSlots = 70;
  PoolMemory memory(kSlots);
  std::atomic<int> owner[kSlots] = {};
  std::atomic<uint64_t> full{0};
  std::vector<std::thread> threads;
  for (int id = 1; id <= 4; id++) {
    threads.emplace_back([&, id] {
      Random random(options.seed + static_cast<uint64_t>(id));
      std::vector<uint32_t> mine;
      for (int i = 0; i < 30'000 * options.effort; i++) {
        const uint32_t slot = random.below(2) == 0 ? memory.pool.take() : PreimagePool::kNone;
        if (slot != PreimagePool::kNone) {
          CHECK_EQUAL(owner[slot].exchange(id, std::memory_order_relaxed), 0);
          memory.pool.data(slot)[0] = static_cast<uint8_t>(id);  // the race detector looks on
          mine.push_back(slot);
        } else if (!mine.empty()) {
          full.fetch_add(1, std::memory_order_relaxed);
          CHECK_EQUAL(memory.pool.data(mine.back())[0], id);
          CHECK_EQUAL(owner[mine.back()].exchange(0, std::memory_order_relaxed), id);
          memory.pool.giveBack(mine.back());
          mine.pop_back();
        }
      }
      for (const uint32_t slot : mine) {
        owner[slot].store(0, std::memory_order_relaxed);
        memory.pool.giveBack(slot);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQUAL(memory.pool.freeCount(), kSlots);
}
