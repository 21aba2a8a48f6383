// SPDX-License-Identifier: Apache-2.0
// A privacy domain: those who know its secret share what they store. Inside it, equal segments have
// equal ids, keys and sealed bytes, so that they are stored once (convergent encryption,
// docs/protocols/storage.md, "Keys"); across domains and owners nothing is equal.
//
// Promises. Whoever does not know the secret learns from ids and sealed bytes nothing of segments,
// not even of those that he guesses. Ids follow from the segment, keys from the bytes that are
// sealed, which differ from it where it was compressed: one key never seals two different messages.
//
// Does not do. Inside the domain equality shows, and whoever knows the secret can find out whether
// a segment that he has is stored.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/identity/ids.h"
#include "foundation/base/bytes.h"
#include "foundation/base/strong.h"
#include "foundation/blake3/blake3.h"
#include "foundation/crypto/hash.h"

namespace hm::storage {

struct DomainIdTag;
using DomainId = Id32<DomainIdTag>;

// By which a domain knows a segment again.
struct SegmentIdTag;
using SegmentId = Id32<SegmentIdTag>;

inline constexpr std::size_t kDomainSecretSize = 32;

// Of one segment in a domain, or of all segments of an object that is in none: what its keys are
// made of (segment_seal.h).
using SegmentSecret = std::array<std::uint8_t, 32>;

class Domain {
 public:
  Domain(const identity::OwnerId& owner, const DomainId& id,
         std::span<const std::uint8_t, kDomainSecretSize> secret);
  ~Domain();
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  const identity::OwnerId& owner() const { return owner_; }
  const DomainId& id() const { return id_; }

  // Of a segment, or of the bytes that are sealed for it.
  crypto::Digest fingerprint(ByteView bytes) const;
  crypto::Digest fingerprint(std::span<const ByteView> pieces) const;  // put together
  SegmentId id_of(const crypto::Digest& segment) const;
  SegmentSecret secret_of(const crypto::Digest& sealed, std::uint8_t flags) const;

 private:
  identity::OwnerId owner_;
  DomainId id_;
  blake3::Key fingerprint_key_;
  blake3::Key id_key_;
  blake3::Key secret_key_;
};

}  // namespace hm::storage
