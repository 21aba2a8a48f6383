// SPDX-License-Identifier: Apache-2.0
#include "core/stoq/address.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace hm::stoq {
namespace {

using Ip = std::array<std::uint8_t, 16>;

// The colon-separated groups of one side of a "::"; nullopt if one is not 1 to 4 hex digits.
std::optional<std::vector<std::uint16_t>> parse_groups(std::string_view text) {
  std::vector<std::uint16_t> groups;
  if (text.empty()) return groups;
  while (true) {
    const auto colon = text.find(':');
    const auto group = text.substr(0, colon);
    std::uint16_t value = 0;
    if (group.empty() || group.size() > 4 || groups.size() == 8) return std::nullopt;
    const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), value, 16);
    if (error != std::errc{} || end != group.data() + group.size()) return std::nullopt;
    groups.push_back(value);
    if (colon == std::string_view::npos) return groups;
    text.remove_prefix(colon + 1);
  }
}

bool looks_like_ipv4(std::string_view text) {
  return text.find('.') != std::string_view::npos &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool mapped(const Ip& ip) {
  return std::all_of(ip.begin(), ip.begin() + 10, [](auto b) { return b == 0; }) &&
         ip[10] == 0xff && ip[11] == 0xff;
}

void append_hex(std::string& out, unsigned value) {
  std::array<char, 4> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error == std::errc{}) out.append(digits.data(), end);
}

}  // namespace

std::string_view name_of(AddressError error) {
  switch (error) {
    case AddressError::NotBracketed: return "address_not_bracketed";
    case AddressError::Ipv4: return "address_is_ipv4";
    case AddressError::Ipv4Mapped: return "address_is_ipv4_mapped";
    case AddressError::Zone: return "address_has_zone";
    case AddressError::Malformed: return "address_malformed";
    case AddressError::BadPort: return "port_malformed";
  }
  return "unknown";
}

Result<Ip, AddressError> Address::parse_ip(std::string_view text) {
  if (looks_like_ipv4(text)) return fail(AddressError::Ipv4);
  if (text.find('%') != std::string_view::npos) return fail(AddressError::Zone);
  if (text.size() > 45) return fail(AddressError::Malformed);
  // Dotted notation inside IPv6 only ever spells IPv4 in disguise.
  if (text.find('.') != std::string_view::npos) {
    return fail(text.find(':') != std::string_view::npos ? AddressError::Ipv4Mapped
                                                         : AddressError::Malformed);
  }
  const auto gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  const auto head = parse_groups(has_gap ? text.substr(0, gap) : text);
  const auto tail = parse_groups(has_gap ? text.substr(gap + 2) : std::string_view{});
  if (!head || !tail) return fail(AddressError::Malformed);
  const auto count = head->size() + tail->size();
  if (has_gap ? count > 7 : count != 8) return fail(AddressError::Malformed);
  Ip ip{};
  const auto put = [&ip](std::size_t group, std::uint16_t value) {
    ip[2 * group] = static_cast<std::uint8_t>(value >> 8);
    ip[2 * group + 1] = static_cast<std::uint8_t>(value);
  };
  for (std::size_t i = 0; i < head->size(); ++i) put(i, (*head)[i]);
  for (std::size_t i = 0; i < tail->size(); ++i) put(8 - tail->size() + i, (*tail)[i]);
  if (mapped(ip)) return fail(AddressError::Ipv4Mapped);
  return ip;
}

Result<Address, AddressError> Address::parse(std::string_view text) {
  if (text.empty() || text.front() != '[') {
    const auto host = text.substr(0, text.find(':'));
    return fail(looks_like_ipv4(host) ? AddressError::Ipv4 : AddressError::NotBracketed);
  }
  const auto close = text.find(']');
  if (close == std::string_view::npos) return fail(AddressError::NotBracketed);
  HM_TRY(auto ip, parse_ip(text.substr(1, close - 1)));
  Address address{ip, kDefaultPort};
  const auto rest = text.substr(close + 1);
  if (rest.empty()) return address;
  if (rest.front() != ':' || rest.size() < 2 || rest.size() > 6) {
    return fail(AddressError::BadPort);
  }
  const auto digits = rest.substr(1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return fail(AddressError::BadPort);
  }
  return address;
}

Address Address::loopback(std::uint16_t port) {
  Address address;
  address.ip[15] = 1;
  address.port = port;
  return address;
}

bool Address::is_ipv4_mapped() const { return mapped(ip); }
bool Address::is_unspecified() const { return ip == Ip{}; }
bool Address::is_loopback() const { return ip == loopback(0).ip; }

std::string Address::to_string() const {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = (unsigned{ip[2 * i]} << 8) | ip[2 * i + 1];
  // RFC 5952 §4.2: the longest run of two or more zero groups, the first of equals, becomes "::".
  std::size_t best = 8;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
    i += length + 1;
  }
  std::string out = "[";
  for (std::size_t i = 0; i < 8;) {
    if (i == best) {
      out += "::";
      i += best_length;
      continue;
    }
    if (i != 0 && out.back() != ':') out += ':';
    append_hex(out, groups[i]);
    ++i;
  }
  out += "]:" + std::to_string(port);
  return out;
}

}  // namespace hm::stoq
