// Bytes that a socket did not take, kept until it does.
//
//   OutputQueue   head -> [chunk 64 KiB] -> [chunk 64 KiB] -> [chunk 64 KiB] <- tail
//   Chunk         | next, begin, end | ....sent.... | ====to send==== | free |
//                   0                  16             16+begin          16+end
//
// Bytes are copied in once and never moved. Chunks are separate anonymous mappings, so a queue of a
// few bytes costs the one page it touches, and a chunk that was sent goes back to the kernel at
// once, whatever the heap around it looks like. A bounded free list saves the two system calls for
// the usual queue that comes and goes.
//
// Invariants: bytes() is exactly what append() took minus what consume() gave; an empty queue holds
// no chunk; only the tail chunk has free space that is still used. Queues own no pool and have no
// destructor: the reactor clears each into its pool when the connection ends.
#pragma once

#include <cstddef>
#include <cstdint>

struct iovec;

namespace stillframe {

struct Chunk {
  Chunk* next;
  uint32_t begin;
  uint32_t end;

  static constexpr size_t kMappingBytes = 64 * 1024;
  /** The bytes behind the 16 of the header. */
  uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
};

constexpr size_t kChunkPayloadBytes = Chunk::kMappingBytes - sizeof(Chunk);

/** Gives out chunks; keeps at most kFreeChunksMax (4 MiB) of those that come back. */
class ChunkPool {
 public:
  static constexpr size_t kFreeChunksMax = 64;

  ChunkPool() = default;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;
  ~ChunkPool() { trim(); }

  /** An empty chunk, or nullptr when the kernel has no memory. */
  Chunk* take();
  void give(Chunk* chunk);
  /** Unmaps the free list. */
  void trim();

  /** Chunks that exist: in queues and in the free list. */
  size_t mappedChunks() const { return mappedChunks_; }

 private:
  Chunk* free_ = nullptr;
  size_t freeChunks_ = 0;
  size_t mappedChunks_ = 0;
};

class OutputQueue {
 public:
  bool isEmpty() const { return head_ == nullptr; }
  uint64_t bytes() const { return bytes_; }

  /** Copies bytes to the end; false when memory ran out (the queue is then unusable: clear it). */
  bool append(ChunkPool& pool, const uint8_t* bytes, size_t length);

  /** Describes the first bytes in at most `vectorsMax` pieces; returns how many were filled. */
  int fill(iovec* vectors, int vectorsMax) const;

  /** Drops `length` bytes that were sent; length <= bytes(). */
  void consume(ChunkPool& pool, size_t length);

  void clear(ChunkPool& pool);

 private:
  Chunk* head_ = nullptr;
  Chunk* tail_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace stillframe
