// SPDX-License-Identifier: Apache-2.0
#include "core/assets/address.h"

#include <algorithm>
#include <vector>

namespace hm::assets {
namespace {

constexpr std::size_t kGroups = 8;
constexpr std::array<std::uint8_t, 4> kUla = {0xfd, 0x48, 0x4d, 0x00};
constexpr std::size_t kChainBytes = 4;
constexpr std::size_t kHashBytes = 8;

std::string hex_group(unsigned value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = (value >> shift) & 0xf;
    if (digit != 0 || !text.empty() || shift == 0) text.push_back(kDigits[digit]);
  }
  return text;
}

// One group of 1 to 4 hex digits of either case.
std::optional<unsigned> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value * 16 + static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      value = value * 16 + static_cast<unsigned>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
  }
  return value;
}

// Groups separated by single colons; none for an empty text.
std::optional<std::vector<unsigned>> parse_groups(std::string_view text) {
  std::vector<unsigned> groups;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const auto group = parse_group(text.substr(0, colon));
    if (!group || groups.size() == kGroups) return std::nullopt;
    groups.push_back(*group);
    if (colon == std::string_view::npos) return groups;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;
  }
  return groups;
}

}  // namespace

std::string Address::to_string() const {
  std::array<unsigned, kGroups> groups{};
  for (std::size_t i = 0; i < kGroups; ++i) {
    groups[i] = (unsigned{bytes[2 * i]} << 8) | bytes[2 * i + 1];
  }
  // RFC 5952 §4.2: the longest run of at least two zero groups, the first of equals, becomes "::".
  std::size_t best = kGroups;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < kGroups; ++i) {
    std::size_t length = 0;
    while (i + length < kGroups && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < kGroups;) {
    if (i == best) {
      text += "::";
      i += best_length;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    text += hex_group(groups[i]);
    ++i;
  }
  return text;
}

std::optional<Address> Address::parse(std::string_view text) {
  std::vector<unsigned> groups;
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    const auto all = parse_groups(text);
    if (!all || all->size() != kGroups) return std::nullopt;
    groups = *all;
  } else {
    const auto head = parse_groups(text.substr(0, gap));
    const auto tail = parse_groups(text.substr(gap + 2));
    if (!head || !tail || head->size() + tail->size() >= kGroups) return std::nullopt;
    groups = *head;
    groups.resize(kGroups - tail->size(), 0);
    groups.insert(groups.end(), tail->begin(), tail->end());
  }
  Address address;
  for (std::size_t i = 0; i < kGroups; ++i) {
    address.bytes[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    address.bytes[2 * i + 1] = static_cast<std::uint8_t>(groups[i] & 0xff);
  }
  return address;
}

Address address_of(const identity::ChainId& chain, const crypto::Digest& asset_hash) {
  Address address;
  auto out = std::ranges::copy(kUla, address.bytes.begin()).out;
  out = std::ranges::copy(std::span(chain.bytes).first<kChainBytes>(), out).out;
  std::ranges::copy(std::span(asset_hash.bytes).first<kHashBytes>(), out);
  return address;
}

bool is_in_mesh(const identity::ChainId& chain, const Address& address) {
  const auto prefix = std::span(address.bytes).first<kUla.size() + kChainBytes>();
  return std::ranges::equal(prefix.first<kUla.size()>(), kUla) &&
         std::ranges::equal(prefix.last<kChainBytes>(),
                            std::span(chain.bytes).first<kChainBytes>());
}

}  // namespace hm::assets
