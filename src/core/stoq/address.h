// SPDX-License-Identifier: Apache-2.0
// An IPv6 address with a port, in text "[2001:db8::1]:9292" (RFC 4291 §2.2, RFC 5952 on output).
// There is no other family here: IPv4 and IPv4-mapped addresses are refused by name, because a
// mesh address must mean the same host on every machine. No zones: a peer is named by an address
// that others can use too.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "foundation/base/result.h"

namespace hm::stoq {

inline constexpr std::uint16_t kDefaultPort = 9292;

enum class AddressError : std::uint8_t {
  NotBracketed,  // not "[address]:port" or "[address]"
  Ipv4,          // an IPv4 address
  Ipv4Mapped,    // ::ffff:0:0/96, IPv4 in disguise
  Zone,          // a zone such as %eth0
  Malformed,     // not an IPv6 address
  BadPort,       // not a decimal number up to 65535
};
std::string_view name_of(AddressError error);

struct Address {
  std::array<std::uint8_t, 16> ip{};
  std::uint16_t port = 0;

  constexpr auto operator<=>(const Address&) const = default;

  // "[address]:port", or "[address]" for the default port.
  static Result<Address, AddressError> parse(std::string_view text);
  // The address alone, without brackets.
  static Result<std::array<std::uint8_t, 16>, AddressError> parse_ip(std::string_view text);
  // [::1]:port.
  static Address loopback(std::uint16_t port);

  bool is_ipv4_mapped() const;
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_multicast() const { return ip[0] == 0xff; }
  std::string to_string() const;

  static constexpr auto fields(auto& self) { return std::tie(self.ip, self.port); }
};

}  // namespace hm::stoq
