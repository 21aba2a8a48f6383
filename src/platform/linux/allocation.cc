// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/allocation.h"

#include <malloc.h>

namespace hm::linux {
namespace {

// The largest that glibc takes; every frame is below it.
constexpr int kMapFrom = 32 << 20;
// Free memory at the end of a heap that is kept: two windows of four peers.
constexpr int kKeepFree = 64 << 20;
// Workers share heaps, since what is freed in one heap is of no use to another.
constexpr int kHeaps = 2;

}  // namespace

void keep_large_buffers() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, kMapFrom);
  ::mallopt(M_TRIM_THRESHOLD, kKeepFree);
  ::mallopt(M_ARENA_MAX, kHeaps);
#endif
}

}  // namespace hm::linux
