// SPDX-License-Identifier: Apache-2.0
#include "core/identity/node_binding.h"

#include "core/identity/key_bundle.h"
#include "foundation/codec/writer.h"

namespace hm::identity {
namespace {

// What both signatures cover; the tag says which of the two it is.
crypto::Digest statement(std::string_view tag, const crypto::Digest& context, const OwnerId& owner,
                         const crypto::PublicKey& node_key, std::string_view name) {
  codec::Writer writer;
  writer.write(context);
  writer.write(owner);
  writer.write(node_key);
  writer.write(name);
  return crypto::tagged_hash(tag, writer.bytes());
}

constexpr std::string_view kOwnerTag = "hm.node-binding.v1";
constexpr std::string_view kNodeTag = "hm.node-possession.v1";

}  // namespace

std::string_view name_of(BindingError error) {
  switch (error) {
    case BindingError::BadName: return "bad node name";
    case BindingError::InvalidNodeKey: return "not a valid Ed25519 node key";
    case BindingError::NotSignedByOwner: return "not signed by the owner";
    case BindingError::NotSignedByNode: return "no proof that the node holds its key";
  }
  return "unknown";
}

NodeId NodeBinding::node() const { return node_id_of(node_key); }

crypto::Digest binding_context(const ChainId& chain) { return {chain.bytes}; }

crypto::Digest genesis_binding_context(std::string_view chain_name, std::uint64_t time_ms) {
  codec::Writer writer;
  writer.write(chain_name);
  writer.write(time_ms);
  return crypto::tagged_hash("hm.genesis-binding.v1", writer.bytes());
}

crypto::Signature sign_as_owner(const crypto::SigningKey& owner_key, const crypto::Digest& context,
                                const OwnerId& owner, const crypto::PublicKey& node_key,
                                std::string_view name) {
  return owner_key.sign(statement(kOwnerTag, context, owner, node_key, name).view());
}

crypto::Signature sign_as_node(const crypto::SigningKey& node_key, const crypto::Digest& context,
                               const OwnerId& owner, std::string_view name) {
  return node_key.sign(statement(kNodeTag, context, owner, node_key.public_key(), name).view());
}

Result<void, BindingError> verify(const NodeBinding& binding, const crypto::PublicKey& owner_key,
                                  const crypto::Digest& context) {
  if (!is_valid_name(binding.name)) return fail(BindingError::BadName);
  if (!crypto::is_valid_key(binding.node_key)) return fail(BindingError::InvalidNodeKey);
  const auto covers = [&](std::string_view tag) {
    return statement(tag, context, binding.owner, binding.node_key, binding.name);
  };
  if (!crypto::verify(owner_key, covers(kOwnerTag).view(), binding.owner_signature)) {
    return fail(BindingError::NotSignedByOwner);
  }
  if (!crypto::verify(binding.node_key, covers(kNodeTag).view(), binding.possession)) {
    return fail(BindingError::NotSignedByNode);
  }
  return {};
}

}  // namespace hm::identity
