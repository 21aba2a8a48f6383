// SPDX-License-Identifier: Apache-2.0
// A manifest sealed to its readers, and what of it goes where:
//
//   sealed_box::Box     the manifest under a fresh key, with a wrap of that key for each reader
//   ManifestCommitment  32 bytes for the ledger: they stand for key, object, version and manifest
//
// To share, add a wrap (sealed_box::add_reader): manifest and commitment stay. To revoke, seal the
// next version (next_version()) for those who stay, under another key: who is not among them does
// not open it, and keeps what it could read before, segments' keys included. Segments that are
// written later have keys that it never saw.
//
// A manifest above kMaxSealedManifest is stored as an object of its own (cut_manifest() in
// object_encoder.h), and the manifest of that one is sealed; unfold() leads back.
#pragma once

#include <span>

#include "core/storage/manifest.h"
#include "core/storage/storage_error.h"
#include "core/storage/stripe_writer.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/sealed_box/sealed_box.h"

namespace hm::storage {

using ManifestCommitment = sealed_box::Commitment;

// What the box of this object's version is bound to.
sealed_box::Context context_of(const ObjectVersion& what);

// Whether it can be sealed as it is.
bool fits_a_box(const Manifest& manifest);

// ManifestTooLong, BadReaders. Requires: check() passes.
Result<sealed_box::Box, StorageError> seal_manifest(
    const Manifest& manifest, std::span<const sealed_box::EncapsulationKey> readers,
    const Randomness& randomness);

// NotAReader; ManifestNotOpened; OtherObject; what decode_manifest() refuses.
Result<Manifest, StorageError> open_manifest(const sealed_box::Box& box,
                                             const sealed_box::DecapsulationKey& own,
                                             const ObjectVersion& what);

// The manifest that is the content of `outer`. BadDepth, OtherObject, and what decode_manifest()
// refuses. Requires: outer.depth is not 0, and `content` is what it describes.
Result<Manifest, StorageError> unfold(const Manifest& outer, ByteView content);

// The same object as its next version, with the segments that it has.
Manifest next_version(Manifest manifest);

}  // namespace hm::storage
