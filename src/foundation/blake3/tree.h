// SPDX-License-Identifier: Apache-2.0
// The tree inside a plain BLAKE3 hash (BLAKE3 §2.1), for whoever proves or checks a part of an
// input: the chaining value of a subtree, and the parent of two. What is computed here leads to
// exactly what hash() gives; only hash() can give the hash of an input of one chunk, whose only
// node is the root.
#pragma once

#include <cstddef>
#include <cstdint>

#include "foundation/base/bytes.h"
#include "foundation/base/strong.h"
#include "foundation/blake3/rounds.h"
#include "foundation/crypto/backend.h"
#include "foundation/crypto/hash.h"

namespace hm::blake3 {

// What stands for a subtree that is not the whole tree. Never a hash of anything: the root is
// computed otherwise.
struct ChainingValueTag;
using ChainingValue = Id32<ChainingValueTag>;

// Of the subtree over `bytes`, of which the first chunk (kChunkSize bytes) has number `chunk` in
// the whole input. Requires: not empty; chunks to the number of a power of two that divides
// `chunk`, or fewer, the last one of any length, if the input ends there.
ChainingValue subtree_value(ByteView bytes, std::uint64_t chunk,
                            crypto::Backend backend = crypto::fastest_backend());

// Of the parent of two subtrees that is not the root itself (§2.5).
ChainingValue parent_value(const ChainingValue& left, const ChainingValue& right);

// The hash of an input whose root has these two subtrees.
crypto::Digest root_of(const ChainingValue& left, const ChainingValue& right);

}  // namespace hm::blake3
