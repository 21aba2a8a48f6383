// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/container_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "platform/containers_linux/network_namespace.h"
#include "platform/containers_linux/rtnetlink.h"
#include "platform/linux/kernel_tree.h"
#include "platform/linux/netlink.h"

namespace hm::containers_linux {
namespace {

using privacy::NetworkClass;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Ipv6Bytes address(const std::string& text) {
  Ipv6Bytes bytes{};
  EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &bytes), 1) << text;
  return bytes;
}

// --- rules as text ---

TEST(NetworkRulesTest, PrefixesHaveOneSpelling) {
  EXPECT_EQ(to_text(*parse_prefix("fd00:1::/80")), "fd00:1::/80");
  EXPECT_EQ(to_text(prefix_of(address("2001:db8::ff"), 121)), "2001:db8::80/121");
  for (const char* text : {"", "fd00::", "fd00::1/64", "fd00::/129", "fd00::/", "10.0.0.0/8",
                           "x/64", "fd00::/-1", "fd00::/64 "}) {
    const auto prefix = parse_prefix(text);
    EXPECT_TRUE(!prefix || std::string_view(text) == "fd00::/64 ") << text;
  }
}

TEST(NetworkRulesTest, NamesOfInterfacesFitAndAreReadBackByTheirOwnTagOnly) {
  const std::string name = interface_name("abc123", NetworkClass::Internet, 0xFFFE);
  EXPECT_EQ(name, "hmabc123-ifffe");
  EXPECT_LE(name.size(), 15U);
  EXPECT_EQ(interface_number("abc123", name), 0xFFFE);
  EXPECT_EQ(interface_number("abc124", name), std::nullopt);
  for (const char* other :
       {"eth0", "hmabc123", "hmabc123-", "hmabc123-i", "hmabc123-x1", "hmabc123-i01",
        "hmabc123-iFF", "hmabc123-m1g", "hmabc123-m10000", "hmabc123i1"}) {
    EXPECT_EQ(interface_number("abc123", other), std::nullopt) << other;
  }
}

TEST(NetworkRulesTest, OverlappingPrefixesAreOneElement) {
  const Rules rules{.tag = "abc123",
                    .containers = *parse_prefix("fd00:1::/80"),
                    .mesh = {},
                    .site = {*parse_prefix("2600::/32"), *parse_prefix("2600:0:1::/48")}};
  const std::string text = rules_text(rules);
  EXPECT_THAT(text, HasSubstr("elements = { 2600::/32 }"));
  EXPECT_THAT(text, HasSubstr("iifname \"hmabc123-*\" jump from_container"));
  EXPECT_EQ(text.find('$'), std::string::npos);
}

// --- on this machine ---

