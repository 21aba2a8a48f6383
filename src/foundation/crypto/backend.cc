// SPDX-License-Identifier: Apache-2.0
#include "foundation/crypto/backend.h"

#include <array>
#include <cstddef>

#include "foundation/base/check.h"

namespace hm::crypto {
namespace {

constexpr std::array kAll = {Backend::Portable, Backend::Avx2, Backend::Avx512};

// Each back end needs the one before it, so what is supported is a prefix of kAll.
std::size_t count_supported() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2")) return 1;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl")) return 2;
  return 3;
#else
  return 1;
#endif
}

}  // namespace

std::string_view name_of(Backend backend) {
  switch (backend) {
    case Backend::Portable: return "portable";
    case Backend::Avx2: return "avx2";
    case Backend::Avx512: return "avx512";
  }
  HM_CHECK(false);
}

std::span<const Backend> supported_backends() {
  static const std::size_t count = count_supported();
  return std::span(kAll).first(count);
}

}  // namespace hm::crypto
