// SPDX-License-Identifier: Apache-2.0
// Sealing one segment, and opening it again (docs/protocols/storage.md, "Sealed segments", is
// normative):
//
//   sealed = key check (32 bytes) ‖ AES-256-GCM ciphertext ‖ tag (16 bytes)
//
// Key and key check follow from the segment's secret and from all that it is bound to. AES-GCM
// commits to no key; the key check does, so that no sealed segment opens under two secrets. To
// whoever knows no secret every byte looks random, the key check too, and differs from segment to
// segment: in a shard nothing shows where a segment begins.
//
// Promises. open() gives all of what was sealed or nothing of it. Does not do: a secret in another
// context seals under another key, but one secret and context must never seal two messages. Lengths
// are hidden by stripes (stripe_writer.h), not here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <variant>

#include "core/identity/ids.h"
#include "core/storage/domain.h"
#include "foundation/base/bytes.h"
#include "foundation/crypto/aead.h"

namespace hm::storage {

inline constexpr std::size_t kKeyCheckSize = 32;
inline constexpr std::size_t kSealOverhead = kKeyCheckSize + crypto::kAeadTagSize;

// What may be said of a segment; any other bit is refused.
inline constexpr std::uint8_t kCompressedFlag = 1;
inline constexpr std::uint8_t kKnownFlags = kCompressedFlag;

// What a segment that a domain shares is bound to.
struct DomainBinding {
  identity::OwnerId owner;
  DomainId domain;

  static constexpr auto fields(auto& self) { return std::tie(self.owner, self.domain); }
};

// What a segment of an object with a secret of its own is bound to.
struct ObjectBinding {
  identity::OwnerId owner;
  Bytes object;
  std::uint64_t version = 0;  // of the object, in which it was sealed
  std::uint64_t number = 0;   // of the segment

  static constexpr auto fields(auto& self) {
    return std::tie(self.owner, self.object, self.version, self.number);
  }
};

using Binding = std::variant<DomainBinding, ObjectBinding>;

// Keeps a library's memory; one caller at a time.
class SegmentSealer {
 public:
  // From pieces, which are the bytes together, into pieces of space. Requires: `sealed` is
  // kSealOverhead longer than `bytes`; no overlap.
  void seal(const SegmentSecret& secret, const Binding& binding, std::uint8_t flags,
            std::span<const ByteView> bytes, std::span<const std::span<std::uint8_t>> sealed);

  // False, and `bytes` holds nothing of it, unless all is as it was sealed. Requires: as seal().
  [[nodiscard]] bool open(const SegmentSecret& secret, const Binding& binding, std::uint8_t flags,
                          ByteView sealed, std::span<std::uint8_t> bytes);

 private:
  crypto::Aead aead_;
};

}  // namespace hm::storage
