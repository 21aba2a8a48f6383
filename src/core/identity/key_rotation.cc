// SPDX-License-Identifier: Apache-2.0
#include "core/identity/key_rotation.h"

#include "foundation/codec/writer.h"

namespace hm::identity {

crypto::Digest rotation_statement(const RotationContext& context, const KeyBundle& bundle,
                                  std::uint64_t overlap) {
  codec::Writer writer;
  writer.write(context.chain);
  writer.write(context.owner);
  writer.write(context.sequence);
  writer.write(overlap);
  writer.write(bundle);
  return crypto::tagged_hash("hm.key-rotation.v1", writer.bytes());
}

KeyRotation sign_rotation(const OwnerKeys& old_keys, const OwnerKeys& new_keys,
                          const RotationContext& context, std::uint64_t overlap,
                          const std::array<falcon::SigningRandomness, 2>& randomness) {
  const crypto::Digest statement = rotation_statement(context, new_keys.bundle(), overlap);
  return {new_keys.bundle(), overlap, old_keys.sign_falcon(statement, randomness[0]),
          new_keys.sign(statement, randomness[1])};
}

Result<void, RotationError> check_possession(const KeyRotation& rotation,
                                             const RotationContext& context) {
  const auto keys = validate(rotation.bundle);
  if (!keys) return fail(RotationError::BadKeyBundle);
  const crypto::Digest statement = rotation_statement(context, rotation.bundle, rotation.overlap);
  if (broken_half(*keys, statement, rotation.possession)) return fail(RotationError::NotHeld);
  return {};
}

}  // namespace hm::identity
