// SPDX-License-Identifier: Apache-2.0
// For tests: the generator behind the known answers of submissions to NIST, AES-256-CTR_DRBG
// (SP 800-90A §10.2.1) without derivation function, personalisation and reseeding.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace hm::falcon {

class NistDrbg {
 public:
  explicit NistDrbg(std::span<const std::uint8_t, 48> entropy);
  void fill(std::span<std::uint8_t> out);

 private:
  std::array<std::uint8_t, 16> next_block();
  void update(std::span<const std::uint8_t, 48> provided);

  std::array<std::uint8_t, 32> key_{};
  std::array<std::uint8_t, 16> counter_{};  // V
};

}  // namespace hm::falcon
