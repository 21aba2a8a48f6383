// SPDX-License-Identifier: Apache-2.0
// Which instructions an implementation may use. An algorithm that has vector code takes the back
// end as an argument: the portable one is always there and all give the same bytes, so a test, a
// benchmark or a checker of constant time runs each of them in one process.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hm::crypto {

enum class Backend : std::uint8_t {
  Portable,  // the C++ of the baseline that the compiler targets
  Avx2,
  Avx512,  // AVX2, AVX-512F and AVX-512VL
};

std::string_view name_of(Backend backend);

// What this processor and its operating system can run, slowest first; never empty.
std::span<const Backend> supported_backends();

inline Backend fastest_backend() { return supported_backends().back(); }

}  // namespace hm::crypto
