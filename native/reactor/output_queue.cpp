#include "output_queue.h"

#include <algorithm>
#include <cstring>

#include <sys/mman.h>
#include <sys/uio.h>

namespace stillframe {

Chunk* ChunkPool::take() {
  Chunk* chunk = free_;
  if (chunk != nullptr) {
    free_ = chunk->next;
    freeChunks_--;
  } else {
    void* mapping = mmap(nullptr, Chunk::kMappingBytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return nullptr;
    chunk = static_cast<Chunk*>(mapping);
    mappedChunks_++;
  }
  chunk->next = nullptr;
  chunk->begin = 0;
  chunk->end = 0;
  return chunk;
}

void ChunkPool::give(Chunk* chunk) {
  if (freeChunks_ < kFreeChunksMax) {
    chunk->next = free_;
    free_ = chunk;
    freeChunks_++;
    return;
  }
  munmap(chunk, Chunk::kMappingBytes);
  mappedChunks_--;
}

void ChunkPool::trim() {
  while (free_ != nullptr) {
    Chunk* chunk = free_;
    free_ = chunk->next;
    munmap(chunk, Chunk::kMappingBytes);
    mappedChunks_--;
  }
  freeChunks_ = 0;
}

bool OutputQueue::append(ChunkPool& pool, const uint8_t* bytes, size_t length) {
  while (length > 0) {
    if (tail_ == nullptr || tail_->end == kChunkPayloadBytes) {
      Chunk* chunk = pool.take();
      if (chunk == nullptr) return false;
      (tail_ == nullptr ? head_ : tail_->next) = chunk;
      tail_ = chunk;
    }
    const size_t piece = std::min<size_t>(length, kChunkPayloadBytes - tail_->end);
    std::memcpy(tail_->data() + tail_->end, bytes, piece);
    tail_->end += static_cast<uint32_t>(piece);
    bytes_ += piece;
    bytes += piece;
    length -= piece;
  }
  return true;
}

int OutputQueue::fill(iovec* vectors, int vectorsMax) const {
  int count = 0;
  for (Chunk* chunk = head_; chunk != nullptr && count < vectorsMax; chunk = chunk->next) {
    vectors[count].iov_base = chunk->data() + chunk->begin;
    vectors[count].iov_len = chunk->end - chunk->begin;
    count++;
  }
  return count;
}

void OutputQueue::consume(ChunkPool& pool, size_t length) {
  bytes_ -= length;
  while (length > 0) {
    Chunk* chunk = head_;
    const size_t piece = std::min<size_t>(length, chunk->end - chunk->begin);
    chunk->begin += static_cast<uint32_t>(piece);
    length -= piece;
    if (chunk->begin < chunk->end) return;
    head_ = chunk->next;
    if (head_ == nullptr) tail_ = nullptr;
    pool.give(chunk);
  }
}

void OutputQueue::clear(ChunkPool& pool) {
  while (head_ != nullptr) {
    Chunk* chunk = head_;
    head_ = chunk->next;
    pool.give(chunk);
  }
  tail_ = nullptr;
  bytes_ = 0;
}

}  // namespace stillframe
