// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) and domain-separated hashing.
#pragma once

#include <memory>
#include <string_view>

#include "foundation/base/bytes.h"
#include "foundation/base/strong.h"

namespace hm::crypto {

struct DigestTag;
using Digest = Id32<DigestTag>;

Digest sha256(ByteView input);

// SHA-256 of what comes piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteView piece);
  // Of all pieces so far; more may follow.
  Digest digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// SHA-256( len(tag) as one byte ‖ tag ‖ input ): what is signed or named is hashed under a tag such
// as "hm.vote.v1", so that bytes of one kind never stand for another. Requires: tag shorter than
// 256.
Digest tagged_hash(std::string_view tag, ByteView input);

// Interior node of a Merkle tree: SHA-256( 0x01 ‖ left ‖ right ). Leaves use tagged_hash.
Digest hash_pair(const Digest& left, const Digest& right);

}  // namespace hm::crypto
