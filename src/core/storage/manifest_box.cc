// SPDX-License-Identifier: Apache-2.0
#include "core/storage/manifest_box.h"

#include <utility>

#include "core/storage/limits.h"
#include "foundation/base/check.h"
#include "foundation/crypto/wipe.h"

namespace hm::storage {

sealed_box::Context context_of(const ObjectVersion& what) {
  return {what.owner.bytes, what.object, what.version};
}

bool fits_a_box(const Manifest& manifest) { return encode(manifest).size() <= kMaxSealedManifest; }

Result<sealed_box::Box, StorageError> seal_manifest(
    const Manifest& manifest, std::span<const sealed_box::EncapsulationKey> readers,
    const Randomness& randomness) {
  Bytes content = encode(manifest);
  const crypto::WipeLater wiped(content);
  if (content.size() > kMaxSealedManifest) return fail(StorageError::ManifestTooLong);
  auto box = sealed_box::seal(content, readers, context_of(manifest.what), randomness);
  if (!box) return fail(StorageError::BadReaders);  // the rest is checked
  return std::move(*box);
}

Result<Manifest, StorageError> open_manifest(const sealed_box::Box& box,
                                             const sealed_box::DecapsulationKey& own,
                                             const ObjectVersion& what) {
  auto content = sealed_box::open(box, own, context_of(what));
  if (!content) {
    return fail(content.error() == sealed_box::Refusal::NotAReader
                    ? StorageError::NotAReader
                    : StorageError::ManifestNotOpened);
  }
  const crypto::WipeLater wiped(*content);
  HM_TRY(Manifest manifest, decode_manifest(*content));
  if (manifest.what != what) return fail(StorageError::OtherObject);
  return manifest;
}

Result<Manifest, StorageError> unfold(const Manifest& outer, ByteView content) {
  HM_CHECK(outer.depth != 0);
  HM_TRY(Manifest manifest, decode_manifest(content));
  if (manifest.depth + 1 != outer.depth) return fail(StorageError::BadDepth);
  if (manifest.what != outer.what) return fail(StorageError::OtherObject);
  return manifest;
}

Manifest next_version(Manifest manifest) {
  ++manifest.what.version;
  return manifest;
}

}  // namespace hm::storage
