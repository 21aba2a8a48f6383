// SPDX-License-Identifier: Apache-2.0
// What the tests of segments share: bytes from a seed, archives, and an object cut in one go.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/limits.h"
#include "core/storage/segmenter.h"
#include "foundation/base/bytes.h"
#include "foundation/crypto/hash.h"

namespace hm::storage::testing {

// SplitMix64: the same everywhere.
inline Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  Bytes out(size);
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 8 == 0) {
      std::uint64_t z = (seed += 0x9e3779b97f4a7c15U);
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
      word = z ^ (z >> 31);
    }
    out[i] = static_cast<std::uint8_t>(word >> (i % 8 * 8));
  }
  return out;
}

inline std::array<std::uint8_t, kSegmentKeySize> secret(std::uint8_t first) {
  std::array<std::uint8_t, kSegmentKeySize> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(first + i);
  return out;
}

inline const SegmentKey& key() {
  static const SegmentKey kKey(secret(0));
  return kKey;
}

// Fed in pieces of these sizes, over and over; whole if there is none.
inline std::vector<Bytes> cut(ByteView object, const Profile& profile, ContentClass content,
                              const SegmentKey& by = key(),
                              const std::vector<std::size_t>& pieces = {}) {
  std::vector<Bytes> segments;
  const auto sink = [&](ByteView segment) { segments.push_back(to_bytes(segment)); };
  Segmenter segmenter(profile, content, by);
  std::size_t turn = 0;
  while (!object.empty()) {
    const std::size_t wanted = pieces.empty() ? object.size() : pieces[turn++ % pieces.size()];
    const std::size_t size = std::min(wanted, object.size());
    segmenter.feed(object.first(size), sink);
    object = object.subspan(size);
  }
  segmenter.finish(sink);
  return segments;
}

inline std::vector<std::size_t> lengths(const std::vector<Bytes>& segments) {
  std::vector<std::size_t> out;
  for (const Bytes& each : segments) out.push_back(each.size());
  return out;
}

// Offsets at which segments begin.
inline std::vector<std::size_t> starts(const std::vector<Bytes>& segments) {
  std::vector<std::size_t> out;
  std::size_t at = 0;
  for (const Bytes& each : segments) {
    out.push_back(at);
    at += each.size();
  }
  return out;
}

inline Bytes joined(const std::vector<Bytes>& segments) {
  Bytes out;
  for (const Bytes& each : segments) out.insert(out.end(), each.begin(), each.end());
  return out;
}

// Whether the content asks for a cut at this length of what begins here (docs/protocols/storage.md,
// §1.3, as it is defined).
inline bool asks_for_cut(ByteView segment, std::size_t length, const Profile& profile,
                         const SegmentKey& by) {
  std::uint64_t hash = 0;
  for (std::size_t back = 0; back < kHashWindow; ++back) {
    hash += by.gear(segment[length - 1 - back]) << back;
  }
  const int mean_bits = std::countr_zero(profile.mean());
  const int bits = length < profile.mean() ? mean_bits + 2 : mean_bits - 2;
  return (hash & (((std::uint64_t{1} << bits) - 1) << (63 - bits))) == 0;
}

// How many bytes of `object` lie in segments that `known` has too, in percent.
inline std::size_t percent_known(const std::vector<Bytes>& known,
                                 const std::vector<Bytes>& object) {
  std::set<crypto::Digest> digests;
  for (const Bytes& each : known) digests.insert(crypto::sha256(each));
  std::size_t all = 0;
  std::size_t shared = 0;
  for (const Bytes& each : object) {
    all += each.size();
    if (digests.contains(crypto::sha256(each))) shared += each.size();
  }
  return shared * 100 / all;
}

inline void append(Bytes& to, ByteView more) { to.insert(to.end(), more.begin(), more.end()); }

inline void put(Bytes& header, std::size_t offset, std::string_view text) {
  std::ranges::copy(text, header.begin() + static_cast<std::ptrdiff_t>(offset));
}

inline std::string octal(std::uint64_t value, int digits) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%0*llo", digits, static_cast<unsigned long long>(value));
  return out.data();
}

inline void sign_tar_header(Bytes& header) {
  put(header, 148, "        ");
  std::uint64_t sum = 0;
  for (const std::uint8_t byte : header) sum += byte;
  put(header, 148, octal(sum, 6) + std::string("\0 ", 2));
}

inline Bytes tar_header(char type, std::uint64_t size, std::string_view name = "member") {
  Bytes header(512, 0);
  put(header, 0, name);
  put(header, 100, "0000644");
  put(header, 124, octal(size, 11));
  header[156] = static_cast<std::uint8_t>(type);
  put(header, 257, std::string_view("ustar\00000", 8));
  sign_tar_header(header);
  return header;
}

inline void append_padded(Bytes& tar, ByteView body) {
  append(tar, body);
  tar.resize((tar.size() + 511) / 512 * 512, 0);
}

inline void append_tar_member(Bytes& tar, ByteView body, char type = '0') {
  append(tar, tar_header(type, body.size()));
  append_padded(tar, body);
}

inline void append_zip_member(Bytes& zip, ByteView body, std::string_view name,
                              std::uint16_t flags = 0) {
  Bytes header(30, 0);
  put(header, 0, "PK\x03\x04");
  const auto number = [&](std::size_t offset, std::size_t size, std::uint64_t value) {
    for (std::size_t i = 0; i < size; ++i) {
      header[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  };
  number(6, 2, flags);
  number(18, 4, body.size());
  number(22, 4, body.size());
  number(26, 2, name.size());
  append(zip, header);
  append(zip, as_bytes(name));
  append(zip, body);
}

}  // namespace hm::storage::testing
