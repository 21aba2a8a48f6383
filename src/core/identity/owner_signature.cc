// SPDX-License-Identifier: Apache-2.0
#include "core/identity/owner_signature.h"

namespace hm::identity {

bool verify(const falcon::VerifyingKey& key, const crypto::Digest& statement,
            const FalconSignature& signature) {
  return key.verify(statement.view(), signature.bytes, falcon::SignatureFormat::Padded).has_value();
}

std::optional<Half> broken_half(const PublicKeys& keys, const crypto::Digest& statement,
                                const OwnerSignature& signature) {
  if (!crypto::verify(keys.ed25519, statement.view(), signature.ed25519)) return Half::Ed25519;
  if (!verify(keys.falcon, statement, signature.falcon)) return Half::Falcon;
  return std::nullopt;
}

}  // namespace hm::identity
