// SPDX-License-Identifier: Apache-2.0
// HM_CHECK states what can only be false through a bug of ours. It aborts in every build type and
// is never used on input.
#pragma once

namespace hm::detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define HM_CHECK(condition)                                       \
  do {                                                            \
    if (!(condition)) [[unlikely]] {                              \
      ::hm::detail::check_failed(#condition, __FILE__, __LINE__); \
    }                                                             \
  } while (false)
