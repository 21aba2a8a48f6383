// SPDX-License-Identifier: Apache-2.0
#include "core/identity/node_binding.h"

#include "core/identity/key_bundle.h"
#include "foundation/base/check.h"
#include "foundation/codec/writer.h"

namespace hm::identity {
namespace {

// What both parties sign; the tag says which of the two it is.
crypto::Digest statement(std::string_view tag, const crypto::Digest& context,
                         const NodeBinding& binding) {
  codec::Writer writer;
  writer.write(context);
  writer.write(binding.owner);
  writer.write(binding.node_key);
  writer.write(binding.name);
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
    case BindingError::NotFalconSigned: return "not signed with the owner's Falcon key";
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

NodeBinding bind_node(const OwnerKeys& owner, const crypto::SigningKey& node,
                      const crypto::Digest& context, std::string name,
                      const falcon::SigningRandomness& randomness) {
  HM_CHECK(is_valid_name(name));
  NodeBinding binding;
  binding.node_key = node.public_key();
  binding.owner = owner.id();
  binding.name = std::move(name);
  binding.owner_signature = owner.sign(statement(kOwnerTag, context, binding), randomness);
  binding.possession = node.sign(statement(kNodeTag, context, binding).view());
  return binding;
}

Result<void, BindingError> verify_without_falcon(const NodeBinding& binding,
                                                 const crypto::PublicKey& owner_key,
                                                 const crypto::Digest& context) {
  if (!is_valid_name(binding.name)) return fail(BindingError::BadName);
  if (!crypto::is_valid_key(binding.node_key)) return fail(BindingError::InvalidNodeKey);
  if (!crypto::verify(owner_key, statement(kOwnerTag, context, binding).view(),
                      binding.owner_signature.ed25519)) {
    return fail(BindingError::NotSignedByOwner);
  }
  if (!crypto::verify(binding.node_key, statement(kNodeTag, context, binding).view(),
                      binding.possession)) {
    return fail(BindingError::NotSignedByNode);
  }
  return {};
}

bool verify_falcon(const NodeBinding& binding, const falcon::VerifyingKey& owner_key,
                   const crypto::Digest& context) {
  return verify(owner_key, statement(kOwnerTag, context, binding), binding.owner_signature.falcon);
}

Result<void, BindingError> verify(const NodeBinding& binding, const PublicKeys& owner,
                                  const crypto::Digest& context) {
  HM_TRY_VOID(verify_without_falcon(binding, owner.ed25519, context));
  if (!verify_falcon(binding, owner.falcon, context)) return fail(BindingError::NotFalconSigned);
  return {};
}

}  // namespace hm::identity