// A machine of its own: a fresh network namespace stands for the host, and another one behind a
// link for everything beyond it. Nothing of the real machine's network is touched.
class ContainerNetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    std::string pattern = testing::TempDir() + "hm-net-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    real_ = FileDescriptor(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    auto host = RouteSocket::open();
    ASSERT_TRUE(host);
    ASSERT_TRUE(host->set_up(1, {}));
    ASSERT_TRUE(make_network_namespace(outside(), [&]() -> Result<void> {
      HM_TRY(RouteSocket beyond, RouteSocket::open());
      const FileDescriptor own(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
      HM_TRY_VOID(beyond.set_up(1, {}));
      HM_TRY_VOID(host->add_veth({.name = "up0",
                                  .mac = {2, 0, 0, 0, 0, 1},
                                  .peer_name = "down0",
                                  .peer_mac = {2, 0, 0, 0, 0, 2},
                                  .peer_namespace = own.get()}));
      HM_TRY(const LinkState up, host->link("up0"));
      HM_TRY(const LinkState down, beyond.link("down0"));
      HM_TRY_VOID(host->set_up(up.index, {}));
      HM_TRY_VOID(beyond.set_up(down.index, {}));
      HM_TRY_VOID(host->add_address(up.index, address(kHost), 64));
      HM_TRY_VOID(beyond.add_address(down.index, address(kNeighbour), 64));
      HM_TRY_VOID(beyond.add_address(1, address(kFar), 128));
      HM_TRY_VOID(beyond.add_address(1, address(kPeer), 128));
      HM_TRY_VOID(beyond.add_address(1, address(kOtherLocal), 128));
      return host->add_route(up.index, {}, 0, address(kNeighbour));
    }));
  }

  void TearDown() override {
    if (folder_.empty()) return;
    networks_.reset();
    if (std::filesystem::exists(folder_ / "net")) {
      for (const auto& entry : std::filesystem::directory_iterator(folder_ / "net")) {
        EXPECT_TRUE(remove_network_namespace(entry.path()));
      }
    }
    EXPECT_TRUE(remove_network_namespace(outside()));
    EXPECT_EQ(::setns(real_.get(), CLONE_NEWNET), 0);
    std::filesystem::remove_all(folder_);
  }

  std::string outside() const { return folder_ / "outside"; }

  NetworkSettings settings() const {
    return {.folder = folder_ / "net",
            .tag = "hmtest",
            .containers = parse_prefix("fd00:c::/80"),
            .mesh = parse_prefix("fd48:4d00:1:2::/64")};
  }
  // Skips the calling test (which must return then) if this machine cannot do it.
  bool open(NetworkClass needed) {
    networks_ = ContainerNetworks::open(settings());
    return networks_->offers(needed);
  }
  std::string why() const {
    return networks_->missing().empty() ? "not offered" : networks_->missing().front();
  }

  static constexpr const char* kHost = "2600:1::1";
  static constexpr const char* kNeighbour = "2600:1::2";
  static constexpr const char* kFar = "2a00::1";
  static constexpr const char* kPeer = "fd48:4d00:1:2::7";
  static constexpr const char* kOtherLocal = "fd99::1";
  static constexpr std::uint16_t kPort = 7777;

  std::filesystem::path folder_;
  FileDescriptor real_;
  std::unique_ptr<ContainerNetworks> networks_;
};

sockaddr_in6 at(const std::string& host, std::uint16_t port) {
  sockaddr_in6 out{};
  if (host.starts_with("fe80:")) out.sin6_scope_id = ::if_nametoindex("eth0");
  out.sin6_family = AF_INET6;
  out.sin6_port = htons(port);
  const Ipv6Bytes bytes = address(host);
  std::copy(bytes.begin(), bytes.end(), out.sin6_addr.s6_addr);
  return out;
}

