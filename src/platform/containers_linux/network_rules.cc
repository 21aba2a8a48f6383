// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/network_rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "platform/linux/kernel_text.h"
#include "platform/linux/netlink.h"

namespace hm::containers_linux {
namespace {

constexpr unsigned kBits = 128;
constexpr int kHex = 16;
constexpr std::string_view kMeshLetter = "m";
constexpr std::string_view kInternetLetter = "i";

// What is no address of the internet: this host, its site, groups, documentation, and IPv4 in the
// disguises that a translator or tunnel on the way would take off (RFC 6890, RFC 6052).
constexpr std::string_view kNotInternet[] = {
    "::/96",         "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",  "2001::/32",
    "2001:db8::/32", "2002::/16",     "fc00::/7",     "fe80::/10",      "fec0::/10", "ff00::/8"};

// Of the names of a daemon's interfaces; the hyphen keeps one tag from being the start of another.
std::string stem(std::string_view tag) { return "hm" + std::string(tag) + "-"; }

void clear_beyond(Prefix& prefix) {
  for (unsigned bit = prefix.length; bit < kBits; ++bit) {
    prefix.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
}

bool contains(const Prefix& outer, const Prefix& inner) {
  if (inner.length < outer.length) return false;
  return prefix_of(inner.bytes, outer.length) == outer;
}

// nft refuses an interval set whose elements overlap.
std::string elements(std::vector<Prefix> prefixes) {
  std::ranges::stable_sort(prefixes, {}, &Prefix::length);
  std::vector<Prefix> kept;
  std::string text;
  for (const Prefix& prefix : prefixes) {
    if (std::ranges::any_of(kept, [&](const Prefix& k) { return contains(k, prefix); })) continue;
    kept.push_back(prefix);
    text += (text.empty() ? "" : ", ") + to_text(prefix);
  }
  return text;
}

std::string set_text(std::string_view name, const std::vector<Prefix>& prefixes) {
  std::string text = "  set " + std::string(name) + " {\n    type ipv6_addr\n    flags interval\n";
  if (!prefixes.empty()) text += "    elements = { " + elements(prefixes) + " }\n";
  return text + "  }\n";
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// $ANY, $INTERNET: interfaces; $PREFIX: addresses of containers; $OTHERS: a verdict.
// Refused is told, so that a program fails at once and does not wait; forged senders are not
// answered.
constexpr std::string_view kChains = R"(
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain to_host {
    type filter hook input priority -10; policy accept;
    iifname "$ANY" jump refuse
  }
  chain forward {
    type filter hook forward priority -10; policy accept;
    iifname "$ANY" jump from_container
    oifname "$ANY" jump to_container
    $OTHERS
  }
  chain from_container {
    meta nfproto != ipv6 drop
    ip6 saddr != $PREFIX drop
    fib saddr . iif oif 0 drop
    oifname "$ANY" jump refuse
    ct state established,related accept
    ip6 daddr @mesh accept
    iifname "$INTERNET" ip6 daddr != @local ip6 daddr != @site accept
    jump refuse
  }
  chain to_container {
    ct state established,related accept
    drop
  }
  chain leave {
    type nat hook postrouting priority 100; policy accept;
    ip6 saddr $PREFIX oifname != "$ANY" masquerade
  }
)";

}  // namespace

std::optional<Prefix> parse_prefix(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  const auto length = linux::parse_u64(text.substr(slash + 1));
  Prefix prefix;
  const std::string address(text.substr(0, slash));
  if (!length || *length > kBits || ::inet_pton(AF_INET6, address.c_str(), &prefix.bytes) != 1) {
    return {};
  }
  prefix.length = static_cast<std::uint8_t>(*length);
  if (prefix_of(prefix.bytes, prefix.length) != prefix) return {};
  return prefix;
}

std::string to_text(const Prefix& prefix) {
  return linux::to_text(prefix.bytes) + "/" + std::to_string(prefix.length);
}

Prefix prefix_of(const std::array<std::uint8_t, 16>& address, std::uint8_t length) {
  Prefix prefix{.bytes = address, .length = length};
  clear_beyond(prefix);
  return prefix;
}

std::array<std::uint8_t, 16> address_in(const Prefix& prefix, std::uint16_t number) {
  auto bytes = prefix.bytes;
  bytes[14] = static_cast<std::uint8_t>(number >> 8U);
  bytes[15] = static_cast<std::uint8_t>(number & 0xFFU);
  return bytes;
}

std::string interface_name(std::string_view tag, privacy::NetworkClass network,
                           std::uint16_t number) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, kHex).ptr;
  std::string name = stem(tag);
  name += network == privacy::NetworkClass::Internet ? kInternetLetter : kMeshLetter;
  return name.append(digits.data(), end);
}

std::optional<std::uint16_t> interface_number(std::string_view tag, std::string_view name) {
  const std::string start = stem(tag);
  if (!name.starts_with(start) || name.size() <= start.size() + 1) return {};
  const std::string_view digits = name.substr(start.size() + 1);
  std::uint16_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number, kHex);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return {};
  for (const auto network : {privacy::NetworkClass::Mesh, privacy::NetworkClass::Internet}) {
    if (interface_name(tag, network, number) == name) return number;
  }
  return {};
}

std::string table_name(std::string_view tag) { return "hypermesh_" + std::string(tag); }

std::string rules_text(const Rules& rules) {
  std::vector<Prefix> mesh;
  if (rules.mesh) mesh.push_back(*rules.mesh);
  std::vector<Prefix> local;
  for (const std::string_view text : kNotInternet) local.push_back(*parse_prefix(text));
  std::string chains(kChains);
  const std::string any = stem(rules.tag);
  replace_all(chains, "$ANY", any + "*");
  replace_all(chains, "$INTERNET", any + std::string(kInternetLetter) + "*");
  replace_all(chains, "$PREFIX", to_text(rules.containers));
  replace_all(chains, "$OTHERS", rules.others == OtherForwarding::Dropped ? "drop" : "accept");
  return no_rules_text(rules.tag) + "table inet " + table_name(rules.tag) + " {\n" +
         set_text("mesh", mesh) + set_text("local", local) + set_text("site", rules.site) + chains +
         "}\n";
}

std::string no_rules_text(std::string_view tag) {
  // Adding what may be there makes the deletion of what may be missing right.
  const std::string table = "table inet " + table_name(tag) + "\n";
  return "add " + table + "delete " + table;
}

}  // namespace hm::containers_linux
