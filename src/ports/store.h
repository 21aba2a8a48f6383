// SPDX-License-Identifier: Apache-2.0
// Ordered key-value store: of final blocks and ledger state, or of what a node knows of its stored
// objects. Writes are atomic per batch; a batch survives a crash of the process, and of the machine
// once sync() or a later one returned.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::ports {

// Separate key spaces in one store: the chain's, then those of stored objects. A store has Meta and
// those of one use.
enum class Space : std::uint8_t { Meta, Blocks, State, Objects, Manifests, Stripes, Segments };
inline constexpr std::size_t kSpaceCount = 7;

struct StoreWrite {
  Space space;
  Bytes key;
  std::optional<Bytes> value;  // none deletes
};
using WriteBatch = std::vector<StoreWrite>;

class Store {
 public:
  virtual ~Store() = default;
  virtual Result<std::optional<Bytes>> get(Space space, ByteView key) const = 0;
  virtual Result<void> write(const WriteBatch& batch) = 0;
  // Makes everything written so far durable.
  virtual Result<void> sync() = 0;
  // Calls `visit` for keys in [first, last), in order, until it returns false. An empty `last`
  // means the end of the space.
  virtual Result<void> scan(
      Space space, ByteView first, ByteView last,
      const std::function<bool(ByteView key, ByteView value)>& visit) const = 0;
};

}  // namespace hm::ports
