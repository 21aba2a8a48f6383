// SPDX-License-Identifier: Apache-2.0
// Which code an object gets (docs/protocols/storage.md, "Choice of a code"): each shard of a stripe
// goes to another owner, so that the number of owners who would hold one bounds it. A small mesh
// gets the widest code that it can hold, and is told what that bears.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/storage/storage_error.h"
#include "core/storage/stripe.h"
#include "foundation/base/result.h"

namespace hm::storage {

struct CodeChoice {
  Layout layout;
  std::size_t losses = 0;  // how many owners may lose what they hold, whichever they are
  std::string words;  // to the user: what it is, bears and costs, and what more owners would do
};

// NoOwners.
Result<CodeChoice, StorageError> choose_code(std::uint64_t object_size, std::size_t owners);

// The layout for a code that somebody chose: shards of kDefaultShardBytes, or longer where the
// stripe would be too small otherwise. BadLayout.
Result<Layout, StorageError> layout_for(erasure::Code code);

}  // namespace hm::storage
