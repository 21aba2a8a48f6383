// SPDX-License-Identifier: Apache-2.0
// A node belongs to one owner by a binding that both sign: the owner accepts the node's key, with
// Ed25519 and with Falcon, and the node's key proves that somebody holds it. All cover the context
// in which the binding is valid, so that it cannot be replayed into another chain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "core/identity/ids.h"
#include "core/identity/owner_keys.h"
#include "core/identity/owner_signature.h"
#include "foundation/base/result.h"
#include "foundation/crypto/ed25519.h"
#include "foundation/crypto/hash.h"

namespace hm::identity {

struct NodeBinding {
  crypto::PublicKey node_key;
  OwnerId owner;
  std::string name;
  OwnerSignature owner_signature;  // tag "hm.node-binding.v1"
  crypto::Signature possession;    // by node_key, tag "hm.node-possession.v1"

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

// A binding signed by both. `randomness` is for the Falcon signature. Requires:
// is_valid_name(name).
NodeBinding bind_node(const OwnerKeys& owner, const crypto::SigningKey& node,
                      const crypto::Digest& context, std::string name,
                      const falcon::SigningRandomness& randomness);

enum class BindingError : std::uint8_t {
  BadName,           // see is_valid_name
  InvalidNodeKey,    // not a canonical point of the prime-order subgroup
  NotSignedByOwner,  // the Ed25519 half of owner_signature does not verify
  NotFalconSigned,   // the Falcon half of owner_signature does not verify
  NotSignedByNode,   // possession does not verify
};
std::string_view name_of(BindingError error);

// Checks every signature. That `owner` are the keys of `binding.owner` is the caller's to know.
Result<void, BindingError> verify(const NodeBinding& binding, const PublicKeys& owner,
                                  const crypto::Digest& context);

// The two parts of verify(), for where the Falcon key is known only later.
Result<void, BindingError> verify_without_falcon(const NodeBinding& binding,
                                                 const crypto::PublicKey& owner_key,
                                                 const crypto::Digest& context);
bool verify_falcon(const NodeBinding& binding, const falcon::VerifyingKey& owner_key,
                   const crypto::Digest& context);

}  // namespace hm::identity
