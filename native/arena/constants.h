// Layout constants that C++ and TypeScript share. They are defined here once; addon.cpp hands them
// to JavaScript as `constants`, and the storage layout compares them with its own at load.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stillframe {

constexpr size_t kPageBytes = 4096;                   // unit of protection and of pre-images
constexpr size_t kExtentBytes = size_t{2} << 20;      // unit of copying; one huge page
constexpr size_t kWindowBytes = size_t{1} << 30;      // one ArrayBuffer
constexpr size_t kChecksumBlockBytes = size_t{64} << 10;
constexpr size_t kSnapshotTableAlignment = 4096;

constexpr size_t kPagesPerExtent = kExtentBytes / kPageBytes;             // 512
constexpr size_t kBlocksPerExtent = kExtentBytes / kChecksumBlockBytes;   // 32
constexpr size_t kArenaBytesMax = size_t{64} << 30;  // int32 refs of 16-byte granules

static_assert(kExtentBytes % kPageBytes == 0 && kExtentBytes % kChecksumBlockBytes == 0);
static_assert(kWindowBytes % kExtentBytes == 0);
static_assert(kExtentBytes % kSnapshotTableAlignment == 0, "the block table follows the extents");

}  // namespace stillframe
