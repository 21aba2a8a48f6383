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
// is cut into pieces. Memory: the segments of one stripe, a longest one twice, and the manifest; of
// what is finished and in its stripes, the manifest alone. In a domain, a segment that the index
// knows, or that came before, is not stored again; with a secret of its own an object shares
// nothing with any other.
//
// Does not do. The manifest's places are the caller's to fill in. What was held of the object in
// memory is not wiped.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/storage/content_class.h"
#include "core/storage/domain.h"
#include "core/storage/manifest.h"
#include "core/storage/profile.h"
#include "core/storage/segment_index.h"
#include "core/storage/segment_key.h"
#include "core/storage/segment_seal.h"
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
  // The object's BLAKE3 hash, where the caller knows it: it goes into the manifest as it is, and is
  // not computed again. Who reads the whole object finds out if it is wrong.
  std::optional<crypto::Digest> known_hash;
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

  // `kept_by` keeps the piece where it is, so that its segments need no copy before they are
  // sealed; without it the piece must be valid during the call only. TooManySegments,
  // TooManyShards: once and for all.
  Result<void, StorageError> push(ByteView piece, std::shared_ptr<const void> kept_by = nullptr);
  // There is no more. Refusals: as push().
  Result<void, StorageError> finish();

  // Once. TooManyShards. Requires: finish() succeeded, and the writer was flushed since.
  Result<Manifest, StorageError> take_manifest();

  // Segments that were stored before, or twice here.
  std::uint64_t segments_shared() const { return segments_shared_; }
  std::uint64_t bytes_shared() const { return bytes_shared_; }

 private:
  ObjectEncoder(const ObjectPlan& plan, const Profile& profile, StripeWriter& writer);

  // Bytes of segments that wait for a stripe, in pieces, and what keeps them.
  struct Held {
    std::vector<ByteView> pieces;
    std::vector<std::shared_ptr<const void>> kept_by;
    std::size_t size = 0;
    std::shared_ptr<Bytes> copies;  // the last piece, if it is one that takes more copies

    void add(ByteView bytes, std::shared_ptr<const void> by);
    void copy(ByteView bytes, std::size_t room);  // a piece of its own has room for so much
    void join();                                  // into one piece of its own
  };

  void write(std::uint64_t tag, std::span<const std::span<std::uint8_t>> space) override;
  void placed(std::uint64_t tag, const FinishedStripe& stripe, std::uint32_t offset) override;
  void cut_by_length(ByteView piece);
  // Whether what waits may refer to the piece that is pushed.
  bool is_piece_kept();
  Held hold(ByteView segment);
  void take(Held segment);
  // Whether it needs not be stored.
  bool is_known(const SegmentId& id, std::size_t size);
  void compress(Held& segment, Segment& row);
  void store(Held segment, const crypto::Digest* fingerprint, const SegmentId& id);
  std::uint32_t index_of(const Stripe& stripe);

  struct Input;  // what is needed while bytes come

  ObjectPlan plan_;
  StripeWriter& writer_;
  std::size_t fixed_length_;             // of all segments but the last, or 0 where content decides
  std::unique_ptr<Input> input_;         // none: finished
  Held begun_;                           // of the segment that is cut by its length
  ByteView piece_;                       // that is pushed
  std::shared_ptr<const void> kept_by_;  // the piece
  std::size_t pushed_ = 0;               // its size, of which `piece_` is a part
  bool is_counted_ = false;              // in kept_bytes_
  std::size_t kept_bytes_ = 0;           // of pieces to which segments refer that wait
  SegmentSealer sealer_;
  Manifest manifest_;
  Result<void, StorageError> state_;
  std::vector<std::pair<std::size_t, std::size_t>> again_;  // segments, and those that they equal
  std::map<std::vector<crypto::Digest>, std::uint32_t> stripes_;  // by roots: where they stand
  std::size_t shards_ = 0;
  std::unordered_map<std::uint64_t, Held> waiting_;  // segments that are not written yet
  std::uint64_t unplaced_ = 0;
  std::uint64_t segments_shared_ = 0;
  std::uint64_t bytes_shared_ = 0;
};

// The manifest of the stored encoding of a manifest, one level up: for one that does not fit a box.
// Its segments have a fresh secret; draws 32 bytes. The writer is flushed. Requires: check()
// passes, and its depth is below kMaxManifestDepth.
Result<Manifest, StorageError> cut_manifest(const Manifest& manifest, StripeWriter& writer,
                                            const Randomness& randomness);

}  // namespace hm::storage
