// SPDX-License-Identifier: Apache-2.0
#include "platform/loop/allocator.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace hm::loop {

void keep_freed_memory() {
#ifdef __GLIBC__
  // glibc's own limit for memory that is not mapped apart; setting either value ends its adapting.
  constexpr int kLargestUnmapped = 32 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kLargestUnmapped);
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(kKeptFreedBytes));
#endif
}

}  // namespace hm::loop
