// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/constant_time.h"

#include "foundation/base/check.h"

#if __has_include(<valgrind/memcheck.h>) && !defined(HM_WITHOUT_MEMCHECK)
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) static_cast<void>(0)
#define VALGRIND_MAKE_MEM_DEFINED(address, size) static_cast<void>(0)
#endif

namespace hm::crypto {

std::uint8_t mask_if_same_bytes(ByteView a, ByteView b) {
  HM_CHECK(a.size() == b.size());
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  }
  return static_cast<std::uint8_t>(~mask_if_nonzero(difference));
}

void select_bytes(std::uint8_t mask, ByteView if_set, ByteView if_clear,
                  std::span<std::uint8_t> out) {
  HM_CHECK(if_set.size() == out.size() && if_clear.size() == out.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = select(mask, if_set[i], if_clear[i]);
}

bool is_memory_checked() { return RUNNING_ON_VALGRIND != 0; }

void mark_secret([[maybe_unused]] ByteView bytes) {
  VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size());
}

void declassify([[maybe_unused]] ByteView bytes) {
  VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size());
}

}  // namespace hm::crypto
