// SPDX-License-Identifier: Apache-2.0
// Bounds of the API about stored objects.
#pragma once

#include <cstddef>

namespace hm::storage_api {

// Of an object on its way to a client. Long pieces are cut, so that one fits into a stream that is
// half empty.
inline constexpr std::size_t kWrittenPiece = std::size_t{512} << 10;

// A manifest whose content is a manifest is read in memory, whole; so many at a time.
inline constexpr std::size_t kMaxUnfolding = 2;

}  // namespace hm::storage_api
