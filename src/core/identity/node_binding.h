// SPDX-License-Identifier: Apache-2.0
// A node belongs to one owner by a binding with two signatures: the owner accepts the node's key,
// and the node's key proves that somebody holds it. Both cover the context in which the binding is
// valid, so that it cannot be replayed into another chain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "core/identity/ids.h"
#include "foundation/base/result.h"
#include "foundation/crypto/ed25519.h"
#include "foundation/crypto/hash.h"

namespace hm::identity {

struct NodeBinding {
  crypto::PublicKey node_key;
  OwnerId owner;
  std::string name;
  crypto::Signature owner_signature;  // by the owner's Ed25519 key, tag "hm.node-binding.v1"
  crypto::Signature possession;       // by node_key, tag "hm.node-possession.v1"

  bool operator==(const NodeBinding&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.node_key, self.owner, self.name, self.owner_signature, self.possession);
  }

  NodeId node() const;
};

// Where a binding is valid. After genesis it is the chain id; inside a genesis document, whose hash
// is the chain id, it is the hash of the chain's name and time.
crypto::Digest binding_context(const ChainId& chain);
crypto::Digest genesis_binding_context(std::string_view chain_name, std::uint64_t time_ms);

// What the two parties sign.
crypto::Signature sign_as_owner(const crypto::SigningKey& owner_key, const crypto::Digest& context,
                                const OwnerId& owner, const crypto::PublicKey& node_key,
                                std::string_view name);
crypto::Signature sign_as_node(const crypto::SigningKey& node_key, const crypto::Digest& context,
                               const OwnerId& owner, std::string_view name);

enum class BindingError : std::uint8_t {
  BadName,           // see is_valid_name
  InvalidNodeKey,    // not a canonical point of the prime-order subgroup
  NotSignedByOwner,  // owner_signature does not verify
  NotSignedByNode,   // possession does not verify
};
std::string_view name_of(BindingError error);

// Checks both signatures. That `owner_key` is the key of `binding.owner` is the caller's to know.
Result<void, BindingError> verify(const NodeBinding& binding, const crypto::PublicKey& owner_key,
                                  const crypto::Digest& context);

}  // namespace hm::identity
