// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/network_probe.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/linux/kernel_text.h"

namespace hm::linux {
namespace {

using ports::HardwareItem;
using ports::HardwareKind;

constexpr std::uint64_t kArphrdLoopback = 772;       // <linux/if_arp.h>
constexpr std::uint64_t kMaxSpeedMbps = 10'000'000;  // anything above 10 Tbit/s is a driver's bug
constexpr std::uint64_t kBitsPerMegabit = 1'000'000;

std::string net_path(std::string_view link, std::string_view rest) {
  return "class/net/" + std::string(link) + "/" + std::string(rest);
}

// "fe8000000000000000fc00fffe000001 02 40 20 80 eth0" (ipv6(7), /proc/net/if_inet6)
void add_address(std::string_view line, LinkTable& links) {
  const std::vector<std::string_view> words = split_words(line);
  if (words.size() != 6 || words[0].size() != 32) return;
  Ipv6Address address;
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const auto byte = parse_hex(words[0].substr(2 * i, 2));
    if (!byte) return;
    address.bytes[i] = static_cast<std::uint8_t>(*byte);
  }
  const auto index = parse_hex(words[1]);
  const auto prefix = parse_hex(words[2]);
  const auto flags = parse_hex(words[4]);
  if (!index || !prefix || *prefix > 128 || !flags) return;
  address.prefix_length = static_cast<std::uint8_t>(*prefix);
  address.temporary = (*flags & 0x01U) != 0;          // IFA_F_TEMPORARY
  address.settled = (*flags & (0x40U | 0x08U)) == 0;  // IFA_F_TENTATIVE, IFA_F_DADFAILED
  for (auto& [number, link] : links) {
    if (number == *index) link.addresses.push_back(address);
  }
}

// Without privacy addresses, which come and go by the hour, and without unsettled ones.
std::vector<std::string> address_texts(const Link& link) {
  std::vector<std::string> texts;
  for (const Ipv6Address& address : link.addresses) {
    if (!address.settled || address.temporary) continue;
    texts.push_back(to_text(address.bytes) + "/" + std::to_string(address.prefix_length));
  }
  std::ranges::sort(texts);
  return texts;
}

// What this program itself makes for a container's network (platform/containers_linux): it is no
// hardware, and comes and goes with each container.
bool is_of_a_container(const Link& link) {
  constexpr std::string_view kStart = "hm";
  constexpr std::size_t kTag = 6;
  return link.kind == "veth" && link.name.starts_with(kStart) &&
         link.name.size() > kStart.size() + kTag && link.name[kStart.size() + kTag] == '-';
}

}  // namespace

LinkTable read_links(const KernelTree& proc, const KernelTree& sys) {
  LinkTable links;
  for (const std::string& name : sys.names("class/net")) {
    const auto index = sys.number(net_path(name, "ifindex"));
    if (!index || *index == 0 || *index > UINT32_MAX) continue;
    Link link{.index = static_cast<std::uint32_t>(*index), .name = name};
    const std::string mac = sys.line(net_path(name, "address")).value_or(std::string());
    if (mac.find_first_not_of("0:") != std::string::npos) link.mac = mac;
    const auto mtu = sys.number(net_path(name, "mtu"));
    if (mtu && *mtu <= UINT32_MAX) link.mtu = static_cast<std::uint32_t>(*mtu);
    link.is_loopback = sys.number(net_path(name, "type")) == kArphrdLoopback;
    const auto flags_text = sys.line(net_path(name, "flags"));
    const auto flags = flags_text ? parse_hex(*flags_text) : std::nullopt;
    const auto state = sys.line(net_path(name, "operstate"));
    const bool admin_up = (flags.value_or(0) & 0x1U) != 0;  // IFF_UP
    link.is_up = admin_up && (state == "up" || state == "unknown");
    links.emplace(link.index, std::move(link));
  }
  const auto addresses = proc.text("net/if_inet6");
  for (std::string_view line : split_lines(addresses ? *addresses : std::string_view())) {
    add_address(line, links);
  }
  return links;
}

void probe_network(const KernelTree& sys, const LinkTable& links,
                   ports::HardwareSnapshot& snapshot) {
  for (const auto& [index, link] : links) {
    if (link.is_loopback || is_of_a_container(link)) continue;
    HardwareItem item{.kind = HardwareKind::Network, .key = "link:" + link.name};
    if (!link.mac.empty()) item.key += ":" + link.mac;
    ports::HardwareFields& fields = item.descriptor;
    fields["name"] = link.name;
    if (!link.mac.empty()) fields["mac"] = link.mac;
    if (link.mtu) fields["mtu"] = std::uint64_t{*link.mtu};
    fields["up"] = link.is_up;
    if (!link.kind.empty()) fields["link_kind"] = link.kind;
    const bool is_virtual = !link.kind.empty() || !sys.exists(net_path(link.name, "device"));
    fields["virtual"] = is_virtual;
    if (auto driver = sys.link_name(net_path(link.name, "device/driver"))) {
      fields["driver"] = *std::move(driver);
    }
    if (sys.exists(net_path(link.name, "wireless"))) fields["wireless"] = true;
    // A link that is down says −1, a virtual one refuses to be read: both leave it unknown.
    const auto speed = sys.number(net_path(link.name, "speed"));
    if (speed && *speed > 0 && *speed <= kMaxSpeedMbps) {
      fields["speed_mbps"] = *speed;
      item.detected = *speed * kBitsPerMegabit;
    }
    fields["ipv6"] = address_texts(link);
    item.offerable = link.is_up && !is_virtual;
    snapshot.items.push_back(std::move(item));
  }
}

}  // namespace hm::linux
