// SPDX-License-Identifier: Apache-2.0
// A setting of the process's allocator. Pieces of bodies, shards and frames are made and freed
// without pause; left to itself, glibc gives the memory of each back to the kernel and has every
// page of the next one faulted in anew, which takes longer than moving the bytes.
#pragma once

#include <cstddef>

namespace hm::loop {

// What each arena keeps of freed memory: two windows of uploads, or a large frame and its copy.
inline constexpr std::size_t kKeptFreedBytes = std::size_t{8} << 20;

// To be called once, before other threads are started. Without effect where there is no glibc.
void keep_freed_memory();

}  // namespace hm::loop
