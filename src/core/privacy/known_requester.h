// SPDX-License-Identifier: Apache-2.0
// A requester, prepared to be compared with a thousand grantees. Answers exactly what means() says;
// it only rejects sooner, because most grants are for somebody else.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/privacy/decision.h"
#include "foundation/crypto/little_endian.h"

namespace hm::privacy {

// Ids word by word, first byte uppermost: the library's comparison calls memcmp, which takes longer
// than it compares.
template <class Id>
std::uint64_t word_of(const Id& id, std::size_t place) {
  constexpr std::size_t kSize = sizeof(std::uint64_t);
  return std::byteswap(crypto::load_little_endian(id.bytes.data() + place * kSize, kSize));
}
template <class Id>
bool is_same(const Id& a, const Id& b) {
  static_assert(Id::kSize == 4 * sizeof(std::uint64_t));
  return ((word_of(a, 0) ^ word_of(b, 0)) | (word_of(a, 1) ^ word_of(b, 1)) |
          (word_of(a, 2) ^ word_of(b, 2)) | (word_of(a, 3) ^ word_of(b, 3))) == 0;
}
// a < b.
template <class Id>
bool is_before(const Id& a, const Id& b) {
  for (std::size_t place = 0; place < 4; ++place) {
    const std::uint64_t left = word_of(a, place);
    const std::uint64_t right = word_of(b, place);
    if (left != right) return left < right;
  }
  return false;
}

class KnownRequester {
 public:
  explicit KnownRequester(const Requester& requester);

  bool is_meant_by(const Grantee& to) const {
    switch (to.index()) {
      case 0: return is_same(std::get_if<ToOwner>(&to)->owner, requester_.owner);
      case 1: return is_in(std::get_if<ToGroup>(&to)->group);
      case 2: return holds(*std::get_if<CertificatePattern>(&to));
      default: return true;
    }
  }

 private:
  static constexpr std::size_t kTail = sizeof(std::uint64_t);

  // The last eight characters, the last one uppermost; of a shorter text all, with zeros below.
  static std::uint64_t tail_of(std::string_view text) {
    if (text.size() >= kTail) {
      return crypto::load_little_endian(as_bytes(text).last(kTail).data(), kTail);
    }
    std::uint64_t word = 0;
    for (const char c : text) word = word >> 8 | std::uint64_t{static_cast<std::uint8_t>(c)} << 56;
    return word;
  }

  // Groups are hashes, so one byte leaves few of them to search; a search, because whoever names
  // groups can choose names whose hashes begin alike.
  bool is_in(const GroupId& group) const {
    const std::size_t byte = group.bytes[0];
    const std::size_t begin = first_group_[byte];
    const std::size_t end = first_group_[byte + 1];
    if (begin == end) return false;
    const auto some = requester_.groups.subspan(begin, end - begin);
    return std::ranges::binary_search(
        some, group, [](const GroupId& a, const GroupId& b) { return is_before(a, b); });
  }

  bool holds(const CertificatePattern& pattern) const;

  const Requester& requester_;
  std::array<std::uint32_t, 257> first_group_{};                 // with at least this first byte
  std::array<std::uint64_t, kMaxCertificatesPerOwner> tails_{};  // of the certificates' names
  std::size_t known_ = 0;                                        // so many of them
};

}  // namespace hm::privacy
