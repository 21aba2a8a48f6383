// SPDX-License-Identifier: Apache-2.0
// The manifest of one version of an object: all that a reader needs to have it back from shards,
// keys included. It is a secret, and leaves a node sealed only (manifest_box.h);
// docs/protocols/storage.md, "Manifest", is normative.
//
// Promises. A manifest that decodes is sound: its segments are the object's length together, each
// lies within a stripe that it names, and no count is above limits.h, checked before memory is
// taken. One manifest has one encoding. Does not do: whether shards and segments are what it says
// shows when they are read (object_decoder.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "core/identity/ids.h"
#include "core/storage/domain.h"
#include "core/storage/segment_seal.h"
#include "core/storage/storage_error.h"
#include "core/storage/stripe.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"

namespace hm::storage {

inline constexpr std::uint16_t kManifestFormat = 1;

// One version of one object of an owner.
struct ObjectVersion {
  identity::OwnerId owner;
  Bytes object;  // its id, at most sealed_box::kMaxObjectIdSize
  std::uint64_t version = 0;

  bool operator==(const ObjectVersion&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.owner, self.object, self.version);
  }
};

// How its owner calls it, and what the owner says of it. Nothing here is interpreted.
struct Description {
  std::string name;
  std::map<std::string, std::string> metadata;

  bool operator==(const Description&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.name, self.metadata); }
};
// NameTooLong, MetadataTooLong.
Result<void, StorageError> check(const Description& description);

// How all segments of an object are sealed: shared in a domain, or with a secret of its own.
struct InDomain {
  DomainId domain;

  bool operator==(const InDomain&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.domain); }
};
struct WithOwnSecret {
  SegmentSecret secret{};
  std::uint64_t version = 0;  // of the object, in which the segments were sealed

  bool operator==(const WithOwnSecret&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.secret, self.version); }
};
using Protection = std::variant<InDomain, WithOwnSecret>;

struct SharedSegment {
  SegmentId id;
  SegmentSecret secret{};

  bool operator==(const SharedSegment&) const = default;
  static constexpr auto fields(auto& self) { return std::tie(self.id, self.secret); }
};
using SegmentNumber = std::uint64_t;

struct Segment {
  std::uint32_t plain_length = 0;
  std::uint32_t sealed_length = 0;
  std::uint8_t flags = 0;
  std::uint32_t stripe = 0;  // index into the manifest's stripes
  std::uint32_t offset = 0;  // in its data shards put together
  std::variant<SharedSegment, SegmentNumber> seal;

  bool operator==(const Segment&) const = default;
  static constexpr auto fields(auto& self) {
    return std::tie(self.plain_length, self.sealed_length, self.flags, self.stripe, self.offset,
                    self.seal);
  }
};

struct Manifest {
  std::uint8_t depth = 0;  // 0: of the object; d: of the encoding of the object's manifest of d - 1
  ObjectVersion what;
  Description description;
  std::uint64_t size = 0;
  crypto::Digest content;  // BLAKE3 hash of the whole
  Protection protection;
  std::vector<Segment> segments;
  std::vector<Stripe> stripes;

  bool operator==(const Manifest&) const = default;
};

// What a segment is bound to; and its secret.
Binding binding_of(const Manifest& manifest, const Segment& segment);
const SegmentSecret& secret_of(const Manifest& manifest, const Segment& segment);

// The first rule that it breaks.
Result<void, StorageError> check(const Manifest& manifest);

// Requires: check() passes.
Bytes encode(const Manifest& manifest);

// ManifestTooLong, UnknownFormat, NotAManifest, and what check() refuses.
Result<Manifest, StorageError> decode_manifest(ByteView bytes);

}  // namespace hm::storage
