// SPDX-License-Identifier: Apache-2.0
// The nftables rules under which containers have a network, as text for nft(8). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/privacy/grant.h"

namespace hm::containers_linux {

struct Prefix {
  std::array<std::uint8_t, 16> bytes{};  // zero beyond the length
  std::uint8_t length = 0;
  bool operator==(const Prefix&) const = default;
};
// "fd00:1::/80"; none if bits beyond the length are set.
std::optional<Prefix> parse_prefix(std::string_view text);
std::string to_text(const Prefix& prefix);
// The prefix in which an address lies; `length` is at most 128.
Prefix prefix_of(const std::array<std::uint8_t, 16>& address, std::uint8_t length);

// The n-th address of a prefix of at most /112.
std::array<std::uint8_t, 16> address_in(const Prefix& prefix, std::uint16_t number);

// "hm<tag>-m2a": interface 0x2a of class mesh. At most 15 bytes, as the kernel wants.
std::string interface_name(std::string_view tag, privacy::NetworkClass network,
                           std::uint16_t number);
// The number, if the name is one that interface_name() makes with this tag.
std::optional<std::uint16_t> interface_number(std::string_view tag, std::string_view name);

std::string table_name(std::string_view tag);

enum class OtherForwarding : std::uint8_t {
  Untouched,  // the machine forwarded before
  Dropped,    // it did not, and shall not for others
};

struct Rules {
  std::string tag;
  Prefix containers;
  std::optional<Prefix> mesh;
  std::vector<Prefix> site;  // on the host's own links
  OtherForwarding others = OtherForwarding::Untouched;
  bool operator==(const Rules&) const = default;
};

// Replaces the table as one transaction.
std::string rules_text(const Rules& rules);
// Removes it, and is fine without one.
std::string no_rules_text(std::string_view tag);

}  // namespace hm::containers_linux
