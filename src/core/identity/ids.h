// SPDX-License-Identifier: Apache-2.0
// The identifiers that every other module speaks of.
#pragma once

#include "foundation/base/strong.h"

namespace hm::identity {

// SHA-256 of the genesis document under the tag "hm.chain.v1".
struct ChainIdTag;
using ChainId = Id32<ChainIdTag>;

// A person or organisation: SHA-256 of its key bundle under "hm.owner.v1".
struct OwnerIdTag;
using OwnerId = Id32<OwnerIdTag>;

// A machine running hypermesh: SHA-256 of its Ed25519 public key under "hm.node.v1".
struct NodeIdTag;
using NodeId = Id32<NodeIdTag>;

}  // namespace hm::identity
