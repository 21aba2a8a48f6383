// SPDX-License-Identifier: Apache-2.0
// The integer polynomials of degree below n that Falcon's keys and signatures consist of, as spans
// over their n coefficients, lowest first.
#pragma once

#include <cstdint>
#include <span>

#include "foundation/crypto/falcon/parameters.h"

namespace hm::falcon {

// Integers modulo q, each between 0 and q-1.
using Residue = std::uint16_t;
using ResidueSpan = std::span<Residue, kDegree>;
using ResidueView = std::span<const Residue, kDegree>;

// f, g, F and G of a secret key.
using SmallSpan = std::span<std::int8_t, kDegree>;
using SmallView = std::span<const std::int8_t, kDegree>;

// s2 of a signature.
using ShortSpan = std::span<std::int16_t, kDegree>;
using ShortView = std::span<const std::int16_t, kDegree>;

}  // namespace hm::falcon
