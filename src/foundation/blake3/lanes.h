// SPDX-License-Identifier: Apache-2.0
// Any number of whole chunks or of parents hashed side by side, by the instructions of a back end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "foundation/blake3/compression.h"
#include "foundation/crypto/backend.h"

namespace hm::blake3 {

// The values of `count` whole chunks that lie one after another, none of them the root (§2.4).
void chunk_values(const Mode& mode, const std::uint8_t* chunks, std::size_t count,
                  std::uint64_t counter, Value* out, crypto::Backend backend);

// The values of the parents of `count` pairs, none of them the root (§2.5). `out` may be `pairs`.
void parent_values(const Mode& mode, const Value* pairs, std::size_t count, Value* out,
                   crypto::Backend backend);

}  // namespace hm::blake3
