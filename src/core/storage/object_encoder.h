// SPDX-License-Identifier: Apache-2.0
// An object that passes by becomes sealed segments in stripes, and a manifest.
//
//   StripeWriter writer(layout, randomness, [&](const FinishedStripe& stripe) { … });
//   auto encoder = ObjectEncoder::start(plan, writer, randomness);
//   while (…) (*encoder)->push(piece);
//   (*encoder)->finish();       // others may go on with the same writer
//   writer.flush();
//   auto manifest = (*encoder)->take_manifest();  // then say where the stripes' shards lie
//
// Promises. The same object, plan and random bytes give the same stripes and manifest, however it
// is cut into pieces. Memory: one longest segment twice, what the writer has, and the manifest;
// once it is finished, the manifest alone. In a domain, a segment that the index knows, or that
// came before, is not stored again; with a secret of its own an object shares nothing with any
// other.
//
// Does not do. The manifest's places are the caller's to fill in. What was held of the object in
// memory is not wiped.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/storage/content_class.h"
#include "core/storage/domain.h"
#include "core/storage/manifest.h"
#include "core/storage/profile.h"
#include "core/storage/segment_index.h"
#include "core/storage/segment_key.h"
#include "core/storage/storage_error.h"
#include "core/storage/stripe_writer.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

namespace hm::storage {

enum class Compression : std::uint8_t { WherePays, Never };

struct ObjectPlan {
  ObjectVersion what;
  Description description;
  Profile profile = Profile::standard();
  ContentClass content = ContentClass::Other;
  Compression compression = Compression::WherePays;
  const SegmentKey& cut_by;        // must outlive the encoder
  const Domain* domain = nullptr;  // likewise; none: the object has a secret of its own
  SegmentIndex* index = nullptr;   // likewise; of the domain
  // Of a part of an object without a domain: the secret that its parts have in common, and the
  // number of the first segment. No number is ever used twice with one secret.
  std::optional<WithOwnSecret> own = std::nullopt;
  SegmentNumber first_number = 0;
};

class ObjectEncoder final : private SegmentKeeper {
 public:
  // The writer must outlive the encoder, and the encoder the stripes that its segments are in.
  // Draws 32 bytes if there is neither a domain nor a secret. Refusals: ObjectIdTooLong,
  // NameTooLong, MetadataTooLong, BadSizes where a stripe is too small for the profile. Requires:
  // the domain is the owner's.
  static Result<std::unique_ptr<ObjectEncoder>, StorageError> start(const ObjectPlan& plan,
                                                                    StripeWriter& writer,
                                                                    const Randomness& randomness);
  ~ObjectEncoder();

  // TooManySegments, TooManyShards: once and for all.
  Result<void, StorageError> push(ByteView piece);
  // There is no more. Refusals: as push().
  Result<void, StorageError> finish();

  // Once. TooManyShards. Requires: finish() succeeded, and the writer was flushed since.
  Result<Manifest, StorageError> take_manifest();

  // Segments that were stored before, or twice here.
  std::uint64_t segments_shared() const { return segments_shared_; }
  std::uint64_t bytes_shared() const { return bytes_shared_; }

 private:
  ObjectEncoder(const ObjectPlan& plan, const Profile& profile, StripeWriter& writer);

  void placed(std::uint64_t tag, const FinishedStripe& stripe, std::uint32_t offset) override;
  void take(ByteView segment);
  // Whether it needs not be stored.
  bool is_known(const SegmentId& id, ByteView segment);
  void store(ByteView segment, const crypto::Digest* fingerprint, const SegmentId& id);
  std::uint32_t index_of(const Stripe& stripe);

  struct Input;  // what is needed while bytes come

  ObjectPlan plan_;
  StripeWriter& writer_;
  std::unique_ptr<Input> input_;  // none: finished
  Manifest manifest_;
  Result<void, StorageError> state_;
  std::vector<std::pair<std::size_t, std::size_t>> again_;  // segments, and those that they equal
  std::map<std::vector<crypto::Digest>, std::uint32_t> stripes_;  // by roots: where they stand
  std::size_t shards_ = 0;
  std::uint64_t waiting_ = 0;  // segments that have no place yet
  std::uint64_t segments_shared_ = 0;
  std::uint64_t bytes_shared_ = 0;
};

// The manifest of the stored encoding of a manifest, one level up: for one that does not fit a box.
// Its segments have a fresh secret; draws 32 bytes. The writer is flushed. Requires: check()
// passes, and its depth is below kMaxManifestDepth.
Result<Manifest, StorageError> cut_manifest(const Manifest& manifest, StripeWriter& writer,
                                            const Randomness& randomness);

}  // namespace hm::storage
