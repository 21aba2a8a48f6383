// SPDX-License-Identifier: Apache-2.0
#include "platform/containers_linux/rtnetlink.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "foundation/base/bytes.h"

namespace hm::containers_linux {
namespace {

// The kernel fills at most 32 KiB in one read of a dump.
constexpr std::size_t kReadBytes = 64U << 10U;
constexpr int kMaxReads = 4096;

constexpr std::size_t aligned(std::size_t size) { return (size + 3U) & ~std::size_t{3}; }

// A netlink message that grows attribute by attribute.
class Message {
 public:
  template <class Body>
  Message(std::uint16_t type, std::uint16_t flags, const Body& body) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    put_raw(&header, sizeof header);
    put_raw(&body, sizeof body);
  }

  void put_raw(const void* bytes, std::size_t size) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + aligned(size));
    if (size > 0) std::memcpy(bytes_.data() + at, bytes, size);
  }
  void put(std::uint16_t type, const void* value, std::size_t size) {
    const rtattr header{.rta_len = static_cast<std::uint16_t>(sizeof(rtattr) + size),
                        .rta_type = type};
    put_raw(&header, sizeof header);
    put_raw(value, size);
  }
  template <class T>
  void put(std::uint16_t type, const T& value) {
    put(type, &value, sizeof value);
  }
  void put_text(std::uint16_t type, const std::string& text) {
    put(type, text.c_str(), text.size() + 1);
  }
  // Attributes put until end_nest() lie inside this one.
  std::size_t begin_nest(std::uint16_t type) {
    const std::size_t at = bytes_.size();
    put(type, nullptr, 0);
    return at;
  }
  void end_nest(std::size_t at) {
    const auto size = static_cast<std::uint16_t>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at, &size, sizeof size);
  }
  std::vector<std::uint8_t>& bytes() { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

template <class T>
bool read_as(ByteView bytes, T& out) {
  if (bytes.size() < sizeof(T)) return false;
  std::memcpy(&out, bytes.data(), sizeof(T));
  return true;
}

template <class Visit>
void for_each_attribute(ByteView bytes, Visit visit) {
  rtattr header{};
  while (read_as(bytes, header) && header.rta_len >= sizeof(rtattr) &&
         header.rta_len <= bytes.size()) {
    visit(header.rta_type & NLA_TYPE_MASK,
          bytes.subspan(sizeof(rtattr), header.rta_len - sizeof(rtattr)));
    bytes = bytes.subspan(std::min(aligned(header.rta_len), bytes.size()));
  }
}

std::string text_of(ByteView bytes) {
  return {bytes.begin(), std::ranges::find(bytes, std::uint8_t{0})};
}

std::optional<LinkState> parse_link(ByteView body) {
  ifinfomsg info{};
  if (!read_as(body, info) || info.ifi_index <= 0) return {};
  LinkState link;
  link.index = static_cast<std::uint32_t>(info.ifi_index);
  for_each_attribute(
      body.subspan(std::min(aligned(sizeof info), body.size())), [&link](int type, ByteView value) {
        if (type == IFLA_IFNAME) link.name = text_of(value);
        if (type == IFLA_IFALIAS) link.alias = text_of(value);
        rtnl_link_stats64 stats{};
        if (type == IFLA_STATS64 && value.size() >= offsetof(rtnl_link_stats64, rx_errors)) {
          std::memcpy(&stats, value.data(), std::min(value.size(), sizeof stats));
          link.received_bytes = stats.rx_bytes;
          link.sent_bytes = stats.tx_bytes;
        }
      });
  return link;
}

// What one read of an answer brought.
struct Answer {
  bool done = false;
  int error = 0;
};

template <class OnLink>
Answer parse_answer(ByteView buffer, std::uint32_t sequence, OnLink on_link) {
  nlmsghdr header{};
  while (read_as(buffer, header) && header.nlmsg_len >= sizeof header &&
         header.nlmsg_len <= buffer.size()) {
    const ByteView body = buffer.subspan(sizeof header, header.nlmsg_len - sizeof header);
    buffer = buffer.subspan(std::min(aligned(header.nlmsg_len), buffer.size()));
    if (header.nlmsg_seq != sequence) continue;
    if (header.nlmsg_type == NLMSG_DONE) return {.done = true};
    if (header.nlmsg_type == NLMSG_ERROR) {
      int error = 0;
      if (!read_as(body, error)) return {.done = true, .error = EPROTO};
      return {.done = true, .error = -error};
    }
    if (header.nlmsg_type == RTM_NEWLINK) {
      if (auto link = parse_link(body)) on_link(std::move(*link));
    }
  }
  return {};
}

template <class OnLink>
int exchange(int fd, std::vector<std::uint8_t>& message, std::uint32_t sequence, OnLink on_link) {
  const auto size = static_cast<std::uint32_t>(message.size());
  std::memcpy(message.data() + offsetof(nlmsghdr, nlmsg_len), &size, sizeof size);
  std::memcpy(message.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
  if (::send(fd, message.data(), message.size(), 0) < 0) return errno;
  std::vector<std::uint8_t> buffer(kReadBytes);
  for (int reads = 0; reads < kMaxReads;) {
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    ++reads;
    const Answer answer =
        parse_answer(ByteView(buffer).first(static_cast<std::size_t>(count)), sequence, on_link);
    if (answer.done) return answer.error;
  }
  return EPROTO;
}

ifinfomsg link_body(std::uint32_t index) {
  ifinfomsg body{};
  body.ifi_family = AF_UNSPEC;
  body.ifi_index = static_cast<int>(index);
  return body;
}

}  // namespace

Result<RouteSocket> RouteSocket::open() {
  FileDescriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return fail(system_error("cannot open a netlink socket"));
  // The kernel answers from memory; a limit all the same, so that a worker is never lost here.
  const timeval limit{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return RouteSocket(std::move(fd));
}

Result<void> RouteSocket::change(std::vector<std::uint8_t>& message, std::string_view what) {
  const int error = exchange(fd_.get(), message, ++sequence_, [](LinkState) {});
  if (error == 0) return {};
  errno = error;
  return fail(system_error("cannot " + std::string(what)));
}

Result<std::vector<LinkState>> RouteSocket::links() {
  Message message(RTM_GETLINK, NLM_F_DUMP, link_body(0));
  std::vector<LinkState> all;
  const int error = exchange(fd_.get(), message.bytes(), ++sequence_,
                             [&all](LinkState link) { all.push_back(std::move(link)); });
  if (error == 0) return all;
  errno = error;
  return fail(system_error("cannot list network interfaces"));
}

Result<LinkState> RouteSocket::link(const std::string& name) {
  Message message(RTM_GETLINK, NLM_F_ACK, link_body(0));
  message.put_text(IFLA_IFNAME, name);
  std::optional<LinkState> found;
  const int error = exchange(fd_.get(), message.bytes(), ++sequence_,
                             [&found](LinkState link) { found = std::move(link); });
  if (error == 0 && found) return std::move(*found);
  if (error == ENODEV || error == 0) {
    return fail(ErrorCode::NotFound, "no network interface " + name);
  }
  errno = error;
  return fail(system_error("cannot look for the network interface " + name));
}

Result<void> RouteSocket::add_veth(const VethPair& pair) {
  Message message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, link_body(0));
  message.put_text(IFLA_IFNAME, pair.name);
  message.put(IFLA_ADDRESS, pair.mac);
  const std::size_t info = message.begin_nest(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "veth");
  const std::size_t data = message.begin_nest(IFLA_INFO_DATA);
  const std::size_t peer = message.begin_nest(VETH_INFO_PEER);
  const ifinfomsg body = link_body(0);
  message.put_raw(&body, sizeof body);
  message.put_text(IFLA_IFNAME, pair.peer_name);
  message.put(IFLA_ADDRESS, pair.peer_mac);
  message.put(IFLA_NET_NS_FD, pair.peer_namespace);
  message.end_nest(peer);
  message.end_nest(data);
  message.end_nest(info);
  return change(message.bytes(), "make the network interface " + pair.name);
}

Result<void> RouteSocket::set_up(std::uint32_t index, const std::string& alias) {
  ifinfomsg body = link_body(index);
  body.ifi_flags = IFF_UP;
  body.ifi_change = IFF_UP;
  Message message(RTM_NEWLINK, NLM_F_ACK, body);
  if (!alias.empty()) message.put(IFLA_IFALIAS, alias.data(), alias.size());
  const std::size_t families = message.begin_nest(IFLA_AF_SPEC);
  const std::size_t family = message.begin_nest(AF_INET6);
  message.put(IFLA_INET6_ADDR_GEN_MODE, static_cast<std::uint8_t>(IN6_ADDR_GEN_MODE_NONE));
  message.end_nest(family);
  message.end_nest(families);
  return change(message.bytes(), "start a network interface");
}

Result<void> RouteSocket::remove_link(std::uint32_t index) {
  Message message(RTM_DELLINK, NLM_F_ACK, link_body(index));
  return change(message.bytes(), "remove a network interface");
}

Result<void> RouteSocket::add_address(std::uint32_t index, const Ipv6Bytes& address,
                                      std::uint8_t length) {
  ifaddrmsg body{};
  body.ifa_family = AF_INET6;
  body.ifa_prefixlen = length;
  body.ifa_flags = IFA_F_NODAD;  // nobody else is on the link
  body.ifa_index = index;
  Message message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, body);
  message.put(IFA_ADDRESS, address);
  return change(message.bytes(), "give an address to a network interface");
}

Result<void> RouteSocket::add_route(std::uint32_t index, const Ipv6Bytes& prefix,
                                    std::uint8_t length, const std::optional<Ipv6Bytes>& gateway) {
  rtmsg body{};
  body.rtm_family = AF_INET6;
  body.rtm_dst_len = length;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_STATIC;
  body.rtm_scope = RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  Message message(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, body);
  if (length != 0) message.put(RTA_DST, prefix);
  if (gateway) message.put(RTA_GATEWAY, *gateway);
  message.put(RTA_OIF, index);
  return change(message.bytes(), "add a route");
}

Result<void> RouteSocket::add_neighbour(std::uint32_t index, const Ipv6Bytes& address,
                                        const MacAddress& mac) {
  ndmsg body{};
  body.ndm_family = AF_INET6;
  body.ndm_ifindex = static_cast<int>(index);
  body.ndm_state = NUD_PERMANENT;
  Message message(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, body);
  message.put(NDA_DST, address);
  message.put(NDA_LLADDR, mac);
  return change(message.bytes(), "add a neighbour");
}

}  // namespace hm::containers_linux
