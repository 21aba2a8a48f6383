// SPDX-License-Identifier: Apache-2.0
#include "foundation/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace hm::detail {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "hypermesh: internal check failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace hm::detail
