// SPDX-License-Identifier: Apache-2.0
#include "platform/linux/netlink.h"

#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace hm::linux {
namespace {

void append(Bytes& out, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  out.insert(out.end(), bytes, bytes + size);
  while (out.size() % 4 != 0) out.push_back(0);
}

void attribute(Bytes& out, std::uint16_t type, const Bytes& payload) {
  const rtattr header{.rta_len = static_cast<std::uint16_t>(sizeof(rtattr) + payload.size()),
                      .rta_type = type};
  append(out, &header, sizeof header);
  append(out, payload.data(), payload.size());
}

Bytes message(std::uint16_t type, const Bytes& body, std::uint16_t flags = 0) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  Bytes out;
  append(out, &header, sizeof header);
  append(out, body.data(), body.size());
  return out;
}

Bytes text(const char* value) {
  return {reinterpret_cast<const std::uint8_t*>(value),
          reinterpret_cast<const std::uint8_t*>(value) + std::strlen(value) + 1};
}

Bytes link_message() {
  ifinfomsg info{};
  info.ifi_index = 7;
  info.ifi_flags = IFF_UP;
  Bytes body;
  append(body, &info, sizeof info);
  attribute(body, IFLA_IFNAME, text("veth0"));
  attribute(body, IFLA_ADDRESS, {2, 0xfc, 0, 0, 0, 1});
  attribute(body, IFLA_MTU, {0xdc, 5, 0, 0});
  attribute(body, IFLA_OPERSTATE, {6});
  Bytes kind;
  attribute(kind, IFLA_INFO_KIND, text("veth"));
  attribute(body, IFLA_LINKINFO | NLA_F_NESTED, kind);
  return message(RTM_NEWLINK, body);
}

Bytes address_message(std::uint32_t index, std::uint8_t flags) {
  ifaddrmsg info{};
  info.ifa_family = AF_INET6;
  info.ifa_prefixlen = 64;
  info.ifa_flags = flags;
  info.ifa_index = index;
  Bytes body;
  append(body, &info, sizeof info);
  Bytes address(16, 0);
  address[0] = 0xfd;
  address[15] = 1;
  attribute(body, IFA_ADDRESS, address);
  return message(RTM_NEWADDR, body);
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Netlink, LinksAndTheirAddressesAreRead) {
  LinkTable links;
  const DumpState state =
      parse_netlink(link_message() + address_message(7, 0) + address_message(99, 0) +
                        message(NLMSG_DONE, Bytes(4, 0)),
                    links);
  EXPECT_TRUE(state.done);
  EXPECT_FALSE(state.failed);
  ASSERT_EQ(links.size(), 1U);
  const Link& link = links.at(7);
  EXPECT_EQ(link.name, "veth0");
  EXPECT_EQ(link.mac, "02:fc:00:00:00:01");
  EXPECT_EQ(link.mtu, 1500U);
  EXPECT_EQ(link.kind, "veth");
  EXPECT_TRUE(link.is_up);
  ASSERT_EQ(link.addresses.size(), 1U);
  EXPECT_EQ(to_text(link.addresses[0].bytes), "fd00::1");
}

TEST(Netlink, TentativeAndTemporaryAddressesAreMarked) {
  LinkTable links;
  parse_netlink(
      link_message() + address_message(7, IFA_F_TENTATIVE) + address_message(7, IFA_F_TEMPORARY),
      links);
  EXPECT_FALSE(links.at(7).addresses[0].settled);
  EXPECT_TRUE(links.at(7).addresses[1].temporary);
}

TEST(Netlink, AnInterruptedDumpIsTold) {
  LinkTable links;
  EXPECT_TRUE(parse_netlink(message(NLMSG_DONE, Bytes(4, 0), NLM_F_DUMP_INTR), links).interrupted);
}

TEST(Netlink, EveryTruncationAndEveryDamagedByteIsSurvived) {
  const Bytes whole = link_message() + address_message(7, 0);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    LinkTable links;
    const DumpState state = parse_netlink(ByteView(whole).first(size), links);
    EXPECT_FALSE(state.done);
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x7F, 0xFF}) {
      Bytes damaged = whole;
      damaged[at] = static_cast<std::uint8_t>(value);
      LinkTable links;
      parse_netlink(damaged, links);
      EXPECT_LE(links.size(), 1U);
    }
  }
}

TEST(Netlink, MessagesThatLieAboutTheirLengthAreRefused) {
  for (const std::uint32_t length : {0U, 15U, 1'000'000U}) {
    Bytes lying = link_message();
    std::memcpy(lying.data(), &length, sizeof length);
    LinkTable links;
    EXPECT_TRUE(parse_netlink(lying, links).failed) << length;
    EXPECT_TRUE(links.empty());
  }
}

TEST(Netlink, ThisMachineHasALoopbackLink) {
  const auto links = dump_links();
  if (!links) GTEST_SKIP() << "missing: rtnetlink (" << links.error().message << ")";
  EXPECT_TRUE(
      std::ranges::any_of(*links, [](const auto& entry) { return entry.second.is_loopback; }));
}

}  // namespace
}  // namespace hm::linux