FileDescriptor bound(int type, const std::string& host, std::uint16_t port) {
  FileDescriptor fd(::socket(AF_INET6, type | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_IPV6, IPV6_FREEBIND, &yes, sizeof yes);
  const sockaddr_in6 own = at(host, port);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
  if (type == SOCK_STREAM) ::listen(fd.get(), 16);
  return fd;
}

FileDescriptor listen_in(const std::string& path, const std::string& host, std::uint16_t port) {
  FileDescriptor fd;
  EXPECT_TRUE(run_in_network_namespace(path, [&]() -> Result<void> {
    fd = bound(SOCK_STREAM, host, port);
    return {};
  }));
  return fd;
}

// A first packet is lost if it comes before a fresh link carries any; the next is sent after 1 s.
constexpr int kConnectMs = 2500;

// Whether a connection from a namespace comes about. What is refused is told at once.
bool reaches(const std::string& path, const std::string& host, std::uint16_t port) {
  bool connected = false;
  EXPECT_TRUE(run_in_network_namespace(path, [&]() -> Result<void> {
    const FileDescriptor fd(::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_in6 to = at(host, port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
        errno != EINPROGRESS) {
      return {};
    }
    pollfd wanted{.fd = fd.get(), .events = POLLOUT, .revents = 0};
    int problem = ETIMEDOUT;
    socklen_t size = sizeof problem;
    if (::poll(&wanted, 1, kConnectMs) == 1) {
      ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
    }
    connected = problem == 0;
    return {};
  }));
  return connected;
}

TEST_F(ContainerNetworkTest, ClassNoneHasItsOwnLoopbackAndNothingElse) {
  ASSERT_TRUE(open(NetworkClass::None));
  const auto made = networks_->create("one", NetworkClass::None);
  ASSERT_TRUE(made) << made.error().message << made.error().detail;
  EXPECT_EQ(made->path, settings().folder + "/one");
  EXPECT_EQ(made->address, "");
  ASSERT_TRUE(run_in_network_namespace(made->path, []() -> Result<void> {
    const auto links = linux::dump_links();
    EXPECT_TRUE(links);
    EXPECT_EQ(links->size(), 1U);
    EXPECT_TRUE(links->at(1).is_loopback);
    EXPECT_TRUE(links->at(1).is_up);
    return {};
  }));
  const FileDescriptor host = bound(SOCK_STREAM, "::1", kPort);
  EXPECT_FALSE(reaches(made->path, "::1", kPort));
  EXPECT_FALSE(reaches(made->path, kHost, kPort));
  EXPECT_EQ(networks_->counters("one").error().code, ErrorCode::NotFound);
  EXPECT_THAT(networks_->list(), ElementsAre("one"));
  ASSERT_TRUE(networks_->remove("one"));
  ASSERT_TRUE(networks_->remove("one"));
  EXPECT_THAT(networks_->list(), IsEmpty());
}

TEST_F(ContainerNetworkTest, ClassMeshReachesTheMeshAndNothingElse) {
  if (!open(NetworkClass::Mesh)) GTEST_SKIP() << why();
  const auto made = networks_->create("one", NetworkClass::Mesh);
  ASSERT_TRUE(made) << made.error().message << made.error().detail;
  EXPECT_EQ(made->address, "fd00:c::2");
  const FileDescriptor server = listen_in(outside(), "::", kPort);
  EXPECT_TRUE(reaches(made->path, kPeer, kPort));
  EXPECT_FALSE(reaches(made->path, kFar, kPort));
  EXPECT_FALSE(reaches(made->path, kNeighbour, kPort));
  EXPECT_FALSE(reaches(made->path, kOtherLocal, kPort));
}

TEST_F(ContainerNetworkTest, ClassInternetReachesTheInternetAndNothingOfTheSite) {
  if (!open(NetworkClass::Internet)) GTEST_SKIP() << why();
  const auto made = networks_->create("one", NetworkClass::Internet);
  ASSERT_TRUE(made) << made.error().message << made.error().detail;
  const FileDescriptor server = listen_in(outside(), "::", kPort);
  EXPECT_TRUE(reaches(made->path, kFar, kPort));
  EXPECT_TRUE(reaches(made->path, kPeer, kPort));
  EXPECT_FALSE(reaches(made->path, kNeighbour, kPort));
  EXPECT_FALSE(reaches(made->path, kOtherLocal, kPort));
}

TEST_F(ContainerNetworkTest, NoClassReachesTheHostByAnyOfItsAddresses) {
  if (!open(NetworkClass::Internet)) GTEST_SKIP() << why();
  const FileDescriptor host = bound(SOCK_STREAM, "::", kPort);
  for (const auto network : {NetworkClass::Mesh, NetworkClass::Internet}) {
    const std::string id(privacy::name_of(network));
    const auto made = networks_->create(id, network);
    ASSERT_TRUE(made);
    for (const char* of_host : {kHost, "::1", "fe80::1"}) {
      EXPECT_FALSE(reaches(made->path, of_host, kPort)) << id << " " << of_host;
    }
  }
}

TEST_F(ContainerNetworkTest, ContainersDoNotReachEachOtherAndNobodyReachesThem) {
  if (!open(NetworkClass::Internet)) GTEST_SKIP() << why();
  const auto one = networks_->create("one", NetworkClass::Internet);
  const auto two = networks_->create("two", NetworkClass::Internet);
  ASSERT_TRUE(one);
  ASSERT_TRUE(two);
  EXPECT_NE(one->address, two->address);
  const FileDescriptor server = listen_in(two->path, "::", kPort);
  EXPECT_FALSE(reaches(one->path, two->address, kPort));
  auto beyond = RouteSocket::open();
  ASSERT_TRUE(run_in_network_namespace(outside(), []() -> Result<void> {
    HM_TRY(RouteSocket routes, RouteSocket::open());
    HM_TRY(const LinkState down, routes.link("down0"));
    return routes.add_route(down.index, address("fd00:c::"), 80, address(kHost));
  }));
  EXPECT_FALSE(reaches(outside(), two->address, kPort));
}

// One datagram from `source` to the server, saying `text`.
void send_from(const std::string& path, const std::string& source, const std::string& text,
               const sockaddr_in6& to) {
  ASSERT_TRUE(run_in_network_namespace(path, [&]() -> Result<void> {
    const FileDescriptor fd = bound(SOCK_DGRAM, source, 0);
    ::sendto(fd.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to),
             sizeof to);
    return {};
  }));
}

TEST_F(ContainerNetworkTest, AContainerSendsFromItsOwnAddressOnly) {
  if (!open(NetworkClass::Internet)) GTEST_SKIP() << why();
  const auto one = networks_->create("one", NetworkClass::Internet);
  const auto two = networks_->create("two", NetworkClass::Internet);
  ASSERT_TRUE(one);
  ASSERT_TRUE(two);
  FileDescriptor server;
  ASSERT_TRUE(run_in_network_namespace(outside(), [&]() -> Result<void> {
    server = bound(SOCK_DGRAM, "::", kPort);
    return {};
  }));
  const sockaddr_in6 to = at(kFar, kPort);
  send_from(one->path, two->address, "forged", to);
  send_from(one->path, "2a00::99", "forged", to);
  send_from(one->path, one->address, "honest", to);
  std::array<char, 64> text{};
  sockaddr_in6 from{};
  socklen_t size = sizeof from;
  const ssize_t count = ::recvfrom(server.get(), text.data(), text.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
  ASSERT_GT(count, 0);
  EXPECT_EQ(std::string(text.data(), static_cast<std::size_t>(count)), "honest");
  // Behind the host's own address.
  EXPECT_EQ(linux::to_text(std::to_array(from.sin6_addr.s6_addr)), kHost);
}

TEST_F(ContainerNetworkTest, BytesAreCountedInBothDirections) {
  if (!open(NetworkClass::Internet)) GTEST_SKIP() << why();
  const auto made = networks_->create("one", NetworkClass::Internet);
  ASSERT_TRUE(made);
  const FileDescriptor server = listen_in(outside(), "::", kPort);
  ASSERT_TRUE(reaches(made->path, kFar, kPort));
  const auto before = networks_->counters("one");
  ASSERT_TRUE(before);
  EXPECT_GT(before->sent_bytes, 0U);
  EXPECT_GT(before->received_bytes, 0U);
  send_from(made->path, made->address, std::string(1000, 'x'), at(kFar, kPort));
  const auto after = networks_->counters("one");
  ASSERT_TRUE(after);
  EXPECT_GE(after->sent_bytes, before->sent_bytes + 1000);
}

TEST_F(ContainerNetworkTest, WhatAnEarlierRunLeftIsFoundAndRemovedAndItsNumberIsNotGivenTwice) {
  if (!open(NetworkClass::Mesh)) GTEST_SKIP() << why();
  ASSERT_TRUE(networks_->create("one", NetworkClass::Mesh));
  ASSERT_TRUE(networks_->create("plain", NetworkClass::None));
  networks_.reset();
  ASSERT_TRUE(open(NetworkClass::Mesh));
  EXPECT_THAT(networks_->list(), UnorderedElementsAre("one", "plain"));
  EXPECT_TRUE(networks_->counters("one"));
  EXPECT_EQ(networks_->create("two", NetworkClass::Mesh)->address, "fd00:c::3");
  EXPECT_EQ(networks_->create("one", NetworkClass::Mesh)->address, "fd00:c::2");
  for (const std::string& id : networks_->list()) EXPECT_TRUE(networks_->remove(id));
  EXPECT_THAT(networks_->list(), IsEmpty());
  auto routes = RouteSocket::open();
  ASSERT_TRUE(routes);
  const auto links = routes->links();
  ASSERT_TRUE(links);
  for (const LinkState& link : *links) {
    EXPECT_EQ(interface_number(settings().tag, link.name), std::nullopt) << link.name;
  }
}

TEST_F(ContainerNetworkTest, ForwardingIsTurnedOnForContainersOnlyAndOffAgain) {
  const linux::KernelTree ipv6("/proc/sys/net/ipv6/conf");
  ASSERT_EQ(ipv6.line("all/forwarding"), "0");
  std::ofstream(ipv6.path("up0/accept_ra")) << "1";
  if (!open(NetworkClass::Internet)) GTEST_SKIP() << why();
  EXPECT_EQ(ipv6.line("all/forwarding"), "1");
  EXPECT_EQ(ipv6.line("up0/accept_ra"), "2");  // still listens to its router
  networks_.reset();
  ASSERT_TRUE(open(NetworkClass::Internet));  // restarted: still its own to turn off
  networks_->close();
  EXPECT_EQ(ipv6.line("all/forwarding"), "0");
  EXPECT_EQ(ipv6.line("up0/accept_ra"), "1");
  EXPECT_FALSE(networks_->offers(NetworkClass::Internet));
}

TEST_F(ContainerNetworkTest, AMachineThatDidNotForwardStillDoesNotForOthers) {
  if (!open(NetworkClass::Internet)) GTEST_SKIP() << why();
  // A neighbour that is no container, on a link of the host.
  const std::string third = folder_ / "net" / "third";
  ASSERT_TRUE(make_network_namespace(third, []() -> Result<void> { return {}; }));
  auto host = RouteSocket::open();
  ASSERT_TRUE(host);
  const FileDescriptor into(::open(third.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(host->add_veth({.name = "side0",
                              .mac = {2, 0, 0, 0, 1, 1},
                              .peer_name = "eth0",
                              .peer_mac = {2, 0, 0, 0, 1, 2},
                              .peer_namespace = into.get()}));
  const auto side = host->link("side0");
  ASSERT_TRUE(side);
  ASSERT_TRUE(host->set_up(side->index, {}));
  ASSERT_TRUE(host->add_address(side->index, address("2600:2::1"), 64));
  ASSERT_TRUE(run_in_network_namespace(third, []() -> Result<void> {
    HM_TRY(RouteSocket routes, RouteSocket::open());
    HM_TRY(const LinkState link, routes.link("eth0"));
    HM_TRY_VOID(routes.set_up(link.index, {}));
    HM_TRY_VOID(routes.add_address(link.index, address("2600:2::2"), 64));
    return routes.add_route(link.index, {}, 0, address("2600:2::1"));
  }));
  ASSERT_TRUE(run_in_network_namespace(outside(), []() -> Result<void> {
    HM_TRY(RouteSocket routes, RouteSocket::open());
    HM_TRY(const LinkState down, routes.link("down0"));
    return routes.add_route(down.index, address("2600:2::"), 64, address(kHost));
  }));
  const FileDescriptor server = listen_in(outside(), "::", kPort);
  EXPECT_FALSE(reaches(third, kFar, kPort));
}

TEST_F(ContainerNetworkTest, APortInsideIsReachedByEnteringTheNamespace) {
  ASSERT_TRUE(open(NetworkClass::None));
  const auto made = networks_->create("one", NetworkClass::None);
  ASSERT_TRUE(made);
  EXPECT_EQ(connect_in(made->path, kPort).error().code, ErrorCode::Unavailable);
  const FileDescriptor server = listen_in(made->path, "::1", kPort);
  const auto connected = connect_in(made->path, kPort);
  ASSERT_TRUE(connected) << connected.error().message;
  const FileDescriptor client(*connected);
  const FileDescriptor accepted(::accept(server.get(), nullptr, nullptr));
  ASSERT_EQ(::write(client.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(accepted.get(), &byte, 1), 1);
  EXPECT_EQ(connect_in("/proc/self/exe", kPort).error().code, ErrorCode::NotFound);
}

TEST_F(ContainerNetworkTest, WithoutAPrefixOnlyClassNoneIsOffered) {
  NetworkSettings bare = settings();
  bare.containers.reset();
  networks_ = ContainerNetworks::open(bare);
  EXPECT_TRUE(networks_->offers(NetworkClass::None));
  EXPECT_FALSE(networks_->offers(NetworkClass::Mesh));
  EXPECT_EQ(networks_->create("one", NetworkClass::Internet).error().code, ErrorCode::Unsupported);
  EXPECT_TRUE(networks_->create("one", NetworkClass::None));
}

}  // namespace
}  // namespace hm::containers_linux
